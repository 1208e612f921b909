"""An index that is open for reading: codes, taxa and rows of the photos, mapped and not loaded."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bioclip_search.nearest.codes import Codec, Vectors
from bioclip_search.nearest.files import IndexState
from bioclip_search.nearest.scan import Places, Scores, best, part_ends

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MARGIN", "ROWS_AT_ONCE", "Index", "RowIds"]

RowIds = npt.NDArray[np.uint64]

MARGIN = 32
"""How many more than are wanted are first compared by their embeddings: codes tell near ones apart badly."""

ROWS_AT_ONCE = 8_192
"""Rows in a batch of the file of rows; only the last has fewer."""

# Standard deviations of rounding that a cosine is allowed to be off.
_SURE = 5.0


class Index:
    """Photos are known by their places, 0 to n - 1, and by the table's row ids, which a changed row loses."""

    def __init__(self, folder: Path, state: IndexState) -> None:
        """Map the files. Raises OSError or ValueError for what is not there or damaged."""
        self.state = state
        self.row_ids: RowIds = _mapped(folder / "row_ids.npy")
        self.is_missing: npt.NDArray[np.bool_] = _mapped(folder / "is_missing.npy")
        self.codec = Codec(*(np.load(folder / f"{name}.npy") for name in ("mean", "basis", "spread")))
        count = len(part_ends(self.codec.dim))
        self.parts = [_mapped(folder / f"codes_{number}.npy") for number in range(count)]
        if any(len(part) != state.rows for part in (*self.parts, self.row_ids, self.is_missing)):
            raise ValueError("its files do not fit together")
        self._taxa: npt.NDArray[np.int32] = _mapped(folder / "taxa.npy")
        names: dict[str, list[str]] = json.loads((folder / "names.json").read_text(encoding="utf-8"))
        self._columns = {column: number for number, column in enumerate(names)}
        self._codes = {column: {name: code for code, name in enumerate(names[column])} for column in names}
        self._sorter = None if bool(np.all(self.row_ids[1:] > self.row_ids[:-1])) else np.argsort(self.row_ids)
        self._rows = _open_rows(folder / "rows.arrow")
        self._misfits: Places = np.load(folder / "misfits.npy")
        self._misfit_embeddings: Vectors = _mapped(folder / "misfit_embeddings.npy")

    def best(self, vector: Vectors, count: int, among: Places | None = None) -> tuple[Places, Scores, float]:
        """The places of the photos nearest to a unit vector float32 [dim], best first, with their cosines, and by
        how much a cosine may be wrong."""
        asked = self.codec.ask(vector, part_ends(self.codec.dim))
        places, scores = best(asked, self.parts, count, among)
        constant = float(vector @ self.codec.mean)
        places, scores = self._with_misfits(vector, places, scores + constant, among)
        order = np.argsort(-scores, kind="stable")[:count]
        return places[order], scores[order], _SURE * asked.doubts[-1]

    def _with_misfits(
        self, vector: Vectors, places: Places, scores: Scores, among: Places | None
    ) -> tuple[Places, Scores]:
        """The same, those whose codes do not fit judged by their embeddings."""
        if not len(self._misfits):
            return places, scores
        asked_for = slice(None) if among is None else np.isin(self._misfits, among)
        fit = ~np.isin(places, self._misfits)
        exact = (self._misfit_embeddings @ vector)[asked_for]
        return (
            np.concatenate([places[fit], self._misfits[asked_for]]),
            np.concatenate([scores[fit], exact]),
        )

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
            code = self._codes[column].get(name)
            if code is not None:
                found |= self._taxa[self._columns[column]] == code
        return found

    def names(self, *, include_missing: bool) -> dict[str, set[str]]:
        """By column the names that photos carry."""
        shown = slice(None) if include_missing or not self.is_missing.any() else ~self.is_missing
        return {
            column: _carried(codes, self._taxa[self._columns[column]][shown]) for column, codes in self._codes.items()
        }

    def rows(self, places: Places) -> list[dict[str, Any]]:
        """The rows at places, without embedding and thumbnail, in the same order."""
        return [
            self._rows.get_batch(place // ROWS_AT_ONCE).slice(place % ROWS_AT_ONCE, 1).to_pylist()[0]
            for place in places.tolist()
        ]


def _carried(codes: Mapping[str, int], column: npt.NDArray[np.int32]) -> set[str]:
    """The names whose codes occur in a column."""
    counts = np.bincount(column[column >= 0], minlength=len(codes))
    return {name for name, code in codes.items() if counts[code]}


def _mapped(file: Path) -> Any:
    return np.load(file, mmap_mode="r", allow_pickle=False)


@lru_cache(maxsize=4)
def _open_rows(file: Path) -> "pa.RecordBatchFileReader":
    import pyarrow as pa

    return pa.ipc.open_file(pa.memory_map(str(file)))
