"""What is known of a car: how to wake it when it sleeps. Must not know sessions, control, or where vehicles are kept.

Without digital communication nobody sees which car it is: one is known by a card or a setting that names it. Every other one is UNKNOWN.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

LONGEST_S = {"x1_break": 60.0, "state_f": 4.0}
"""What control carries out at most."""


class Rung(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a ladder. do: "x1_break" takes the offer away for so long, "state_f" shows -12 V for so long, then X1 for 3 s."""

    do: Literal["x1_break", "state_f"]
    seconds: Annotated[float, Meta(ge=3, le=60)]


class Ladder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to do about a car that is offered current and stays in state B, in order. after_s: how long it may before each step (None: as the settings
    say); most_steps: in one session, over every climb; most_interruptions: no step once the offer was taken away so often in one session."""

    steps: tuple[Rung, ...] = (Rung("x1_break", 60.0), Rung("x1_break", 60.0))
    after_s: Annotated[float, Meta(ge=5, le=3600)] | None = None
    most_steps: Annotated[int, Meta(ge=0, le=20)] = 4
    most_interruptions: Annotated[int, Meta(ge=1, le=50)] = 8


class Vehicle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file of config/vehicles. car: how it behaves, for the simulator alone. phase_switching: it takes a change between one phase and three within
    a session; some cars are harmed by it."""

    name: Annotated[str, Meta(min_length=1)]
    car: dict[str, Any] = {}
    wake: Ladder = Ladder()
    phase_switching: bool = False


UNKNOWN = Vehicle(name="unknown")
"""The careful default: no state F, for some cars take that as a lasting fault; the longest breaks."""
