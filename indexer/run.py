"""Index folders of photos: walk, compare, decode, embed, write. The photos are only read.

Every batch is committed as it is done, so that stopping anywhere loses nothing but the batch
in hand, and the next run does the rest.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from bioclip_search.catalogue import Catalogue, Run
from bioclip_search.darwin_core import read_records, specimen_of
from bioclip_search.embedder import Embedder
from bioclip_search.errors import UsageError
from bioclip_search.models import DEFAULT_MODEL, locate_model
from bioclip_search.preprocessing import Fit
from bioclip_search.schema import photo_id
from bioclip_search.specimen import Photo, Specimen
from bioclip_search.text import printable
from indexer.decode import Decoded, Known, Unusable, decode, decode_ahead
from indexer.folders import taxon_from_folders
from indexer.join import RecordIndex
from indexer.plan import Place, Plan, make_plan, scopes_of
from indexer.walk import PHOTO_FORMATS, SeenFile

__all__ = ["IndexOptions", "IndexReport", "Observer", "Problem", "index"]

_COMMIT_ROWS = 2_000
_COMMIT_SECONDS = 10.0
_OPTIMIZE_COMMITS = 20


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """What to index, into which catalogue, with which model.

    `model` and `fit` None mean those of the catalogue, or the defaults for a new one.
    `workers` decode while batches of `batch_size` photos are embedded.
    """

    paths: tuple[Path, ...]
    catalogue: Path
    metadata: Path | None = None
    taxa_from_folders: bool = False
    model: str | None = None
    fit: Fit | None = None
    device: str = "auto"
    dtype: str = "auto"
    workers: int = 4
    batch_size: int = 64


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder that could not be indexed, and why."""

    path: str
    reason: str


@dataclass(slots=True)
class IndexReport:
    """What a run did, in photos; `missing` counts rows whose file is no longer there."""

    new: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    missing: int = 0
    failed: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    problems: list[Problem] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        names = ("new", "changed", "moved", "unchanged", "missing", "failed")
        return {name: getattr(self, name) for name in names}


class Observer(Protocol):
    """Whoever shows how far the run is."""

    def begin(self, total: int) -> None:
        """`total` photos will be decoded and embedded."""

    def advance(self, photos: int) -> None:
        """So many more photos are done, well or badly."""

    def problem(self, problem: Problem) -> None:
        """A file was skipped."""


