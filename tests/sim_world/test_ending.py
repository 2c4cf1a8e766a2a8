"""A world ends in time, whatever hangs in it."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

from sim import processes

ROOT = Path(__file__).parents[2]
HANGING = """
import signal, subprocess, sys, time
from sim.ending import Ending
ending = Ending(cut_off_s=0.2)
ending.word = sys.argv[1]
signal.signal(signal.SIGTERM, lambda *_: ending.begin())
part = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('there', flush=True); time.sleep(600)"]
name, value = sys.argv[1].split("=")
subprocess.Popen(part, env={name: value}, start_new_session=True)
time.sleep(600)
time.sleep(600)
"""


def test_what_hangs_is_cut_off_with_all_that_belongs_to_it() -> None:
    word = f"CHARGEPOINT_WORLD=/nowhere/{uuid.uuid4()}"
    hanging = subprocess.Popen([sys.executable, "-c", HANGING, word], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert hanging.stdout is not None
    with hanging.stdout:
        assert hanging.stdout.readline() == "there\n"
    assert processes.marked(word)
    for _ in range(2):
        hanging.terminate()
    assert hanging.wait(30) == 0
    assert processes.marked(word) == []


def test_who_is_left_alone_goes_on() -> None:
    word = f"CHARGEPOINT_WORLD=/nowhere/{uuid.uuid4()}"
    other = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], env={**os.environ, "CHARGEPOINT_WORLD": f"/elsewhere/{uuid.uuid4()}"}
    )
    try:
        assert processes.kill_marked(word)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
