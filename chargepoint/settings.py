"""The settings file (TOML) as frozen values. An unknown key or a wrong type is an error with file, line and key.

Must not know what the values do. The reference in docs/ and config/chargepoint.toml are held equal to these structs by a test.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Scalar = str | int | float | bool


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every table refuses unknown keys."""


class Station(Table, frozen=True, kw_only=True):
    """[station]: the nameplate. after_power_loss: what becomes of a transaction that a power cut interrupted. start_delay_max_s: after power returns,
    a random wait of at most so long before the first offer, 0 to 600."""

    vendor: str = "Chargepoint"
    model: str = "CP1"
    serial_number: str = ""
    firmware_version: str = ""
    after_power_loss: Literal["end", "resume"] = "end"
    start_delay_max_s: int = 0


class BoardSim(Table, frozen=True, kw_only=True):
    """[board.sim]: the simulated board's figures; read by the simulator, and by the firmware where they say what the board is."""

    on_release: Literal["keep", "input"] = "keep"
    relay_supply: Literal["fed", "none"] = "fed"
    fed_hold_ms: float = 100.0
    rcd_cuts_coil: bool = True
    lock_on_power_loss: Literal["keep", "open"] = "keep"
    adc_conversion_ms: float = 1.16
    peak_rise_ms: float = 1.0
    peak_fall_ms: float = 40.0
    noise_mv: float = 30.0
    contactor_in_ms: float = 20.0
    contactor_out_ms: float = 15.0
    contactor_bounce_ms: float = 5.0
    i2c_hz: int = 400_000


class Board(Table, frozen=True, kw_only=True):
    """[board]: name is a file of config/boards (or a path ending in .toml). accept_software_only: the owner's word that a board without feed or
    without a hardware path from the residual-current monitor may be used."""

    name: str = "sim"
    accept_software_only: bool = False
    sim: BoardSim = BoardSim()


class Evse(Table, frozen=True, kw_only=True):
    """[[evse]]: connectors are OCPP connector types; cType1 and cType2 are tethered cables without lock. cable_a: the rating of a tethered cable."""

    id: int = 1
    max_current_a: float = 32.0
    phases: Literal[1, 3] = 3
    connectors: tuple[str, ...] = ("sType2",)
    meter_position: Literal["before", "after"] = "before"
    ventilation: bool = False


class Control(Table, frozen=True, kw_only=True):
    """[control]: lease_s: how long a permit outlives a silent station, 5 to 30."""

    lease_s: float = 15.0


class Tls(Table, frozen=True, kw_only=True):
    """[csms.tls]: imported into the certificate store at the first start; the source files are never changed."""

    ca_file: str = ""
    check_hostname: bool = True
    client_cert: str = ""
    client_key: str = ""
    client_key_password: str = ""


class Reconnect(Table, frozen=True, kw_only=True):
    """[csms.reconnect]: back-off of OCPP 2.0.1 part 4, 5.3."""

    wait_minimum_s: float = 10.0
    random_range_s: float = 5.0
    repeat_times: int = 5


class Csms(Table, frozen=True, kw_only=True):
    """[csms]: configuration slot 1 as shipped. The station connects to url + "/" + identity. No url: the station works alone."""

    url: str = ""
    identity: str = "CP001"
    ocpp: tuple[Literal["ocpp1.6", "ocpp2.0.1"], ...] = ("ocpp2.0.1", "ocpp1.6")
    security_profile: Literal[0, 1, 2, 3] = 0
    basic_auth_password: str = ""
    tls: Tls = Tls()
    reconnect: Reconnect = Reconnect()


class Certificates(Table, frozen=True, kw_only=True):
    """[certificates]."""

    manufacturer_root: str = ""


class FirmwareUpdate(Table, frozen=True, kw_only=True):
    """[firmware_update]."""

    simulate_install: bool | Literal["fail", "reboot"] = False


class Ocpp16(Table, frozen=True, kw_only=True):
    """[ocpp16]: configuration holds factory values of OCPP 1.6 configuration keys."""

    configuration: dict[str, Scalar] = {}


class Ocpp2(Table, frozen=True, kw_only=True):
    """[ocpp2]: variables holds factory values, Component[instance]@evse:connector.Variable[instance]."""

    variables: dict[str, Scalar] = {}


class Settings(Table, frozen=True, kw_only=True):
    """The whole file."""

    station: Station = Station()
    board: Board = Board()
    evse: tuple[Evse, ...] = (Evse(),)
    control: Control = Control()
    csms: Csms = Csms()
    certificates: Certificates = Certificates()
    firmware_update: FirmwareUpdate = FirmwareUpdate()
    ocpp16: Ocpp16 = Ocpp16()
    ocpp2: Ocpp2 = Ocpp2()
