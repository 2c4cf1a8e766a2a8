"""The button of an EVSE: one edge for each press, none for a bounce or for a button held down since the start."""

from __future__ import annotations

import pytest

from chargepoint.control.button import STEADY_S, Button
from chargepoint.control.voice import Voice
from chargepoint.link.messages import EdgeKind
from tests.control.fakes import TURN_S, Ear, FakeSwitch


class Finger:
    """A button turned by hand."""

    def __init__(self, pressed: bool = False) -> None:
        self.switch, self.ear, self.now = FakeSwitch(), Ear(), 100.0
        self.switch.pressed = pressed
        self.button = Button(self.switch, Voice(1, self.ear))
        self.hold(pressed, 0.5)

    def hold(self, pressed: bool, seconds: float) -> None:
        self.switch.pressed = pressed
        for _ in range(round(seconds / TURN_S)):
            self.now += TURN_S
            self.button.read(self.now)

    @property
    def presses(self) -> int:
        return [edge.kind for edge in self.ear.edges].count(EdgeKind.BUTTON_PRESSED)


@pytest.mark.parametrize("seconds", [0.1, 5.0])
def test_a_press_is_one_edge_however_long(seconds: float) -> None:
    finger = Finger()
    finger.hold(True, seconds)
    finger.hold(False, 0.5)
    assert finger.presses == 1
    finger.hold(True, seconds)
    assert finger.presses == 2


def test_a_contact_that_bounces_is_pressed_once() -> None:
    finger = Finger()
    for _ in range(20):
        finger.hold(True, STEADY_S / 3)
        finger.hold(False, STEADY_S / 3)
    assert finger.presses == 0
    finger.hold(True, 0.1)
    assert finger.presses == 1


def test_a_button_held_down_since_the_start_was_not_pressed() -> None:
    finger = Finger(pressed=True)
    finger.hold(True, 1.0)
    assert finger.presses == 0
    finger.hold(False, 0.1)
    finger.hold(True, 0.1)
    assert finger.presses == 1
