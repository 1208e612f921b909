"""How this terminal can show pictures: it is asked, not guessed from its name.

The asking is textual-image's, at its import, and must come before Textual reads the keyboard.
"""

import importlib
import os
import sys
from enum import StrEnum
from typing import Any

from bioclip_search.errors import UsageError

__all__ = ["Mode", "detect", "renderables"]


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
    return {module.SixelImage: Mode.SIXEL, module.TGPImage: Mode.KITTY}.get(module.Image, Mode.BLOCKS)


def _is_multiplexed() -> bool:
    return bool(os.environ.get("TMUX") or os.environ.get("STY")) or os.environ.get("TERM", "").startswith(
        ("tmux", "screen")
    )
