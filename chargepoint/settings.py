"""The settings file (TOML) as frozen values: every key with its type, range, default, unit and meaning.

Must not know what the values do. The reference in docs/ and config/chargepoint.toml are made from these structs.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Scalar = str | int | float | bool


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every table refuses unknown keys."""


class Station(Table, frozen=True, kw_only=True):
    """The nameplate, and what becomes of a session that a power cut interrupted."""

    vendor: Annotated[str, Meta(min_length=1, max_length=20, description="who made it, told at every boot")] = "Chargepoint"
    model: Annotated[str, Meta(min_length=1, max_length=20, description="what it is, told at every boot")] = "CP1"
    serial_number: Annotated[str, Meta(max_length=25, description="of the charge point")] = ""
    firmware_version: Annotated[str, Meta(max_length=50, description='told at every boot; "": the version of this package')] = ""
    iccid: Annotated[str, Meta(max_length=20, description="of the SIM card in the modem the charge point goes out by, told at every boot")] = ""
    imsi: Annotated[str, Meta(max_length=20, description="of the same SIM card")] = ""
    after_power_loss: Annotated[
        Literal["end", "resume"],
        Meta(description="a transaction that a power cut interrupted ends, or goes on while the car was never unplugged"),
    ] = "end"
    start_delay_max_s: Annotated[
        int, Meta(ge=0, le=600, description="s; after power returns, a random wait of at most so long before the first offer")
    ] = 0
    mark_s: Annotated[
        float, Meta(ge=1, le=600, description="s; a power cut takes no more than this of the energy and the time of a running transaction")
    ] = 60.0


class BoardSim(Table, frozen=True, kw_only=True):
    """Figures of the simulated board; a real board refuses this table."""

    on_release: Annotated[Literal["keep", "input"], Meta(description="what an output does after the process that drove it died")] = "keep"
    relay_supply: Annotated[Literal["fed", "none"], Meta(description="whether the coil's supply needs the feed's edges")] = "fed"
    fed_hold_ms: Annotated[float, Meta(gt=0, description="ms; how long the supply holds after the last edge")] = 100.0
    rcd_cuts_coil: Annotated[bool, Meta(description="a residual-current trip also takes the coil off in hardware")] = True
    phase_switching: Annotated[bool, Meta(description="there is a second contactor in series with poles 2 and 3")] = False
    start_button: Annotated[bool, Meta(description="each EVSE has a button to start and stop with")] = False
    bay_sensor: Annotated[bool, Meta(description="each EVSE has a sensor that sees a car in its parking bay")] = False
    shunt_trip: Annotated[bool, Meta(description="there is a breaker before the contactor, and the board can release it")] = False
    meter_map: Annotated[str, Meta(description='register map of every meter; "sim_ocmf" is a meter that signs; "": as the board file says')] = ""
    lock_on_power_loss: Annotated[Literal["keep", "open"], Meta(description="what the bolt does when the power goes")] = "keep"
    rtc: Annotated[bool, Meta(description="there is a real-time clock: the time is known from the start")] = True
    adc_conversion_ms: Annotated[float, Meta(gt=0, description="ms; one conversion, +-10 %")] = 1.16
    peak_rise_ms: Annotated[float, Meta(gt=0, description="ms; rise of the peak detectors")] = 1.0
    peak_fall_ms: Annotated[float, Meta(gt=0, description="ms; time constant of their fall")] = 40.0
    noise_mv: Annotated[float, Meta(ge=0, description="mV of noise on the pilot's readings")] = 30.0
    contactor_in_ms: Annotated[float, Meta(gt=0, description="ms from coil to closed contacts")] = 20.0
    contactor_out_ms: Annotated[float, Meta(gt=0, description="ms from coil off to open contacts")] = 15.0
    contactor_bounce_ms: Annotated[float, Meta(ge=0, description="ms of bounce while closing")] = 5.0
    i2c_hz: Annotated[int, Meta(gt=0, description="Hz; clock of the pilot's I2C bus")] = 400_000


