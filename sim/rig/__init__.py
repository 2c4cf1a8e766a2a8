"""Pins, I2C buses and PWM channels of the simulated board: the process that holds them, and the client that the firmware loads."""
