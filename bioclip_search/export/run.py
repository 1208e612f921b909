"""Export photos: choose the rows, find the columns, write the file."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Embedder
from bioclip_search.errors import QueryError, UsageError
from bioclip_search.export.archive import write_archive
from bioclip_search.export.flat import write_csv, write_jsonl, write_parquet
from bioclip_search.export.layout import STORED_COLUMNS, Layout, Survey, specimen_ids, survey
from bioclip_search.export.scratch import Scratch
from bioclip_search.export.selection import Selection
from bioclip_search.export.target import check_target, written_aside
from bioclip_search.filters import Filter
from bioclip_search.query import Query, resolve_taxon, search
from bioclip_search.schema import EMBEDDING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FORMATS", "STANDARD_OUTPUT", "Choice", "ExportOptions", "Exported", "export_photos"]

FORMATS = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".zip": "dwca"}
"""Formats by the suffix of the file."""

STANDARD_OUTPUT = Path("-")

_STREAMED = ("csv", "jsonl")


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to write, and where: `target` is absolute, or STANDARD_OUTPUT.

    `format` is one of FORMATS, by default that of the target's suffix. Raises UsageError for
    options that contradict each other.
    """

    target: Path
    format: str = ""
    vectors: bool = False
    raw: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        if not self.format:
            object.__setattr__(self, "format", FORMATS.get(self.target.suffix.lower(), ""))
        if not self.format:
            raise UsageError(
                "Which format is meant? Let the name of the file end in .csv, .jsonl, .parquet or .zip (a Darwin Core "
                "Archive), or give --as."
            )
        if self.target == STANDARD_OUTPUT and self.format not in _STREAMED:
            raise UsageError(f"A file of the format {self.format} cannot go to standard output; name a file.")
        if self.vectors and self.format not in ("parquet", "jsonl"):
            raise UsageError(f"Embeddings do not fit into {self.format}; write --vectors as parquet (or jsonl).")
        if self.raw and self.format != "csv":
            raise UsageError("--raw is for csv: only there are cells guarded against spreadsheets.")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `differing` photos have another record than other photos of their specimen."""

    photos: int
    specimens: int
    differing: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """Which photos: all, those of a taxon, the hits of a query, or those that lines name by path or photo_id.

    Raises UsageError for more than one of these.
    """

    taxon: str | None = None
    query: Query | None = None
    lines: Iterable[str] | None = None
    include_missing: bool = False

    def __post_init__(self) -> None:
        if sum(choice is not None for choice in (self.taxon, self.query, self.lines)) > 1:
            raise UsageError("A list says which photos are meant; leave --taxon, --text and --image out.")


def export_photos(
    catalogue: Catalogue, options: ExportOptions, choice: Choice, embedder: Callable[[], Embedder]
) -> Exported:
    """Write photos with their specimens, some thousand rows at a time; `embedder` is as for `search`.

    Raises QueryError when nothing is chosen or cannot be looked for, UsageError for a target that may not
    or cannot be written.
    """
    if options.target != STANDARD_OUTPUT:
        check_target(options.target, catalogue, force=options.force)
    with Scratch() as scratch:
        taxon = () if choice.taxon is None else (resolve_taxon(catalogue, choice.taxon),)
        where = Filter(taxa=taxon, include_missing=True).sql
        selection = Selection(catalogue, scratch, where, include_missing=choice.include_missing)
        if choice.query is not None:
            selection.list_hits(search(catalogue, choice.query, embedder))
        if choice.lines is not None:
            selection.list_lines(choice.lines)
        return _write(catalogue, selection, scratch, options)


def _write(catalogue: Catalogue, selection: Selection, scratch: Scratch, options: ExportOptions) -> Exported:
    found = survey(selection)
    if not found.photos:
        raise QueryError(
            "There is no photo to export; `bioclip-search info` shows what the catalogue holds, and --include-missing "
            "takes photos whose files are gone."
        )
    if options.format == "dwca":
        with written_aside(options.target) as aside:
            return Exported(found.photos, *write_archive(aside, selection, scratch, found))
    return _write_table(catalogue, selection, scratch, options, found)


def _write_table(
    catalogue: Catalogue, selection: Selection, scratch: Scratch, options: ExportOptions, found: Survey
) -> Exported:
    layout = Layout(
        found.terms,
        typed=options.format != "csv",
        ranked=selection.ranked,
        dim=catalogue.fingerprint.dim if options.vectors else 0,
    )
    specimens = 0

    def tables() -> "Iterator[pa.Table]":
        nonlocal specimens
        for rows in selection.batches([*STORED_COLUMNS, *([EMBEDDING] if options.vectors else [])]):
            specimens += sum(scratch.meet(specimen)[0] for specimen in specimen_ids(rows))
            yield layout.arrange(rows)

    is_stream = options.target == STANDARD_OUTPUT
    with nullcontext(options.target) if is_stream else written_aside(options.target) as path:
        if options.format == "parquet":
            write_parquet(path, layout.schema(), tables())
            return Exported(found.photos, specimens)
        with nullcontext(sys.stdout) if is_stream else path.open("w", encoding="utf-8", newline="") as stream:
            if options.format == "csv":
                write_csv(stream, layout.schema(), tables(), raw=options.raw)
            else:
                write_jsonl(stream, layout.schema(), tables())
    return Exported(found.photos, specimens)
