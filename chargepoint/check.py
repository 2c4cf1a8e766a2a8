"""What belongs together in the settings, and with the board file: `chargepoint check`. Each check is a small function over all of it.

Must not know how to read a file or open a device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from chargepoint import factory, vehicle_files
from chargepoint.board_settings import board_of
from chargepoint.settings import Settings
from chargepoint.settings_file import Document, Problem, SettingsError, parse_path, read, settings_of
from chargepoint.station.device_model import Edited
from hal import board as hal_board
from hal import spec
from hal.errors import BoardError

Found = Iterator[tuple[str, str]]
"""Key path and sentence."""

CONNECTORS = (
    "cType1", "cType2", "s309-1P-16A", "s309-1P-32A", "s309-3P-16A", "s309-3P-32A", "sBS1361", "sCEE-7-7", "sType2", "sType3", "Other1PhMax16A",
    "Other1PhOver16A", "Other3Ph",
)  # fmt: skip
"""AC types of ConnectorEnumType (OCPP 2.0.1 part 2, 3.21)."""


def _evses(settings: Settings) -> Found:
    seen: set[int] = set()
    for number, evse in enumerate(settings.evse, 1):
        if evse.id in seen:
            yield f"evse[{number}].id", f"two EVSEs have the id {evse.id}; number them from 1"
        elif evse.id != number:
            yield f"evse[{number}].id", f"is {evse.id} where {number} is due; OCPP numbers EVSEs from 1 without gaps (2.0.1 part 1, 7.2)"
        seen.add(evse.id)
        for connector in evse.connectors:
            if connector not in CONNECTORS:
                yield f"evse[{number}].connectors", f"{connector!r} is no AC connector type; one of {', '.join(CONNECTORS)}"


def _csms_url(settings: Settings) -> Found:
    csms = settings.csms
    if not csms.url:
        return
    try:
        parts = urlsplit(csms.url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        yield "csms.url", f"{csms.url!r} is no URL: {error}; write ws://host:port/path or wss://host:port/path"
        return
    if parts.scheme not in ("ws", "wss") or not host or " " in csms.url:
        yield "csms.url", f"{csms.url!r} is no WebSocket URL; write ws://host:port/path or wss://host:port/path"
    elif port == 0:
        yield "csms.url", "port 0 cannot be dialled; leave the port out or give the CSMS's"
    if parts.username or parts.password:
        yield "csms.url", "holds a user name; use csms.identity and csms.basic_auth_password instead"
    if parts.query or parts.fragment:
        yield "csms.url", "has a query or fragment, behind which the identity cannot be put; leave it out"


def _csms_identity(settings: Settings) -> Found:
    csms = settings.csms
    if ":" in csms.identity and csms.security_profile in (1, 2):
        yield "csms.identity", "has a colon, which HTTP Basic authentication cannot carry in a user name (RFC 7617)"
    if len(set(csms.ocpp)) != len(csms.ocpp):
        yield "csms.ocpp", "names a version twice"


def _csms_security(settings: Settings) -> Found:
    csms, tls = settings.csms, settings.csms.tls
    secure = csms.url.startswith("wss:")
    if csms.security_profile >= 2 and csms.url and not secure:
        yield "csms.url", f"security profile {csms.security_profile} is TLS; write wss:// instead of ws://"
    if csms.security_profile < 2 and secure:
        yield "csms.security_profile", f"wss:// needs profile 2 or 3; profile {csms.security_profile} is without TLS"
    if csms.security_profile in (1, 2) and not csms.basic_auth_password:
        yield "csms.basic_auth_password", f"is missing; security profile {csms.security_profile} is HTTP Basic authentication"
    if csms.basic_auth_password and not 16 <= len(csms.basic_auth_password) <= 40:
        yield "csms.basic_auth_password", f"has {len(csms.basic_auth_password)} characters; 16 to 40 are allowed (OCPP 2.0.1 A00.FR.205)"
    if csms.security_profile >= 2 and not tls.ca_file:
        yield "csms.tls.ca_file", f"is missing; security profile {csms.security_profile} verifies the CSMS against this root certificate (PEM)"
    if csms.security_profile == 3 and not (tls.client_cert and tls.client_key):
        yield "csms.tls.client_cert", "is missing with its client_key; security profile 3 shows the CSMS a client certificate"
    if bool(tls.client_cert) != bool(tls.client_key):
        yield "csms.tls.client_key", "client_cert and client_key go together; one of them is missing"


def _files(settings: Settings) -> Found:
    named = {f"csms.tls.{name}": getattr(settings.csms.tls, name) for name in ("ca_file", "client_cert", "client_key")}
    named["certificates.manufacturer_root"] = settings.certificates.manufacturer_root
    for key, path in named.items():
        if not path:
            continue
        try:
            text = Path(path).read_bytes()
        except OSError as error:
            yield key, f"{path}: {error.strerror}; give the path of a PEM file the station may read"
            continue
        if b"-----BEGIN " not in text:
            yield key, f"{path} is no PEM file; it must hold a -----BEGIN ...----- block"


ALONE: tuple[Callable[[Settings], Found], ...] = (_evses, _csms_url, _csms_identity, _csms_security, _files)


def _wiring(settings: Settings, board: spec.Board) -> Found:
    if len(settings.evse) > len(board.evse):
        yield f"evse[{len(board.evse) + 1}]", f"there are {len(settings.evse)} EVSEs but board {board.name!r} wires {len(board.evse)}"
    for number, (evse, wired) in enumerate(zip(settings.evse, board.evse, strict=False), 1):
        if evse.max_current_a > wired.max_current_a:
            yield f"evse[{number}].max_current_a", f"{evse.max_current_a:g} A is more than the board's power path carries ({wired.max_current_a:g} A)"
        if evse.phases > wired.phases:
            yield f"evse[{number}].phases", f"{evse.phases} phases, but the board's power path has {wired.phases}"
        if evse.phase_switching and (wired.contactor_l23 is None or evse.phases == 1):
            yield f"evse[{number}].phase_switching", "needs three phases and a second contactor (contactor_l23), which the board does not wire here"
        socket = any(connector.startswith("s") for connector in evse.connectors)
        if socket and wired.lock is None:
            yield f"evse[{number}].connectors", "a socket needs a lock, and the board wires none; name a tethered cable (cType2) or wire a lock"
        if socket and wired.adc.proximity is None:
            yield f"evse[{number}].connectors", "a socket needs the proximity input, and the board wires none"
        if wired.meter is None:
            yield f"evse[{number}]", "the board wires no energy meter for it; without one nothing can be billed"


def _board(document: Document, settings: Settings, config_dir: Path) -> Iterator[Problem]:
    try:
        board_document, board = board_of(settings, config_dir)
    except BoardError:
        known = ", ".join(sorted(file.stem for file in (hal_board.packaged_config() / "boards").glob("*.toml")))
        yield document.problem(("board", "name"), f"{settings.board.name!r}: there is no such board; one of {known}, or a path ending in .toml")
        return
    except SettingsError as error:
        yield from error.problems
        return
    if "sim" in document.data.get("board", {}) and board.backend is None:
        yield document.problem(("board", "sim"), f"board {board.name!r} is real; [board.sim] is for the simulated board only")
    for key, text in _wiring(settings, board):
        yield document.problem(parse_path(key), text)
    for key, text in hal_board.problems(board, config_dir):
        yield board_document.problem(parse_path(key, first=0), text)


def _vehicles(document: Document, settings: Settings, config_dir: Path) -> Iterator[Problem]:
    for key, name in vehicle_files.named(settings):
        try:
            vehicle_files.vehicle(name, config_dir)
        except BoardError:
            known = ", ".join(sorted(file.stem for file in (hal_board.packaged_config() / "vehicles").glob("*.toml")))
            yield document.problem(key, f"{name!r}: there is no such vehicle; one of {known}, or a path ending in .toml")
        except SettingsError as error:
            yield from error.problems


class Verdict(NamedTuple):
    """errors: the file may not be used; warnings: something in it has no effect."""

    errors: list[Problem]
    warnings: list[Problem]


def judge(file: Path) -> Verdict:
    """Every mistake and warning in a settings file and its board file."""
    try:
        document = read(file)
        settings = settings_of(document)
    except SettingsError as error:
        return Verdict(error.problems, [])
    values = factory.judge(settings)
    errors = [document.problem(parse_path(key), text) for check in ALONE for key, text in check(settings)]
    errors += [document.problem(key, text) for key, text in values.errors]
    errors += _board(document, settings, file.parent)
    errors += _vehicles(document, settings, file.parent)
    warnings = [document.problem(key, text) for key, text in values.warnings]
    try:
        warnings += [document.problem((), _edited(change)) for change in factory.edited(settings)]
    except factory.StoreHeld as held:
        warnings.append(document.problem((), f"what the CSMS has changed cannot be looked at: {held}"))
    return Verdict(errors, warnings)


def _edited(change: Edited) -> str:
    return (
        f"{change.key} was edited from {change.factory_then!r} to {change.factory_now!r} after the CSMS had set {change.csms!r}, which still holds; "
        f'to take the file\'s value: chargepoint settings adopt "{change.key}" --config FILE'
    )
