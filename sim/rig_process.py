"""Starts and ends the process that holds the wire of one charge point. Must not know what is asked of it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sim.firmware import environment
from sim.rig.control import RigControl, RigError

READY_S = 15.0


class RigProcess:
    """`python -m sim.rig.server`: `socket` is what the firmware gets as CHARGEPOINT_WORLD. Its words go to `log`."""

    def __init__(self, config: Path, socket: Path, log: Path) -> None:
        self._config, self._socket, self._log = config, socket, log
        self._process: asyncio.subprocess.Process | None = None
        self._control: RigControl | None = None

    async def start(self) -> RigControl:
        """Starts the process and connects to it. Raises RigError."""
        door = self._socket.with_suffix(".control")
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "sim.rig.server", "--socket", str(self._socket), "--control", str(door), "--config", str(self._config)),
                env=environment({"CHARGEPOINT_WORLD": str(self._socket)}),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        if await self._first_line() != b"ready\n":
            raise RigError("gone", f"the wire's process did not start:\n{self._log.read_text(errors='replace')[-2000:]}")
        self._control = await RigControl.connect(door)
        return self._control

    async def _first_line(self) -> bytes:
        if self._process is None or self._process.stdout is None:
            return b""
        try:
            return await asyncio.wait_for(self._process.stdout.readline(), READY_S)
        except TimeoutError:
            return b""

    async def stop(self) -> None:
        """Ends the process."""
        if self._control:
            await self._control.close()
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
