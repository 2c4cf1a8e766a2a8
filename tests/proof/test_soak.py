"""A share of the soak: some days of simulated time in each version, with the troubles of months pressed into them; and its own account."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from proof.soak import charger, report, weather
from proof.soak.account import compare, energy_of
from proof.soak.csms import LeanBook
from proof.soak.figures import Month
from proof.soak.run import run
from proof.soak.simulated import SimulatedLoop
from proof.torture.recording import directory

HOUR_S = 3600.0


@pytest.fixture
def pressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens once a month happens daily, and what is told is kept for a day."""
    rates = tuple(
        weather.Rate(rate.what, min(rate.mean_days, 1.0), (min(rate.lasts_s[0], HOUR_S), min(rate.lasts_s[1], 4 * HOUR_S))) for rate in weather.RATES
    )
    monkeypatch.setattr(weather, "RATES", rates)
    monkeypatch.setattr(charger, "KEEP_DAYS", 1)


@pytest.mark.alone
@pytest.mark.parametrize("version", ["ocpp2.0.1", "ocpp1.6"])
def test_days_full_of_trouble_lose_nothing(pressed: None, version: str) -> None:
    months: list[Month] = []
    with directory() as memory:  # thousands of syncs: a disk that is busy elsewhere takes minutes for them
        outcome = run(3, version, 5, months.append, memory)
    assert not outcome.problems, outcome.problems
    assert outcome.account.charges >= 10 and outcome.account.energy_kwh > 50
    assert outcome.ends["power cut"] and outcome.ends["killed"] and outcome.troubles["silent"]
    assert outcome.waiting == outcome.given_up == 0
    assert "Nothing was lost" in report.markdown(outcome)
    assert len(months) == 1 and months[0].sessions >= 10


def _write(path: Path, *items: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    return path


def _charge(token: str, wh: float, how: str = "") -> dict[str, object]:
    return {"evse": 1, "token": token, "at": 0.0, "start_wh": 100.0, "end_wh": 100.0 + wh, "end_at": 1.0, "how": how}


def _told(token: str, wh: float, *, ended: bool = True) -> dict[str, object]:
    registers = [[0.0, 100.0], [1.0, 100.0 + wh]]
    return {"evse": 1, "id": token, "token": token, "started_at": "t", "registers": registers, "reason": "Local", "repeats": 0, "ended": ended}


@pytest.mark.parametrize(
    ("charged", "told", "problem"),
    [
        ([_charge("A", 5000)], [_told("A", 5000)], ""),
        ([_charge("A", 5000), _charge("B", 0.5)], [_told("A", 5003)], ""),
        ([_charge("A", 5000, "power cut")], [_told("A", 4800)], ""),
        ([_charge("A", 5000)], [_told("A", 4800)], "told were 4800.0 Wh"),
        ([_charge("A", 5000)], [], "never told"),
        ([_charge("A", 5000)], [_told("B", 5000)], "never told"),
        ([_charge("A", 5000)], [_told("A", 5000), _told("A", 5000)], "nobody charged"),
        ([_charge("A", 5000), _charge("B", 900)], [_told("B", 900), _told("A", 5000)], "nobody charged"),
        ([_charge("A", 5000), _charge("B", 900)], [_told("A", 5000, ended=False), _told("B", 900)], "never ended"),
    ],
)
def test_the_account_finds_what_is_lost_doubled_or_out_of_order(
    tmp_path: Path, charged: list[dict[str, object]], told: list[dict[str, object]], problem: str
) -> None:
    problems = compare(_write(tmp_path / "truth", *charged), _write(tmp_path / "witness", *told)).problems
    assert (problem in "; ".join(problems)) if problem else not problems


def test_timers_fire_after_any_number_of_years() -> None:
    loop = SimulatedLoop()

    async def sleep() -> float:
        await asyncio.sleep(20 * 365 * 86_400)
        for _ in range(1000):
            await asyncio.sleep(0.1)
        return loop.time()

    try:
        assert loop.run_until_complete(sleep()) == pytest.approx(20 * 365 * 86_400 + 200)
    finally:
        loop.close()


@pytest.mark.parametrize("left_s", [1e-14, 1e-10, 1e-6])
def test_time_passes_in_a_wait_however_little_is_left_of_it(left_s: float) -> None:
    """A clock that began later tells less than the loop's own: what is left by it may be nothing to the loop."""
    loop = SimulatedLoop()

    async def passes() -> float:
        await asyncio.sleep(200_000.3)
        before = loop.time()
        await asyncio.sleep(left_s)
        return loop.time() - before

    try:
        assert 0 < loop.run_until_complete(passes()) < 1e-5
    finally:
        loop.close()


def test_memory_is_judged_by_its_slope_once_warm() -> None:
    assert report.growth_mib([(100, 50.0), (200, 90.0)]) is None
    warm = [(sessions, 60.0 + sessions / 1000) for sessions in range(300, 1000, 100)]
    assert report.growth_mib([(100, 10.0), *warm]) == pytest.approx(1.0)


def test_what_the_csms_forgets_of_a_transaction_leaves_its_energy_whole_though_a_clock_was_ahead() -> None:
    book = LeanBook(lambda: 0.0)
    transaction = book.open("CP", "t")
    ahead = [(1e9 + second, 100.0 + second) for second in range(3)]
    transaction.registers = [*((float(second), 110.0 + second) for second in range(9)), *ahead]
    book.shrink(lambda ended: None)
    assert energy_of({"registers": transaction.registers}) == 18.0 and len(transaction.registers) < 7


def test_the_csms_forgets_a_report_when_its_last_part_has_come() -> None:
    book = LeanBook(lambda: 0.0)
    station = book.station("CP")
    station.reports = {"1": [{"seqNo": 0, "tbc": True}], "2": [{"seqNo": 0, "tbc": True}, {"seqNo": 1}]}
    book.shrink(lambda ended: None)
    assert list(station.reports) == ["1"]
