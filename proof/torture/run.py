"""`python -m proof torture`: how many cases of which kind, on all cores, with progress; one case again by its name. Must not know what a case is."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from proof.torture import images
from proof.torture.images import Judged
from proof.torture.preload import library
from proof.torture.report import Case

Say = Callable[[Case], None]
PAPER = "of paper"
SAID_EVERY = 250
"""A line of progress for so many cases, and for each that fails."""


def everything(images_: int, seed: int, say: Say) -> list[str]:
    """All kinds of cases. Returns remarks for the report. Raises NoCompiler."""
    library()
    for case in image_cases(images_, seed):
        say(case)
    return []


def again(names: Sequence[str], seed: int, say: Say) -> list[str]:
    """Cases by their names. Raises NoCompiler."""
    for name in names:
        say(one_image(name, seed))
    return []


def image_cases(count: int, seed: int) -> Iterator[Case]:
    """Half of the images for each version. Raises NoCompiler."""
    share = -(-count // len(images.VERSIONS))
    groups = [range(start, min(share, start + images.OF_ONE)) for start in range(0, share, images.OF_ONE)]
    with ProcessPoolExecutor(os.cpu_count(), initializer=logging.disable) as pool:
        jobs = [pool.submit(images.run, version, seed, numbers) for numbers in groups for version in images.VERSIONS]
        for job in as_completed(jobs):
            yield from (case_of(judged) for judged in job.result())


def one_image(name: str, seed: int) -> Case:
    """VERSION:NUMBER, as a report names it."""
    version, _, number = name.partition(":")
    return case_of(images.run(version, seed, [int(number)])[0])


def case_of(judged: Judged) -> Case:
    """An image as a case of the table."""
    point = f"power cut{' while the store opens' if judged.opening else ''}: {judged.cut.value}"
    error = max(judged.energy_error_wh, 0.0)
    return Case(point, PAPER, f"--image {judged.version}:{judged.number}", judged.lost, judged.doubled, error, judged.wrong)
