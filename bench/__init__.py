"""Measurements on the simulator, through the real commands. Timings live here, never in tests."""
