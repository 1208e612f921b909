"""How the process of the terminal UI is set up: little memory, and threads that take turns quickly."""

import ctypes
import os
import sys

__all__ = ["set_up"]

# malloc.h of the GNU C library
_M_ARENA_MAX = -8
_ARENAS = 2
_TURN = 0.001


def set_up() -> None:
    """Call before threads are started and pyarrow is imported."""
    # The default pool keeps what it once needed.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    _limit_arenas()
    # A search goes through many short steps, for each of which its thread waits for the one that draws.
    sys.setswitchinterval(_TURN)


def _limit_arenas() -> None:
    """LanceDB reads with dozens of threads, each of which would keep a heap of its own."""
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(_M_ARENA_MAX, _ARENAS)
