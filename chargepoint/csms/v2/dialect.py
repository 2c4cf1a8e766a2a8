"""What differs between the versions of OCPP 2.x. Must not know blocks or messages' uses.

The lengths are those of the version's schemas; longer texts are cut, since a message that does not fit is no message.
"""

from __future__ import annotations

from typing import NamedTuple


class Dialect(NamedTuple):
    """One version: its subprotocol and the lengths (characters) its messages allow."""

    subprotocol: str
    vendor_name: int
    model: int
    serial_number: int
    firmware_version: int
    security_event_type: int
    security_event_info: int
    event_tech_code: int
    event_tech_info: int
    value: int


OCPP_2_0_1 = Dialect(
    subprotocol="ocpp2.0.1",
    vendor_name=50,
    model=20,
    serial_number=25,
    firmware_version=50,
    security_event_type=50,
    security_event_info=255,
    event_tech_code=50,
    event_tech_info=500,
    value=2500,
)
"""2.0.1 part 2: 1.49.1 SecurityEventNotificationRequest, 2.13 ChargingStationType, 2.22 EventDataType."""
