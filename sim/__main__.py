"""The command line of the simulator: one subcommand per act, each imported only when called. Must not know what they do."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EPILOG = """examples:
  chargepoint-sim up --config config/demo.toml --state-dir /tmp/cp --csms
      a charge point with a CSMS; open http://127.0.0.1:8080, plug in, swipe 04A1B2C3
  curl -X POST http://127.0.0.1:8080/api/evse/1/plug-in
  curl -X POST http://127.0.0.1:8080/api/rfid/swipe -d '{"uid": "04A1B2C3"}'
  chargepoint-sim run sim/scenarios/first_charge_16.scenario
"""
POWER = "off: build the world but leave the firmware without power; service: power for the board alone, no firmware, no mains at the contactors"


def main(arguments: list[str] | None = None) -> int:
    """Runs a subcommand. Returns its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "up" and options.record and (options.stations or options.power != "on"):
        parser.error("--record tells the story of one charge point from its power-on: give it without --stations and --power")
    return int(COMMANDS[options.command](options))


def _up(options: argparse.Namespace) -> int:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))  # until there is a world to end
    with _no_roots():
        from sim import world

    around = {name: getattr(options, name) for name in ("csms", "tls", "stations", "record", "show")}
    code = world.run(options.config, options.state_dir, options.port, power=options.power, **around)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the interpreter's own end takes a second on a busy machine, and everything is ended already


def _csms(options: argparse.Namespace) -> int:
    with _no_roots():
        from sim.csms import server

    return server.main(options.port, tls=options.tls)


def _run(options: argparse.Namespace) -> int:
    with _no_roots():
        from sim import script_run

    return script_run.main(options.scenario)


@contextmanager
def _no_roots() -> Iterator[None]:
    """aiohttp reads the machine's root certificates when it is imported, which takes a fifth of a start. Nothing here trusts anybody by them."""
    theirs = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = os.devnull
    try:
        yield
    finally:
        del os.environ["SSL_CERT_FILE"]
        if theirs is not None:
            os.environ["SSL_CERT_FILE"] = theirs


COMMANDS = {"up": _up, "csms": _csms, "run": _run}


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give 0 (a free one) to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of charge points; give 1 to 100")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="chargepoint-sim", description="The simulated world around the charge point firmware.", epilog=EPILOG, formatter_class=raw
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser(
        "up",
        help="the simulated world with the firmware powered on in it",
        description="The simulated world with the firmware powered on in it, in the foreground. SIGTERM or SIGINT cuts the power and ends it.",
        epilog=EPILOG,
        formatter_class=raw,
    )
    up.add_argument("--config", type=Path, required=True, metavar="FILE", help="the firmware's settings file")
    up.add_argument("--state-dir", type=Path, required=True, metavar="DIR", help="made if missing; a later run on it is the same charge point again")
    up.add_argument("--port", type=_port, default=8080, help="of the control API and the page at /; 0 picks a free one (default 8080)")
    up.add_argument("--power", choices=["on", "off", "service"], default="on", help=POWER)
    up.add_argument("--csms", action="store_true", help="also start the built-in CSMS and point the firmware to it")
    up.add_argument("--tls", action="store_true", help="as --csms, over TLS (wss, security profile 2) with a root of its own in DIR/csms")
    up.add_argument("--stations", type=_count, metavar="N", help='N charge points in one world, identities with "-1" to "-N" appended')
    up.add_argument("--open", action="store_true", dest="show", help="open the page in a browser, where there is a screen")
    up.add_argument("--record", type=Path, metavar="FILE", help="what is done in the page or over the API becomes a scenario that `run` plays")
    csms = commands.add_parser("csms", help="the built-in CSMS alone", description="The built-in CSMS alone, for OCPP 1.6 and 2.0.1.")
    csms.add_argument("--port", type=_port, default=9000, help="stations connect to ws://127.0.0.1:PORT/ocpp/IDENTITY (default 9000)")
    csms.add_argument("--tls", type=Path, metavar="DIR", help="speak TLS (wss); the root certificate to trust is DIR/ca.pem, made when missing")
    run = commands.add_parser(
        "run",
        help="plays scenario files against a world of its own",
        description="Plays each scenario against a world of its own and prints a timeline. Exit 0 when every expectation held.",
    )
    run.add_argument("scenario", type=Path, nargs="+", metavar="SCENARIO", help="a scenario file, e.g. sim/scenarios/first_charge_16.scenario")
    return parser


if __name__ == "__main__":
    sys.exit(main())
