"""Keep the process small where the C library would let it grow."""

import ctypes
import sys

__all__ = ["bound_arenas"]

_M_ARENA_MAX = -8
_ARENAS = 2


def bound_arenas() -> None:
    """Let all threads share two heaps.

    glibc gives every thread one of its own, and each keeps what a large photo once needed: the peak
    then grows with the run (measured by benchmarks/scale.py). Elsewhere there is nothing to do.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, _ARENAS)
