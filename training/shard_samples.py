"""The samples of a folder of shards, each read from its own place."""

import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.plan import Numbers
from training.shard_index import COLUMNS, Shard

__all__ = ["ShardSamples"]

_OPEN_SHARDS = 64


class ShardSamples:
    """The samples of a folder of shards, read from their places one by one."""

    def __init__(self, shards: Sequence[Shard], index: Path) -> None:
        self._shards = tuple(shards)
        self._index = index
        self._starts = np.concatenate([[0], np.cumsum([shard.samples for shard in shards])])
        self._opened: OrderedDict[int, tuple[int, Numbers]] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": OrderedDict()}  # a worker opens files of its own

    def column(self, name: str) -> Numbers:
        """int64 [samples]: one column of the index."""
        paths = [shard.index_path(self._index) for shard in self._shards]
        return np.concatenate([np.load(path, mmap_mode="r")[:, COLUMNS.index(name)] for path in paths])

    def read(self, sample: int) -> tuple[bytes, bytes]:
        """The JPEG and the JSON of a sample."""
        number = int(np.searchsorted(self._starts, sample, side="right")) - 1
        stream, places = self._open(number)
        jpeg_start, jpeg_size, json_start, json_size = places[sample - self._starts[number], :4].tolist()
        return os.pread(stream, jpeg_size, jpeg_start), os.pread(stream, json_size, json_start)

    def _open(self, number: int) -> tuple[int, Numbers]:
        """A shard's file and places; those used longest ago are closed, for a process may open only so many."""
        if number not in self._opened:
            shard = self._shards[number]
            places = np.load(shard.index_path(self._index), mmap_mode="r")
            self._opened[number] = (os.open(shard.path, os.O_RDONLY), places)
            self.close(_OPEN_SHARDS)
        self._opened.move_to_end(number)
        return self._opened[number]

    def close(self, but: int = 0) -> None:
        """Close all files but the `but` last used."""
        while len(self._opened) > but:
            os.close(self._opened.popitem(last=False)[1][0])

    def name(self, sample: int) -> str:
        """For messages."""
        number = int(np.searchsorted(self._starts, sample, side="right")) - 1
        return f"sample {sample - self._starts[number]:,} of {self._shards[number].path}"
