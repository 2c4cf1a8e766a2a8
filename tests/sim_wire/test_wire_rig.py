"""The rig over its real sockets: pins, I2C and PWM from a firmware process, what is left of them when it is killed, and the world's commands."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gpiozero import DigitalOutputDevice, GPIOPinInUse, InputDevice, OutputDevice
from smbus2 import i2c_msg

from sim.rig import client
from sim.rig.control import RigControl, RigError
from sim.rig.protocol import SENT

COIL, MIRROR, FEED, LOCK, UNLOCK = 101, 102, 16, 105, 106
SETTINGS = '[board]\nname = "sim"\n[board.sim]\n{figures}\n[[evse]]\nid = 1\n'


class Running:
    def __init__(self, directory: Path, figures: str = "") -> None:
        (directory / "settings.toml").write_text(SETTINGS.format(figures=figures))
        self.socket = directory / "world.sock"
        self.door = directory / "rig.sock"
        command = [sys.executable, "-m", "sim.rig.server", "--socket", str(self.socket), "--control", str(self.door)]
        self.process = subprocess.Popen([*command, "--config", str(directory / "settings.toml"), "--seed", "1"], stdout=subprocess.PIPE)
        assert self.process.stdout is not None and self.process.stdout.readline() == b"ready\n"

    async def control(self) -> RigControl:
        control = await RigControl.connect(self.door)
        await control.call("power", on=True)
        return control

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(5)


@pytest.fixture
def start(tmp_path, monkeypatch):
    started: list[Running] = []

    def make(figures: str = "") -> Running:
        started.append(Running(tmp_path, figures))
        monkeypatch.setenv(client.WORLD, str(started[-1].socket))
        return started[-1]

    yield make
    for rig in started:
        rig.stop()


FIRMWARE = f"""
import sys, time
from gpiozero import OutputDevice
from sim.rig import client
factory = client.pin_factory()
coil = OutputDevice({COIL}, pin_factory=factory, initial_value=False)
feed = OutputDevice({FEED}, pin_factory=factory, initial_value=False)
chip = client.pwm_chip("sim.pwm")
for attribute, text in (("export", "0"), ("pwm0/period", "1000000"), ("pwm0/duty_cycle", "266667"), ("pwm0/enable", "1")):
    chip.write(attribute, text)
feed.toggle()
coil.on()
print("on", flush=True)
while True:
    fed = time.clock_gettime(time.CLOCK_BOOTTIME)
    feed.toggle()
    print(fed, flush=True)
    time.sleep(0.005)
