"""What happens without a central system, made from what the cases judge by, each line with its tests: a part of docs/offline.md, which
`python -m tests.offline.page` writes. Must not know the station."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

from tests.conformance.driver import cards16
from tests.conformance.driver.cards16 import Kind, Outcome, Settings

CARDS = "test_who_may_begin", "test_who_may_begin_201"
"""The tests of every line of the table of cards, in 1.6 and in 2.0.1."""
NAMES = {
    "LocalPreAuthorize": "`AuthCtrlr.LocalPreAuthorize`",
    "AuthorizationCacheEnabled": "`AuthCacheCtrlr.Enabled`",
    "LocalAuthorizeOffline": "`AuthCtrlr.LocalAuthorizeOffline`",
    "AllowOfflineTxForUnknownId": "`AuthCtrlr.OfflineTxForUnknownIdEnabled`",
}


class Line(NamedTuple):
    """When, what happens then, and the tests in each version."""

    when: str
    happens: str
    test_16: str
    test_201: str


INVALID = (
    Line(
        "`StopTransactionOnInvalidId` true",
        f"{cards16.invalidated(True, 0).value}, whatever `MaxEnergyOnInvalidId` says",
        "test_a_card_that_start_transaction_does_not_accept",
        "test_TC_C_18_CS",
    ),
    Line(
        "`StopTransactionOnInvalidId` false, `MaxEnergyOnInvalidId` 0",
        cards16.invalidated(False, 0).value,
        "test_a_card_that_start_transaction_does_not_accept",
        "test_TC_C_17_CS",
    ),
    Line(
        "`StopTransactionOnInvalidId` false, `MaxEnergyOnInvalidId` above 0",
        cards16.invalidated(False, 1).value,
        "test_a_card_that_start_transaction_does_not_accept",
        "test_TC_C_15_CS",
    ),
)
MOMENTS = (
    Line("before the card is shown", "as in the table of cards", *CARDS),
    Line(
        "while the card is asked about (lost, or no answer in time)",
        "the rule for offline decides",
        "test_while_a_card_is_asked_about",
        "test_while_a_card_is_asked_about_201",
    ),
    Line(
        "while the begin is told",
        "it is told again with the same content; a lost connection uses up no attempt",
        "test_while_a_start_is_told",
        "test_while_a_start_is_told_201",
    ),
    Line("while it charges", "it charges on; its samples are told later, each once and in order", "test_while_it_charges", "test_TC_E_40_CS"),
    Line("before it is stopped", "the end is told later, with time and register of then", "test_while_it_ends", "test_TC_E_44_CS"),
    Line("before another card of the group stops it", "a card known here ends it", "test_a_card_of_the_group_ends_it_offline", "test_TC_E_45_CS"),
    Line(
        "for more than one session",
        "each is told later, whole and in order",
        "test_what_happens_offline_is_told_in_order",
        "test_two_sessions_offline_201",
    ),
    Line(
        "after a remote start was accepted",
        "the car that comes is charged, and told later",
        "test_after_a_remote_start",
        "test_after_a_remote_start_201",
    ),
    Line(
        "in a reset",
        "the end that could not be told is told after the restart",
        "test_a_stop_that_a_reset_could_not_tell_is_queued",
        "test_a_reset_that_could_not_tell_the_end_201",
    ),
    Line(
        "and then the power goes too",
        "what was not told is told after the BootNotification",
        "test_the_queue_outlives_a_power_cut",
        "test_the_queue_outlives_a_power_cut_201",
    ),
    Line(
        "while statuses change",
        "only the present one is told, where it is another than before",
        "test_a_reconnection_is_no_boot",
        "test_TC_B_52_CS",
    ),
    Line(
        "without being closed (no byte passes)",
        "a ping finds it, then as above",
        "test_a_line_that_is_open_but_dead",
        "test_a_line_that_is_open_but_dead_201",
    ),
)


def matters(rule: Callable[[Kind, Settings], Outcome], kind: Kind) -> list[str]:
    """The settings that make a difference for a kind of card."""
    every = [Settings(*values) for values in itertools.product((False, True), repeat=4)]
    return [
        name
        for name in Settings._fields
        if any(rule(kind, one) != rule(kind, one._replace(**{name: not getattr(one, name)})) for one in every)  # type: ignore[arg-type]
    ]


def card_lines(rule: Callable[[Kind, Settings], Outcome]) -> list[str]:
    """A line for each kind and each combination of the settings that matter to it."""
    lines = []
    for kind in Kind:
        names = matters(rule, kind)
        for values in itertools.product((True, False), repeat=len(names)):
            chosen = Settings(False, False, False, False)._replace(**dict(zip(names, values, strict=True)))
            when = ", ".join(f"{name} {str(value).lower()}" for name, value in zip(names, values, strict=True)) or "any"
            lines.append(f"| {kind.value} | {when} | {word(rule(kind, chosen))} | {tests(*CARDS)} |")
    return lines


def word(outcome: Outcome) -> str:
    return f"{'asked about, ' if outcome.asked else ''}{'charges' if outcome.begins else 'refused'}"


def tests(*names: str) -> str:
    return " | ".join(f"`{name}`" for name in names)


def named_tests() -> set[str]:
    """Every test the tables name."""
    return {*CARDS, *(name for line in (*INVALID, *MOMENTS) for name in (line.test_16, line.test_201))}


def part() -> str:
    """The part of the page: what a whole charge point shows."""
    cards = ["| Card | Settings | What happens | Test in 1.6 | Test in 2.0.1 |", "|---|---|---|---|---|"]
    other = ["| When | What happens | Test in 1.6 | Test in 2.0.1 |", "|---|---|---|---|---|"]
    lines = [
        "## With a whole charge point",
        "",
        "Each line is shown by the tests of tests/conformance it names, over a real WebSocket; those of cards run through all combinations of the",
        "four settings, online and offline.",
        "",
        "Settings are named as in 1.6; in 2.0.1 they are",
        f"{', '.join(NAMES.values())}, `TxCtrlr.StopTxOnInvalidId` and `TxCtrlr.MaxEnergyOnInvalidId`.",
        "",
        "### A card is shown offline",
        "",
        *cards,
        *card_lines(cards16.offline),
        "",
        "### The same cards online",
        "",
        *cards,
        *card_lines(cards16.online),
        "",
        "### The card of a running transaction is not accepted once the line is back",
        "",
        *other,
        *(f"| {it.when} | {it.happens} | {tests(it.test_16, it.test_201)} |" for it in INVALID),
        "",
        "### The line breaks",
        "",
        *other,
        *(f"| {it.when} | {it.happens} | {tests(it.test_16, it.test_201)} |" for it in MOMENTS),
    ]
    return "\n".join(lines)
