"""The processes that train together: one under plain Python, several under torchrun."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import torch
from torch import distributed

from bioclip_search.errors import UsageError
from bioclip_search.text import printable

__all__ = ["World", "gather_rows", "leads", "world"]

_PATIENCE = timedelta(hours=2)  # the others wait while the shards are read through


@dataclass(frozen=True, slots=True)
class World:
    """This process among `size`; `local_rank` of `local_size` are on this machine."""

    rank: int
    size: int
    local_rank: int
    local_size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """The one that writes files and speaks."""
        return self.rank == 0

    def part(self, rows: int) -> slice:
        """This process's rows of a batch."""
        each = rows // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def wait(self) -> None:
        if self.size > 1:
            distributed.barrier()

    def mean(self, values: list[float]) -> list[float]:
        """The mean over the processes, number by number."""
        if self.size == 1:
            return values
        gathered = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(gathered)
        return cast("list[float]", (gathered / self.size).tolist())

    def all(self, value: Any) -> list[Any]:
        """A picklable value of every process, by rank."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        distributed.all_gather_object(values, value)
        return values


def leads() -> bool:
    """Whether this process is the first, or the only one."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def world(device: str = "auto") -> Iterator[World]:
    """Join the other processes if torchrun started them; nccl on CUDA, gloo elsewhere.

    `device` is auto, cpu or cuda: one card a process. Raises UsageError for one that is not there.
    """
    rank, size, local_rank, local_size = (
        int(os.environ.get(name, default))
        for name, default in (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0), ("LOCAL_WORLD_SIZE", 1))
    )
    place = _place(device, local_rank)
    if place.type == "cuda":
        torch.cuda.set_device(place)
    if size > 1:
        distributed.init_process_group("nccl" if place.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield World(rank, size, local_rank, local_size, place)
    finally:
        if size > 1:
            distributed.destroy_process_group()


def _place(device: str, local_rank: int) -> torch.device:
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"“{printable(device)}” is no device to train on; use auto, cpu or cuda.")
    if device == "cpu" or (device == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if local_rank >= torch.cuda.device_count():
        raise UsageError(
            f"This computer has {torch.cuda.device_count()} usable CUDA devices, and {local_rank + 1} are wanted; "
            "start fewer processes, or use --device cpu."
        )
    return torch.device("cuda", local_rank)


class _GatherRows(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, rows: torch.Tensor) -> torch.Tensor:
        gathered = [torch.empty_like(rows) for _ in range(distributed.get_world_size())]
        distributed.all_gather(gathered, rows.contiguous())
        return torch.cat(gathered)

    @staticmethod
    def backward(_ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        # Every process's loss depends on these rows: their gradients are summed, not only the own kept.
        total = gradients[0].contiguous()
        distributed.all_reduce(total)
        return total.chunk(distributed.get_world_size())[distributed.get_rank()]


def gather_rows(rows: torch.Tensor) -> torch.Tensor:
    """[n, ...] of every process -> [n · size, ...], by rank; gradients flow back to where rows came from."""
    if not distributed.is_initialized():
        return rows
    gathered: torch.Tensor = _GatherRows.apply(rows)
    return gathered
