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
_PAUSES = (1.5, 12.0)
"""Seconds without a key: after the first there will be none for a moment; after the second the threads have ended with
which LanceDB has read, and what they held is free."""


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
    """Gives memory back while something is done and after it, and looks for garbage once there is a pause."""

    def __init__(self) -> None:
        self._last = 0.0
        self._pauses: tuple[float, ...] = ()

    def note(self) -> None:
        """Something was done."""
        self._last, self._pauses = time.monotonic(), _PAUSES

    def look(self) -> None:
        """Do what is due."""
        if not self._pauses:
            return
        if time.monotonic() - self._last > self._pauses[0]:
            gc.collect()
            self._pauses = self._pauses[1:]
        elif self._pauses != _PAUSES:
            return
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
