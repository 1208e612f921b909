"""Text embeddings of many taxa, in the layout of the TreeOfLife data sets (see `identification.tree_of_life`).

The published script leaves the columns of its last, smaller batch at zero; here every column is written, and
what an interruption left is taken up. The array grows in a file: memory does not grow with the taxa.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bioclip_search.atomic import write_json
from bioclip_search.darwin_core import NAME_TERMS, specimen_of
from bioclip_search.embedder import Embedder
from bioclip_search.errors import RecordError, UsageError
from bioclip_search.identification.candidates import read_taxa as read_names
from bioclip_search.identification.taxa import TaxonTable
from bioclip_search.identification.text_origin import TextOrigin
from bioclip_search.identification.tree_of_life import read_published_taxa
from bioclip_search.records import stream_table
from bioclip_search.taxonomy import RANKS, Taxon
from bioclip_search.text import printable
from training.metrics import Progress

__all__ = ["TextsReport", "published_text", "read_taxa", "write_texts"]

_TAXA_AT_ONCE = 64
_BATCHES_BETWEEN_NOTES = 16


@dataclass(frozen=True, slots=True)
class TextsReport:
    """What was written: the array's file, and its size, [dim, taxa]."""

    file: Path
    taxa: int
    dim: int


def read_taxa(file: Path) -> TaxonTable:
    """The distinct taxa of a list: a name a line, a table of ranks, or the JSON of published embeddings.

    Raises RecordError for a file that cannot be read or that names no taxon.
    """
    if file.suffix.lower() == ".json":
        table = read_published_taxa(file)
    elif {*NAME_TERMS, "vernacularName"}.intersection((stream := stream_table(file)).columns):
        table = TaxonTable.of(specimen_of(record).taxon for record in stream.records)
    else:
        table = TaxonTable.of(read_names(file, TaxonTable.of([])))
    distinct = table.distinct()[0]
    named = (distinct.ranks >= 0).any(axis=1) | (distinct.commons >= 0)
    if not named.any():
        raise RecordError(
            f"{printable(str(file))} names no taxon; give one scientific name a line, or a table of ranks."
        )
    return distinct.take(named)


def published_text(taxon: Taxon) -> str:
    """What the published embeddings are made of: the seven names, the epithet last, and the common name."""
    return " ".join(name for name in _names(taxon) if name)


def _names(taxon: Taxon) -> list[str]:
    return [*(taxon.name_at(rank) or "" for rank in RANKS[:-1]), taxon.specific_epithet or "", taxon.common_name or ""]


def write_texts(
    embedder: Embedder, taxa: TaxonTable, file: Path, progress: Progress, *, force: bool = False
) -> TextsReport:
    """Write `file` (float32 [dim, taxa]), the JSON of the names and the model's origin beside it: whole, or not at all.

    Raises UsageError for a file that is there (without `force`) or cannot be written.
    """
    names = file.with_suffix(".json")
    if file.suffix != ".npy":
        raise UsageError(f"{printable(str(file))} must end in .npy; the names go into a file .json beside it.")
    if not force and (there := [one for one in (file, names) if one.exists()]):
        raise UsageError(f"{printable(str(there[0]))} is there already; name another file, or give --force.")
    part = _Part(file, embedder, taxa)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.fill(progress)
        file.unlink(missing_ok=True)  # never an old array beside new names
        write_json(names, [[_names(taxa[row])[:7], _names(taxa[row])[7]] for row in range(len(taxa))])
        TextOrigin.of(embedder.fingerprint, names).write(file)
        part.put_in_place()
    except OSError as error:
        raise UsageError(
            f"The text embeddings {printable(str(file))} cannot be written ({error.strerror or error}); "
            "mend that and give the same command again."
        ) from error
    return TextsReport(file, len(taxa), embedder.dim)


class _Part:
    """The array that is being filled, and a note of how far it is."""

    def __init__(self, file: Path, embedder: Embedder, taxa: TaxonTable) -> None:
        self._file, self._embedder, self._taxa = file, embedder, taxa
        self._array = file.with_name(f".{file.name}.part")
        self._note = file.with_name(f".{file.name}.part.json")
        self._shape = (embedder.dim, len(taxa))
        digest = hashlib.sha256(repr((embedder.fingerprint, str(embedder.dtype))).encode())
        for row in range(len(taxa)):
            digest.update(published_text(taxa[row]).encode() + b"\0")
        self._task = digest.hexdigest()

    def fill(self, progress: Progress) -> None:
        done = self._done()
        progress.begin(len(self._taxa) - done)
        if done:
            progress.say(f"going on after {done:,} taxa")
        mode = "r+" if done else "w+"
        array = np.lib.format.open_memmap(self._array, mode=mode, dtype=np.float32, shape=None if done else self._shape)
        try:
            for number, rows in enumerate(self._batches(done), start=1):
                texts = [published_text(self._taxa[row]) for row in rows]
                array[:, rows.start : rows.stop] = self._embedder.encode_names(texts).T
                done = rows.stop
                progress.advance(len(rows))
                if number % _BATCHES_BETWEEN_NOTES == 0:
                    self._keep(array, done)
        finally:
            self._keep(array, done)

    def _keep(self, array: np.memmap, done: int) -> None:
        array.flush()
        write_json(self._note, {"task": self._task, "done": done})

    def _batches(self, done: int) -> Iterator[range]:
        for start in range(done, len(self._taxa), _TAXA_AT_ONCE):
            yield range(start, min(start + _TAXA_AT_ONCE, len(self._taxa)))

    def _done(self) -> int:
        """Taxa that an interrupted run of the same model and list has written."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            same = note["task"] == self._task
            whole = np.load(self._array, mmap_mode="r", allow_pickle=False).shape == self._shape
            return int(note["done"]) if same and whole else 0
        except (OSError, ValueError, LookupError, TypeError):
            return 0

    def put_in_place(self) -> None:
        with self._array.open("rb") as stream:
            os.fsync(stream.fileno())
        self._array.replace(self._file)
        self._note.unlink(missing_ok=True)
