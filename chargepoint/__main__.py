"""The entrance. What a machine starts goes in at once: reading a command line of people takes a tenth of control's start. Must not know what
any of it does."""

from __future__ import annotations

import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Runs a subcommand. Returns its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    match words:
        case ["control", "--config", file]:
            from chargepoint import control_process

            return control_process.main(Path(file))
        case ["station", "--config", file]:
            from chargepoint import station_process

            return station_process.main(Path(file))
        case ["run", "--config", file]:
            from chargepoint import supervisor

            return supervisor.main(Path(file))
    from chargepoint import command_line

    return command_line.main(words)


if __name__ == "__main__":
    sys.exit(main())
