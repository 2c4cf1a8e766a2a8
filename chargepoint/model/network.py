"""Network connection profiles (2.0.1 part 2, 2.35), as far as this station can follow them. Must not know lines or how they are kept."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

SCHEMES = ("ws", "wss")
KEY = re.compile(r"(?:[0-9A-Fa-f]{2}){16,20}")
TLS_FROM = 2
"""Security profiles 2 and 3 are TLS (2.0.1 part 2, A00)."""


class NetworkProfile(msgspec.Struct, frozen=True):
    """What a CSMS says of a connection. message_timeout_s None: the station's own. transport: only JSON is spoken; extras: names of parts this
    station has no hardware for (vpn, apn)."""

    url: str
    security_profile: int
    message_timeout_s: int | None = None
    transport: str = "JSON"
    extras: tuple[str, ...] = ()


class Slot(NamedTuple):
    """Where and how to connect. subprotocols: most wanted first; password: of HTTP Basic, bytes where it is no text."""

    url: str
    identity: str
    subprotocols: tuple[str, ...]
    security_profile: int = 0
    password: str | bytes = ""


def secured(profile: NetworkProfile, security_profile: int) -> NetworkProfile:
    """The same CSMS by a higher security profile; TLS has a URL scheme of its own."""
    url = re.sub("^ws:", "wss:", profile.url) if security_profile >= TLS_FROM else profile.url
    return msgspec.structs.replace(profile, security_profile=security_profile, url=url)


def same_csms(url: str) -> str:
    """A URL as the name of a CSMS: it stays the same one behind TLS."""
    return re.sub("^wss:", "ws:", url)


def key_bytes(authorization_key: str) -> bytes | None:
    """The password a 1.6 AuthorizationKey stands for: 16 to 20 bytes in hexadecimal digits (OCPP-J 1.6 6.2.2, security whitepaper A00.FR.205); None:
    it is the password itself."""
    return bytes.fromhex(authorization_key) if KEY.fullmatch(authorization_key) else None


def complaint(profile: NetworkProfile) -> str | None:
    """What makes a profile one that can never work here; None: nothing."""
    if profile.transport != "JSON":
        return f"the transport {profile.transport} is not spoken, only JSON"
    if profile.extras:
        return f"this station has no {' and no '.join(profile.extras)} of its own"
    if not 0 <= profile.security_profile <= 3:
        return f"there is no security profile {profile.security_profile}"
    if profile.message_timeout_s is not None and profile.message_timeout_s < 1:
        return "the message timeout has to be at least 1 s"
    return _url_complaint(profile)


def _url_complaint(profile: NetworkProfile) -> str | None:
    try:
        parts = urlsplit(profile.url)
        known = parts.scheme in SCHEMES and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if not known:
        return f"{profile.url!r} is no ws:// or wss:// URL with a host"
    if profile.security_profile >= TLS_FROM and parts.scheme != "wss":
        return f"security profile {profile.security_profile} needs a wss:// URL"
    return None