def index(options: IndexOptions, observer: Observer) -> IndexReport:
    """Bring the catalogue up to date with the folders.

    Ctrl-C (KeyboardInterrupt) finishes and commits the batch in hand; the report then says
    `interrupted`. Raises UsageError, RecordError, ModelError or CatalogueError.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    scopes = scopes_of(options.paths, options.catalogue)
    records = RecordIndex(read_records(options.metadata)) if options.metadata else None
    describe = partial(_describe, records=records, from_folders=options.taxa_from_folders)
    catalogue = Catalogue.open(options.catalogue) if Catalogue.exists(options.catalogue) else None
    plan = make_plan(scopes, catalogue)
    _check_any_photos(plan, scopes)
    catalogue, load = _matching_model(options, catalogue, needed=bool(plan.new or plan.changed))
    report = IndexReport(unchanged=len(plan.unchanged))
    for folder, reason in plan.unreadable:
        _note(Problem(printable(str(folder)), f"the folder cannot be listed ({reason})"), report, observer)
    if plan.new or plan.changed:
        observer.begin(len(plan.new) + len(plan.changed))
        _Writer(catalogue, load(), plan, report, observer, describe).run(options)
    _settle_unchanged(catalogue, plan, describe)
    report.missing = len(plan.missing)
    report.seconds = time.monotonic() - clock
    catalogue.record_run(Run(started, datetime.now(UTC), report.counts))
    catalogue.optimize()
    return report


def _check_any_photos(plan: Plan, scopes: Sequence[Path]) -> None:
    if plan.places:
        return
    if plan.unreadable:
        folder, reason = plan.unreadable[0]
        raise UsageError(f"The folder {printable(str(folder))} cannot be listed ({reason}); check its permissions.")
    places = ", ".join(printable(str(scope)) for scope in scopes)
    formats = ", ".join(PHOTO_FORMATS)
    raise UsageError(
        f"There are no photos in {places}; the catalogue is left as it is. "
        f"Is the drive connected? What counts as a photo: {formats}."
    )


def _matching_model(
    options: IndexOptions, catalogue: Catalogue | None, *, needed: bool
) -> tuple[Catalogue, Callable[[], Embedder]]:
    """The catalogue (made if there is none) and the way to load its model.

    The model's files are looked at only when photos must be embedded or the user named a model.
    """
    built_with = catalogue.fingerprint if catalogue else None
    name = options.model or (built_with.model if built_with else DEFAULT_MODEL)
    fit = options.fit or (built_with.fit if built_with else Fit.SQUASH)
    if catalogue is None or needed or options.model or options.fit:
        fingerprint = locate_model(name).fingerprint(fit)
        if catalogue is None:
            catalogue = Catalogue.create(options.catalogue, fingerprint)
        catalogue.require_model(fingerprint)
    return catalogue, partial(Embedder.load, name, device=options.device, dtype=options.dtype, fit=fit)


def _describe(place: Place, records: RecordIndex | None, *, from_folders: bool) -> Specimen | None:
    """The specimen by record, else by folder names; None when neither says anything."""
    if records is not None and (record := records.find(place.path)):
        return specimen_of(record)
    if from_folders:
        folders = [*Path(place.root).parts[-1:], *place.path.split("/")[:-1]]
        taxon = taxon_from_folders(folders)
        if taxon.rank is not None:
            return Specimen(taxon=taxon, scientific_name=taxon.scientific_name)
    return None


def _settle_unchanged(catalogue: Catalogue, plan: Plan, describe: Callable[[Place], Specimen | None]) -> None:
    """Bring records and presence of files up to date whose content needs no work."""
    wanted = {key: specimen for key, place in plan.unchanged.items() if (specimen := describe(place))}
    present = catalogue.specimens(list(wanted))
    catalogue.describe({key: specimen for key, specimen in wanted.items() if present.get(key) != specimen})
    catalogue.mark_missing(plan.returned, None)
    newly_gone = [key for key, file in plan.missing.items() if file.missing_since is None]
    catalogue.mark_missing(newly_gone, datetime.now(UTC))


def _note(problem: Problem, report: IndexReport, observer: Observer) -> None:
    report.failed += 1
    report.problems.append(problem)
    observer.problem(problem)


class _Writer:
    """Embeds what is decoded, batch by batch, and commits every few seconds."""

    def __init__(
        self,
        catalogue: Catalogue,
        embedder: Embedder,
        plan: Plan,
        report: IndexReport,
        observer: Observer,
        describe: Callable[[Place], Specimen | None],
    ) -> None:
        self._catalogue, self._embedder, self._plan = catalogue, embedder, plan
        self._report, self._observer, self._describe = report, observer, describe
        self._batch: list[Decoded] = []
        self._known: list[Known] = []
        self._rows: list[tuple[Photo, np.ndarray, bytes]] = []
        self._last_commit = time.monotonic()
        self._commits = 0

    def run(self, options: IndexOptions) -> None:
        hashes = self._catalogue.content_hashes()
        work = partial(decode, preprocessing=self._embedder.preprocessing, known=hashes)
        files = [*self._plan.new, *self._plan.changed]
        results = decode_ahead(files, work, options.workers, ahead=2 * options.batch_size)
        try:
            for result in results:
                self._take(result, options.batch_size)
        except KeyboardInterrupt:
            self._report.interrupted = True
        finally:
            results.close()
        self._embed()
        self._commit()

    def _take(self, result: Decoded | Known | Unusable, batch_size: int) -> None:
        match result:
            case Unusable(seen, reason):
                _note(Problem(printable(str(seen.file)), reason), self._report, self._observer)
                self._observer.advance(1)
            case Known():
                self._known.append(result)
            case Decoded():
                self._batch.append(result)
        if len(self._batch) >= batch_size:
            self._embed()
        waited = time.monotonic() - self._last_commit
        if len(self._rows) + len(self._known) >= _COMMIT_ROWS or waited > _COMMIT_SECONDS:
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
        copies = [(sources[item.content_hash], self._copy(item, sources[item.content_hash])) for item in items]
        self._catalogue.copy(copies)
        arrived = [photo for _, photo in copies if self._plan.content_before.get(_place(photo)) != photo.content_hash]
        gone = {key: p for p in arrived if (key := self._plan.missing_by_content.pop(p.content_hash, None))}
        self._catalogue.remove(list(gone))
        for key in gone:
            del self._plan.missing[key]
        self._report.moved += len(gone)
        self._report.unchanged += len(copies) - len(arrived)
        self._count([photo for photo in arrived if photo not in gone.values()])
        self._observer.advance(len(items))

    def _copy(self, item: Known, source: Photo) -> Photo:
        photo = self._photo(item.seen, item.content_hash, source.width, source.height)
        return photo if photo.specimen != Specimen() else replace(photo, specimen=source.specimen)

    def _count(self, photos: Sequence[Photo]) -> None:
        changed = sum(map(self._is_changed, photos))
        self._report.changed += changed
        self._report.new += len(photos) - changed

    def _is_changed(self, photo: Photo) -> bool:
        return _place(photo) in self._plan.content_before


def _place(photo: Photo) -> Place:
    return Place(photo.root, photo.path)
