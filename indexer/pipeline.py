"""Decode, embed and write at the same time: three stages, each a bounded number of photos ahead."""

import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial

from bioclip_search.embedder import Embedder
from indexer.batch import Batch, batched, embed
from indexer.decode import Outcome, decode
from indexer.pace import Pace, torch_threads
from indexer.plan import SeenFile
from indexer.report import StageRate
from indexer.stage import Stage, Stopwatch

__all__ = ["Pipeline"]

_BATCHES_TO_WRITE = 4


class Pipeline:
    """The stages of one run. Results keep the order of the files."""

    def __init__(self, embedder: Embedder, pace: Pace) -> None:
        self._embedder, self._pace = embedder, pace
        self._reading = Stopwatch()
        ahead = max(pace.decoders, pace.batch_size) + pace.decoders
        self._decoding = Stage(pace.decoders, ahead)
        self._embedding = Stage(pace.embedders, pace.embedders + 1)
        self._writing = Stage(1, _BATCHES_TO_WRITE)

    def run(
        self,
        files: Iterable[SeenFile],
        total: int,
        known: Container[str],
        write: Callable[[Batch], None],
        finish: Callable[[], None],
        stopping: Callable[[], bool],
    ) -> dict[str, StageRate]:
        """Take all files, `total` of them, through the stages, or until `stopping`; what was embedded is written
        in any case.

        `write` takes the batches, one after the other, and `finish` ends it.

        `known` are the content hashes that need no decoding. Returns how fast each stage was.
        """
        began = time.perf_counter()
        work = partial(decode, preprocessing=self._embedder.preprocessing, known=known, reading=self._reading)
        with (
            torch_threads(self._pace.threads_each),
            closing(self._decoding.run(work, files, stopping)) as decoded,
            closing(self._embedding.run(self._embed, self._batches(decoded, total), stopping)) as embedded,
            closing(self._writing.run(write, embedded)) as written,
        ):
            for _ in written:
                pass
        self._writing.finish(finish)
        return self._rates(total, time.perf_counter() - began)

    def _batches(self, outcomes: Iterable[Outcome], total: int) -> Iterator[Batch]:
        return batched(outcomes, self._pace.batch_size, total, self._pace.embedders)

    def again(self, files: Sequence[SeenFile]) -> Batch:
        """Files decoded and embedded here and now, one after the other, whatever is known of them."""
        batch = Batch()
        for seen in files:
            batch.add(decode(seen, self._embedder.preprocessing, known=(), reading=self._reading))
        return self._embed(batch)

    def _embed(self, batch: Batch) -> Batch:
        return embed(batch, self._embedder)

    def _rates(self, photos: int, seconds: float) -> dict[str, StageRate]:
        decoders = self._decoding.threads
        reading = self._reading.seconds
        decoding = max(self._decoding.busy.seconds - reading, 0.0)
        # Reading and decoding share their threads, and the time that they were waited for.
        share = reading / max(reading + decoding, 1e-9)
        stages = {
            "read": (reading, decoders, self._decoding.waited * share),
            "decode": (decoding, decoders, self._decoding.waited * (1 - share)),
            "embed": (self._embedding.busy.seconds, self._embedding.threads, self._embedding.waited),
            "write": (self._writing.busy.seconds, 1, self._writing.waited),
        }
        return {
            name: StageRate(photos * threads / max(busy, 1e-9), threads, waited / max(seconds, 1e-9))
            for name, (busy, threads, waited) in stages.items()
        }
