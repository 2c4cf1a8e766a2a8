"""wss with certificates made on the spot: who is trusted, what is told of who is not, and dates before and after the time is known."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chargepoint.settings import Tls
from chargepoint.station.certificates import CertificateProblem, Certificates
from sim.network import Network
from tests.csms.conftest import Bench, Csms, until
from tests.simclock import SimulatedClock

UNTRUSTED = ["InvalidCsmsCertificate", "CsmsFailedToAuthenticate"]
"""The certificate of a CSMS is refused (2.0.1 part 2, A00.FR.310, appendix 1)."""


class Maker:
    """A root that issues certificates into a folder."""

    def __init__(self, folder: Path, name: str = "root") -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.root = folder / f"{name}.pem"
        self._write(self.root, self._certificate(self.name, self.key, 365, ca=True))

    def issue(self, name: str, days: int = 30, password: bytes | None = None) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        self._write(certificate, self._certificate(subject, key, days, ca=False))
        encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
        return certificate, secret

    def _certificate(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: int, ca: bool) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=400))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            own = str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
            names = [x509.DNSName("localhost"), x509.DNSName(own), x509.IPAddress(ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def _write(self, path: Path, certificate: x509.Certificate) -> None:
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def server_context(pair: tuple[Path, Path], client_root: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    if client_root is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_root)
    return context


@contextlib.contextmanager
def one_handshake(context: ssl.SSLContext) -> Iterator[int]:
    """A server that shakes hands once and, unlike asyncio's, sends its alert when that fails."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with contextlib.suppress(OSError), connection:
                context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path)


@pytest.fixture
async def secure() -> AsyncIterator[Csms]:
    made = Csms()
    yield made
    await made.stop()


def dial(bench: Bench, port: int, tls: Tls, **changes: object) -> None:
    bench.tls = tls
    bench.dial(**{"url": f"wss://127.0.0.1:{port}/ocpp", "security_profile": 2, "password": "0123456789abcdef", **changes})


async def test_a_trusted_csms(bench: Bench, secure: Csms, maker: Maker) -> None:
    await secure.start(tls=server_context(maker.issue("server")))
    dial(bench, secure.port, Tls(ca_file=str(maker.root)))
    await until(lambda: bench.backend.ups)
    assert secure.requests[0].headers["Authorization"].startswith("Basic ") and not bench.security
    kept = bench.directory / "csms_root.pem"
    assert kept.read_bytes() == maker.root.read_bytes() and kept.stat().st_mode & 0o777 == 0o600


async def test_an_unknown_root_is_a_security_event(bench: Bench, secure: Csms, maker: Maker, tmp_path: Path) -> None:
    await secure.start(tls=server_context(maker.issue("server")))
    dial(bench, secure.port, Tls(ca_file=str(Maker(tmp_path, "other").root)))
    await until(lambda: bench.clock.sleeps)
    assert [kind for kind, _ in bench.security] == UNTRUSTED and not bench.backend.ups


