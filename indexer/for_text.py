"""Embed for the model for texts what it has not embedded yet: any photo of the catalogue, not only those of this run.

The photos come from the table as it is at the beginning, in its order and a few at a time; what was done is
committed every few seconds, so that the next run goes on where this one stops.
"""

import os
import time
from collections.abc import Iterator
from functools import partial

import numpy as np

from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Embedder, Features
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.journal import Problem
from bioclip_search.schema import KEY, NOT_FOR_TEXT, photo_id
from bioclip_search.storage import among, quoted
from bioclip_search.text import printable
from indexer.batch import Batch
from indexer.pace import Pace
from indexer.pipeline import Pipeline
from indexer.plan import Place, SeenFile
from indexer.report import IndexReport, Observer, note

__all__ = ["Filling"]

_COLUMNS = (KEY, "root", "path", "size", "mtime", "content_hash")
_COMMIT_ROWS = 1_000
_COMPACT_COMMITS = 40
_CHANGED = "it has changed since it was indexed; index its folder again"


class Filling:
    """The photos that the model for texts lacks. Those of folders that are not there at the moment wait."""

    def __init__(self, catalogue: Catalogue, report: IndexReport, observer: Observer, commit_seconds: float) -> None:
        self._catalogue, self._report, self._observer = catalogue, report, observer
        self._away = [root for root in catalogue.roots() if not os.path.isdir(root)]
        for root in self._away:
            if catalogue.count(f"{NOT_FOR_TEXT} AND root = {quoted(root)}"):
                observer.say(f"{printable(root)} is not there; the model for texts embeds its photos when it is.")
        self._contents: dict[Place, str] = {}
        self._rows: dict[str, tuple[str, Features]] = {}
        self._commit_seconds = commit_seconds
        self._last_commit = time.monotonic()
        self._commits = 0

    def __len__(self) -> int:
        """The number of photos that can be done."""
        return self._catalogue.count(self._where)

    def run(self, embedder: Embedder, pace: Pace) -> None:
        """Decode and embed them all, or until the observer wishes to stop."""
        total = len(self)
        self._observer.begin(total)
        pipeline = Pipeline(embedder, pace)
        write, finish = partial(self._take, embedder.fingerprint), partial(self._commit, embedder.fingerprint)
        with self._observer.stoppable() as stopping:
            stages = pipeline.run(self._files(), total, (), write, finish, stopping)
            self._report.interrupted = stopping()
        self._report.stages = self._report.stages or stages

    @property
    def _where(self) -> str:
        return f"{NOT_FOR_TEXT} AND NOT ({among('root', self._away)})" if self._away else NOT_FOR_TEXT

    def _files(self) -> Iterator[SeenFile]:
        for batch in self._catalogue.scan(_COLUMNS, self._where):
            for row in batch.to_pylist():
                place = Place(row["root"], row["path"])
                self._contents[place] = row["content_hash"]
                yield SeenFile(place, row["size"], row["mtime"])

    def _take(self, fingerprint: Fingerprint, batch: Batch) -> None:
        for item, features in zip(batch.decoded, batch.features, strict=True):
            if self._contents.pop(item.seen.place) == item.content_hash:
                key = photo_id(item.seen.place.root, item.seen.place.path)
                self._rows[key] = (item.content_hash, features)
            else:
                self._note(item.seen, _CHANGED)
        for unusable in batch.unusable:
            del self._contents[unusable.seen.place]
            self._note(unusable.seen, unusable.reason)
        self._observer.advance(len(batch.decoded) + len(batch.unusable))
        if len(self._rows) >= _COMMIT_ROWS or time.monotonic() - self._last_commit > self._commit_seconds:
            self._commit(fingerprint)

    def _commit(self, fingerprint: Fingerprint) -> None:
        """Write all embeddings in hand."""
        if self._rows:
            contents = {key: content for key, (content, _) in self._rows.items()}
            features = np.stack([features for _, features in self._rows.values()])
            self._report.for_text += self._catalogue.for_text.fill(fingerprint, contents, features)
            self._rows = {}
            self._commits += 1
            if self._commits % _COMPACT_COMMITS == 0:
                self._catalogue.compact()
        self._last_commit = time.monotonic()

    def _note(self, seen: SeenFile, reason: str) -> None:
        note(Problem(printable(str(seen.place.file)), reason), self._report, self._observer)
