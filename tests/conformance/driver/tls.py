"""Certificates and the TLS side of a test CSMS: an authority that issues what a case wants, contexts, and listeners whose handshakes are watched.

Names under .localhost are this machine (RFC 6761, 6.3), so that a CSMS has a name. Must not know OCPP.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "csms.test.localhost"
WILDCARD = "*.test.localhost"
ORGANIZATION = "Test CSO"
WAIT_S = 30.0


def name_of(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION), x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass(frozen=True)
class Pair:
    """Files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """A root that issues certificates into a folder. root: its certificate's file."""

    def __init__(self, folder: Path, name: str = "root") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = name_of(name)
        self.root = folder / f"{name}.pem"
        now = datetime.now(UTC)
        self._keep(self.root, self._signed(self._name, self._key, now - timedelta(days=1), now + timedelta(days=10), None))

    def issue(self, common: str = HOST, *, begins_days: float = -1, ends_days: float = 10) -> Pair:
        """A certificate whose commonName, and alternative name, is this."""
        now = datetime.now(UTC)
        key = ec.generate_private_key(ec.SECP256R1())
        number = len(list(self._folder.glob("*.key")))
        pair = Pair(self._folder / f"{number}.pem", self._folder / f"{number}.key")
        self._keep(pair.certificate, self._signed(name_of(common), key, now + timedelta(days=begins_days), now + timedelta(days=ends_days), common))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pair.key.write_bytes(key.private_bytes(*form))
        return pair

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, ends: datetime, host: str | None) -> x509.Certificate:
        """host None: a certificate that may sign others."""
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
        made = made.add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        if host is not None:
            made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return made.sign(self._key, hashes.SHA256())

    def _keep(self, path: Path, certificate: x509.Certificate) -> None:
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def server(pair: Pair, *, suite: str | None = None, client_root: Path | None = None) -> ssl.SSLContext:
    """suite: the only cipher suite of TLS 1.2 (OpenSSL's name), and no TLS 1.3. client_root: who connects must show a certificate of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    if suite is not None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(suite)
    if client_root is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_root)
    return context


def outdated(pair: Pair) -> ssl.SSLContext:
    """TLS 1.1 at most."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(pair.certificate, pair.key)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return context


class Handshakes:
    """What a listener that only shakes hands has seen. ends: of each connection, what came after the handshake, or why there was none."""

    def __init__(self) -> None:
        self.ends: list[bytes | str] = []

    async def some(self, count: int = 1) -> list[bytes | str]:
        """Waits until so many connections have ended."""
        async with asyncio.timeout(WAIT_S):
            while len(self.ends) < count:
                await asyncio.sleep(0.05)
        return self.ends

    def serve(self, listening: socket.socket, context: ssl.SSLContext) -> None:
        """Until the socket is closed. An alert of ours is sent, which asyncio's server does not do."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                self.ends.append(_shake(connection, context))


def _shake(connection: socket.socket, context: ssl.SSLContext) -> bytes | str:
    connection.settimeout(WAIT_S)
    try:
        with connection, context.wrap_socket(connection, server_side=True) as secure:
            return secure.recv(4096)
    except OSError as problem:
        return str(problem)


@contextlib.asynccontextmanager
async def handshakes(port: int, context: ssl.SSLContext) -> AsyncIterator[Handshakes]:
    """Inside, the port is served by a listener that shakes hands and closes."""
    seen = Handshakes()
    with socket.create_server(("127.0.0.1", port)) as listening:
        thread = threading.Thread(target=seen.serve, args=(listening, context), daemon=True)
        thread.start()
        yield seen
        listening.shutdown(socket.SHUT_RDWR)
    await asyncio.to_thread(thread.join, WAIT_S)