async def test_a_failed_handshake_through_a_proxy_is_no_failure_of_the_station(
    bench: Bench, secure: Csms, maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    proxy = Network()
    await proxy.start()
    monkeypatch.setenv("https_proxy", proxy.url)
    await secure.start(tls=server_context(maker.issue("server")))
    dial(bench, secure.port, Tls(ca_file=str(Maker(tmp_path, "other").root)))
    await until(lambda: bench.clock.sleeps)
    await asyncio.sleep(0.1)
    await proxy.stop()
    assert [kind for kind, _ in bench.security] == UNTRUSTED
    assert not [context for context in failures if "handle" in context], failures


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_wildcard_certificate_only_where_it_is_allowed(
    bench: Bench, secure: Csms, maker: Maker, monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    """Errata 2025-09, 2.62; before anything is said."""
    proxy = Network()
    await proxy.start()
    monkeypatch.setenv("https_proxy", proxy.url)
    await secure.start(tls=server_context(maker.issue("*.test.localhost")))
    bench.variables.values["SecurityCtrlr.AllowCSMSTLSWildcards"] = str(allowed).lower()
    dial(bench, secure.port, Tls(ca_file=str(maker.root)), url=f"wss://csms.test.localhost:{secure.port}/ocpp")
    await until(lambda: bench.clock.sleeps or bench.backend.ups)
    await proxy.stop()
    assert bool(bench.backend.ups) is bool(secure.requests) is allowed
    assert [kind for kind, _ in bench.security] == ([] if allowed else UNTRUSTED)


async def test_another_hosts_certificate_is_refused_unless_the_settings_say_so(bench: Bench, secure: Csms, maker: Maker) -> None:
    await secure.start(tls=server_context(maker.issue("server")))
    bench.tls = Tls(ca_file=str(maker.root))
    bench.dial(url=f"wss://127.0.0.2:{secure.port}/ocpp", security_profile=2)
    await until(lambda: bench.clock.sleeps)
    assert not bench.backend.ups


async def test_client_certificate_with_a_password(bench: Bench, secure: Csms, maker: Maker) -> None:
    await secure.start(tls=server_context(maker.issue("server"), maker.root))
    certificate, key = maker.issue("station", password=b"open sesame")
    tls = Tls(ca_file=str(maker.root), client_cert=str(certificate), client_key=str(key), client_key_password="open sesame")
    dial(bench, secure.port, tls, security_profile=3)
    await until(lambda: bench.backend.ups)
    assert "Authorization" not in secure.requests[0].headers


@pytest.mark.parametrize("known", [True, False])
async def test_dates_are_judged_only_by_a_known_time(bench: Bench, secure: Csms, maker: Maker, known: bool) -> None:
    await secure.start(tls=server_context(maker.issue("server", days=-1)))
    bench.clock._known = known
    dial(bench, secure.port, Tls(ca_file=str(maker.root)))
    await until(lambda: bench.clock.sleeps or bench.backend.ups)
    assert bool(bench.backend.ups) is not known
    if not known:
        bench.clock.learn_wall(datetime.now(UTC).timestamp())
        await until(lambda: secure.connections)
        await secure.send([2, "1", "ClearCache", {}])
        await until(lambda: bench.backend.downs)
        assert "expired" in bench.backend.downs[0]
    assert [kind for kind, _ in bench.security] == UNTRUSTED


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_an_old_tls_is_a_security_event(bench: Bench, maker: Maker) -> None:
    context = server_context(maker.issue("server"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with one_handshake(context) as port:
        dial(bench, port, Tls(ca_file=str(maker.root)))
        await until(lambda: bench.clock.sleeps)
    assert [kind for kind, _ in bench.security] == ["InvalidTLSVersion"]


async def test_a_server_without_a_common_cipher_is_a_security_event(bench: Bench, maker: Maker) -> None:
    context = server_context(maker.issue("server"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES256-SHA384")
    with one_handshake(context) as port:
        dial(bench, port, Tls(ca_file=str(maker.root)))
        await until(lambda: bench.clock.sleeps)
    assert [kind for kind, _ in bench.security] == ["InvalidTLSCipherSuite"]


@pytest.mark.parametrize("tls", [Tls(ca_file="/nowhere.pem"), Tls(ca_file=__file__)])
async def test_an_unusable_root_is_a_log_line_and_tried_again(bench: Bench, secure: Csms, tls: Tls, caplog: pytest.LogCaptureFixture) -> None:
    dial(bench, secure.port, tls)
    await until(lambda: bench.clock.sleeps)
    assert "ca_file" in caplog.text


async def test_profile_2_over_ws_is_no_connection(bench: Bench, csms: Csms, caplog: pytest.LogCaptureFixture) -> None:
    bench.dial(security_profile=2)
    await until(lambda: bench.clock.sleeps)
    assert "needs a wss url" in caplog.text and not csms.requests


def test_a_changed_source_is_taken_anew_and_a_lost_one_is_not_missed(tmp_path: Path) -> None:
    first, second = Maker(tmp_path, "first"), Maker(tmp_path, "second")
    source = tmp_path / "ca.pem"
    source.write_bytes(first.root.read_bytes())
    store = Certificates(tmp_path / "kept", Tls(ca_file=str(source)), SimulatedClock())
    store.context()
    source.write_bytes(second.root.read_bytes())
    store.context()
    assert (tmp_path / "kept" / "csms_root.pem").read_bytes() == second.root.read_bytes()
    source.unlink()
    assert [entry["subject"] for entry in store.context().get_ca_certs()] == [((("commonName", "second"),),)]


def test_profile_3_without_a_certificate(tmp_path: Path) -> None:
    with pytest.raises(CertificateProblem, match="client_cert"):
        Certificates(tmp_path, Tls(), SimulatedClock()).context(client_certificate=True)
