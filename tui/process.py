"""How the process of the terminal UI is kept: with little memory, threads that take turns quickly, and no pause for
garbage while keys come.
"""

import gc
import os
import sys
import time
from collections.abc import Iterable, Sequence

from bioclip_search.memory import bound_arenas, trim
from tui.lanes import in_thread

__all__ = ["Upkeep", "leave", "set_up", "settle"]

_TURN = 0.001
# To look through the last of Python's three generations takes a tenth of a second: where there are pauses, in those.
_THRESHOLDS = (1_000, 10, 500)
_PAUSE = 1.5
"""Seconds without a key after which there will be none for a moment."""


def set_up() -> None:
    """Call before threads are started and pyarrow is imported."""
    # The default pool keeps what it once needed.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # LanceDB reads with dozens of threads.
    bound_arenas()
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
        self._is_collected = True

    def note(self) -> None:
        """Something was done."""
        self._last, self._is_collected = time.monotonic(), False

    def look(self) -> None:
        """Do what is due."""
        if self._is_collected:
            return
        if time.monotonic() - self._last > _PAUSE:
            gc.collect()
            self._is_collected = True
        in_thread(trim)


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
