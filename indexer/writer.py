"""From embedded batches to rows: commit every few seconds. Used by one thread."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Features
from bioclip_search.journal import Problem
from bioclip_search.schema import photo_id
from bioclip_search.specimen import Photo, Specimen
from bioclip_search.text import printable
from indexer.batch import Batch
from indexer.decode import Known
from indexer.describe import Describer
from indexer.plan import KnownFile, Place, Plan, SeenFile
from indexer.report import IndexReport, Observer, note

__all__ = ["Writer"]

_COMMIT_ROWS = 1_000
_OPTIMIZE_COMMITS = 40


class Writer:
    """Keeps what was embedded, and commits it every few seconds.

    `again` decodes and embeds files whose content was in the catalogue when they were read, and is
    there no longer. `written` are the places of the photos that were committed.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        plan: Plan,
        report: IndexReport,
        observer: Observer,
        describer: Describer,
        again: Callable[[Sequence[SeenFile]], Batch],
        commit_seconds: float,
    ) -> None:
        self._catalogue, self._plan = catalogue, plan
        self._report, self._observer, self._describer = report, observer, describer
        self._again = again
        self.written: list[Place] = []
        self._rows: list[tuple[Photo, Features, bytes]] = []
        self._known: list[Known] = []
        self._commit_seconds = commit_seconds
        self._last_commit = time.monotonic()
        self._commits = 0

    def take(self, batch: Batch) -> None:
        """Take up a batch, and commit if it is time to."""
        self._keep(batch)
        waited = time.monotonic() - self._last_commit
        if len(self._rows) + len(self._known) >= _COMMIT_ROWS or waited > self._commit_seconds:
            self.commit()

    def commit(self) -> None:
        """Write all rows in hand."""
        # Copies first: the rows in hand may replace the contents that they copy.
        known, self._known = self._known, []
        gone = self._copy(known)
        if gone:
            self._hold(self._again([item.seen for item in gone]))
        rows, self._rows = self._rows, []
        if rows:
            photos, features, thumbnails = zip(*rows, strict=True)
            self._catalogue.upsert(self._described(photos), np.stack(features), thumbnails)
            self._count(photos)
            self.written += map(_place, photos)
            self._commits += 1
            if self._commits % _OPTIMIZE_COMMITS == 0:
                self._catalogue.compact()
        self._last_commit = time.monotonic()

    def _keep(self, batch: Batch) -> None:
        self._hold(batch)
        self._observer.advance(len(batch.decoded) + len(batch.unusable) + len(batch.known))

    def _hold(self, batch: Batch) -> None:
        for item, feature in zip(batch.decoded, batch.features, strict=True):
            photo = _photo(item.seen, item.content_hash, item.width, item.height)
            self._rows.append((photo, feature, item.thumbnail))
        for unusable in batch.unusable:
            note(Problem(printable(str(unusable.seen.place.file)), unusable.reason), self._report, self._observer)
        self._known.extend(batch.known)

    def _described(self, photos: Sequence[Photo]) -> list[Photo]:
        """The photos with their specimens; a changed one without a record in this run keeps the one it had."""
        changed = [_key(photo) for photo in photos if self._is_changed(photo)]
        stored = self._catalogue.specimens(changed) if changed else {}
        return [self._with_specimen(photo, stored.get(_key(photo), photo.specimen)) for photo in photos]

    def _with_specimen(self, photo: Photo, stored: Specimen) -> Photo:
        place = _place(photo)
        return replace(photo, specimen=self._describer.describe(place, stored), view=self._describer.view(place))

    def _copy(self, items: Sequence[Known]) -> list[Known]:
        """Give files whose content has a row already rows of their own; returns those whose content is gone.

        They were moved, copied, or merely touched.
        """
        sources = self._catalogue.photos_by_content([item.content_hash for item in items])
        there = [item for item in items if item.content_hash in sources]
        photos = [_copied(item.seen, sources[item.content_hash]) for item in there]
        moved = {_place(photo): file for photo in photos if (file := self._moved_from(photo))}
        absent = {_place(photo) for photo in self._catalogue.copy(self._described(self._keeping(photos, moved)))}
        self._catalogue.remove([file.key for place, file in moved.items() if place not in absent])
        copied = [photo for photo in photos if _place(photo) not in absent]
        self._count_copies(copied, moved.keys() - absent)
        self.written += map(_place, copied)
        return [item for item in items if item.seen.place in absent or item.content_hash not in sources]

    def _keeping(self, photos: Sequence[Photo], moved: Mapping[Place, KnownFile]) -> list[Photo]:
        """The photos, those that moved with the specimen of the row they leave."""
        stored = self._catalogue.specimens([file.key for file in moved.values()])
        before = {place: stored[file.key] for place, file in moved.items() if file.key in stored}
        return [replace(photo, specimen=before.get(_place(photo), photo.specimen)) for photo in photos]

    def _moved_from(self, photo: Photo) -> KnownFile | None:
        if self._is_changed(photo):
            return None  # it has a row of its own, with a record of its own
        return self._plan.take_moved(_place(photo), photo.content_hash)

    def _count_copies(self, photos: Sequence[Photo], moved: set[Place]) -> None:
        touched = sum(map(self._was_touched, photos))
        self._report.moved += len(moved)
        self._report.unchanged += touched
        self._count([photo for photo in photos if _place(photo) not in moved and not self._was_touched(photo)])

    def _count(self, photos: Sequence[Photo]) -> None:
        changed = sum(map(self._is_changed, photos))
        self._report.changed += changed
        self._report.new += len(photos) - changed

    def _is_changed(self, photo: Photo) -> bool:
        return _place(photo) in self._plan.content_before

    def _was_touched(self, photo: Photo) -> bool:
        """Whether only the file's date or size as listed is new, not its content."""
        return self._plan.content_before.get(_place(photo)) == photo.content_hash


def _photo(seen: SeenFile, content_hash: str, width: int, height: int) -> Photo:
    return Photo(
        root=seen.place.root,
        path=seen.place.path,
        size=seen.size,
        mtime=seen.mtime,
        content_hash=content_hash,
        width=width,
        height=height,
        indexed_at=datetime.now(UTC),
    )


def _copied(seen: SeenFile, source: Photo) -> Photo:
    return _photo(seen, source.content_hash, source.width, source.height)


def _place(photo: Photo) -> Place:
    return Place(photo.root, photo.path)


def _key(photo: Photo) -> str:
    return photo_id(photo.root, photo.path)
