"""Build an index from the rows of the table, in one pass, without holding them."""

import os
import shutil
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from bioclip_search.batches import collected
from bioclip_search.nearest.codes import Codec, Vectors
from bioclip_search.nearest.files import IndexState, new_folder, use_folder
from bioclip_search.nearest.index import MARGIN, Index
from bioclip_search.nearest.names import coded, write_names
from bioclip_search.nearest.scan import part_ends
from bioclip_search.vectors import matrix, unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["build"]

_NEIGHBOURS = 10
_TIED = 1e-6
# So few that the columns of a row stand near each other: each page that is touched costs time.
_ROWS_AT_ONCE = 2_048
# An index that finds less than this is not put to use.
_LEAST_RECALL = 0.98
# With components that fit fewer photos than this, searches take too long.
_MOST_LOST = 0.02


def build(
    home: Path,
    version: int,
    rows: int,
    batches: "Iterable[pa.RecordBatch]",
    sample: Vectors,
    taxon_columns: Sequence[str],
    codec: tuple[Codec, int] | None = None,
) -> IndexState | None:
    """Write an index of a table's version and put it to use; None if it would not help.

    `batches` are all rows with the columns `_rowid`, `embedding`, `missing_since`, `taxon_columns` and whatever
    else a row has; `sample` are embeddings float32 [n, dim] that components are fitted to and recall is measured
    on. With a `codec` and the number of rows it was fitted to, that one is kept. Raises OSError.
    """
    folder = new_folder(home)
    try:
        state = _written(folder, version, rows, batches, sample, taxon_columns, codec)
        if state is not None:
            use_folder(home, folder, state)
            return state
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    return None


def _written(
    folder: Path,
    version: int,
    rows: int,
    batches: "Iterable[pa.RecordBatch]",
    sample: Vectors,
    taxon_columns: Sequence[str],
    codec: tuple[Codec, int] | None,
) -> IndexState | None:
    began = time.perf_counter()
    chosen, fitted = codec or (Codec.fit(sample), rows)
    truth = _Truth(sample[-50:])
    with closing(_Writing(folder, rows, chosen, taxon_columns)) as writing:
        for table in collected(batches):
            embeddings = _embeddings(table)
            truth.see(embeddings)
            writing.write(table, embeddings)
    state = IndexState(version, rows, "", 0.0, 0.0, len(truth.queries), fitted)
    index = Index(folder, state, taxon_columns)
    recall = truth.recall_of(index)
    if recall < _LEAST_RECALL or (codec and index.lost > _MOST_LOST):
        return None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(state, built=now, seconds=round(time.perf_counter() - began, 1), recall=recall)


class _Writing:
    """The files of an index that are written row by row."""

    def __init__(self, folder: Path, rows: int, codec: Codec, taxon_columns: Sequence[str]) -> None:
        self._folder = folder
        self._codec = codec
        for name, array in (("mean", codec.mean), ("basis", codec.basis), ("spread", codec.spread)):
            np.save(folder / f"{name}.npy", array)
        self._files = ExitStack()
        self._row_ids = self._column("row_ids", np.uint64, (rows,))
        self._is_missing = self._column("is_missing", np.bool_, (rows,))
        self._lost = self._column("lost", np.float32, (rows,))
        starts = (0, *part_ends(codec.dim)[:-1])
        self._spans = list(zip(starts, part_ends(codec.dim), strict=True))
        self._codes = [
            self._column(f"codes_{number}", np.int8, (rows, end - start))
            for number, (start, end) in enumerate(self._spans)
        ]
        self._names: dict[str, dict[str, int]] = {column: {} for column in taxon_columns}
        self._taxa = [self._column(f"taxa_{number}", np.int32, (rows,)) for number in range(len(taxon_columns))]
        self._rows: pa.RecordBatchFileWriter | None = None

    def _column(self, name: str, dtype: type, shape: tuple[int, ...]) -> BinaryIO:
        """A .npy file that is written in parts: not mapped, for a full disk must be an error and not a signal."""
        stream: BinaryIO = self._files.enter_context((self._folder / f"{name}.npy").open("wb"))
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        return stream

    def write(self, table: "pa.Table", embeddings: Vectors) -> None:
        codes, lost = self._codec.encode(embeddings)
        self._row_ids.write(table["_rowid"].to_numpy().astype(np.uint64).tobytes())
        self._is_missing.write(table["missing_since"].is_valid().to_numpy().astype(np.bool_).tobytes())
        self._lost.write(lost.tobytes())
        for part, (start, end) in zip(self._codes, self._spans, strict=True):
            part.write(np.ascontiguousarray(codes[:, start:end]).tobytes())
        for file, (column, names) in zip(self._taxa, self._names.items(), strict=True):
            file.write(coded(table[column], names).tobytes())
        self._write_rows(table.drop_columns(["_rowid", "embedding"]))

    def _write_rows(self, table: "pa.Table") -> None:
        import pyarrow as pa

        if self._rows is None:
            sink = self._files.enter_context((self._folder / "rows.arrow").open("wb"))
            self._rows = self._files.enter_context(pa.ipc.new_file(sink, table.schema))
        self._rows.write_table(table.combine_chunks(), max_chunksize=_ROWS_AT_ONCE)

    def close(self) -> None:
        self._files.close()
        write_names(self._folder / "names.json", {column: list(names) for column, names in self._names.items()})
        for file in self._folder.iterdir():
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())


class _Truth:
    """The nearest neighbours of some embeddings by comparison with every one, kept while they pass."""

    def __init__(self, queries: Vectors) -> None:
        self.queries = queries
        # One more than are counted: what is as near as that one is tied with it.
        self._scores = np.full((len(queries), _NEIGHBOURS + 1), -2.0, dtype=np.float32)
        self._places = np.full((len(queries), _NEIGHBOURS + 1), -1, dtype=np.int64)
        self._seen = 0

    def see(self, embeddings: Vectors) -> None:
        places = np.tile(np.arange(self._seen, self._seen + len(embeddings)), (len(self.queries), 1))
        scores = np.concatenate([self._scores, self.queries @ embeddings.T], axis=1)
        best = np.argpartition(-scores, _NEIGHBOURS, axis=1)[:, : _NEIGHBOURS + 1]
        self._scores = np.take_along_axis(scores, best, axis=1)
        self._places = np.take_along_axis(np.concatenate([self._places, places], axis=1), best, axis=1)
        self._seen += len(embeddings)

    def recall_of(self, index: Index) -> float:
        """The share of the nearest that are among what a search for them looks at first; of ties any will do."""
        found = wanted = 0
        for query, scores, truth in zip(self.queries, self._scores, self._places, strict=True):
            nearer = truth[scores > scores.min() + _TIED]
            places, _ = index.best(query, _NEIGHBOURS + MARGIN)
            found += int(np.isin(nearer, places).sum())
            wanted += len(nearer)
        return found / wanted if wanted else 1.0


def _embeddings(table: "pa.Table") -> Vectors:
    return unit(matrix(table["embedding"].combine_chunks()))
