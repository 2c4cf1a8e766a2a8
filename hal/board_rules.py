"""What makes a board file unfit, one small rule per worry. A pure reading of the file: opens no device, knows no driver but the ADC's bus time.

Key paths count from 0, as msgspec's do: "evse[0].contactor.coil.pin".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hal import spec
from hal.errors import BoardError
from hal.files import find

Problem = tuple[str, str]

BUDGET = 0.8
"""Share of a turn that conversions and bus time may take."""
LONGEST_TURN_MS = 10.0
"""Opening takes up to three turns, or eight without a still reading; the standard leaves 100 ms, the contacts included."""
CONVERSIONS_PER_TURN = 2
CONVERSION_SPREAD = 1.1
WAKE_UP_S = 25e-6
"""ADS1115: conversion time 1/rate +-10 % after a wake-up of 25 us (SBAS444, 9.3.4 and 7.5)."""
BITS_PER_CONVERSION = (1 + 4 * 9 + 1) + (2 * (1 + 2 * 9) + 2 * (1 + 3 * 9) + 1)
"""Start: address, register, two bytes. Finish: twice (address, register) and (address, two bytes), each byte with its acknowledge bit."""

PI_LINES = range(0, 28)
PI_PULLED_UP = range(0, 9)
"""BCM 0 to 8 reset with pull-up, 9 to 27 with pull-down."""
EDGES_PER_HOLD = 4
"""The supply must not fall because one or two turns came late."""


def problems(board: spec.Board, config_dir: Path | None = None) -> list[Problem]:
    """Everything that makes the board unfit: (key path, sentence). Register maps are looked for in config_dir, then in the packaged config."""
    found = [problem for rule in RULES for problem in rule(board)]
    return found + list(_unknown_maps(board, config_dir))


def strict_gpiod_missing(root: Path = Path("/")) -> str | None:
    """None when the kernel returns a dead process's lines to inputs, else a sentence saying that it does not."""
    for module in ("pinctrl_bcm2835", "pinctrl_rp1"):
        parameter = root / "sys/module" / module / "parameters/persist_gpio_outputs"
        if parameter.is_file():
            return None if parameter.read_text().strip() in ("N", "0") else KEEPS_LINES
    for config in ("boot/firmware/config.txt", "boot/config.txt"):
        path = root / config
        if path.is_file():
            return None if _says_strict(path.read_text(errors="replace")) else KEEPS_LINES
    return "it cannot be told whether the kernel lets go of a dead process's outputs: neither config.txt nor persist_gpio_outputs is there"


def weaknesses(board: spec.Board) -> list[str]:
    """What rests on software alone, and what the kernel leaves driven: a sentence each, to be said at every start."""
    found = []
    if board.feed is None:
        found.append("no feed of the relay supply: nothing but software takes the coil off when control hangs")
    if not all(evse.residual.cuts_coil for evse in board.evse):
        found.append("the residual-current monitor does not cut the coil in hardware: software alone answers a trip")
    if board.strict_gpiod and board.backend is None and (missing := strict_gpiod_missing()):
        found.append(missing)
    return found


KEEPS_LINES = "the kernel keeps a dead process's outputs driven: put dtparam=strict_gpiod into /boot/firmware/config.txt and reboot"


def _says_strict(text: str) -> bool:
    lines = [line.split("#")[0].replace(" ", "").strip() for line in text.splitlines()]
    return any("strict_gpiod" in line.removeprefix("dtparam=").split(",") for line in lines if line.startswith("dtparam="))


