"""Patterns over payloads: what a case wants of a message, told as data. Must not know any message.

A pattern is a dict that names only what matters, at any depth. A value may be a plain value, a pattern, a set or frozenset (any of these), a callable
(a predicate of the value), `ABSENT` (the field is not there), or a list (the first elements, each by its own pattern).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Payload = dict[str, Any]
Where = Mapping[str, Any] | Callable[[Payload], bool] | None
"""What a message must be: a pattern, a predicate, or anything (None)."""


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()
"""The field is not there."""


def present(value: object) -> bool:
    """The field is there, whatever it says."""
    return value is not ABSENT


def one_of(*patterns: Any) -> Callable[[Any], bool]:
    """Any of these patterns."""
    return lambda value: any(matches(pattern, value) for pattern in patterns)


def matches(pattern: Any, value: Any) -> bool:
    if pattern is None or pattern is ABSENT:
        return value is pattern if pattern is ABSENT else True
    if callable(pattern):
        return bool(pattern(value))
    if isinstance(pattern, Mapping):
        return isinstance(value, Mapping) and all(matches(wanted, value.get(name, ABSENT)) for name, wanted in pattern.items())
    if isinstance(pattern, (set, frozenset)):
        return not isinstance(value, (dict, list)) and value in pattern
    if isinstance(pattern, list):
        return isinstance(value, list) and len(value) >= len(pattern) and all(map(matches, pattern, value))
    return bool(value == pattern and isinstance(value, bool) == isinstance(pattern, bool))


def check(pattern: Any, value: Any) -> None:
    """Fails the test when a payload is not what the pattern wants."""
    assert matches(pattern, value), f"wanted {pattern!r}, got {value!r}"
