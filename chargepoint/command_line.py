"""The command line: one subcommand per act, each imported only when called. Must not know what they do."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from chargepoint.local import sessions_arguments


def main(arguments: list[str]) -> int:
    """Runs a subcommand. Returns its exit code."""
    options = _parser().parse_args(arguments)
    return int(COMMANDS[options.command](options) or 0)


def _control(options: argparse.Namespace) -> int:
    if options.selftest:
        from chargepoint import selftest_process

        return selftest_process.main(options.config, as_json=options.json)
    if options.json:
        print("--json goes with --selftest", file=sys.stderr)
        return 2
    from chargepoint import control_process

    return control_process.main(options.config)


def _station(options: argparse.Namespace) -> int:
    from chargepoint import station_process

    return station_process.main(options.config)


def _run(options: argparse.Namespace) -> int:
    from chargepoint import supervisor

    return supervisor.main(options.config)


def _check(options: argparse.Namespace) -> int:
    from chargepoint.local import check_command

    return check_command.run(options.file)


def _status(options: argparse.Namespace) -> int:
    from chargepoint.local import status_command

    return status_command.run(as_json=options.json)


def _clear_fault(options: argparse.Namespace) -> int:
    from chargepoint.local import clear_command

    return clear_command.run(options.evse, options.fault)


def _safe_outputs(options: argparse.Namespace) -> int:
    from hal import safe_outputs

    return safe_outputs.main(str(options.config))


def _settings(options: argparse.Namespace) -> int:
    from chargepoint.local import settings_command

    return settings_command.adopt(options.config, options.key)


def _sessions(options: argparse.Namespace) -> int:
    from chargepoint.local import sessions_command

    return sessions_command.run(options)


def _install(options: argparse.Namespace) -> int:
    from chargepoint import install

    return install.main(options.root, options.config)


COMMANDS = {
    "control": _control,
    "station": _station,
    "run": _run,
    "check": _check,
    "status": _status,
    "clear-fault": _clear_fault,
    "safe-outputs": _safe_outputs,
    "settings": _settings,
    "sessions": _sessions,
    "install": _install,
}

EPILOG = """examples:
  chargepoint check /etc/chargepoint/chargepoint.toml
  chargepoint run --config /etc/chargepoint/chargepoint.toml
  chargepoint status
  chargepoint sessions list
  chargepoint clear-fault 1 residual_current
  chargepoint control --selftest --config /etc/chargepoint/chargepoint.toml
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chargepoint",
        description="Firmware of an AC charge point.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    added = {}
    for name, text in (
        ("control", "the control process, in the foreground: pilot, contactor, lock, residual current"),
        ("station", "the station process, in the foreground: sessions, meter, cards, CSMS"),
        ("run", "both, supervised: each is restarted alone when it dies"),
        ("safe-outputs", "every output to its safe level, now"),
    ):
        added[name] = commands.add_parser(name, help=text, description=text)
        _config(added[name])
    _selftest(added["control"])
    check = commands.add_parser("check", help="validates settings; exit 0 or 1", description="Validates a settings file and its board file.")
    check.add_argument("file", type=Path, metavar="FILE")
    status = commands.add_parser(
        "status", help="what the running firmware reports of itself", description="What the running firmware reports of itself."
    )
    status.add_argument("--json", action="store_true", help="as JSON, with the control loop's own figures")
    clear = commands.add_parser("clear-fault", help="a person at the charger clears a latched fault", description="Clears a latched fault.")
    clear.add_argument("evse", type=int, metavar="EVSE")
    clear.add_argument("fault", metavar="FAULT", help="its name as `chargepoint status` shows it, e.g. residual_current")
    settings = commands.add_parser("settings", help="settings adopt KEY: take the file's value where the CSMS changed it", description="Settings.")
    settings.add_argument("act", choices=["adopt"])
    settings.add_argument("key", metavar="KEY", help='e.g. "AuthCtrlr.LocalPreAuthorize"')
    _config(settings)
    sessions_arguments.add(commands)
    install = commands.add_parser("install", help="puts the systemd units and settings on this machine", description="Installs the systemd units.")
    install.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help="install below this directory (default /)")
    install.add_argument("--config", type=Path, default=None, metavar="FILE", help="settings file to install (default: the shipped one)")
    return parser


def _selftest(parser: argparse.ArgumentParser) -> None:
    text = "a technician's report of the board instead, while the firmware is stopped; exit 0: nothing failed, 1: something did, 2: not run"
    parser.add_argument("--selftest", action="store_true", help=text)
    parser.add_argument("--json", action="store_true", help="the report as JSON (with --selftest)")


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings file")
