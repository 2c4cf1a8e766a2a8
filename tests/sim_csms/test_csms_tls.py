"""The built-in CSMS over TLS: a good certificate, and each bad one on order."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import websockets

from sim.csms.server import Csms
from sim.csms.tls import KINDS, Certificates

REASONS = {"expired": "certificate has expired", "wrong_host": "IP address mismatch", "unknown_ca": "unable to get local issuer certificate"}


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[Csms, int]]:
    csms = Csms(tmp_path / "csms")
    yield csms, await csms.start()
    await csms.stop()


async def dial(csms: Csms, port: int) -> None:
    assert csms.certificates is not None
    trust = ssl.create_default_context(cafile=str(csms.certificates.ca_file))
    async with websockets.connect(f"wss://127.0.0.1:{port}/ocpp/CP001", subprotocols=["ocpp1.6"], ssl=trust, proxy=None):
        await csms.until(lambda book: book.station("CP001").connected)


@pytest.mark.parametrize("kind", KINDS)
async def test_each_certificate(secure: tuple[Csms, int], kind: str) -> None:
    csms, port = secure
    await dial(csms, port)
    await csms.show_certificate(kind)
    if kind in REASONS:
        with pytest.raises(ssl.SSLCertVerificationError, match=REASONS[kind]):
            await dial(csms, port)
        await csms.show_certificate("good")
    await dial(csms, port)


async def test_the_order_over_http_sends_stations_away(secure: tuple[Csms, int]) -> None:
    _, port = secure
    async with aiohttp.ClientSession() as http:
        url = f"https://127.0.0.1:{port}/csms"
        async with http.post(f"{url}/tls", json={"certificate": "expired"}, ssl=False) as answer:
            assert (answer.status, await answer.json()) == (200, {"certificate": "expired"})
        async with http.get(f"{url}/summary", ssl=False) as answer:
            assert (await answer.json())["certificate"] == "expired"
        async with http.post(f"{url}/tls", json={"certificate": "odd"}, ssl=False) as answer:
            assert answer.status == 400


async def test_without_tls_there_is_none(csms: Csms) -> None:
    async with aiohttp.ClientSession() as http, http.post(f"http://127.0.0.1:{csms.port}/csms/tls", json={"certificate": "good"}) as answer:  # type: ignore[attr-defined]
        assert answer.status == 409
        assert "--tls" in (await answer.json())["error"]


def test_the_root_outlives_a_run(tmp_path: Path) -> None:
    first = Certificates(tmp_path).ca_file.read_bytes()
    assert Certificates(tmp_path).ca_file.read_bytes() == first
    assert (tmp_path / "ca.key").stat().st_mode & 0o077 == 0
