"""What is done to a whole charge point, and when: by chance, so that a seed says it all. Must not know worlds."""

from __future__ import annotations

import random
from enum import StrEnum
from typing import NamedTuple

from proof.torture.disk import Cut
from proof.torture.preload import Where

OF_ONE = 5
"""So many cases happen to one charge point, one after the other; the next ones to another."""
MOST_WRITES = {True: 120, False: 20}
"""A start writes often, a step of a session some twenty times."""


class Victim(StrEnum):
    """What goes. FIRMWARE: both processes are killed, and restarted. POWER: what was not synced may be lost."""

    STATION = "station killed"
    CONTROL = "control killed"
    FIRMWARE = "firmware killed"
    POWER = "power cut"


class Line(StrEnum):
    """The network. DYING: it goes in the midst of an answer, and the processes with it."""

    UP = "up"
    DOWN = "down"
    DYING = "dying in mid-answer"


class Phase(StrEnum):
    """What is going on. BIRTH: the first start on an empty disk, where the store is made. START: a start with a session that was open. REPLAY: the
    network is back after a session without one."""

    BIRTH = "first start"
    START = "start"
    PLUG = "plug"
    CARD = "card"
    CHARGE = "charging"
    STOP = "stop"
    LEAVE = "leaving"
    REPLAY = "replay"


STARTS = (Phase.BIRTH, Phase.START)


class Plan(NamedTuple):
    """One death. left: it comes at the left-th write or sync of that phase, where says; cut: what the disk leaves after a power cut."""

    phase: Phase
    victim: Victim
    line: Line
    left: int
    where: Where
    cut: Cut

    @property
    def point(self) -> str:
        """As the table names it."""
        return f"{self.victim.value}: {self.phase.value}"


def resumes(number: int) -> bool:
    """Whether a session of this case's charge point goes on after a power cut."""
    return number // OF_ONE % 2 == 1


def plan(seed: int, number: int) -> Plan:
    """The plan of a case: all phases in turn, victims and networks by chance."""
    chance = random.Random(f"{seed}/plan/{number}")
    phase = tuple(Phase)[number % len(Phase)]
    victim = chance.choice(tuple(Victim))
    line = Line.UP if phase in STARTS else Line.DYING if phase is Phase.REPLAY and chance.random() < 0.5 else chance.choice(tuple(Line))
    if phase is Phase.REPLAY and line is Line.DOWN:
        line = Line.UP
    return Plan(phase, victim, line, chance.randint(1, MOST_WRITES[phase in STARTS]), chance.choice(tuple(Where)), chance.choice(tuple(Cut)))