class Board(Table, frozen=True, kw_only=True):
    """Which board this is."""

    name: Annotated[str, Meta(min_length=1, description='a file of config/boards without ".toml", or a path ending in .toml')] = "sim"
    accept_software_only: Annotated[
        bool, Meta(description="the owner's word that a board without feed or hardware residual-current path may be used")
    ] = False
    sim: BoardSim = BoardSim()


class Evse(Table, frozen=True, kw_only=True):
    """One EVSE; a second one is a second [[evse]] table."""

    id: Annotated[int, Meta(ge=1, description="numbered from 1 without gaps")] = 1
    max_current_a: Annotated[float, Meta(ge=6, le=80, description="A per phase; what the installation allows here")] = 32.0
    phases: Annotated[Literal[1, 3], Meta(description="phases connected")] = 3
    max_current_1p_a: Annotated[
        float, Meta(ge=6, le=80, description="A; with one phase connected, where the grid limits unbalanced load; never above max_current_a")
    ] = 80.0
    max_power_w: Annotated[float, Meta(ge=1380, le=55200, description="W at 230 V; over all connected phases")] = 55200.0
    phase_switching: Annotated[
        bool, Meta(description="a second contactor lets a car charge on one phase while the limit is too low for three; needs one on the board")
    ] = False
    connectors: Annotated[
        tuple[str, ...], Meta(min_length=1, description="OCPP connector types; sType2: socket with lock; cType1, cType2: tethered cable")
    ] = ("sType2",)
    meter_position: Annotated[Literal["before", "after"], Meta(description="the meter sits before or after the contactor")] = "before"
    ventilation: Annotated[bool, Meta(description="the place is ventilated: cars that ask for state D may charge")] = False
    vehicle: Annotated[
        str, Meta(description='the one car that charges here, a file of config/vehicles without ".toml"; "": any car, handled with the greatest care')
    ] = ""


class Vehicles(Table, frozen=True, kw_only=True):
    """Cars that sleep: when they are woken, and whose card names which car."""

    wake_after_s: Annotated[
        float, Meta(ge=5, le=3600, description="s; a car that is offered current and stays in state B is woken after so long")
    ] = 90.0
    tokens: Annotated[
        dict[str, str], Meta(description='whose car it is: "04A1B2C3" = "dacia_spring", a file of config/vehicles; goes before the EVSE\'s vehicle')
    ] = {}


class Control(Table, frozen=True, kw_only=True):
    """The control process."""

    lease_s: Annotated[float, Meta(ge=5, le=30, description="s; how long the permit outlives a silent station")] = 15.0
    soft_start_s: Annotated[float, Meta(ge=0, le=600, description="s; after each closing the offer stays at 6 A for so long; 0: not at all")] = 0.0
    ramp_a_per_s: Annotated[float, Meta(ge=0, le=80, description="A per second; how fast an offer grows, in steps of 5 s; 0: at once")] = 0.0
    keep_floor: Annotated[
        bool, Meta(description="a pause for surplus, price or the owner's schedule is 6 A instead; every other limit pauses whatever stands here")
    ] = False
    cap_simplified_pilot: Annotated[bool, Meta(description="a car that goes from A to C without showing B is offered 10 A at most")] = False
    meter_limit_s: Annotated[float, Meta(ge=0, description="s of a silent meter after which 6 A are offered at most; 0: never")] = 10.0
    meter_withdraw_s: Annotated[float, Meta(ge=0, description="s of a silent meter after which nothing is offered; 0: never")] = 60.0
    csms_clears_residual_current: Annotated[
        bool,
        Meta(description="the CSMS may clear a residual-current trip too, once a day and after a passed test (RCD.Tripped, ClearResidualCurrent)"),
    ] = False


