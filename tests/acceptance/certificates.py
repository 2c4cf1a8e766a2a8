"""Certificates for tests: a root, and what it signs for 127.0.0.1."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def authority(path: Path, name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A root of its own, written as PEM without its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = _made(subject, subject, key).add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
    root = made.sign(key, hashes.SHA256())
    path.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    return root, key


def issued(path: Path, root: x509.Certificate, root_key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> None:
    """A certificate for 127.0.0.1 with its key, encrypted if there is a password, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = _made(subject, root.subject, key).add_extension(names, critical=False).sign(root_key, hashes.SHA256())
    secret = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)


def _made(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return builder.serial_number(x509.random_serial_number()).not_valid_before(now - DAY).not_valid_after(now + DAY)
