"""How the process of the terminal UI is kept: with little memory, threads that take turns quickly, and no pause for
garbage while keys come.
"""

import ctypes
import gc
import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from tui.lanes import in_thread

__all__ = ["Upkeep", "leave", "set_up", "settle"]

# malloc.h of the GNU C library
_M_ARENA_MAX = -8
_ARENAS = 2
_TURN = 0.001
# To look through the last of Python's three generations takes a tenth of a second: where there are pauses, in those.
_THRESHOLDS = (1_000, 10, 500)
_PAUSE = 1.5
"""Seconds without a key after which there will be none for a moment."""


def set_up() -> None:
    """Call before threads are started and pyarrow is imported."""
    # The default pool keeps what it once needed.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if malloc := _c_library("mallopt"):
        # LanceDB reads with dozens of threads, each of which would keep a heap of its own.
        malloc(_M_ARENA_MAX, _ARENAS)
    # A search goes through many short steps, for each of which its thread waits for the one that draws.
    sys.setswitchinterval(_TURN)
    gc.set_threshold(*_THRESHOLDS)
    _divide_without_garbage()


def settle() -> None:
    """What is there by now stays, as what was imported: it is not looked through for garbage any more."""
    gc.freeze()


def leave() -> None:
    """Call before Python ends: what is settled then is told as leaked by some libraries."""
    gc.unfreeze()


class Upkeep:
    """Gives memory back after something was done, and looks for garbage once nothing was done for a moment."""

    def __init__(self) -> None:
        self._last = 0.0
        self._is_given_back = self._is_collected = True

    def note(self) -> None:
        """Something was done."""
        self._last = time.monotonic()
        self._is_given_back = self._is_collected = False

    def look(self) -> None:
        """Do what is due."""
        is_pause = time.monotonic() - self._last > _PAUSE
        if is_pause and not self._is_collected:
            gc.collect()
        if not self._is_given_back or (is_pause and not self._is_collected):
            in_thread(_give_back)
        self._is_given_back, self._is_collected = True, self._is_collected or is_pause


def _divide_without_garbage() -> None:
    """A line of the screen remembers how it was divided. Where nothing is cut off that is itself, so that it would stay
    with all its segments until garbage is looked for: two hundred lines a page.
    """
    from textual.strip import Strip

    divide = Strip.divide

    def divided(strip: Strip, cuts: Iterable[int]) -> Sequence[Strip]:
        cuts = [cut for cut in cuts if cut <= strip.cell_length]
        return [strip] if cuts == [strip.cell_length] else divide(strip, cuts)

    Strip.divide = divided  # type: ignore[assignment, method-assign]


def _give_back() -> None:
    """Give memory that is free back to the system: it lies between what LanceDB's threads still hold."""
    if trim := _c_library("malloc_trim"):
        trim(0)


def _c_library(function: str) -> Any:
    """A function of the GNU C library; None elsewhere."""
    return getattr(ctypes.CDLL(None), function, None) if sys.platform == "linux" else None
