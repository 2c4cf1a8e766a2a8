"""What is said at every start of a board that rests on software alone."""

from __future__ import annotations

import msgspec

from hal import board as hal_board


def test_the_simulated_board_has_none() -> None:
    assert hal_board.weaknesses(hal_board.load("sim")) == []


def test_no_feed_and_no_hardware_path_are_said() -> None:
    board = hal_board.load("sim")
    evses = tuple(msgspec.structs.replace(evse, residual=msgspec.structs.replace(evse.residual, cuts_coil=False)) for evse in board.evse)
    feed, path = hal_board.weaknesses(msgspec.structs.replace(board, feed=None, evse=evses))
    assert "feed" in feed
    assert "residual" in path


def test_a_kernel_that_keeps_lines_is_said_on_real_boards() -> None:
    (kernel,) = hal_board.weaknesses(msgspec.structs.replace(hal_board.load("raspberry_pi_ads1115"), strict_gpiod=True))
    assert "outputs" in kernel
