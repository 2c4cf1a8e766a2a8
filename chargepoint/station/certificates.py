"""The only maker of TLS contexts, and the keeper of the certificates they need (2.0.1 part 2, A00). Must not know who connects, nor OCPP messages.

    Certificates(directory, tls, clock).context() -> ssl.SSLContext    for security profiles 2 and 3
The files the settings name are copied to `directory` (0600, replaced atomically) whenever they differ from the copy; the sources stay as they are.
"""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
from pathlib import Path
from typing import Any

from chargepoint.clock import Clock
from chargepoint.settings import Tls

log = logging.getLogger("station.certificates")

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:AES128-GCM-SHA256:AES256-GCM-SHA384"  # A00.FR.319; the last two are TLS_RSA
NO_CHECK_TIME = 0x200000  # OpenSSL's X509_V_FLAG_NO_CHECK_TIME
FILES = {"ca_file": "csms_root.pem", "client_cert": "station.pem", "client_key": "station.key"}


class CertificateProblem(Exception):
    """A certificate or key is missing or unusable; the text says which and why."""


class _NoWildcards(ssl.SSLObject):
    """A connection that ends with the handshake, before anything is sent, when the peer's certificate is for a wildcard name."""

    def do_handshake(self) -> None:
        super().do_handshake()
        if any("*" in name for name in _names(self.getpeercert() or {})):
            raise ssl.SSLCertVerificationError(
                "the CSMS's certificate is for a wildcard name, which SecurityCtrlr.AllowCSMSTLSWildcards does not allow"
            )


def _names(peer: dict[str, Any]) -> list[str]:
    """The names of a certificate (SSLSocket.getpeercert), alternative and common."""
    common = [value for part in peer.get("subject", ()) for key, value in part if key == "commonName"]
    return [*common, *(name for kind, name in peer.get("subjectAltName", ()) if kind == "DNS")]


class Certificates:
    """The store behind [csms.tls]."""

    def __init__(self, directory: Path, tls: Tls, clock: Clock) -> None:
        self._directory, self._tls, self._clock = directory, tls, clock

    def context(self, *, client_certificate: bool = False, wildcards: bool = False) -> ssl.SSLContext:
        """A client's context: TLS 1.2 or above (A00.FR.313), chain and host name checked (A00.FR.308, 309), no compression (A00.FR.321).
        While the time is not known the chain is checked without its dates. client_certificate: profile 3. wildcards: a name like *.example.com is
        one too (errata 2025-09, 2.62). Raises CertificateProblem."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.options |= ssl.OP_NO_COMPRESSION
        context.check_hostname = self._tls.check_hostname
        if self._tls.check_hostname and not wildcards:
            context.sslobject_class = _NoWildcards
        if not self._clock.wall_known():
            context.verify_flags = ssl.VerifyFlags(context.verify_flags | NO_CHECK_TIME)
        self._load_roots(context)
        if client_certificate:
            self._load_own(context)
        return context

    def out_of_date(self, peer: dict[str, Any]) -> str | None:
        """Why the dates of a peer's certificate (SSLSocket.getpeercert) do not fit the time now known; None: they fit, or the time is not known."""
        if not self._clock.wall_known() or "notAfter" not in peer:
            return None
        now = self._clock.wall_s()
        if now > ssl.cert_time_to_seconds(peer["notAfter"]):
            return f"expired at {peer['notAfter']}"
        if now < ssl.cert_time_to_seconds(peer["notBefore"]):
            return f"not valid before {peer['notBefore']}"
        return None

    def _load_roots(self, context: ssl.SSLContext) -> None:
        if not self._tls.ca_file:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
            return
        path = self._stored("ca_file")
        try:
            context.load_verify_locations(cafile=path)
        except (OSError, ssl.SSLError) as problem:
            raise CertificateProblem(f"ca_file {self._tls.ca_file} cannot be used: {problem}") from None

    def _load_own(self, context: ssl.SSLContext) -> None:
        certificate, key = self._stored("client_cert"), self._stored("client_key")
        password = self._tls.client_key_password or None
        try:
            context.load_cert_chain(certificate, key, password=lambda: password or "")
        except (OSError, ssl.SSLError) as problem:
            raise CertificateProblem(f"client_cert or client_key cannot be used: {problem}") from None

    def _stored(self, name: str) -> Path:
        """The kept copy of one of the settings' files, made anew when the source has changed."""
        source, copy = Path(getattr(self._tls, name)), self._directory / FILES[name]
        if not str(getattr(self._tls, name)):
            raise CertificateProblem(f"csms.tls.{name} is not set")
        try:
            content = source.read_bytes()
        except OSError as problem:
            if copy.is_file():
                return copy
            raise CertificateProblem(f"csms.tls.{name}: {problem}") from None
        with contextlib.suppress(OSError):
            if copy.read_bytes() == content:
                return copy
        self._write(copy, content)
        return copy

    def _write(self, path: Path, content: bytes) -> None:
        fresh = path.with_suffix(".new")
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as problem:
            raise CertificateProblem(f"{path} cannot be written: {problem}") from None
        log.info("%s taken into the certificate store", path.name)
