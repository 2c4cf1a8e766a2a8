"""Mutation testing of chargepoint/control."""
