"""Facts that need not outlive the process: the latest state of each connector, and what is told now or never. Must not know disks."""

from __future__ import annotations

from itertools import count, islice

from chargepoint.model.facts import Delivery, Fact

PERISHABLE_KEPT = 200
Slot = tuple[int, int] | None


class Fleeting:
    """Kept in order of their numbers."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._facts: dict[int, tuple[Delivery, Slot, Fact]] = {}
        self._attempts: dict[int, int] = {}

    def reserve(self) -> int:
        """A number for a fact that is about to be added."""
        return next(self._numbers)

    def add(self, number: int, delivery: Delivery, slot: Slot, fact: Fact) -> None:
        """A state (with a slot) replaces the former of its slot; of the perishable ones the newest 200 stay."""
        if slot is not None:
            for old in [n for n, (_, other, _) in self._facts.items() if other == slot]:
                self.remove(old)
        self._facts[number] = (delivery, slot, fact)
        perishable = [n for n, (kind, _, _) in self._facts.items() if kind is Delivery.PERISHABLE]
        for old in perishable[:-PERISHABLE_KEPT]:
            self.remove(old)

    def holds(self, delivery: Delivery) -> bool:
        """Whether there is any of a delivery."""
        return any(kind is delivery for kind, _, _ in self._facts.values())

    def some(self, delivery: Delivery, n: int) -> list[tuple[int, Fact, int]]:
        """The n oldest of a delivery: number, fact, attempts."""
        found = ((number, fact, self._attempts.get(number, 0)) for number, (kind, _, fact) in self._facts.items() if kind is delivery)
        return list(islice(found, n))

    def attempted(self, number: int) -> int:
        self._attempts[number] = self._attempts.get(number, 0) + 1
        return self._attempts[number]

    def remove(self, number: int) -> None:
        self._facts.pop(number, None)
        self._attempts.pop(number, None)
