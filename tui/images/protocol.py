"""How this terminal can show pictures: it is asked, not guessed from its name.

The asking is textual-image's, at its import, and must come before Textual reads the keyboard.
"""

import importlib
import os
import re
import sys
from enum import StrEnum
from typing import Any

from bioclip_search.errors import UsageError

__all__ = ["Mode", "detect", "has_placeholders", "renderables"]

_FIRST_KITTY = (0, 28)


class Mode(StrEnum):
    """What `--images` takes."""

    AUTO = "auto"
    KITTY = "kitty"
    SIXEL = "sixel"
    BLOCKS = "blocks"
    NONE = "none"


def detect(asked: Mode) -> Mode:
    """What to draw with: `asked` itself, or for `auto` the best that the terminal says it can.

    Raises UsageError where Kitty graphics or sixels are asked for and textual-image is not installed.
    """
    if asked in (Mode.KITTY, Mode.SIXEL) and renderables() is None:
        raise UsageError(f"--images {asked.value} needs the package textual-image; install it, or use --images blocks.")
    return _best() if asked is Mode.AUTO else asked


def renderables() -> Any | None:
    """The module textual_image.renderable, or None where it is not installed."""
    try:
        return importlib.import_module("textual_image.renderable")
    except ImportError:
        return None


def _best() -> Mode:
    # A multiplexer hands pictures on only if it was told to, and takes the question for a window title.
    if _is_multiplexed() or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Mode.BLOCKS
    module = renderables()
    if module is None:
        return Mode.BLOCKS
    best = {module.SixelImage: Mode.SIXEL, module.TGPImage: Mode.KITTY}.get(module.Image, Mode.BLOCKS)
    return Mode.BLOCKS if best is Mode.KITTY and not has_placeholders(_terminal()) else best


def has_placeholders(terminal: str) -> bool:
    """Whether a terminal of this name and version puts pictures where Unicode placeholders stand.

    Others say too that they know Kitty graphics, and show the placeholders. Kitty does since 0.28
    (https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders).
    """
    if terminal.lower().startswith("ghostty"):
        return True
    version = re.match(r"kitty\((\d+)\.(\d+)", terminal)
    return version is not None and (int(version[1]), int(version[2])) >= _FIRST_KITTY


def _terminal() -> str:
    """The terminal's name and version as it tells them (XTVERSION); nothing where it does not."""
    begin, end = "\x1bP>|", "\x1b\\"
    asking = importlib.import_module("textual_image._terminal")
    try:
        with asking.capture_terminal_response(begin, end, 0.1) as response:
            sys.stdout.write("\x1b[>q")
            sys.stdout.flush()
    except (asking.TerminalError, OSError, TimeoutError):
        return ""
    return str(response.sequence.removeprefix(begin).removesuffix(end))


def _is_multiplexed() -> bool:
    return bool(os.environ.get("TMUX") or os.environ.get("STY")) or os.environ.get("TERM", "").startswith(
        ("tmux", "screen")
    )
