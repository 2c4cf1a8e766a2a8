"""A car's properties and habits, as a file, a scenario or a program gives them. Must not know the pilot, nor where vehicles are kept."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

NotNegative = Annotated[float, Meta(ge=0)]
Amperes = Annotated[float, Meta(ge=0, le=1000)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Speed = Annotated[float, Meta(ge=1, le=100_000)]
Curve = tuple[tuple[Percent, Amperes], ...]
"""Points of (state of charge in %, A per phase that the car takes at most), by rising state of charge; straight lines between them."""


class Ev(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A car. capacity_wh None: without end, and without a state of charge. soc_percent: the state of charge it comes with, instead of energy_wh;
    target_percent: where it stops; curve: what it takes at most by its state of charge. speed: so many times faster than real run its battery and its
    slow times (sleeps_after_s, rises_s); what it does on the pilot keeps its time. rises_s: follow_s of an offer that rises. wakes_by: what wakes it
    once it has slept for `sleeps_after_s` without an offer: "f" (state F), "cp_break" (0 V), "x1_break" (an offer that is taken away and made
    again), each for wake_s at least, "offer" (the next offer after all); None: only a new plug-in. max_starts: after so many offers it stays off.
    min_current_a: it draws nothing at a lower offer."""

    max_current_a: Amperes = 32.0
    phases: Literal[1, 2, 3] = 3
    ready: bool = True
    delay_s: NotNegative = 1.0
    capacity_wh: NotNegative | None = None
    energy_wh: NotNegative = 0.0
    soc_percent: Percent | None = None
    target_percent: Percent = 100.0
    curve: Curve = ()
    speed: Speed = 1.0
    profile: str | None = None
    cable_a: Amperes = 32.0
    s2_open_s: NotNegative | None = 0.5
    follow_s: NotNegative = 2.0
    rises_s: NotNegative | None = None
    min_current_a: NotNegative = 6.0
    ventilation: bool = False
    skips_b: bool = False
    no_diode: bool = False
    latches_on_f: bool = False
    sleeps_after_s: NotNegative | None = None
    wakes_by: Literal["f", "cp_break", "x1_break", "offer"] | None = None
    wake_s: NotNegative = 3.0
    max_starts: Annotated[int, Meta(ge=0)] | None = None


def contradiction(ev: Ev) -> tuple[str, str] | None:
    """The first key that does not go with the others, and what would be right; None: all do."""
    if ev.capacity_wh is None:
        for key, given in (("soc_percent", ev.soc_percent is not None), ("target_percent", ev.target_percent < 100.0), ("curve", bool(ev.curve))):
            if given:
                return key, "is in percent of capacity_wh, which is missing; give capacity_wh in Wh"
    if any(later[0] <= former[0] for former, later in pairwise(ev.curve)):
        return "curve", "the points must come by rising state of charge, as in [[0, 16], [80, 16], [100, 6]]"
    return None


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Keys over keys; whoever gives one of energy_wh and soc_percent means it instead of the other."""
    made = {**base, **over}
    if "energy_wh" in over and "soc_percent" not in over:
        made["soc_percent"] = None
    return made


def ev_of(keys: dict[str, Any]) -> Ev:
    """A car from its keys. Raises msgspec.ValidationError."""
    ev = msgspec.convert(keys, Ev)
    if wrong := contradiction(ev):
        raise msgspec.ValidationError(f"{wrong[0]}: {wrong[1]}")
    return ev
