"""Build an index from the rows of the table, in one pass, without holding them."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bioclip_search.nearest.codes import Codec, Vectors
from bioclip_search.nearest.files import IndexState, new_folder, use_folder
from bioclip_search.nearest.index import MARGIN, ROWS_AT_ONCE, Index
from bioclip_search.nearest.scan import part_ends

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["build"]

_NEIGHBOURS = 10


def build(
    home: Path,
    version: int,
    rows: int,
    batches: "Iterable[pa.RecordBatch]",
    sample: Vectors,
    taxon_columns: Sequence[str],
    codec: tuple[Codec, int] | None = None,
) -> IndexState:
    """Write an index of a table's version and put it to use.

    `batches` are all rows with the columns `_rowid`, `embedding`, `missing_since`, `taxon_columns` and whatever
    else a row has; `sample` are embeddings float32 [n, dim] that components are fitted to and recall is measured
    on. With a `codec` and the number of rows it was fitted to, that one is kept.
    """
    began = time.perf_counter()
    folder = new_folder(home)
    fitted = codec[1] if codec else rows
    chosen = codec[0] if codec else Codec.fit(sample)
    for name, array in (("mean", chosen.mean), ("basis", chosen.basis), ("spread", chosen.spread)):
        np.save(folder / f"{name}.npy", array)
    truth = _Truth(sample[-50:])
    with closing(_Writing(folder, rows, chosen, taxon_columns)) as writing:
        for table in _even(batches):
            embeddings = _embeddings(table)
            truth.see(embeddings)
            writing.write(table, embeddings)
    state = IndexState(version, rows, "", 0.0, 0.0, 0, fitted)
    state = IndexState(
        version,
        rows,
        datetime.now(UTC).isoformat(timespec="seconds"),
        round(time.perf_counter() - began, 1),
        truth.recall_of(Index(folder, state)),
        len(truth.queries),
        fitted,
    )
    use_folder(home, folder, state)
    return state


class _Writing:
    """The files of an index that are written row by row."""

    def __init__(self, folder: Path, rows: int, codec: Codec, taxon_columns: Sequence[str]) -> None:
        self._folder = folder
        self._codec = codec
        self._at = 0
        self._row_ids = _file(folder / "row_ids.npy", np.uint64, (rows,))
        self._is_missing = _file(folder / "is_missing.npy", np.bool_, (rows,))
        self._taxa = _file(folder / "taxa.npy", np.int32, (len(taxon_columns), rows))
        starts = (0, *part_ends(codec.dim)[:-1])
        self._spans = list(zip(starts, part_ends(codec.dim), strict=True))
        self._codes = [
            _file(folder / f"codes_{number}.npy", np.int8, (rows, end - start))
            for number, (start, end) in enumerate(self._spans)
        ]
        self._misfits: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self._misfit_embeddings: list[Vectors] = [np.empty((0, codec.dim), dtype=np.float32)]
        self._names: dict[str, dict[str, int]] = {column: {} for column in taxon_columns}
        self._rows: pa.RecordBatchFileWriter | None = None

    def write(self, table: "pa.Table", embeddings: Vectors) -> None:
        span = slice(self._at, self._at + len(table))
        self._row_ids[span] = table["_rowid"].to_numpy()
        self._is_missing[span] = table["missing_since"].is_valid().to_numpy()
        codes = self._codec.encode(embeddings)
        for part, (start, end) in zip(self._codes, self._spans, strict=True):
            part[span] = codes[:, start:end]
        misfits = self._codec.misfits(embeddings)
        self._misfits.append(misfits + self._at)
        self._misfit_embeddings.append(embeddings[misfits])
        for number, (column, names) in enumerate(self._names.items()):
            self._taxa[number, span] = _coded(table[column], names)
        self._write_rows(table.drop_columns(["_rowid", "embedding"]))
        self._at = span.stop

    def _write_rows(self, table: "pa.Table") -> None:
        import pyarrow as pa

        if self._rows is None:
            self._rows = pa.ipc.new_file(str(self._folder / "rows.arrow"), table.schema)
        for batch in table.combine_chunks().to_batches():
            self._rows.write_batch(batch)

    def close(self) -> None:
        if self._rows is not None:
            self._rows.close()
        for array in (self._row_ids, self._is_missing, self._taxa, *self._codes):
            array.flush()
        np.save(self._folder / "misfits.npy", np.concatenate(self._misfits))
        np.save(self._folder / "misfit_embeddings.npy", np.concatenate(self._misfit_embeddings))
        names = {column: list(codes) for column, codes in self._names.items()}
        (self._folder / "names.json").write_text(json.dumps(names), encoding="utf-8")


class _Truth:
    """The nearest neighbours of some embeddings by comparison with every one, kept while they pass."""

    def __init__(self, queries: Vectors) -> None:
        self.queries = queries
        self._scores = np.full((len(queries), _NEIGHBOURS), -2.0, dtype=np.float32)
        self._places = np.full((len(queries), _NEIGHBOURS), -1, dtype=np.int64)
        self._seen = 0

    def see(self, embeddings: Vectors) -> None:
        places = np.broadcast_to(
            np.arange(self._seen, self._seen + len(embeddings)), (len(self.queries), len(embeddings))
        )
        scores = np.concatenate([self._scores, self.queries @ embeddings.T], axis=1)
        best = np.argpartition(-scores, _NEIGHBOURS - 1, axis=1)[:, :_NEIGHBOURS]
        self._scores = np.take_along_axis(scores, best, axis=1)
        self._places = np.take_along_axis(np.concatenate([self._places, places], axis=1), best, axis=1)
        self._seen += len(embeddings)

    def recall_of(self, index: Index) -> float:
        """The share of the nearest that are among what a search for them looks at by their embeddings."""
        found = 0
        for query, truth in zip(self.queries, self._places, strict=True):
            places, *_ = index.best(query, _NEIGHBOURS + MARGIN)
            found += int(np.isin(truth, places).sum())
        return found / max(1, self._places.size)


def _even(batches: "Iterable[pa.RecordBatch]") -> "Iterator[pa.Table]":
    """The same rows in tables of ROWS_AT_ONCE, but for the last."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        while count >= ROWS_AT_ONCE:
            table = pa.Table.from_batches(held)
            yield table.slice(0, ROWS_AT_ONCE)
            held = table.slice(ROWS_AT_ONCE).to_batches()
            count -= ROWS_AT_ONCE
    if count:
        yield pa.Table.from_batches(held)


def _embeddings(table: "pa.Table") -> Vectors:
    column = table["embedding"].combine_chunks()
    flat = column.flatten().to_numpy(zero_copy_only=False)
    embeddings: Vectors = flat.reshape(len(column), -1).astype(np.float32)
    return embeddings


def _coded(column: "pa.ChunkedArray", names: dict[str, int]) -> npt.NDArray[np.int32]:
    """Names as numbers, -1 for none; new ones are added to `names`."""
    encoded = column.combine_chunks().dictionary_encode()
    codes = [names.setdefault(name, len(names)) for name in encoded.dictionary.to_pylist()]
    lookup = np.array([*codes, -1], dtype=np.int32)
    indices = encoded.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
    coded: npt.NDArray[np.int32] = lookup[indices]
    return coded


def _file(path: Path, dtype: type, shape: tuple[int, ...]) -> "np.memmap[tuple[int, ...], np.dtype[np.generic]]":
    return np.lib.format.open_memmap(path, "w+", dtype, shape)
