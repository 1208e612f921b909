"""Keep the process small where the C library or Arrow would let it grow."""

import ctypes
import sys
from typing import Any

__all__ = ["bound_arenas", "release_arrow", "trim"]

# malloc.h of the GNU C library
_M_ARENA_MAX = -8
_ARENAS = 2


def bound_arenas() -> None:
    """Let all threads share two heaps.

    glibc gives every thread one of its own, and each keeps what a large photo once needed: the peak
    then grows with the run (measured by benchmarks/scale.py). Elsewhere there is nothing to do.
    """
    if mallopt := _of_glibc("mallopt"):
        mallopt(_M_ARENA_MAX, _ARENAS)


def trim() -> None:
    """Give memory that is free back to the system, also what lies between pieces that are still held."""
    if malloc_trim := _of_glibc("malloc_trim"):
        malloc_trim(0)


def release_arrow() -> None:
    """Give back what Arrow's pool holds and does not use: it keeps what it once needed, as to read a whole table."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _of_glibc(function: str) -> Any:
    """A function of the C library; None where that is another one."""
    return getattr(ctypes.CDLL(None), function, None) if sys.platform == "linux" else None
