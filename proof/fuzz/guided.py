"""`python -m proof.fuzz.guided TARGET OPTIONS FOLDER`: one parser under atheris, which is not needed for anything else. Options are libFuzzer's."""

from __future__ import annotations

import importlib
import logging
import sys


def main(arguments: list[str]) -> None:
    """Ends the process."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["chargepoint", "hal", "sim", "tomllib", "json"]):
        from proof.fuzz.all import TARGETS
        from proof.fuzz.target import attempt
    logging.disable(logging.CRITICAL)
    target = next(target for target in TARGETS if target.name == arguments[0])
    atheris.Setup([sys.argv[0], *arguments[1:]], lambda data: attempt(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