"""


def firmware() -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", FIRMWARE], stdout=subprocess.PIPE, env=dict(os.environ))
    assert process.stdout is not None and process.stdout.readline() == b"on\n"
    return process


async def seen(control: RigControl) -> dict:
    return (await control.call("state"))["evses"][0]


async def test_pins_buses_and_pwm(start):
    rig = start()
    control = await rig.control()
    factory = client.pin_factory()
    coil, feed = (OutputDevice(pin, pin_factory=factory, initial_value=False) for pin in (COIL, FEED))
    mirror = InputDevice(MIRROR, pull_up=True, pin_factory=factory)
    assert mirror.is_active
    feed.toggle(), coil.on()
    await asyncio.sleep(0.05)
    assert not mirror.is_active and (await seen(control))["coil"] is True
    coil.off()
    assert (await seen(control))["coil"] is False
    bus = client.i2c_bus(10)
    read = i2c_msg.read(0x48, 2)
    bus.i2c_rdwr(i2c_msg.write(0x48, [1]), read)
    assert bytes(read) == b"\x85\x83"
    chip = client.pwm_chip("sim.pwm")
    chip.write("export", "0"), chip.write("pwm0/period", "1000000")
    assert chip.read("pwm0/period") == "1000000"
    with pytest.raises(OSError, match="Invalid argument"):
        chip.write("pwm0/duty_cycle", "2000000")
    with pytest.raises(FileNotFoundError):
        chip.read("pwm1/enable")
    factory.close()


async def test_errors_of_the_bus_are_those_of_the_kernel_and_take_their_time(start):
    control = await start().control()
    bus = client.i2c_bus(10)
    await control.call("fault", evse=1, fault="i2c_stuck")
    began = time.monotonic()
    with pytest.raises(TimeoutError) as stuck:
        bus.i2c_rdwr(i2c_msg.write(0x48, [0]))
    assert stuck.value.errno == 110 and time.monotonic() - began >= 0.019
    await control.call("clear", evse=1, fault="i2c_stuck")
    await control.call("fault", evse=1, fault="adc_lost")
    with pytest.raises(OSError) as lost:
        bus.i2c_rdwr(i2c_msg.write(0x48, [0]))
    assert lost.value.errno == 121


async def test_one_transaction_is_one_round_trip(start):
    await start().control()
    bus = client.i2c_bus(10)
    config, value = i2c_msg.read(0x48, 2), i2c_msg.read(0x48, 2)
    bus.i2c_rdwr(i2c_msg.write(0x48, [1, 0xC3, 0xE3]))
    time.sleep(0.002)
    bus.i2c_rdwr(i2c_msg.write(0x48, [1]), config, i2c_msg.write(0x48, [0]), value)
    assert bytes(config) == b"\xc3\xe3" and int.from_bytes(bytes(value), "big") > 20000


async def test_a_pin_belongs_to_one_process_at_a_time(start):
    await start().control()
    mine, other, third = (client.pin_factory() for _ in range(3))
    held = OutputDevice(COIL, pin_factory=mine, initial_value=False)
    with pytest.raises(GPIOPinInUse):
        OutputDevice(COIL, pin_factory=mine)
    with pytest.raises(OSError, match="busy"):
        OutputDevice(COIL, pin_factory=other, initial_value=True)
    held.close()
    taken = DigitalOutputDevice(COIL, pin_factory=third, initial_value=False)
    taken.close()


@pytest.mark.parametrize(("on_release", "coil_after"), [("keep", True), ("input", False)])
async def test_what_a_pin_does_after_its_process_was_killed(start, on_release, coil_after):
    control = await start(f'on_release = "{on_release}"\nrelay_supply = "none"').control()
    process = firmware()
    await asyncio.sleep(0.05)
    assert (await seen(control))["coil"] is True
    process.send_signal(signal.SIGKILL), process.wait()
    await asyncio.sleep(0.1)
    state = await seen(control)
    assert state["coil"] is coil_after
    assert state["pilot"]["duty_percent"] == 26.67, "kernel PWM outlives its process"
    client.set_output(COIL, False)
    assert (await seen(control))["coil"] is False


@pytest.mark.parametrize(("how", "cause"), [(signal.SIGKILL, "control_killed"), (signal.SIGSTOP, "control_stopped")])
async def test_the_fed_supply_falls_when_nobody_feeds_it(start, how, cause):
    """One hold after the last edge, which came between the last one told of and the end."""
    control = await start().control()
    process = firmware()
    await asyncio.sleep(0.05)
    await control.call("process", name="control", state=cause.removeprefix("control_"))
    process.send_signal(how)
    os.waitpid(process.pid, os.WUNTRACED)
    ended = time.clock_gettime(time.CLOCK_BOOTTIME)
    await asyncio.sleep(0.15)
    state = await seen(control)
    (row,) = (await control.call("timings", each=True))["timings"]
    process.kill(), process.wait()
    fed = float(process.stdout.read().splitlines()[-1])
    assert (state["coil"], state["relay_supply"], state["contactor"]) == (False, False, "open")
    last_edge = row["at_s"] + row["coil_ms"] / 1000.0 - 0.1
    assert row["cause"] == cause and fed - 0.001 < last_edge < ended + 0.001


async def test_writes_of_a_dead_process_are_not_lost(start):
    """Writes are not waited for, but they were sent: the last one counts, however the process ends."""
    control = await start('on_release = "keep"\nrelay_supply = "none"').control()
    last = "import os; from sim.rig import client; from gpiozero import OutputDevice as O; c = O(101, pin_factory=client.pin_factory()); "
    subprocess.run([sys.executable, "-c", last + "[c.toggle() for _ in range(51)]; os.kill(os.getpid(), 9)"], env=dict(os.environ), check=False)
    assert (await seen(control))["coil"] is True


async def test_a_late_rig_does_not_make_the_feed_late(start):
    """The rig stands still for longer than the supply holds; the edges sent meanwhile are worked off by the moments they were sent at."""
    rig = start()
    control = await rig.control()
    process = firmware()
    await asyncio.sleep(0.05)
    rig.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(0.3)
    rig.process.send_signal(signal.SIGCONT)
    state = await seen(control)
    process.kill(), process.wait()
    assert state["coil"] is True and state["cycles"]["coil"] == 1


async def test_power_cut_ends_the_firmwares_connections(start):
    control = await start().control()
    factory = client.pin_factory()
    coil = OutputDevice(COIL, pin_factory=factory, initial_value=False)
    await control.call("power", on=False)
    with pytest.raises(OSError):
        coil.on(), coil.off()
    assert (await seen(control))["pilot"]["high_v"] == 0.0
    factory.connection.close()


async def test_a_power_cut_in_the_middle_of_a_pulse_leaves_the_lock_usable(start):
    control = await start().control()
    factory = client.pin_factory()
    unlock = OutputDevice(UNLOCK, pin_factory=factory, initial_value=True)
    await control.call("power", on=False)
    factory.connection.close()
    await control.call("power", on=True)
    factory = client.pin_factory()
    lock = OutputDevice(LOCK, pin_factory=factory, initial_value=True)
    await asyncio.sleep(0.3)
    assert (await seen(control))["lock"] == "locked"
    lock.close(), unlock.close(), factory.close()


async def test_commands_and_their_refusals(start):
    control = await start().control()
    assert await control.call("power", on=True) == {"changed": False}
    await control.call("plug_in", evse=1, ev={"phases": 1})
    assert (await seen(control))["plugged"] is True
    await control.call("energy", evse=1, wh=77.0)
    assert (await control.call("meter", evse=1))["energy_wh"] == 77.0
    assert (await control.call("violations"))["violations"] == []
    for status, name, arguments in (
        ("unknown", "unplug", {"evse": 9}),
        ("unknown", "fault", {"evse": 1, "fault": "gremlins"}),
        ("unknown", "plug", {}),
        ("unknown", "ev", {"evse": 1, "changes": {"profile": "trabant"}}),
        ("conflict", "plug_in", {"evse": 1}),
        ("conflict", "bay", {"evse": 1}),
        ("wrong", "ev", {"evse": 1, "changes": {"phases": 7}}),
        ("wrong", "fault", {"evse": 1, "fault": "phase_loss", "phase": 4}),
        ("wrong", "unplug", {"evse": 1, "hard": True}),
    ):
        with pytest.raises(RigError) as refused:
            await control.call(name, **arguments)
        assert refused.value.status == status, (name, str(refused.value))


async def test_events_tell_every_change(start):
    rig = start()
    control = await rig.control()
    heard = []

    async def listen() -> None:
        async for event in control.events():
            heard.append(event)

    task = asyncio.create_task(listen())
    await asyncio.sleep(0.05)
    await control.call("plug_in", evse=1, ev={})
    await control.call("unplug", evse=1)
    await asyncio.sleep(0.05)
    assert [event["state"] for event in heard if event["what"] == "pilot"] == ["B1", "A"]
    assert abs(heard[0]["at_s"] - time.clock_gettime(time.CLOCK_BOOTTIME)) < 5
    rig.stop()
    await asyncio.wait_for(task, 5)
    with pytest.raises(RigError, match="gone"):
        await control.call("state")


async def test_names_of_ports(start, tmp_path):
    control = await start().control()
    await control.call("names", meter2="127.0.0.1:40123")
    assert client.resolve("sim:meter2") == "127.0.0.1:40123"
    assert client.resolve("sim:pn532") == str(tmp_path / "pn532")
    assert client.resolve("/dev/ttyUSB0") == "/dev/ttyUSB0"


async def test_what_is_no_request_ends_its_connection_only(start):
    rig = start()
    control = await rig.control()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
        stranger.connect(str(rig.socket))
        stranger.settimeout(5)
        stranger.send(SENT.pack(0.0) + b"W\1")
        assert stranger.recv(10) == b""
    reader, writer = await asyncio.open_unix_connection(str(rig.door))
    writer.write(b"nonsense\n[1]\n")
    assert b"not a command" in await reader.readline()
    assert b"not a command" in await reader.readline()
    writer.close()
    assert (await seen(control))["id"] == 1


async def test_ends_on_sigterm_and_takes_its_sockets_along(start):
    rig = start()
    assert rig.stop() == 0
    assert not rig.socket.exists() and not rig.door.exists()


def test_without_a_world_there_is_no_board(monkeypatch):
    monkeypatch.delenv(client.WORLD, raising=False)
    with pytest.raises(FileNotFoundError, match="CHARGEPOINT_WORLD"):
        client.Connection()