def _walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every table of the file with its key path."""
    if isinstance(value, spec.Base):
        yield path, value
        for name in value.__struct_fields__:
            yield from _walk(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]")


def _pin_twice(board: spec.Board) -> Iterator[Problem]:
    seen: dict[int, str] = {}
    for path, table in _walk(board):
        if not isinstance(table, spec.Output | spec.Input):
            continue
        if table.pin in seen:
            yield f"{path}.pin", f"pin {table.pin} is already used by {seen[table.pin]}; give each line a pin of its own"
        seen.setdefault(table.pin, path)


def _acting_pull(board: spec.Board) -> Iterator[Problem]:
    for path, output in _walk(board):
        if not isinstance(output, spec.Output) or not path.endswith((".coil", ".test", ".lock", ".unlock", ".shunt_trip")):
            continue
        safe = "down" if output.active == "high" else "up"
        if output.reset_pull != safe:
            yield (
                f"{path}.reset_pull",
                f"with nobody driving pin {output.pin} it is pulled {output.reset_pull}, not its safe level; active {output.active} needs {safe}",
            )


def _pi_pulls(board: spec.Board) -> Iterator[Problem]:
    if board.pin_factory != "lgpio":
        return
    for path, line in _walk(board):
        if not isinstance(line, spec.Output | spec.Input):
            continue
        if line.pin not in PI_LINES:
            yield f"{path}.pin", f"BCM {line.pin} is not on the header; BCM 0 to 27 are"
        elif isinstance(line, spec.Output) and line.reset_pull != (real := "up" if line.pin in PI_PULLED_UP else "down"):
            yield f"{path}.reset_pull", f"BCM {line.pin} is pulled {real} at reset, not {line.reset_pull}; BCM 9 to 27 are pulled down, 0 to 8 up"


def _addresses(board: spec.Board) -> Iterator[Problem]:
    seen: dict[tuple[int, int], str] = {}
    for path, device in _walk(board):
        if not isinstance(device, spec.Adc | spec.Thermometer):
            continue
        place = (device.bus, device.address)
        if place in seen:
            yield f"{path}.address", f"address {device.address:#04x} on I2C bus {device.bus} is already used by {seen[place]}"
        seen.setdefault(place, path)


def _adc_bus_shared(board: spec.Board) -> Iterator[Problem]:
    pilots = {evse.adc.bus for evse in board.evse}
    for path, device in _walk(board):
        if isinstance(device, spec.Thermometer) and device.bus in pilots:
            yield f"{path}.bus", f"I2C bus {device.bus} belongs to a pilot's ADC alone; put this sensor on another bus"


def _adc_inputs(board: spec.Board) -> Iterator[Problem]:
    for index, evse in enumerate(board.evse):
        adc, path = evse.adc, f"evse[{index}].adc"
        if adc.rate_sps not in ADC_RATES:
            yield f"{path}.rate_sps", f"an ADS1115 has no rate of {adc.rate_sps} SPS; it has {', '.join(map(str, ADC_RATES))}"
        if adc.full_scale_v not in ADC_RANGES:
            yield f"{path}.full_scale_v", f"an ADS1115 has no range of {adc.full_scale_v} V; it has {', '.join(map(str, ADC_RANGES))}"
        wired = [("high", adc.high.input), ("low", adc.low.input)]
        wired += [("proximity", adc.proximity.input)] if adc.proximity else []
        for place, (name, number) in enumerate(wired):
            if not 0 <= number <= 3:
                yield f"{path}.{name}.input", f"an ADS1115 has the inputs 0 to 3, not {number}"
            elif number in [other for _, other in wired[:place]]:
                yield f"{path}.{name}.input", f"input {number} is used twice"


ADC_RATES = (8, 16, 32, 64, 128, 250, 475, 860)
ADC_RANGES = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256)


def _budget(board: spec.Board) -> Iterator[Problem]:
    load_s: dict[int, float] = defaultdict(float)
    for index, evse in enumerate(board.evse):
        if evse.adc.rate_sps <= 0 or evse.adc.clock_hz <= 0:
            continue
        load_s[evse.adc.bus] += adc_time_s(evse.adc)
        share = load_s[evse.adc.bus] / (board.turn_ms / 1000.0) if board.turn_ms > 0 else float("inf")
        if share > BUDGET:
            yield (
                f"evse[{index}].adc",
                f"conversions and transfers on I2C bus {evse.adc.bus} take {load_s[evse.adc.bus] * 1000.0:.2f} ms, {share:.0%} of a turn of "
                f"{board.turn_ms:g} ms; at most {BUDGET:.0%} is allowed: a faster clock_hz or rate_sps, a bus of its own, or a longer turn_ms",
            )


def _transfers(board: spec.Board) -> Iterator[Problem]:
    """One loop talks to all ADCs, one after the other; their conversions run meanwhile."""
    load_s = sum(transfer_time_s(evse.adc) for evse in board.evse if evse.adc.clock_hz > 0)
    if board.turn_ms > 0 and load_s > BUDGET * board.turn_ms / 1000.0:
        yield (
            "turn_ms",
            f"one after the other, the transfers of {len(board.evse)} ADCs take {load_s * 1000.0:.2f} ms, {load_s / board.turn_ms * 1000.0:.0%} of a "
            f"turn of {board.turn_ms:g} ms; at most {BUDGET:.0%} is allowed: fewer EVSEs on this board, a faster clock_hz, or a longer turn_ms",
        )


def _turn(board: spec.Board) -> Iterator[Problem]:
    if not 0.0 < board.turn_ms <= LONGEST_TURN_MS:
        yield "turn_ms", f"a turn of {board.turn_ms:g} ms: up to {LONGEST_TURN_MS:g} ms an unplugged car is seen in time"


def transfer_time_s(adc: spec.Adc) -> float:
    """Seconds one pilot's ADC keeps its bus, and the loop, in each turn."""
    return CONVERSIONS_PER_TURN * BITS_PER_CONVERSION / adc.clock_hz


def adc_time_s(adc: spec.Adc) -> float:
    """Seconds one pilot's ADC takes of each turn: two conversions and their transfers."""
    conversion = CONVERSION_SPREAD / adc.rate_sps + WAKE_UP_S
    return CONVERSIONS_PER_TURN * conversion + transfer_time_s(adc)


def _pwm_twice(board: spec.Board) -> Iterator[Problem]:
    seen: dict[tuple[str, int], int] = {}
    for index, evse in enumerate(board.evse):
        place = (evse.pwm.chip, evse.pwm.channel)
        if place in seen:
            yield f"evse[{index}].pwm.channel", f"channel {place[1]} of {place[0]} is already the pilot of evse[{seen[place]}]"
        seen.setdefault(place, index)


