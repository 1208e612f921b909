"""From decoded photos to rows: embed batch by batch, commit every few seconds."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Embedder, Features
from bioclip_search.journal import Problem
from bioclip_search.schema import photo_id
from bioclip_search.specimen import Photo, Specimen
from bioclip_search.text import printable
from indexer.decode import Decoded, Known, Unusable, decode
from indexer.plan import Place, Plan
from indexer.report import IndexReport, Observer, note
from indexer.walk import SeenFile

__all__ = ["Writer"]

_COMMIT_ROWS = 2_000
_OPTIMIZE_COMMITS = 20


class Writer:
    """Embeds what is decoded, batch by batch, and commits every few seconds."""

    def __init__(
        self,
        catalogue: Catalogue,
        embedder: Embedder,
        plan: Plan,
        report: IndexReport,
        observer: Observer,
        describe: Callable[[Place], Specimen | None],
        commit_seconds: float,
    ) -> None:
        self._catalogue, self._embedder, self._plan = catalogue, embedder, plan
        self._report, self._observer, self._describe = report, observer, describe
        self._batch: list[Decoded] = []
        self._known: list[Known] = []
        self._rows: list[tuple[Photo, Features, bytes]] = []
        self._commit_seconds = commit_seconds
        self._last_commit = time.monotonic()
        self._commits = 0

    def write_all(self, results: Iterable[Decoded | Known | Unusable], batch_size: int) -> None:
        """Take up results until there are no more, or until Ctrl-C; the batch in hand is finished and committed."""
        try:
            for result in results:
                self._take(result, batch_size)
        except KeyboardInterrupt:
            self._report.interrupted = True
        self._embed()
        self._commit()

    def _take(self, result: Decoded | Known | Unusable, batch_size: int) -> None:
        match result:
            case Unusable(seen, reason):
                note(Problem(printable(str(seen.file)), reason), self._report, self._observer)
                self._observer.advance(1)
            case Known():
                self._known.append(result)
            case Decoded():
                self._batch.append(result)
        if len(self._batch) >= batch_size:
            self._embed()
        waited = time.monotonic() - self._last_commit
        if len(self._rows) + len(self._known) >= _COMMIT_ROWS or waited > self._commit_seconds:
            self._commit()

    def _embed(self) -> None:
        if not self._batch:
            return
        # Taken out first: wherever Ctrl-C strikes, no photo is written twice.
        batch, self._batch = self._batch, []
        features = self._embedder.encode_pixels(np.stack([item.pixels for item in batch]))
        for item, feature in zip(batch, features, strict=True):
            photo = self._photo(item.seen, item.content_hash, item.width, item.height)
            self._rows.append((photo, feature, item.thumbnail))
        self._observer.advance(len(batch))

    def _photo(self, seen: SeenFile, content_hash: str, width: int, height: int) -> Photo:
        place = self._plan.places[seen.file]
        return Photo(
            root=place.root,
            path=place.path,
            size=seen.size,
            mtime=seen.mtime,
            content_hash=content_hash,
            width=width,
            height=height,
            indexed_at=datetime.now(UTC),
            specimen=self._describe(place) or Specimen(),
        )

    def _commit(self) -> None:
        self._commit_copies()
        if self._rows:
            rows, self._rows = self._rows, []
            photos, features, thumbnails = zip(*rows, strict=True)
            self._catalogue.upsert(self._keeping_records(photos), np.stack(features), thumbnails)
            self._count(photos)
            self._commits += 1
            if self._commits % _OPTIMIZE_COMMITS == 0:
                self._catalogue.optimize()
        self._last_commit = time.monotonic()

    def _keeping_records(self, photos: Sequence[Photo]) -> list[Photo]:
        """A changed photo without a record in this run keeps the one it had."""
        bare = {photo_id(p.root, p.path): p for p in photos if p.specimen == Specimen() and self._is_changed(p)}
        kept = self._catalogue.specimens(list(bare)) if bare else {}
        return [replace(p, specimen=kept.get(photo_id(p.root, p.path), p.specimen)) for p in photos]

    def _commit_copies(self) -> None:
        """Files whose content has a row already: moved, copied, or merely touched."""
        items, self._known = self._known, []
        sources = self._catalogue.photos_by_content([item.content_hash for item in items])
        for item in items:
            if item.content_hash not in sources:  # its row was overwritten during this run
                self._take(decode(item.seen, self._embedder.preprocessing, known=()), batch_size=1)
        items = [item for item in items if item.content_hash in sources]
        if not items:
            return
        photos = self._keeping_records([self._copy(item, sources[item.content_hash]) for item in items])
        self._catalogue.copy([(sources[photo.content_hash], photo) for photo in photos])
        arrived = [photo for photo in photos if self._plan.content_before.get(_place(photo)) != photo.content_hash]
        gone = {key: p for p in arrived if (key := self._plan.missing_by_content.pop(p.content_hash, None))}
        self._catalogue.remove(list(gone))
        for key in gone:
            del self._plan.missing[key]
        self._report.moved += len(gone)
        self._report.unchanged += len(photos) - len(arrived)
        self._count([photo for photo in arrived if photo not in gone.values()])
        self._observer.advance(len(items))

    def _copy(self, item: Known, source: Photo) -> Photo:
        photo = self._photo(item.seen, item.content_hash, source.width, source.height)
        undescribed = photo.specimen == Specimen() and not self._is_changed(photo)
        return replace(photo, specimen=source.specimen) if undescribed else photo

    def _count(self, photos: Sequence[Photo]) -> None:
        changed = sum(map(self._is_changed, photos))
        self._report.changed += changed
        self._report.new += len(photos) - changed

    def _is_changed(self, photo: Photo) -> bool:
        return _place(photo) in self._plan.content_before


def _place(photo: Photo) -> Place:
    return Place(photo.root, photo.path)
