"""An index that is open for reading: codes, taxa and rows of the photos, mapped and not loaded."""

import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bioclip_search.nearest.codes import Codec, Vectors
from bioclip_search.nearest.files import IndexState
from bioclip_search.nearest.names import NO_NAME, Names, read_names
from bioclip_search.nearest.scan import Coded, Places, Scores, best, part_ends, reaching

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MARGIN", "Index", "RowIds"]

RowIds = npt.NDArray[np.uint64]

MARGIN = 54
"""How many more than are wanted are first compared by their embeddings: codes tell near ones apart badly."""

_UNKNOWN = -2
_LET_GO_EVERY = 32
_MUCH = 0.01


class Index:
    """Photos are known by their places, 0 to n - 1, and by the table's row ids, which a row loses when its embedding
    changes, but not when only its record does."""

    def __init__(self, folder: Path, state: IndexState, taxon_columns: Sequence[str]) -> None:
        """Map the files of an index that was built with these columns of names.

        Raises OSError, EOFError, ValueError or KeyError for what is not there or damaged.
        """
        self.state = state
        self._folder = folder
        self._files: list[mmap.mmap] = []
        self.row_ids: RowIds = self._mapped(folder / "row_ids.npy")
        self.is_missing: npt.NDArray[np.bool_] = self._mapped(folder / "is_missing.npy")
        self.codec = Codec(*(np.load(folder / f"{name}.npy") for name in ("mean", "basis", "spread")))
        count = len(part_ends(self.codec.dim))
        self._coded = Coded(
            [self._mapped(folder / f"codes_{number}.npy") for number in range(count)], self._mapped(folder / "lost.npy")
        )
        self._names = read_names(folder / "names.json", taxon_columns)
        self._taxa: dict[str, npt.NDArray[np.int32]] = {
            column: self._mapped(folder / f"taxa_{number}.npy") for number, column in enumerate(self._names)
        }
        columns = (*self._coded.parts, self._coded.lost, self.row_ids, self.is_missing, *self._taxa.values())
        if any(len(column) != state.rows for column in columns):
            raise ValueError("its files do not fit together")
        self._sorter = None if bool(np.all(self.row_ids[1:] > self.row_ids[:-1])) else np.argsort(self.row_ids)
        self._row_file = _map(folder / "rows.arrow")
        self._files.append(self._row_file)
        self._rows = _open_rows(self._row_file)
        self.rows_at_once: int = self._rows.get_batch(0).num_rows
        """Rows in a batch of the file of rows; only the last has fewer."""

    def best(self, vector: Vectors, count: int, among: Places | None = None) -> tuple[Places, Scores]:
        """The places of the `count` photos that may be nearest to a unit vector float32 [dim], and the largest cosines
        that they can have, largest first; no other photo has a larger one than the last."""
        asked = self.codec.ask(vector, part_ends(self.codec.dim))
        places, scores = best(asked, self._coded, count, among)
        return places, scores + float(vector @ self.codec.mean) + asked.unseen[-1]

    def reaching(self, vector: Vectors, least: float, among: Places | None = None) -> Places:
        """The places of all photos whose cosine to a unit vector float32 [dim] may be as large as `least`."""
        asked = self.codec.ask(vector, part_ends(self.codec.dim))
        return reaching(asked, self._coded, least - float(vector @ self.codec.mean), among)

    @property
    def lost(self) -> float:
        """The share of photos whose codes are wrong by more than rounding, so that they take longer to compare."""
        return float((self._coded.lost > _MUCH).mean())

    def in_order(self, row_ids: RowIds) -> Places:
        """The places of rows that are all in the index, in the order of their ids as given."""
        places = np.searchsorted(self.row_ids, row_ids, sorter=self._sorter)
        found: Places = places if self._sorter is None else self._sorter[places]
        return found

    def places_of(self, row_ids: RowIds) -> tuple[Places, npt.NDArray[np.bool_]]:
        """The ascending places of those rows that are in the index, and which of them are, bool [len(row_ids)]."""
        at = np.searchsorted(self.row_ids, row_ids, sorter=self._sorter)
        at = np.minimum(at, len(self.row_ids) - 1)
        places = at if self._sorter is None else self._sorter[at]
        there = self.row_ids[places] == row_ids
        return np.sort(places[there]), there

    def of_taxa(self, names: Sequence[tuple[str, str]]) -> npt.NDArray[np.bool_]:
        """Which photos have one of the names in its column, bool [n]; columns are ranks and vernacularName."""
        found = np.zeros(len(self.row_ids), dtype=bool)
        for column, name in names:
            number = self._names[column].number(name)
            if number is not None:
                found |= self._taxa[column] == number
        return found

    def with_names(self, names: Sequence[tuple[str, str | None]]) -> npt.NDArray[np.bool_]:
        """Which photos have all of the names, each in its column, and none where it is None: bool [n]."""
        found = np.ones(len(self.row_ids), dtype=bool)
        for column, name in names:
            number = NO_NAME if name is None else self._names[column].number(name)
            found &= self._taxa[column] == (_UNKNOWN if number is None else number)
        return found

    @property
    def taxon_names(self) -> list[Names]:
        """For every rank and then vernacularName the names that photos have there."""
        return list(self._names.values())

    def taxon_codes(self, number: int) -> npt.NDArray[np.int32]:
        """One of these columns: the number of each photo's name, NO_NAME for none, int32 [n]; read and not mapped."""
        codes: npt.NDArray[np.int32] = np.load(self._folder / f"taxa_{number}.npy", allow_pickle=False)
        return codes

    def names(self, *, include_missing: bool) -> dict[str, set[str]]:
        """By column the names that photos carry."""
        shown = slice(None) if include_missing or not self.is_missing.any() else ~self.is_missing
        return {column: _carried(names, self._taxa[column][shown]) for column, names in self._names.items()}

    def scan(self, columns: Sequence[str]) -> "Iterator[pa.RecordBatch]":
        """Columns of all rows, in the order of their places: views of the file, of which little stays in memory."""
        for number in range(self._rows.num_record_batches):
            yield self._rows.get_batch(number).select(list(columns))
            if number % _LET_GO_EVERY == 0:
                _let_go(self._row_file)

    def let_go(self) -> None:
        """Give back the memory of what was read of the mapped files: it is read again when it is asked for."""
        for mapped in self._files:
            _let_go(mapped)

    def _mapped(self, file: Path) -> Any:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
        if isinstance(array.base, mmap.mmap):
            self._files.append(array.base)
        return array

    def rows(self, places: Places) -> list[dict[str, Any]]:
        """The rows at places, without embedding and thumbnail, in the same order."""
        import pyarrow as pa

        if not len(places):
            return []
        # Neighbours come in one slice; a slice is a view, where taking rows out of their batch copies.
        goes_on = (np.diff(places) == 1) & (places[1:] % self.rows_at_once != 0)
        runs = np.split(places, np.flatnonzero(~goes_on) + 1)
        starts = [divmod(int(run[0]), self.rows_at_once) for run in runs]
        batches = {at: self._rows.get_batch(at) for at in {at for at, _ in starts}}
        slices = [batches[at].slice(start, len(run)) for run, (at, start) in zip(runs, starts, strict=True)]
        rows: list[dict[str, Any]] = pa.Table.from_batches(slices).combine_chunks().to_pylist()
        return rows


def _carried(names: Names, column: npt.NDArray[np.int32]) -> set[str]:
    """The names whose numbers occur in a column."""
    counts = np.bincount(column[column >= 0], minlength=len(names))
    return {name for name, count in zip(names, counts.tolist(), strict=True) if count}


def _map(file: Path) -> mmap.mmap:
    with file.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def _open_rows(mapped: mmap.mmap) -> "pa.RecordBatchFileReader":
    import pyarrow as pa

    return pa.ipc.open_file(pa.py_buffer(mapped))


def _let_go(mapped: mmap.mmap) -> None:
    # The pages stay in the system's cache; other systems than Linux give them back when they are needed.
    if hasattr(mapped, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
