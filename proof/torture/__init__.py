"""Killed processes and cut power: what is lost, doubled or wrong afterwards. Test code only; no firmware imports it."""
