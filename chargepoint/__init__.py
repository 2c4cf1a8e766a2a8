"""Firmware of an AC charge point: board, safety, decisions, speech, memory."""

__version__ = "0.1.0"