class Tls(Table, frozen=True, kw_only=True):
    """Imported into the certificate store at the first start; the source files are never changed."""

    ca_file: Annotated[str, Meta(description="PEM file with the root certificate the CSMS is verified against")] = ""
    check_hostname: Annotated[bool, Meta(description="the CSMS's certificate must carry the URL's host name")] = True
    client_cert: Annotated[str, Meta(description="PEM file with our certificate (security profile 3)")] = ""
    client_key: Annotated[str, Meta(description="PEM file with its key")] = ""
    client_key_password: Annotated[str, Meta(description="password of that key")] = ""


class Reconnect(Table, frozen=True, kw_only=True):
    """Back-off of OCPP 2.0.1 part 4, 5.3; used by 1.6 too."""

    wait_minimum_s: Annotated[float, Meta(ge=0, description="s; first wait, doubled at each attempt")] = 10.0
    random_range_s: Annotated[float, Meta(ge=0, description="s; a random wait of at most so long is added")] = 5.0
    repeat_times: Annotated[int, Meta(ge=0, description="how often the wait is doubled")] = 5


class Csms(Table, frozen=True, kw_only=True):
    """The central system: configuration slot 1 as shipped."""

    url: Annotated[str, Meta(description='ws:// or wss://; the station connects to url + "/" + identity; "": it works alone')] = ""
    identity: Annotated[str, Meta(min_length=1, max_length=48, description="of this charge point at the CSMS")] = "CP001"
    ocpp: Annotated[tuple[Literal["ocpp1.6", "ocpp2.0.1"], ...], Meta(min_length=1, description="subprotocols offered, most wanted first")] = (
        "ocpp2.0.1",
        "ocpp1.6",
    )
    security_profile: Annotated[
        Literal[0, 1, 2, 3], Meta(description="0: none; 1: HTTP Basic; 2: HTTP Basic over TLS; 3: TLS with client certificate")
    ] = 0
    basic_auth_password: Annotated[str, Meta(description="16 to 40 characters, profiles 1 and 2")] = ""
    tls: Tls = Tls()
    reconnect: Reconnect = Reconnect()


class Certificates(Table, frozen=True, kw_only=True):
    """Roots that are not the CSMS's."""

    manufacturer_root: Annotated[str, Meta(description="PEM file; signs firmware")] = ""


class FirmwareUpdate(Table, frozen=True, kw_only=True):
    """Updates."""

    simulate_install: Annotated[
        bool | Literal["fail", "reboot"],
        Meta(description='a downloaded file counts as installed, nothing is replaced; "fail": it fails; "reboot": with a restart'),
    ] = False


class Ocpp16(Table, frozen=True, kw_only=True):
    """Factory values of OCPP 1.6 configuration keys."""

    configuration: Annotated[dict[str, Scalar], Meta(description='e.g. "HeartbeatInterval" = 300; holds until the CSMS changes it')] = {}


class Ocpp2(Table, frozen=True, kw_only=True):
    """Factory values of any variable of the device model."""

    variables: Annotated[
        dict[str, Scalar], Meta(description='Component[instance]@evse:connector.Variable[instance], e.g. "AuthCtrlr.LocalPreAuthorize" = true')
    ] = {}


class Ledger(Table, frozen=True, kw_only=True):
    """How long the facts of transactions are kept after the CSMS has them."""

    keep_days: Annotated[int, Meta(ge=1, le=36_500, description="days; what is told and older goes, the oldest first")] = 730
    max_mb: Annotated[
        int, Meta(ge=1, le=100_000, description="MB; above it the oldest told facts go before their time, then intermediate values not told")
    ] = 256


class Settings(Table, frozen=True, kw_only=True):
    """The whole file."""

    station: Station = Station()
    board: Board = Board()
    evse: Annotated[tuple[Evse, ...], Meta(min_length=1)] = (Evse(),)
    vehicles: Vehicles = Vehicles()
    control: Control = Control()
    csms: Csms = Csms()
    certificates: Certificates = Certificates()
    firmware_update: FirmwareUpdate = FirmwareUpdate()
    ledger: Ledger = Ledger()
    ocpp16: Ocpp16 = Ocpp16()
    ocpp2: Ocpp2 = Ocpp2()
