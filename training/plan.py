"""Which samples make which batch: a function of the seed and the epoch alone.

The plan is one for all processes. Process r of n takes its part of every batch, so the batches do not
depend on how many processes there are, and a run may go on with another number of them. Where a run is
in its plan is two numbers for each folder of shards: the epoch, and the batch within it.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.errors import RecordError
from training.unique import most_batches, unique_batches

__all__ = ["FolderPlan", "Numbers", "Position", "caption_groups", "mixed", "rows_of"]

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Position:
    """The next batch to be taken: its epoch, and its number within the epoch."""

    epoch: int = 0
    batch: int = 0


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """The order of one folder's samples, in batches of `rows`.

    `shard_sizes` are samples a shard; samples are numbered through all shards. `mixed_shards` shards at
    a time are shuffled together, so that reading stays local. With `groups` (int64, one a sample) no
    two samples of a batch are of one group; such a batch is drawn from all shards.
    """

    shard_sizes: tuple[int, ...]
    rows: int
    seed: tuple[int, ...]
    mixed_shards: int = 16
    groups: Numbers | None = None

    def __post_init__(self) -> None:
        if self.rows > sum(self.shard_sizes):
            raise RecordError(
                f"There are {sum(self.shard_sizes):,} samples, fewer than the {self.rows:,} that a batch takes; "
                "make training.batch_size smaller."
            )
        if self.groups is not None and (taxa := len(np.unique(self.groups))) < self.rows:
            raise RecordError(
                f"A batch of {self.rows:,} with unique captions cannot be made of {taxa:,} taxa; "
                'make training.batch_size smaller, or use objective.same_taxon = "positive".'
            )

    @property
    def batches_an_epoch(self) -> int:
        if self.groups is not None:
            return most_batches(self.groups, self.rows)
        return sum(self.shard_sizes) // self.rows

    def batches(self, start: Position) -> Iterator[tuple[Position, Numbers]]:
        """Without end: the samples of a batch (int64 [rows]), and the position after it."""
        for epoch in itertools.count(start.epoch):
            skipped = start.batch if epoch == start.epoch else 0
            for number, batch in enumerate(self._epoch(epoch)):
                if number >= skipped:
                    yield Position(epoch, number + 1), batch

    def _epoch(self, epoch: int) -> Iterator[Numbers]:
        """The whole batches of one epoch; what is left over has its turn in another epoch."""
        if self.groups is not None:
            yield from unique_batches(self.groups, self.rows, np.random.default_rng((*self.seed, epoch)))
            return
        left = np.empty(0, dtype=np.int64)
        for window in self._windows(epoch):
            left = np.concatenate([left, window])
            for _ in range(len(left) // self.rows):
                batch, left = left[: self.rows], left[self.rows :]
                yield batch

    def _windows(self, epoch: int) -> Iterator[Numbers]:
        """All samples once: shards in random order, so many at a time, and their samples shuffled."""
        rng = np.random.default_rng((*self.seed, epoch))
        starts = np.concatenate([[0], np.cumsum(self.shard_sizes)])
        order = rng.permutation(len(self.shard_sizes))
        for first in range(0, len(order), self.mixed_shards):
            shards = order[first : first + self.mixed_shards]
            yield rng.permutation(np.concatenate([np.arange(starts[i], starts[i + 1]) for i in shards]))


def caption_groups(scientific: Numbers, common: Numbers) -> Numbers:
    """int64 [samples]: samples that could be given equal captions have equal numbers.

    Those are the samples of one scientific name, and those of one common name; and so on from each to
    the next.
    """
    leader: dict[int, int] = {}

    def find(text: int) -> int:
        while leader.setdefault(text, text) != text:
            leader[text] = leader[leader[text]]
            text = leader[text]
        return text

    pairs = np.unique(np.stack([scientific, common], axis=1), axis=0)
    for one, other in pairs.tolist():
        leader[find(one)] = find(other)
    texts, inverse = np.unique(scientific, return_inverse=True)
    return np.array([find(text) for text in texts.tolist()], dtype=np.int64)[inverse]


def mixed(plans: Sequence[FolderPlan], starts: Sequence[Position]) -> Iterator[tuple[list[Position], list[Numbers]]]:
    """Batches of several folders side by side: the positions after, and each folder's samples."""
    for parts in zip(*(plan.batches(start) for plan, start in zip(plans, starts, strict=True)), strict=True):
        yield [position for position, _ in parts], [samples for _, samples in parts]


def rows_of(batch_size: int, shares: Sequence[float]) -> list[int]:
    """How many rows of a batch each folder gives, by largest remainder; at least one each."""
    exact = [batch_size * share / sum(shares) for share in shares]
    rows = [max(1, int(one)) for one in exact]
    by_remainder = sorted(range(len(rows)), key=lambda i: rows[i] - exact[i])
    for i in itertools.islice(itertools.cycle(by_remainder), max(0, batch_size - sum(rows))):
        rows[i] += 1
    rows[rows.index(max(rows))] -= max(0, sum(rows) - batch_size)
    return rows
