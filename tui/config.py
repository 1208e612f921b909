"""What the user may set in a file: keys, colours, pictures, the mouse.

# config.toml, in the folder of settings that the platform has for bioclip-search
[browse]
theme = "light"            # or "dark"
images = "blocks"          # auto, kitty, sixel, blocks, none
mouse = false

[browse.keys]              # the names stand in the help (?), in the last column
search-text = "ctrl+f"
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioclip_search.errors import UsageError
from bioclip_search.text import printable

__all__ = ["CONFIG_VARIABLE", "IMAGES", "THEMES", "Config", "config_file", "read_config"]

CONFIG_VARIABLE = "BIOCLIP_SEARCH_CONFIG"
IMAGES = ("auto", "kitty", "sixel", "blocks", "none")
THEMES = ("dark", "light")


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of `bioclip-search browse`; `keys` maps ids of bindings to keys, several with commas."""

    theme: str = "dark"
    images: str = "auto"
    mouse: bool = True
    keys: Mapping[str, str] = field(default_factory=dict)


def config_file() -> Path:
    """BIOCLIP_SEARCH_CONFIG, else config.toml in the platform's folder of settings."""
    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named).absolute()
    import platformdirs

    return Path(platformdirs.user_config_dir("bioclip-search", appauthor=False)) / "config.toml"


def read_config(file: Path) -> Config:
    """The settings; the usual ones where there is no file. Raises UsageError for what cannot be understood."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The settings {printable(str(file))} cannot be read ({error}); mend or remove them."
        ) from error
    try:
        return _config(tomllib.loads(text).get("browse", {}))
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise UsageError(f"The settings {printable(str(file))} are not right: {printable(str(error))}.") from error


def _config(table: Any) -> Config:
    if not isinstance(table, dict):
        raise ValueError("“browse” must be a table: write [browse]")  # noqa: TRY004 (told to the user as one sentence)
    known = {"theme", "images", "mouse", "keys"}
    if unknown := sorted(set(table) - known):
        raise ValueError(f"there is no setting “{unknown[0]}”; there are {', '.join(sorted(known))}")
    return Config(
        theme=_one_of("theme", table.get("theme", "dark"), THEMES),
        images=_one_of("images", table.get("images", "auto"), IMAGES),
        mouse=_truth("mouse", table.get("mouse", True)),
        keys=_keys(table.get("keys", {})),
    )


def _one_of(name: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(f"“{name}” must be one of {', '.join(choices)}, not {value!r}")
    return str(value)


def _truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"“{name}” must be true or false, not {value!r}")  # noqa: TRY004
    return value


def _keys(table: Any) -> dict[str, str]:
    if not isinstance(table, dict) or not all(isinstance(key, str) and key for key in table.values()):
        raise ValueError('keys are written as: search-text = "ctrl+f"')
    return dict(table)
