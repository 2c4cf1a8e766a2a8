"""The wire: volts, resistors, contacts, heat and power of one EVSE, in continuous time. Must not know sockets or the firmware."""
