"""The samples of a folder of shards, each read from its own place."""

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bioclip_search.errors import ShardError
from bioclip_search.text import printable
from training.plan import Numbers
from training.shard_index import COLUMNS, Shard

__all__ = ["ShardSamples"]

_OPEN_SHARDS = 64
_TAR_HEADER, _TAR_NAME = 512, 100  # bytes before a member's content, and of its name in them


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
        """The JPEG and the JSON of a sample, to be read with `picture_of` and `sample_of`."""
        stream, (jpeg_start, jpeg_size, json_start, json_size) = self._place(sample)
        return os.pread(stream, jpeg_size, jpeg_start), os.pread(stream, json_size, json_start)

    @contextmanager
    def naming(self, sample: int) -> Iterator[None]:
        """What is wrong with a sample (OSError, ValueError) becomes a ShardError that names it and its shard."""
        try:
            yield
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ShardError(
                f"The {self._name(sample)} cannot be read ({printable(reason)}); copy the shard again."
            ) from error

    def _name(self, sample: int) -> str:
        number = self._shard(sample)
        key = f" ({key})" if (key := self._key(sample)) else ""
        return f"sample {sample - self._starts[number]:,}{key} of {printable(str(self._shards[number].path))}"

    def _key(self, sample: int) -> str:
        """As the tar calls the sample; empty where that cannot be read either."""
        try:
            stream, (_, _, start, _) = self._place(sample)
            name = os.pread(stream, _TAR_NAME, start - _TAR_HEADER).partition(b"\0")[0]
        except OSError:
            return ""
        return printable(name.decode(errors="replace").partition(".")[0])

    def _shard(self, sample: int) -> int:
        return int(np.searchsorted(self._starts, sample, side="right")) - 1

    def _place(self, sample: int) -> tuple[int, list[int]]:
        """The file of a sample's shard, and where in it its JPEG and its JSON begin and how long they are."""
        number = self._shard(sample)
        stream, places = self._open(number)
        return stream, places[sample - self._starts[number], :4].tolist()

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