def _no_feed(board: spec.Board) -> Iterator[Problem]:
    if board.feed is None and not board.accept_software_only:
        yield "feed", "nothing but software takes the coil off when control dies; wire a feed of the relay supply, or set accept_software_only = true"
    if board.feed is not None and board.feed.hold_ms < EDGES_PER_HOLD * board.turn_ms:
        yield "feed.hold_ms", f"the supply must outlive {EDGES_PER_HOLD} turns of {board.turn_ms:g} ms, or it falls when a turn comes late"


def _coil_keeps(board: spec.Board) -> Iterator[Problem]:
    for path, contactor in _walk(board):
        if not isinstance(contactor, spec.Contactor):
            continue
        dies, path = contactor.undriven, f"{path}.undriven"
        if dies.power_lost == "keeps":
            yield f"{path}.power_lost", "a contactor that stays in without power cannot be used"
        for word in ("process_dead", "cpu_hung"):
            if getattr(dies, word) == "keeps" and not (board.feed is None and board.accept_software_only):
                yield f"{path}.{word}", "the coil must fall when nobody drives it; a feed of the relay supply sees to that"


def _second_contactor(board: spec.Board) -> Iterator[Problem]:
    for index, evse in enumerate(board.evse):
        if evse.contactor_l23 is not None and evse.phases == 1:
            yield (
                f"evse[{index}].contactor_l23",
                "a second contactor switches phases 2 and 3, and this power path has one phase; phases = 3, or leave it out",
            )


def _no_residual_path(board: spec.Board) -> Iterator[Problem]:
    for index, evse in enumerate(board.evse):
        if not evse.residual.cuts_coil and not board.accept_software_only:
            yield (
                f"evse[{index}].residual.cuts_coil",
                "the residual-current monitor must cut the coil in hardware; wire it so, or set accept_software_only = true",
            )


def _meter_lines(board: spec.Board) -> Iterator[Problem]:
    for index, evse in enumerate(board.evse):
        if evse.meter is not None and (evse.meter.serial is None) == (evse.meter.tcp is None):
            yield f"evse[{index}].meter", "a meter hangs on one line: give either serial or tcp"


def _meters_collide(board: spec.Board) -> Iterator[Problem]:
    seen: dict[tuple[str, int], int] = {}
    for index, evse in enumerate(board.evse):
        if evse.meter is None:
            continue
        place = (_line_name(evse.meter), evse.meter.unit)
        if place in seen:
            yield f"evse[{index}].meter.unit", f"unit {evse.meter.unit} on {place[0]} is already the meter of evse[{seen[place]}]"
        seen.setdefault(place, index)


def _line_name(meter: spec.Meter) -> str:
    return meter.serial.port if meter.serial else f"{meter.tcp.host}:{meter.tcp.port}" if meter.tcp else "no line"


def _serial_lines(board: spec.Board) -> Iterator[Problem]:
    lines: dict[str, spec.Serial] = {}
    for index, evse in enumerate(board.evse):
        serial = evse.meter.serial if evse.meter else None
        if serial is not None and serial != lines.setdefault(serial.port, serial):
            yield f"evse[{index}].meter.serial", f"the meters on {serial.port} must agree on baud, parity and stop_bits"
    ports = dict.fromkeys(lines, "a meter")
    for index, reader in enumerate(board.reader):
        if reader.serial.port in ports:
            yield f"reader[{index}].serial.port", f"{reader.serial.port} is already the line of {ports[reader.serial.port]}"
        ports[reader.serial.port] = f"reader[{index}]"


def _reader_evse(board: spec.Board) -> Iterator[Problem]:
    for index, reader in enumerate(board.reader):
        if reader.evse is not None and not 1 <= reader.evse <= len(board.evse):
            yield f"reader[{index}].evse", f"this board has EVSEs 1 to {len(board.evse)}, not {reader.evse}"


def _backend(board: spec.Board) -> Iterator[Problem]:
    if (board.pin_factory == "rig") != (board.backend is not None):
        yield "pin_factory", f"{board.pin_factory!r} does not go with backend {board.backend!r}: rig needs a backend, lgpio has none"
    if not board.evse:
        yield "evse", "a board wires at least one EVSE"


def _unknown_maps(board: spec.Board, config_dir: Path | None) -> Iterator[Problem]:
    from hal.meter_map import load

    for index, evse in enumerate(board.evse):
        if evse.meter is None:
            continue
        try:
            load(find(evse.meter.map, "meters", config_dir))
        except BoardError as error:
            yield f"evse[{index}].meter.map", str(error)


RULES: tuple[Callable[[spec.Board], Iterator[Problem]], ...] = (
    _backend,
    _pin_twice,
    _acting_pull,
    _pi_pulls,
    _addresses,
    _adc_bus_shared,
    _adc_inputs,
    _turn,
    _budget,
    _transfers,
    _pwm_twice,
    _no_feed,
    _coil_keeps,
    _second_contactor,
    _no_residual_path,
    _meter_lines,
    _meters_collide,
    _serial_lines,
    _reader_evse,
)
