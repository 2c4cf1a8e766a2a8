"""The one registry of components and variables: declared by their features, set by the CSMS, observed by all (2.0.1 part 1, 4).

Must not know what a variable means, nor messages. A value in force is what its feature last pushed, else what the CSMS set, else the factory value of
the settings file, else the declared default. Keys are given as `Key` or in the settings' notation; names are compared without regard to case.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from chargepoint.model.variable import ACTUAL, Key, Mutability, VariableSpec, members, normal, problem, text_of
from chargepoint.store.variables import Variables

log = logging.getLogger(__name__)

Scalar = str | int | float | bool
Check = Callable[[str], str | None]
Observer = Callable[[Key, str, str], None]


@dataclass(slots=True)
class Declared:
    """A variable and its value. read: asks its feature each time; check: a rule beyond the type, its answer says what is wrong."""

    spec: VariableSpec
    value: str
    factory: str
    check: Check | None = None
    read: Callable[[], str] | None = None

    def now(self) -> str:
        return self.read() if self.read is not None else self.value


class Edited(NamedTuple):
    """A factory value edited in the settings file after the CSMS had changed the variable."""

    key: str
    csms: str
    factory_then: str
    factory_now: str


class DeviceModel:
    """factory: the settings' values, key text -> value; what is left of them after all was declared is told by `unknown_factory`."""

    def __init__(self, variables: Variables, factory: Mapping[str, Scalar] | None = None) -> None:
        self._store = variables
        self._kept = dict(_kept(variables))
        self._factory: dict[Key, tuple[str, str]] = {}
        self._unreadable: list[str] = []
        self._wrong: list[tuple[str, str]] = []
        self._declared: dict[Key, Declared] = {}
        self._components: set[tuple[str, str | None, int | None, int | None]] = set()
        self._by_text: dict[str, Declared] = {}
        self._observers: dict[Key | None, list[Observer]] = {}
        self.add_factory(factory or {})

    def add_factory(self, factory: Mapping[str, Scalar]) -> None:
        """Further factory values, before their variables are declared; they win over earlier ones."""
        for text, value in factory.items():
            try:
                self._factory[Key.parse(text).folded()] = (text, text_of(value))
            except ValueError:
                self._unreadable.append(text)

    def declare(self, spec: VariableSpec, value: Scalar = "", check: Check | None = None, read: Callable[[], str] | None = None) -> None:
        """Adds a variable with its default. A factory value or a kept one that no longer fits is left out, with a word in the log."""
        folded = spec.key.folded()
        factory = text_of(value)
        if folded in self._factory:
            text, wanted = self._factory.pop(folded)
            wrong = problem(spec, wanted) or (check(wanted) if check else None)
            if wrong:
                self._wrong.append((text, wrong))
            else:
                factory = normal(spec, wanted)
        declared = Declared(spec, factory, factory, check, read)
        self._declared[folded] = declared
        self._by_text.clear()
        self._components.add(_component(folded))
        self._take_kept(declared, self._kept.get(folded))

    def text(self, key: str | Key) -> str:
        """The value in force. Raises KeyError for a variable nobody declared."""
        return self._find(key).now()

    def integer(self, key: str | Key) -> int:
        return int(float(self.text(key) or 0))

    def number(self, key: str | Key) -> float:
        return float(self.text(key) or 0)

    def boolean(self, key: str | Key) -> bool:
        return self.text(key).lower() == "true"

    def listed(self, key: str | Key) -> list[str]:
        """The members of a list, in order."""
        return members(self.text(key))

    def has(self, key: str | Key) -> bool:
        try:
            self._find(key)
        except KeyError:
            return False
        return True

    def spec(self, key: str | Key) -> VariableSpec:
        return self._find(key).spec

    def writable(self, key: str | Key) -> bool:
        """Whether a CSMS may set it."""
        return self._find(key).spec.mutability is not Mutability.READ_ONLY

    def push(self, key: str | Key, value: Scalar) -> None:
        """A feature reports a new value; whatever the mutability, and not kept over restarts."""
        declared = self._find(key)
        self._take(declared, text_of(value))

    def compute(self, key: str | Key, read: Callable[[], str]) -> None:
        """The variable's value is asked of its feature each time from now on; nobody is told of its changes."""
        self._find(key).read = read

    def guard(self, key: str | Key, check: Check) -> None:
        """A further rule for values a CSMS sets: the answer says what is wrong, or is None."""
        self._find(key).check = check

    def set(self, key: str | Key, value: str, attribute: str = ACTUAL) -> str:
        """A CSMS sets a value: a SetVariableStatusEnumType word. An accepted one is kept over restarts before it counts."""
        declared = self._lookup(key)
        if isinstance(declared, str):
            return declared
        if attribute != ACTUAL:
            return "NotSupportedAttributeType"
        wrong = self._refusal(declared, value)
        if wrong is not None:
            log.info("%s is not set to %s: %s", declared.spec.key, _shown(declared, value), wrong)
            return "Rejected"
        self._keep(declared, normal(declared.spec, value))
        return "RebootRequired" if declared.spec.reboot_required else "Accepted"

    def why_not(self, key: str | Key, value: str) -> str | None:
        """What is wrong with a value a CSMS would set, or None."""
        declared = self._lookup(key)
        return declared if isinstance(declared, str) else self._refusal(declared, value)

    def get(self, key: str | Key, attribute: str = ACTUAL) -> tuple[str, str | None]:
        """A GetVariableStatusEnumType word, and the value when it is Accepted."""
        declared = self._lookup(key)
        if isinstance(declared, str):
            return declared, None
        if attribute != ACTUAL:
            return "NotSupportedAttributeType", None
        if declared.spec.mutability is Mutability.WRITE_ONLY:
            return "Rejected", None
        return "Accepted", declared.now()

    def observe(self, key: str | Key | None, callback: Observer) -> None:
        """Calls back with (key, old, new) after each change; key None: of every variable."""
        folded = None if key is None else self._find(key).spec.key.folded()
        self._observers.setdefault(folded, []).append(callback)

    def all(self) -> Iterator[Declared]:
        """Every variable in the order of declaration."""
        return iter(self._declared.values())

    def unknown_factory(self) -> list[str]:
        """Names in the settings that no variable has."""
        return [*self._unreadable, *(text for text, _ in self._factory.values())]

    def wrong_factory(self) -> list[tuple[str, str]]:
        """Factory values that do not fit, with what is wrong."""
        return list(self._wrong)

    def edited(self) -> list[Edited]:
        """Factory values that were edited after the CSMS had changed the variable; its value holds until `adopt`."""
        found = []
        for folded in self._kept:
            declared = self._declared.get(folded)
            then = None if declared is None else self._store.factory(str(declared.spec.key))
            if declared is not None and then is not None and then != declared.factory:
                found.append(Edited(str(declared.spec.key), self._kept[folded], then, declared.factory))
        return found

    def adopt(self, key: str | Key) -> bool:
        """The factory value holds again; False when the CSMS had not changed it."""
        declared = self._find(key)
        folded = declared.spec.key.folded()
        if folded not in self._kept:
            return False
        self._store.remove(str(declared.spec.key))
        del self._kept[folded]
        self._take(declared, declared.factory)
        return True

    def _find(self, key: str | Key) -> Declared:
        if isinstance(key, Key):
            return self._declared[key.folded()]
        declared = self._by_text.get(key)
        if declared is None:
            declared = self._by_text[key] = self._declared[Key.parse(key).folded()]
        return declared

    def _lookup(self, key: str | Key) -> Declared | str:
        try:
            folded = (key if isinstance(key, Key) else Key.parse(key)).folded()
        except ValueError:
            return "UnknownComponent"
        declared = self._declared.get(folded)
        if declared is not None:
            return declared
        return "UnknownVariable" if _component(folded) in self._components else "UnknownComponent"

    def _refusal(self, declared: Declared, value: str) -> str | None:
        if declared.spec.mutability is Mutability.READ_ONLY:
            return "it is read-only"
        return problem(declared.spec, value) or (declared.check(value) if declared.check else None)

    def _take_kept(self, declared: Declared, kept: str | None) -> None:
        if kept is None:
            return
        wrong = self._refusal(declared, kept)
        if wrong is None:
            declared.value = kept
        else:
            log.warning("%s: the value %s the CSMS once set no longer fits: %s", declared.spec.key, _shown(declared, kept), wrong)

    def _keep(self, declared: Declared, value: str) -> None:
        folded, text = declared.spec.key.folded(), str(declared.spec.key)
        if self._kept.get(folded) != value:
            if folded not in self._kept:
                self._store.set_factory(text, declared.factory)
            self._store.save(text, value)
            self._kept[folded] = value
        self._take(declared, value)

    def _take(self, declared: Declared, value: str) -> None:
        old, declared.value = declared.value, value
        if old == value:
            return
        observers: Iterable[Observer] = (*self._observers.get(declared.spec.key.folded(), ()), *self._observers.get(None, ()))
        for observer in observers:
            observer(declared.spec.key, old, value)


def _kept(variables: Variables) -> Iterator[tuple[Key, str]]:
    for text, value in variables.load().items():
        try:
            yield Key.parse(text).folded(), value
        except ValueError as error:
            log.error("what the CSMS once set is left out: %s", error)


def _shown(declared: Declared, value: str) -> str:
    """A value for the log; a secret stays one (A01.FR.12)."""
    return "a secret" if declared.spec.mutability is Mutability.WRITE_ONLY else repr(value)


def _component(folded: Key) -> tuple[str, str | None, int | None, int | None]:
    return folded.component, folded.instance, folded.evse, folded.connector
