"""`python -m proof torture`: how many cases of which kind, on all cores, with progress; one case again by its name. Must not know what a case is."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from proof.torture import images, many
from proof.torture.images import VERSIONS, Judged
from proof.torture.plan import OF_ONE
from proof.torture.preload import library
from proof.torture.report import Case
from proof.torture.whole import play

Say = Callable[[Case], None]
PAPER = "of paper"
IMAGES_OF_ONE = images.OF_ONE
LANES = 2
"""Charge points side by side."""


def everything(images_: int, cuts: int, offline: int, seed: int, say: Say, progress: many.Remark) -> list[str]:
    """All kinds of cases. Returns remarks for the report. Raises NoCompiler."""
    library()
    for case in image_cases(images_, seed):
        say(case)
    stood: list[bool] = []

    def whole_case(case: Case) -> None:
        stood.append(case.stood)
        say(case)

    asyncio.run(whole_cases(cuts, seed, whole_case))
    remarks = (
        [f"{sum(stood)} of {len(stood)} deaths of a whole charge point came at a chosen write or sync, the others between two."] if stood else []
    )
    if offline:
        say(asyncio.run(many.offline(offline, seed, remarks.append, progress)))
    return remarks


def again(image_names: Sequence[str], case_names: Sequence[str], seed: int, say: Say) -> list[str]:
    """Cases by their names; those of whole charge points one after the other at the same one. Raises NoCompiler, ValueError."""
    for version, number in map(named, image_names):
        say(case_of(images.run(version, seed, [number])[0]))
    wanted = [named(name) for name in case_names]
    for version in VERSIONS:
        if numbers := [number for its, number in wanted if its == version]:
            asyncio.run(play(version, seed, numbers, say))
    return []


def named(name: str) -> tuple[str, int]:
    """VERSION:NUMBER, as a report names a case. Raises ValueError."""
    version, _, number = name.partition(":")
    if version not in VERSIONS or not number.isdecimal():
        raise ValueError(f"{name} names no case: it is to be like {VERSIONS[0]}:12")
    return version, int(number)


async def whole_cases(count: int, seed: int, say: Say) -> None:
    """Half of the cases for each version, at several charge points side by side."""
    share = -(-count // len(VERSIONS))
    groups = deque((version, range(start, min(share, start + OF_ONE))) for start in range(0, share, OF_ONE) for version in VERSIONS)

    async def lane() -> None:
        while groups:
            version, numbers = groups.popleft()
            await play(version, seed, numbers, say)

    await asyncio.gather(*(lane() for _ in range(LANES)))


def image_cases(count: int, seed: int) -> Iterator[Case]:
    """Half of the images for each version. Raises NoCompiler."""
    share = -(-count // len(VERSIONS))
    groups = [range(start, min(share, start + images.OF_ONE)) for start in range(0, share, images.OF_ONE)]
    with ProcessPoolExecutor(os.cpu_count(), initializer=logging.disable) as pool:
        jobs = [pool.submit(images.run, version, seed, numbers) for numbers in groups for version in VERSIONS]
        for job in as_completed(jobs):
            yield from (case_of(judged) for judged in job.result())


def case_of(judged: Judged) -> Case:
    """An image as a case of the table."""
    point = f"power cut{f' {judged.when}' if judged.when else ''}: {judged.cut.value}"
    error = max(judged.energy_error_wh, 0.0)
    return Case(point, PAPER, f"--image {judged.version}:{judged.number}", judged.lost, judged.doubled, error, wrong=judged.wrong)
