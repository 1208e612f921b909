"""Photos of a folder that a table describes: Darwin Core, TreeOfLife's catalogue, or what `train assemble` writes."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from bioclip_search.darwin_core import specimen_of
from bioclip_search.errors import RecordError, UsageError
from bioclip_search.records import Record, stream_table
from bioclip_search.taxonomy import Taxon
from bioclip_search.text import printable
from training.shards.files import FolderFiles
from training.shards.packs import SEPARATOR
from training.shards.sample import SourcePhoto, specimen_id
from training.shards.source import WITHOUT_FILE, WITHOUT_NAME

__all__ = ["TableSource"]

_FILE_COLUMNS = (
    *("file", "fileName", "file_name", "filename", "filepath", "file_path", "path", "image_path", "image"),
    *("associatedMedia", "accessURI", "identifier"),
)
_SEVERAL = re.compile(r"\s*[|;]\s*")
_IN_FILE_NAMES = ("treeoflife_id", "catalogNumber", "occurrenceID")


class TableSource:
    """Rows of a table and the files that they name.

    A row names its files by a path from the folder (or, without a folder, from that of the table), by an
    address whose last part is a file name there, or by a treeoflife_id, catalogNumber or occurrenceID that is
    a file's name without its suffix. A column `captions` may hold sentences about the photo, with | between them.
    """

    def __init__(self, table: Path, folder: Path | None = None, columns: Mapping[str, str] | None = None) -> None:
        """Raises RecordError or UsageError for a table or a folder that cannot be used."""
        self._table, self._folder = table, folder or table.parent
        self._columns = dict(columns or {})
        self.label = f"records {table.name}"
        self.left_out: Counter[str] = Counter()
        self._files = FolderFiles(self._folder)
        if not os.path.isdir(self._folder):
            raise UsageError(f"There is no folder {printable(str(self._folder))} of photos; check the spelling.")
        names = stream_table(table, self._columns).columns
        if not {*_FILE_COLUMNS, *_IN_FILE_NAMES}.intersection(names):
            raise RecordError(
                f"{printable(str(table))} has no column that names files; it needs one of associatedMedia, fileName, "
                "treeoflife_id or catalogNumber, or say which column it is: --map associatedMedia=COLUMN."
            )

    def state(self) -> str:
        status = self._table.stat()
        return f"{status.st_size} bytes of {status.st_mtime_ns}, {sorted(self._columns.items())}"

    def photos(self) -> Iterator[SourcePhoto]:
        with closing(self._files):
            for record in stream_table(self._table, self._columns).records:
                yield from self._photos_of(record)

    def _photos_of(self, record: Record) -> Iterator[SourcePhoto]:
        taxon = specimen_of(_with_darwin_core_names(record)).taxon
        files = self._files_of(record)
        if not files:
            self.left_out[WITHOUT_FILE] += 1
        elif taxon.scientific_name is None and taxon.common_name is None:
            self.left_out[WITHOUT_NAME] += len(files)
        else:
            # All files of a record show one specimen, whether or not it has a number.
            specimen = record.get("specimen") or specimen_id(record, f"file:{record.get('photoID') or files[0][0]}")
            yield from (self._photo(file, name, record, taxon, specimen) for name, file in files)

    def _photo(self, file: str, name: str, record: Record, taxon: Taxon, specimen: str) -> SourcePhoto:
        return SourcePhoto(
            file=file,
            name=record.get("photoID") or name,
            taxon=taxon,
            specimen=specimen,
            scientific_name=record.get("scientificName"),
            source=record.get("source") or record.get("data_source") or "records",
            captions=tuple(filter(None, map(str.strip, record.get("captions", "").split("|")))),
        )

    def _files_of(self, record: Record) -> list[tuple[str, str]]:
        """The files of a record that are there: what they are called in the table's own terms, and where they are."""
        named = [entry for column in _FILE_COLUMNS for entry in _entries(column, record.get(column))]
        found = [(entry, file) for entry in dict.fromkeys(named) if (file := self._find(entry))]
        if found:
            return found
        numbers = (record[column] for column in _IN_FILE_NAMES if column in record)
        return [(name, os.path.join(self._folder, name)) for n in numbers for name in self._files.by_stem(n)]

    def _find(self, entry: str) -> str | None:
        if "://" in entry:
            name = self._files.by_name(unquote(urlsplit(entry).path).rsplit("/", 1)[-1])
            return os.path.join(self._folder, name) if name else None
        path = entry.replace("\\", "/")
        if ".." in PurePosixPath(path).parts:
            return None  # a table from elsewhere has no business outside of its folder
        whole = os.path.join(self._folder, path)
        return whole if os.path.isfile(whole.partition(SEPARATOR)[0]) else None


def _entries(column: str, value: str | None) -> list[str]:
    """The files that a cell names; only Darwin Core lists several in one."""
    if value is None:
        return []
    return [entry for entry in _SEVERAL.split(value) if entry] if column == "associatedMedia" else [value]


def _with_darwin_core_names(record: Record) -> Record:
    """The record with the columns of TreeOfLife's catalogue called as Darwin Core has them."""
    named = dict(record)
    if "vernacularName" not in named and (common := record.get("common") or record.get("common_name")):
        named["vernacularName"] = common
    if "class" not in named and "cls" in record:
        named["class"] = record["cls"]
    genus, species = record.get("genus"), record.get("species")
    if genus and species and " " in species and species[0].islower():
        named["species"] = f"{genus} {species}"  # an epithet of two words: a subspecies
    return named
