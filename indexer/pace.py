"""How many threads and how large batches a device is best served with."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bioclip_search.embedder import Embedder

__all__ = ["Pace", "cores", "pace_of", "torch_threads"]

_MOST_EMBEDDERS = 16
_BATCH_ON_CPU = 8
_BATCH_ON_ACCELERATOR = 256


@dataclass(frozen=True, slots=True)
class Pace:
    """Threads that decode, threads that embed (with `threads_each` of torch's own), and photos a batch."""

    decoders: int
    embedders: int
    threads_each: int
    batch_size: int


def cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def pace_of(embedder: Embedder, workers: int | None = None, batch_size: int | None = None) -> Pace:
    """The pace for the device of an embedder; `workers` and `batch_size` overrule it.

    On a CPU every core embeds batches of its own: threads that share one batch wait for each other
    at every layer, and longest for the one that a decoder has pushed aside. On an accelerator two
    threads take turns, so that one copies while the other computes.
    """
    import torch

    decoders = workers or max(4, cores())
    if embedder.device.type != "cpu":
        return Pace(decoders, 2, torch.get_num_threads(), batch_size or _BATCH_ON_ACCELERATOR)
    usable = torch.get_num_threads()
    embedders = min(usable, _MOST_EMBEDDERS)
    return Pace(decoders, embedders, usable // embedders, batch_size or _BATCH_ON_CPU)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use so many threads for one operation, and afterwards as many as before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
