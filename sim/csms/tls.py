"""The certificates that the built-in CSMS can show: a good one under a root of its own, and bad ones on order. Must not know connections.

The root is kept in a directory, so that a station that has stored it trusts a later run as well.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

GOOD = "good"
KINDS = (GOOD, "expired", "wrong_host", "unknown_ca")
YEAR = datetime.timedelta(days=365)
DAY = datetime.timedelta(days=1)
HERE = ipaddress.ip_address("127.0.0.1")
ELSEWHERE = "csms.example"

Root = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


class Certificates:
    """`ca_file`: the root to trust, PEM; `context`: for a server; `shown`: one of KINDS."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.ca_file = directory / "ca.pem"
        self._root = _kept_root(self.ca_file, directory / "ca.key")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.shown = GOOD
        self.show(GOOD)

    def show(self, kind: str) -> None:
        """What connections are shown from now on. Raises ValueError for another word."""
        if kind not in KINDS:
            raise ValueError(f"certificate must be one of {', '.join(KINDS)}")
        root = _new_root("A stranger") if kind == "unknown_ca" else self._root
        path = self._directory / "shown.pem"
        path.touch(mode=0o600)
        path.write_bytes(_issued(root, expired=kind == "expired", elsewhere=kind == "wrong_host"))
        self.context.load_cert_chain(path)
        self.shown = kind


def _kept_root(ca_file: Path, key_file: Path) -> Root:
    if ca_file.exists() and key_file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return x509.load_pem_x509_certificate(ca_file.read_bytes()), key
    root, key = _new_root("Built-in CSMS root")
    key_file.touch(mode=0o600)
    key_file.write_bytes(_private(key))
    ca_file.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    return root, key


def _new_root(name: str) -> Root:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    builder = _certificate(subject, subject, key, _now() - DAY, _now() + 10 * YEAR)
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, hashes.SHA256()), key


def _issued(root: Root, *, expired: bool, elsewhere: bool) -> bytes:
    """A server's certificate with its key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(ELSEWHERE)] if elsewhere else [x509.IPAddress(HERE), x509.DNSName("localhost")]
    end = _now() - DAY if expired else _now() + YEAR
    builder = _certificate(_named(ELSEWHERE if elsewhere else str(HERE)), root[0].subject, key, end - YEAR, end)
    made = builder.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(root[1], hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM) + _private(key)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begin: datetime.datetime, end: datetime.datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
