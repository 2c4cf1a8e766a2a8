"""What one EVSE's guards look at: the last readings and the commands given, each with its time. Must not decide anything.

Times are CLOCK_BOOTTIME seconds. One object per EVSE, written in place each turn.
"""

from __future__ import annotations

from chargepoint.model.pilot import PilotState


class Watch:
    """pilot: the confirmed state. pwm, coil, coil_l23: commands. second: there is a second contactor (l23). dark_until: until then a pilot in F is
    our own doing. *_since: when the value became what it is."""

    __slots__ = (
        "cable_a",
        "cable_held_a",
        "cable_missing_since",
        "closed",
        "coil",
        "coil_l23",
        "coil_l23_since",
        "coil_since",
        "contradicted",
        "current_uncommanded",
        "d_allowed",
        "dark_until",
        "duty_lost",
        "earth_lost_turns",
        "emergency",
        "fault_openings",
        "high_at",
        "high_v",
        "hot",
        "l23_flows",
        "lock_failed",
        "lock_lost_turns",
        "low_at",
        "low_unread_turns",
        "low_v",
        "meter_long_silent",
        "meter_silent",
        "mirror_closed",
        "mirror_l23_closed",
        "mirror_l23_since",
        "mirror_since",
        "now",
        "over_current",
        "over_voltage",
        "phase_loss",
        "phases_missing",
        "pilot",
        "pilot_since",
        "pwm",
        "pwm_dead_until",
        "pwm_since",
        "second",
        "socket",
        "suspect_name",
        "suspect_since",
        "temperature_at",
        "temperature_c",
        "test_failed",
        "testing",
        "thermometer",
        "tries",
        "tries_l23",
        "tripped",
        "under_voltage",
        "unlock_failed",
    )

    def __init__(self, now: float, *, socket: bool, d_allowed: bool, thermometer: bool) -> None:
        self.now = now
        self.socket = socket
        self.d_allowed = d_allowed
        self.thermometer = thermometer
        self._readings(now)
        self._commands(now)
        self._verdicts()

    def _readings(self, now: float) -> None:
        self.pilot = PilotState.IMPLAUSIBLE
        self.pilot_since = now
        self.high_v = 0.0
        self.high_at = now
        self.low_v = 0.0
        self.low_at = now
        self.low_unread_turns = 0
        self.mirror_closed = False
        self.mirror_since = now
        self.mirror_l23_closed = False
        self.mirror_l23_since = now
        self.tripped = False
        self.emergency = False
        self.earth_lost_turns = 0
        self.cable_a: float | None = None
        self.cable_held_a: float | None = None
        self.cable_missing_since = 0.0
        self.temperature_c: float | None = None
        self.temperature_at = now
        self.hot = False

    def _commands(self, now: float) -> None:
        self.pwm = False
        self.pwm_since = now
        self.dark_until = 0.0
        self.coil = False
        self.coil_since = now
        self.coil_l23 = False
        self.coil_l23_since = now
        self.closed = False

    def _verdicts(self) -> None:
        self.duty_lost = False
        self.pwm_dead_until = 0.0
        self.suspect_since = 0.0
        self.suspect_name = ""
        self.lock_lost_turns = 0
        self.lock_failed = False
        self.unlock_failed = False
        self._meter_verdicts()
        self.testing = False
        self.test_failed = False
        self.tries = 0
        self.contradicted = False
        self.fault_openings = 0
        self.second = False
        self.tries_l23 = 0
        self.l23_flows = False
        self.phases_missing = False

    def _meter_verdicts(self) -> None:
        self.over_current = False
        self.over_voltage = False
        self.under_voltage = False
        self.phase_loss = False
        self.meter_silent = False
        self.meter_long_silent = False
        self.current_uncommanded = False

    def read_low(self, volts: float | None, now: float) -> None:
        """The low peak, this turn; None: it was not read."""
        if volts is None:
            self.low_unread_turns += 1
        else:
            self.low_v, self.low_at, self.low_unread_turns = volts, now, 0

    def read_earth(self, lost: bool) -> None:
        """The monitor of the protective earth, this turn."""
        self.earth_lost_turns = self.earth_lost_turns + 1 if lost else 0

    def read_mirror(self, closed: bool) -> None:
        """The mirror contact, this turn."""
        if closed is not self.mirror_closed:
            self.mirror_closed = closed
            self.mirror_since = self.now

    @property
    def l23_open(self) -> bool:
        """Whether a second contactor keeps phases 2 and 3 away."""
        return self.second and self.mirror_l23_closed

    def read_mirror_l23(self, closed: bool) -> None:
        """The second contactor's mirror contact, this turn."""
        if closed is not self.mirror_l23_closed:
            self.mirror_l23_closed = closed
            self.mirror_l23_since = self.now

    def proven_open(self, for_s: float) -> bool:
        """Whether the coil is off and the mirror contact has said for so long that every pole is open."""
        return self.mirror_closed and not self.coil and self.now - self.mirror_since >= for_s
