"""The built-in CSMS, for OCPP 1.6 and 2.0.1: a second opinion on the firmware, and one that can misbehave. Knows nothing of the firmware's code."""
