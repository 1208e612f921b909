"""Photos on their way through the pipeline, in batches that the model takes at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from bioclip_search.embedder import Embedder, Features
from indexer.decode import Decoded, Known, Outcome, Unusable

__all__ = ["Batch", "batched", "embed"]

# Results that need no model are handed on at least this often.
_OTHERS_AT_ONCE = 500


@dataclass(slots=True)
class Batch:
    """Some results of decoding; `features` are float32 [len(decoded), dim] once it was embedded."""

    decoded: list[Decoded] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    features: Features = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))

    def add(self, outcome: Outcome) -> None:
        match outcome:
            case Decoded():
                self.decoded.append(outcome)
            case Known():
                self.known.append(outcome)
            case Unusable():
                self.unusable.append(outcome)


def batched(outcomes: Iterable[Outcome], size: int, total: int, takers: int) -> Iterator[Batch]:
    """Batches of at most `size` decoded photos, in order.

    Towards the end of the `total` outcomes they become smaller, so that the `takers`, who work on
    batches side by side, finish at the same time.
    """
    batch = Batch()
    target = _share(total, size, takers)
    for done, outcome in enumerate(outcomes, start=1):
        batch.add(outcome)
        if len(batch.decoded) >= target or len(batch.known) + len(batch.unusable) >= _OTHERS_AT_ONCE:
            yield batch
            batch = Batch()
            target = _share(total - done, size, takers)
    if batch.decoded or batch.known or batch.unusable:
        yield batch


def _share(left: int, size: int, takers: int) -> int:
    return max(1, min(size, left // (2 * takers)))


def embed(batch: Batch, embedder: Embedder) -> Batch:
    """The batch with its features."""
    if batch.decoded:
        batch.features = embedder.encode_pixels(np.stack([item.pixels for item in batch.decoded]))
    return batch
