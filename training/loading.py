"""Batches read ahead by worker processes, which end with the process that trains, and not before."""

import atexit
import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import torch
from torch.utils.data import DataLoader

from bioclip_search.errors import RecordError
from training.data import Batch, Draw, SampleReader
from training.plan import FolderPlan, Position, mixed

__all__ = ["chunks_ahead", "local_batches"]

_CHUNK = 128  # rows a worker makes at a time: enough to be worth sending, few enough to hold many
_MOST_AHEAD = 16  # chunks a worker; at 224 pixels 300 MB of shared memory


def local_batches(
    reader: SampleReader,
    plans: Sequence[FolderPlan],
    starts: Sequence[Position],
    first_step: int,
    part: slice,
    *,
    workers: int,
    pin: bool,
) -> Iterator[Batch]:
    """Without end: the rows `part` of every batch from `first_step` on, read ahead by `workers` processes.

    With `pin` a batch lies in memory from which CUDA copies while it computes.
    """
    coming: deque[tuple[Position, ...]] = deque()
    loader: DataLoader[Any] = DataLoader(
        reader,
        batch_sampler=_Chunks(plans, starts, first_step, part, coming),
        collate_fn=_as_it_is,
        num_workers=workers,
        prefetch_factor=chunks_ahead(part.stop - part.start, workers),
        # Forking after torch has threads can hang.
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=_prepare_worker if workers else None,
        # It would draw from the generator that dropout draws from, once more in a run that goes on.
        generator=torch.Generator(),
    )
    if workers:
        _end_workers_at_exit()
    with _signals_held():
        chunks = iter(loader)
    rows = part.stop - part.start
    try:
        while True:
            parts = [next(chunks) for _ in range(0, rows, _CHUNK)]
            for wrong in parts:
                if isinstance(wrong, RecordError):
                    raise wrong
            pixels, tokens, labels = (_joined(tensors, pin) for tensors in zip(*parts, strict=True))
            yield Batch(pixels, tokens, labels, coming.popleft())
    finally:
        del chunks  # the workers end with it, which a traceback that holds this frame would put off


def chunks_ahead(rows: int, workers: int) -> int | None:
    """How many chunks each worker makes before they are asked for: a batch of `rows` in all, within bounds."""
    return min(max(2, -(-rows // (_CHUNK * workers))), _MOST_AHEAD) if workers else None


def _joined(tensors: Sequence[torch.Tensor], pin: bool) -> torch.Tensor:
    """The chunks of a batch in one; what would be pinned before they are joined would not stay so."""
    if not pin:
        return torch.cat(list(tensors))
    shape = (sum(len(one) for one in tensors), *tensors[0].shape[1:])
    return torch.cat(list(tensors), out=torch.empty(shape, dtype=tensors[0].dtype, pin_memory=True))


@contextmanager
def _signals_held() -> Iterator[None]:
    """Ctrl-C and SIGTERM come to this process a moment later, and never to the processes that begin meanwhile."""
    import signal
    from multiprocessing import resource_tracker

    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    resource_tracker.ensure_running()  # beginning later, it would let the signals go again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@cache
def _end_workers_at_exit() -> None:
    """Python ends daemons by SIGTERM and waits for them: for ever, where they ignore it as ours do."""

    def end() -> None:
        for child in multiprocessing.active_children():
            if child.daemon:
                child.kill()

    atexit.register(end)


class _Chunks:
    """Lists of draws for the loader; the positions are put into `coming` as their batches are begun."""

    def __init__(
        self,
        plans: Sequence[FolderPlan],
        starts: Sequence[Position],
        first_step: int,
        part: slice,
        coming: deque[tuple[Position, ...]],
    ) -> None:
        self._planned = partial(mixed, plans, starts)
        self._first_step = first_step
        self._part = part
        self._coming = coming

    def __iter__(self) -> Iterator[list[Draw]]:
        for step, (positions, samples) in enumerate(self._planned(), start=self._first_step):
            self._coming.append(tuple(positions))
            pairs = ((folder, int(sample)) for folder, part in enumerate(samples) for sample in part)
            draws = [Draw(step, row, folder, sample) for row, (folder, sample) in enumerate(pairs)][self._part]
            yield from (draws[start : start + _CHUNK] for start in range(0, len(draws), _CHUNK))


def _as_it_is(part: Any) -> Any:
    return part


def _prepare_worker(_number: int) -> None:
    """One thread a worker; signals are for the process that trains, which ends its workers itself."""
    import signal

    torch.set_num_threads(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
