"""Which photos are exported, and their rows: read in batches from one version of the table."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioclip_search.batches import batched, collected
from bioclip_search.catalogue import Catalogue
from bioclip_search.errors import QueryError
from bioclip_search.export.scratch import Scratch
from bioclip_search.history import open_photos
from bioclip_search.paths import is_below, is_unicode
from bioclip_search.query import Hit
from bioclip_search.records.exported import SCORE
from bioclip_search.schema import KEY, PRESENT, photo_id
from bioclip_search.storage import among, chunks, lance_errors, scan
from bioclip_search.text import printable

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SCORE", "Selection"]

_KEYS_AT_ONCE = 1_000
_LINES_AT_ONCE = 250
_PHOTO_ID = re.compile(r"[0-9a-f]{32}")


class Selection:
    """Photos of a catalogue as it is now: what is written to it later is not seen.

    All that a SQL condition selects, in the order of the table; or, after `list_hits` or `list_lines`,
    those that are listed, in the order of the list.
    """

    def __init__(self, catalogue: Catalogue, scratch: Scratch, taxon: str | None, *, include_missing: bool) -> None:
        self.ranked = False
        self._catalogue = catalogue
        self._scratch = scratch
        self._is_list = False
        conditions = [] if include_missing else [PRESENT]
        self._where = [*conditions, *([taxon] if taxon else [])]
        with self._errors():
            self._table = open_photos(catalogue.folder)
            self._table.checkout(self._table.version)

    def list_hits(self, hits: Iterable[Hit]) -> None:
        """Take only these, best first, with their scores."""
        self._is_list = self.ranked = True
        self._scratch.list_photos((photo_id(hit.photo.root, hit.photo.path), hit.score) for hit in hits)

    def list_lines(self, lines: Iterable[str]) -> None:
        """Take only the photos that lines name, by photo_id or by path.

        A relative path is taken from the working folder, and from the root of every photo. Raises
        QueryError when lines name no photo of the catalogue.
        """
        self._is_list = True
        roots = self._catalogue.roots()
        total, unknown = 0, []
        stripped = (line.rstrip("\r\n") for line in lines)
        for part in batched(filter(None, stripped), _LINES_AT_ONCE):
            named = [_keys_of(line, roots) for line in part]
            there = self._known({key for keys in named for key in keys})
            found = [[key for key in keys if key in there] for keys in named]
            self._scratch.list_photos((key, None) for keys in found for key in keys)
            total += len(part)
            unknown += [line for line, keys in zip(part, found, strict=True) if not keys]
        if unknown:
            raise QueryError(
                f"{len(unknown):,} of the {total:,} listed lines name no photo of the catalogue, such as "
                f"{printable(unknown[0])}; index these photos, or take the lines out."
            )

    def batches(self, columns: Sequence[str]) -> "Iterator[pa.Table]":
        """The rows in tables of some thousands; a ranked selection has the column `score` too."""
        if self._is_list:
            return self._listed(columns)
        return collected(self._scanned(columns))

    def _scanned(self, columns: Sequence[str]) -> "Iterator[pa.RecordBatch]":
        with self._errors():
            yield from scan(self._table, columns, _all_of(self._where))

    def _listed(self, columns: Sequence[str]) -> "Iterator[pa.Table]":
        import pyarrow as pa

        for part in self._scratch.listed(_KEYS_AT_ONCE):
            with self._errors():
                selected = among(KEY, [key for key, _ in part])
                rows = self._query([*self._where, selected], list(dict.fromkeys([KEY, *columns]))).to_arrow()
            place = {key: at for at, key in enumerate(rows[KEY].to_pylist())}
            found = [(place[key], score) for key, score in part if key in place]
            rows = rows.take(pa.array([at for at, _ in found], pa.int64())).select(list(columns))
            if self.ranked:
                rows = rows.append_column(SCORE, pa.array([score for _, score in found], pa.float64()))
            if rows.num_rows:
                yield rows

    def _known(self, keys: set[str]) -> set[str]:
        known: set[str] = set()
        for chunk in chunks(sorted(keys)):
            with self._errors():
                known.update(self._query([among(KEY, chunk)], [KEY]).to_arrow()[KEY].to_pylist())
        return known

    def _query(self, conditions: Sequence[str], columns: Sequence[str]) -> Any:
        query = self._table.search().select(list(columns)).limit(None)
        where = _all_of(conditions)
        return query.where(where) if where else query

    def _errors(self) -> Any:
        return lance_errors(self._catalogue.folder)


def _all_of(conditions: Sequence[str]) -> str:
    return " AND ".join(f"({condition})" for condition in conditions)


def _keys_of(line: str, roots: Sequence[str]) -> list[str]:
    """Every photo_id that a line may stand for."""
    if _PHOTO_ID.fullmatch(line):
        return [line]
    if not is_unicode(line):
        return []
    file = os.path.abspath(line)
    keys = [
        photo_id(root, os.path.relpath(file, root).replace(os.sep, "/")) for root in roots if is_below(file, [root])
    ]
    if not Path(line).is_absolute():
        keys += [photo_id(root, line.replace(os.sep, "/")) for root in roots]
    return list(dict.fromkeys(keys))
