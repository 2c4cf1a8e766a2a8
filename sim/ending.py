"""The end of a world in time: what has not ended by itself is cut off, whatever hangs. Must not know what a world is made of.

A machine under load gives an ordinary process a tenth of a processor or less, and an end that takes 0.3 s of work would take seconds: so the end
goes before other ordinary processes where that is permitted, and a thread of its own watches the time.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress

from sim import processes

CUT_OFF_S = 0.8
"""What an end in order has, which takes a tenth of it on a quiet machine; the rest of the two seconds promised is for killing what is left, by a
process that may wait for a processor at every step."""
KILLED_WITHIN_S = 0.2
"""What is killed dies, whether it is waited for or not."""
PRIORITY = 1
"""Before every ordinary process, and behind every loop that turns."""


class Ending:
    """word: every process whose environment has an entry that starts with it belongs to the world; "" while there is none."""

    def __init__(self, cut_off_s: float = CUT_OFF_S) -> None:
        self.word = ""
        self._cut_off_s = cut_off_s
        self._watch = threading.Thread(target=self._cut_off, name="ending", daemon=True)
        self._begun = False

    def begin(self) -> None:
        """The process ends within `cut_off_s`, or with exit code 0 then. May be called as a signal handler is: at any moment, and twice."""
        if self._begun:
            return
        self._begun = True
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
        self._watch.start()

    def _cut_off(self) -> None:
        time.sleep(self._cut_off_s)
        if self.word:
            processes.kill_marked(self.word, within_s=KILLED_WITHIN_S)
        os._exit(0)
