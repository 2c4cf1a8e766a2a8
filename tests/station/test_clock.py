"""The clock's deadlines."""

from __future__ import annotations

import asyncio

import pytest

from chargepoint.clock import Clock


async def test_a_deadline_that_passes() -> None:
    with pytest.raises(TimeoutError):
        await Clock().wait_for(asyncio.get_running_loop().create_future(), 0.01)


async def test_an_end_that_comes_together_with_the_result_is_not_forgotten() -> None:
    result: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(Clock().wait_for(result, 1.0))
    await asyncio.sleep(0)
    result.set_result(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
