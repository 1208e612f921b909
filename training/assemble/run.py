"""Put the collections together: read, unify names, fill ranks, leave out tests and copies, write the table."""

import csv
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bioclip_search.atomic import replacing, write_json
from bioclip_search.errors import PhotoError, RecordError, UsageError
from bioclip_search.taxonomy import RANKS
from bioclip_search.text import printable
from training.assemble.row import Collection
from training.assemble.stage import Stage
from training.shards.ahead import in_order
from training.shards.packs import read_packed

__all__ = ["RECORDS", "AssembleOptions", "AssembleReport", "Observer", "assemble"]

RECORDS, REPORT = "records.csv", "report.json"
_STAGE = ".stage.sqlite"
_AHEAD = 64
_COLUMNS = ("photoID", "file", "source", "specimen", "taxonID", *(rank.value for rank in RANKS), "vernacularName")


@dataclass(frozen=True, slots=True)
class AssembleOptions:
    """Where the table is written; keys of species and file names of images that are for tests; threads that read."""

    folder: Path
    without_species: frozenset[str] = frozenset()
    without_images: frozenset[str] = frozenset()
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class AssembleReport:
    """What every source gave and what they gave together; counts by name."""

    sources: Mapping[str, Mapping[str, int]]
    total: Mapping[str, int]
    seconds: float


class Observer(Protocol):
    """Whoever shows how far it is."""

    def read(self, source: str, photos: int) -> None:
        """So many photos of a source were read."""

    def compared(self, photos: int) -> None:
        """So many photos were compared by their content."""


def assemble(collections: Sequence[Collection], options: AssembleOptions, observer: Observer) -> AssembleReport:
    """Write records.csv, one row a photo that is kept, for `train shards`; and report.json with the counts.

    Memory does not grow with the photos: they are kept in a database beside the table, which is removed at the
    end. Raises UsageError without a collection, RecordError for one that cannot be read or a full disk.
    """
    if not collections:
        raise UsageError("There is nothing to put together; name one of --inat21, --bioscan and --eol.")
    started = time.monotonic()
    with _stage_in(options.folder) as stage:
        for collection in collections:
            stage.take(collection, lambda photos, name=collection.name: observer.read(name, photos))  # type: ignore[misc]
        stage.fill()
        stage.leave_out(sorted(options.without_species), sorted(options.without_images))
        _compare(stage, options.workers or max(4, os.cpu_count() or 1), observer)
        stage.leave_out_duplicates()
        _write_table(stage, options.folder / RECORDS)
        report = AssembleReport(stage.count(), stage.total(), time.monotonic() - started)
        write_json(options.folder / REPORT, {"sources": report.sources, "total": report.total}, indent=1)
    return report


@contextmanager
def _stage_in(folder: Path) -> Iterator[Stage]:
    path = folder / _STAGE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with closing(Stage(path)) as stage:
            yield stage
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RecordError(
            f"The table in {printable(str(folder))} cannot be written ({reason}); mend that and try again."
        ) from error
    finally:
        path.unlink(missing_ok=True)


def _compare(stage: Stage, workers: int, observer: Observer) -> None:
    """Give every photo that may be a copy of another the hash of its content."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="read")
    try:
        hashed = in_order(pool, lambda twin: _digest(twin[1]), stage.twins(), _AHEAD)
        for number, ((photo, _), digest) in enumerate(hashed, 1):
            stage.hashed(photo, digest)
            observer.compared(number)
    finally:
        pool.shutdown(cancel_futures=True)


def _digest(file: str) -> bytes | None:
    """128 bits of the SHA-256 of a file's content; None where it cannot be read."""
    try:
        packed = read_packed(file)
        if packed is not None:
            return hashlib.sha256(packed).digest()[:16]
        with Path(file).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()[:16]
    except (OSError, PhotoError):
        return None


def _write_table(stage: Stage, path: Path) -> None:
    with replacing(path) as stream:
        table = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
        table.writeheader()
        for photo in stage.kept():
            specimen = f"{photo.source}:{photo.specimen}" if photo.specimen else None
            table.writerow(
                {
                    "photoID": photo.photo,
                    "file": photo.file,
                    "source": photo.source,
                    "specimen": specimen,
                    "taxonID": photo.barcode,
                    **photo.names,
                }
            )
