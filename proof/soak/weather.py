"""What goes wrong in a year, each kind at its own rate: networks, the CSMS, clocks, meters, processes, power. Must not know who charges.

Rates are those of a site on a mobile network with a CSMS that is updated twice a week.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from proof.soak.charger import EVSES, Charger
from proof.soak.csms import Csms, Moods
from proof.soak.network import Network, Trouble
from proof.soak.people import wait
from proof.soak.simulated import Pace, SimulatedLoop

HOUR_S, DAY_S = 3600.0, 86_400.0
SYNCHRONISES_S = 60.0
LONG_SILENT_S = 58.0
"""After which a meter that says nothing ends the current, within two seconds more: with the default `[control]` after 60."""
YEARS_AHEAD_S = 3 * 365 * DAY_S
SETTLED_S = 2 * DAY_S
"""After the clock was wrong, how long the times of what was going on may look odd."""


@dataclass(frozen=True)
class Rate:
    """mean_days: between two of a kind. lasts_s: least and most."""

    what: str
    mean_days: float
    lasts_s: tuple[float, float]


RATES = (
    Rate("held", 0.4, (5, 90)),
    Rate("reset", 1.0, (10, 300)),
    Rate("silent", 2.0, (60, 1800)),
    Rate("long outage", 25.0, (2 * HOUR_S, 48 * HOUR_S)),
    Rate("CSMS restart", 3.5, (10, 600)),
    Rate("slow CSMS", 8.0, (HOUR_S, DAY_S)),
    Rate("failing CSMS", 15.0, (600, 6 * HOUR_S)),
    Rate("meter dropout", 4.0, (8, 1200)),
    Rate("time step", 20.0, (1, 2)),
    Rate("killed station", 7.0, (1, 2)),
    Rate("power cut", 30.0, (5, 4 * HOUR_S)),
    Rate("order", 0.5, (1, 2)),
)
ONCE = ((0.55, "years ahead", (2 * HOUR_S, 2 * HOUR_S)), (0.7, "week without a network", (6 * DAY_S, 6 * DAY_S)))
"""When in the year (part of it), what, and how long."""


class Weather:
    """seen: how often each kind has happened."""

    def __init__(self, charger: Charger, network: Network, csms: Csms, loop: SimulatedLoop, pace: Pace, randomness: random.Random) -> None:
        self.seen: Counter[str] = Counter()
        self._charger, self._network, self._csms = charger, network, csms
        self._loop, self._pace, self._random = loop, pace, randomness
        self._way = asyncio.Lock()
        self._disturbances = 0
        self._acts: dict[str, Callable[[float], Awaitable[None]]] = {
            "held": lambda s: self._trouble(Trouble.HELD, s),
            "reset": lambda s: self._trouble(Trouble.RESET, s),
            "silent": lambda s: self._trouble(Trouble.SILENT, s),
            "long outage": lambda s: self._trouble(Trouble.SILENT, s),
            "week without a network": lambda s: self._trouble(Trouble.SILENT, s),
            "CSMS restart": self._csms_restart,
            "slow CSMS": lambda s: self._mood(Moods(slow_s=(0.2, 6.0)), s),
            "failing CSMS": lambda s: self._mood(Moods(slow_s=(0.0, 2.0), error=0.05, silent=0.02), s),
            "meter dropout": self._dropout,
            "time step": self._step,
            "years ahead": self._years_ahead,
            "killed station": self._kill,
            "power cut": self._power_cut,
            "order": self._order,
        }

    async def run(self, seconds: float) -> None:
        """For so long, and until what has begun is over."""
        async with asyncio.TaskGroup() as tasks:
            for rate in RATES:
                tasks.create_task(self._now_and_then(rate, self._loop.time() + seconds))
            for part, what, lasts_s in ONCE if seconds > 300 * DAY_S else ():
                tasks.create_task(self._once(part * seconds, what, lasts_s))

    async def _now_and_then(self, rate: Rate, until: float) -> None:
        while True:
            gap = self._random.expovariate(1 / (rate.mean_days * DAY_S))
            if self._loop.time() + gap > until:
                return
            await self._once(gap, rate.what, rate.lasts_s)

    async def _once(self, after_s: float, what: str, lasts_s: tuple[float, float]) -> None:
        await wait(self._loop, self._pace, after_s)
        self.seen[what] += 1
        await self._acts[what](self._random.uniform(*lasts_s))

    # the way to the CSMS

    async def _trouble(self, trouble: Trouble, seconds: float) -> None:
        async with self._way:
            self._network.fail(trouble)
            await asyncio.sleep(seconds)
            self._network.recover()

    async def _csms_restart(self, seconds: float) -> None:
        """It is away, then its balancer answers for it, then it may want to think first."""
        await self._trouble(Trouble.DOWN, seconds)
        self._csms.moods.out_of_service = True
        await asyncio.sleep(self._random.uniform(5, 60))
        self._csms.moods.out_of_service = False

    async def _mood(self, moods: Moods, seconds: float) -> None:
        self._csms.moods = moods
        await asyncio.sleep(seconds)
        self._csms.moods = Moods()

    # the board

    async def _dropout(self, seconds: float) -> None:
        meter = self._charger.meters[self._random.choice(EVSES)]
        meter.silent = True
        await wait(self._loop, self._pace, min(seconds, LONG_SILENT_S))
        meter.long_silent = seconds > LONG_SILENT_S
        await wait(self._loop, self._pace, max(0.0, seconds - LONG_SILENT_S))
        meter.silent = meter.long_silent = False

    async def _kill(self, _: float) -> None:
        if self._charger.powered:
            await self._charger.kill_station()

    async def _power_cut(self, seconds: float) -> None:
        if not self._charger.powered:
            return
        await self._charger.power_cut()
        await asyncio.sleep(seconds)
        self._charger.power_on()
        await self._without_time()

    async def _without_time(self) -> None:
        """A board without a battery: it starts in 1970, and learns better from a time server or its CSMS."""
        clock = self._charger.clock
        clock.synchronised, clock.error_s = False, 1000.0 - clock.true_s()
        await asyncio.sleep(SYNCHRONISES_S)
        while self._network.trouble is not None:
            await asyncio.sleep(SYNCHRONISES_S)
        clock.synchronised, clock.error_s = True, 0.0

    async def _step(self, _: float) -> None:
        """A time server corrects the clock that has drifted."""
        await self._off_by(self._random.uniform(-20.0, 20.0), 6 * HOUR_S)

    async def _years_ahead(self, seconds: float) -> None:
        await self._off_by(YEARS_AHEAD_S, seconds)

    async def _off_by(self, error_s: float, seconds: float) -> None:
        clock = self._charger.clock
        self._disturb(1)
        clock.error_s = error_s
        await asyncio.sleep(seconds)
        clock.error_s = 0.0
        await asyncio.sleep(SETTLED_S)
        self._disturb(-1)

    def _disturb(self, change: int) -> None:
        self._disturbances += change
        self._csms.book.disturbed = self._disturbances > 0

    # the back office

    async def _order(self, _: float) -> None:
        action, payload = self._random.choice(ORDERS[self._csms.protocol])(self._random)
        self._csms.order(action, payload)


Order = Callable[[random.Random], tuple[str, dict[str, object]]]


def _list_201(randomness: random.Random) -> tuple[str, dict[str, object]]:
    entries = [
        {"idToken": {"idToken": f"04A0{number:04X}", "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}}
        for number in randomness.sample(range(60), 20)
    ]
    return "SendLocalList", {"versionNumber": randomness.randrange(1, 10_000), "updateType": "Full", "localAuthorizationList": entries}


def _list_16(randomness: random.Random) -> tuple[str, dict[str, object]]:
    entries = [{"idTag": f"04A0{number:04X}", "idTagInfo": {"status": "Accepted"}} for number in randomness.sample(range(60), 20)]
    return "SendLocalList", {"listVersion": randomness.randrange(1, 10_000), "updateType": "Full", "localAuthorizationList": entries}


ORDERS: dict[str, tuple[Order, ...]] = {
    "ocpp2.0.1": (
        _list_201,
        lambda r: ("GetBaseReport", {"requestId": r.randrange(1 << 30), "reportBase": "FullInventory"}),
        lambda r: ("TriggerMessage", {"requestedMessage": r.choice(("Heartbeat", "BootNotification", "MeterValues", "StatusNotification"))}),
        lambda r: ("ClearCache", {}),
        lambda r: ("Reset", {"type": r.choice(("OnIdle", "OnIdle", "Immediate"))}),
        lambda r: ("GetVariables", {"getVariableData": [{"component": {"name": "TxCtrlr"}, "variable": {"name": "TxStartPoint"}}]}),
        lambda r: (
            "SetVariables",
            {
                "setVariableData": [
                    {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}, "attributeValue": str(r.randrange(240, 900))}
                ]
            },
        ),
    ),
    "ocpp1.6": (
        _list_16,
        lambda r: ("GetConfiguration", {}),
        lambda r: ("TriggerMessage", {"requestedMessage": r.choice(("Heartbeat", "BootNotification", "MeterValues", "StatusNotification"))}),
        lambda r: ("ClearCache", {}),
        lambda r: ("Reset", {"type": r.choice(("Soft", "Soft", "Hard"))}),
        lambda r: ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": str(r.randrange(240, 900))}),
    ),
}
"""What a back office orders now and then."""
