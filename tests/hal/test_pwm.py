"""The kernel PWM driver on a tree of files shaped as sysfs."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from hal.errors import BoardError, DeviceLost
from hal.pwm import KernelPwm, SysfsChip, find_chip, to_x1

SECONDS = itertools.count()


def now() -> float:
    return os.times().elapsed


def sysfs(root: Path, name: str = "fe20c000.pwm", number: int = 3, exported: bool = True) -> Path:
    device = root / "devices" / name
    device.mkdir(parents=True)
    chip = root / "class" / f"pwmchip{number}"
    chip.mkdir(parents=True)
    (chip / "device").symlink_to(device)
    (chip / "export").write_text("")
    if exported:
        channel(chip)
    return chip


def channel(chip: Path, number: int = 0, period: int = 0, duty: int = 0, enable: int = 0, polarity: str = "normal") -> None:
    (chip / f"pwm{number}").mkdir()
    for name, value in (("period", period), ("duty_cycle", duty), ("enable", enable), ("polarity", polarity)):
        (chip / f"pwm{number}" / name).write_text(f"{value}\n")


def told(chip: Path, name: str) -> str:
    return (chip / "pwm0" / name).read_text().split()[0]


def opened(root: Path) -> KernelPwm:
    return KernelPwm(SysfsChip("fe20c000.pwm", str(root / "class")), 0, "EVSE 1 pilot PWM", now)


def test_the_chip_is_found_by_its_device_not_its_number(tmp_path: Path) -> None:
    sysfs(tmp_path, "pwm-fan", 0)
    sysfs(tmp_path, "1f00098000.pwm", 7)
    assert find_chip("1f00098000.pwm", str(tmp_path / "class")).endswith("pwmchip7")


def test_a_missing_chip_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    sysfs(tmp_path, "pwm-fan", 0)
    with pytest.raises(BoardError, match=r"fe20c000\.pwm.*pwm-fan"):
        find_chip("fe20c000.pwm", str(tmp_path / "class"))


def test_opening_leads_to_x1(tmp_path: Path) -> None:
    chip = sysfs(tmp_path)
    pwm = opened(tmp_path)
    assert (told(chip, "period"), told(chip, "duty_cycle"), told(chip, "enable")) == ("1000000", "1000000", "1")
    assert pwm.duty() == 1.0


def test_opening_leads_a_foreign_setting_to_x1(tmp_path: Path) -> None:
    chip = sysfs(tmp_path, exported=False)
    channel(chip, period=20_000_000, duty=5_000_000, enable=1, polarity="inversed")
    opened(tmp_path)
    assert [told(chip, name) for name in ("period", "duty_cycle", "enable", "polarity")] == ["1000000", "1000000", "1", "normal"]


@pytest.mark.parametrize(("fraction", "nanoseconds"), [(0.0, "0"), (0.1, "100000"), (0.2667, "266700"), (0.5333, "533300"), (1.0, "1000000")])
def test_a_duty_is_written_and_read_back(tmp_path: Path, fraction: float, nanoseconds: str) -> None:
    chip = sysfs(tmp_path)
    pwm = opened(tmp_path)
    pwm.set_duty(fraction)
    assert told(chip, "duty_cycle") == nanoseconds
    assert pwm.duty() == fraction


@pytest.mark.parametrize("fraction", [-0.01, 1.01, float("nan")])
def test_a_duty_outside_the_range_is_refused(tmp_path: Path, fraction: float) -> None:
    sysfs(tmp_path)
    with pytest.raises(ValueError, match="between 0 and 1"):
        opened(tmp_path).set_duty(fraction)


@pytest.mark.parametrize(("attribute", "value"), [("enable", "0\n"), ("period", "2000000\n"), ("period", "")])
def test_a_generator_changed_by_somebody_else_is_lost_and_then_set_right(tmp_path: Path, attribute: str, value: str) -> None:
    chip = sysfs(tmp_path)
    pwm = opened(tmp_path)
    pwm.set_duty(0.5)
    (chip / "pwm0" / attribute).write_text(value)
    with pytest.raises(DeviceLost, match="pilot PWM"):
        pwm.duty()
    (chip / "pwm0" / "period").write_text(value if attribute == "period" and value else "1000000\n")
    pwm.set_duty(0.25)
    assert pwm.duty() == 0.25


class ReluctantChip:
    """A chip whose files are given to the group only after some tries, as udev does."""

    def __init__(self, refusals: int) -> None:
        self.files = {"export": ""}
        self.refusals = refusals

    def read(self, attribute: str) -> str:
        if attribute not in self.files:
            raise FileNotFoundError(attribute)
        return self.files[attribute]

    def write(self, attribute: str, text: str) -> None:
        if attribute == "export":
            self.files |= {f"pwm{text}/{name}": "0" for name in ("period", "duty_cycle", "enable")} | {f"pwm{text}/polarity": "normal"}
        elif self.refusals:
            self.refusals -= 1
            raise PermissionError(attribute)
        self.files[attribute] = text


def test_export_is_followed_by_patience(clock: object) -> None:
    chip = ReluctantChip(refusals=5)
    assert KernelPwm(chip, 1, "pilot", now).duty() == 1.0
    assert chip.files["export"] == "1"


def test_patience_ends() -> None:
    chip = ReluctantChip(refusals=10**6)
    ticks = itertools.count(0.0, 0.2)
    with pytest.raises(DeviceLost, match="cannot be written"):
        KernelPwm(chip, 1, "pilot", lambda: next(ticks))


def test_safe_outputs_lead_to_x1(tmp_path: Path) -> None:
    chip = sysfs(tmp_path, exported=False)
    channel(chip, period=1_000_000, duty=266_667, enable=1)
    to_x1(SysfsChip("fe20c000.pwm", str(tmp_path / "class")), 0, now)
    assert (told(chip, "duty_cycle"), told(chip, "enable")) == ("1000000", "1")
