"""Where board files and register maps are found. Must not know what stands in them."""

from __future__ import annotations

from pathlib import Path

from hal.errors import BoardError


def packaged_config() -> Path:
    """The configuration that came with the code: chargepoint/config of an installed wheel, else the repository's config/."""
    root = Path(__file__).resolve().parent.parent
    installed = root / "chargepoint" / "config"
    return installed if installed.is_dir() else root / "config"


def find(path_or_name: str, folder: str, config_dir: Path | None) -> Path:
    """A path that ends in .toml, else NAME.toml in the folder of config_dir or of the packaged configuration. Raises BoardError."""
    if path_or_name.endswith(".toml"):
        places = [Path(path_or_name)] if config_dir is None else [config_dir / path_or_name, Path(path_or_name)]
    else:
        roots = [packaged_config()] if config_dir is None else [config_dir, packaged_config()]
        places = [root / folder / f"{path_or_name}.toml" for root in roots]
    for place in places:
        if place.is_file():
            return place
    raise BoardError(f"{path_or_name}: no such file (looked for {', '.join(map(str, places))})")
