"""What a parser under test is: its name, its inputs, the errors it documents, and the rule by which a try counts. Must not know any parser."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from hypothesis.strategies import SearchStrategy

HANG_S = 10
"""Of processor time: no parser may take so much for an input of some kilobytes, on any machine."""
CORPUS = Path(__file__).parents[2] / "tests" / "fuzz" / "corpus"


class Target(NamedTuple):
    """A parser. reads: where its input comes from; act: gives it the bytes; allowed: the errors it documents; inputs: bytes that are near to what it
    takes; plain: whether any bytes can get to it, so that a coverage-guided fuzzer may drive it."""

    name: str
    reads: str
    act: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...]
    inputs: SearchStrategy[bytes]
    plain: bool = True


class Defect(Exception):
    """A parser did what it must not; the message says what."""


class Hang(Exception):
    """It took too long."""


def attempt(target: Target, data: bytes) -> None:
    """One try. Raises Defect, with what really happened as its cause."""
    try:
        with _watched():
            target.act(data)
    except target.allowed:
        return
    except Exception as problem:
        raise Defect(f"{target.name}: {type(problem).__name__}: {problem}"[:500]) from problem


def corpus(name: str) -> list[Path]:
    """The files kept for a parser: what once broke it, and what leads far into it."""
    return sorted(path for path in (CORPUS / name).glob("*") if path.is_file())


@contextmanager
def _watched() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise Hang(f"no end after {HANG_S} s of work")

    former = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, former)
