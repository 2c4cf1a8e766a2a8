"""Mutation testing of chargepoint/control: each of a sample of small changes to the code, and whether a test finds it. Must not know the operators,
or how a mutant is put in place.
"""

from __future__ import annotations

import os
import random
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue

from proof.mutation.mutants import Mutant, Source
from proof.mutation.reach import PACKAGE, is_kept, kept
from proof.mutation.server import Importing, Server, Swapping, Traced, serve
from tests.world import ROOT

NICE = 19
Say = Callable[[str], None]
Told = tuple[int, "Result | None"]


@dataclass(frozen=True)
class Result:
    """ran: of so many tests that reach it."""

    mutant: Mutant
    outcome: str
    ran: int
    tests: int
    by: str = ""


class Sample:
    """So many mutants as they were drawn by chance (the first of them are a sample too). only: names of files; among: of how many they were drawn."""

    def __init__(self, count: int, seed: int, only: Sequence[str] = ()) -> None:
        files = sorted(file for file in (ROOT / PACKAGE).glob("*.py") if not only or file.name in only)
        places = [(source, number) for source in (Source(ROOT, file) for file in files) for number in range(len(source))]
        self.among = len(places)
        self._chosen = random.Random(seed).sample(places, min(count, len(places)))

    def __len__(self) -> int:
        return len(self._chosen)

    def mutant(self, number: int) -> Mutant:
        source, place = self._chosen[number]
        return source.mutant(place)


def run(sample: Sample, processes: int, keep: Callable[[Result], None], say: Say) -> list[Result]:
    """All of them, as kindly to the machine as can be. keep: told each result. Raises RuntimeError when a test fails without any mutant."""
    os.nice(NICE)
    if not is_kept():
        say("each test once, to know what it runs")
        _in_process(lambda: serve(Traced()))
    results: dict[int, Result] = {}
    for kind in (Swapping, Importing):
        for number, result in _tried(kind, sample, [number for number in range(len(sample)) if number not in results], processes):
            if result is not None:
                results[number] = result
                keep(result)
                say(f"{len(results)}/{len(sample)} {line(result)}")
    return [results[number] for number in sorted(results)]


def line(result: Result) -> str:
    """A mutant and its end, in one line."""
    mutant = result.mutant
    return f"{result.outcome:8} {mutant.file}:{mutant.first} ({result.ran} of {result.tests} tests) {mutant.was}  ->  {mutant.now}"


def _tried(kind: type[Server], sample: Sample, numbers: Sequence[int], processes: int) -> Iterable[Told]:
    """Each as it ends; without a result when it cannot be tried in this kind of session."""
    context = get_context("fork")
    tasks: SimpleQueue[int | None] = context.SimpleQueue()
    told: SimpleQueue[Told | None] = context.SimpleQueue()
    work = partial(_share, sample, tasks, told, processes)
    server = context.Process(target=_serve, args=(kind, work, told))
    server.start()
    feeder = context.Process(target=_feed, args=(tasks, [*numbers, *([None] * processes)]))
    feeder.start()
    while (one := told.get()) is not None:
        yield one
    server.join()
    feeder.terminate()
    if server.exitcode:
        raise RuntimeError("the trials did not go well")


def _feed(tasks: SimpleQueue[int | None], numbers: Iterable[int | None]) -> None:
    for number in numbers:
        tasks.put(number)


def _serve(kind: type[Server], work: Callable[[Server], None], told: SimpleQueue[Told | None]) -> None:
    try:
        serve(kind(kept(), work))
    finally:
        told.put(None)


def _share(sample: Sample, tasks: SimpleQueue[int | None], told: SimpleQueue[Told | None], processes: int, server: Server) -> None:
    """The work of a session, by so many processes of its own."""
    workers = [_forked(partial(_work, sample, tasks, told, server)) for _ in range(processes)]
    if any([os.waitpid(worker, 0)[1] for worker in workers]):
        raise RuntimeError("a worker failed")


def _work(sample: Sample, tasks: SimpleQueue[int | None], told: SimpleQueue[Told | None], server: Server) -> None:
    while (number := tasks.get()) is not None:
        mutant = sample.mutant(number)
        trial = server.trial(mutant)
        told.put((number, None if trial is None else Result(replace(mutant, code=""), trial[0].outcome, trial[0].ran, trial[1], trial[0].by)))


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)
    return child


def _in_process(work: Callable[[], None]) -> None:
    if os.waitpid(_forked(work), 0)[1]:
        raise RuntimeError("a test fails without any mutant")
