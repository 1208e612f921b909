"""The catalogue: a folder with a LanceDB table of photos, one row a photo, and a journal beside it.

Rows are written by merge on the key, one writer at a time, so that no photo
has two rows; every write is one atomic commit.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bioclip_search._version import __version__
from bioclip_search.branches import Branches
from bioclip_search.content import ContentSet
from bioclip_search.errors import (
    CatalogueDamaged,
    CatalogueError,
    CatalogueNotFound,
    CatalogueTooNew,
    ModelMismatch,
    QueryError,
)
from bioclip_search.filters import Filter
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.journal import Journal
from bioclip_search.listing import Listing, Listings
from bioclip_search.paths import is_below
from bioclip_search.record_search import RecordMatch, RecordSearch
from bioclip_search.schema import (
    EMBEDDING,
    EMBEDDING_FOR_TEXT,
    IS_FOR_TEXT,
    KEY,
    PHOTO_COLUMNS,
    PRESENT,
    RECORD_TEXT,
    SCHEMA_VERSION,
    SPECIMEN_COLUMNS,
    TAXON_COLUMNS,
    THUMBNAIL,
    photo_from_row,
    photo_id,
    photo_schema,
    photo_table,
    record_text,
    specimen_row,
)
from bioclip_search.specimen import Photo, Specimen
from bioclip_search.storage import CACHE_BYTES, among, chunks, connect, lance_errors, quoted, scan, writing
from bioclip_search.taxonomy import RANKS, Taxon
from bioclip_search.text_column import TextColumn, text_fields, with_text_embeddings
from bioclip_search.vector_search import IndexReport, Neighbour, VectorSearch
from bioclip_search.vectors import unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Catalogue", "TaxonCount"]

_PHOTOS = "photos"
_DESCRIBED_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class TaxonCount:
    """A distinct taxon of the catalogue and the number of photos that carry exactly it."""

    taxon: Taxon
    photos: int


class Catalogue:
    """An open catalogue. Make one with `create` or `open`.

    `for_text` is its second column of embeddings, which not every catalogue has; methods that take `for_text`
    compare by that one, and raise QueryError where there is none.
    """

    def __init__(
        self, folder: Path, connection: Any, photos: Any, fingerprint: Fingerprint, *, is_past: bool = False
    ) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        self.journal = Journal(folder, connection)
        self.for_text = TextColumn(folder, photos)
        self._photos = photos
        self._vectors = VectorSearch(folder, photos, is_past=is_past)
        self._vectors_for_text = VectorSearch(folder, photos, EMBEDDING_FOR_TEXT, is_past=is_past)
        self._listings = Listings(folder, photos, self._vectors, lambda version: _open_at(connection, version))
        self._records = RecordSearch(photos, is_past=is_past)
        self._names: dict[bool, tuple[int, dict[str, set[str]]]] = {}
        self._described = 0

    @classmethod
    def exists(cls, folder: Path) -> bool:
        """Whether there is a catalogue; waits for another process that is just making one."""
        if not os.path.isdir(folder / f"{_PHOTOS}.lance"):
            return False
        if cls._is_whole(folder):
            return True
        with writing(folder):
            return cls._is_whole(folder) or any((folder / f"{_PHOTOS}.lance" / "data").glob("*"))

    @staticmethod
    def _is_whole(folder: Path) -> bool:
        """Whether the table was committed at least once (a table without a version is none)."""
        return any((folder / f"{_PHOTOS}.lance" / "_versions").glob("*.manifest"))

    @classmethod
    def create(cls, folder: Path, fingerprint: Fingerprint) -> "Catalogue":
        """Make an empty catalogue for one model.

        Raises CatalogueError when the folder cannot be written or holds other things.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CatalogueError(
                f"The catalogue folder {folder} cannot be made ({error.strerror}); choose another with --catalogue."
            ) from error
        metadata = {
            "bioclip_search.schema": str(SCHEMA_VERSION),
            "bioclip_search.version": __version__,
            "bioclip_search.fingerprint": fingerprint.to_json(),
        }
        with writing(folder):
            connection = connect(folder)
            if cls._is_whole(folder):
                raise CatalogueError(f"Another run has just made the catalogue {folder}; give the command again.")
            if any(not entry.name.startswith((".", f"{_PHOTOS}.lance")) for entry in folder.iterdir()):
                raise CatalogueError(
                    f"The folder {folder} holds other files and no catalogue; choose a new one with --catalogue."
                )
            # What a run left that was killed in this very moment is no table yet, and is made anew.
            photos = connection.create_table(_PHOTOS, schema=photo_schema(fingerprint.dim, metadata), mode="overwrite")
            photos.set_unenforced_primary_key(KEY)
        return cls(folder, connection, photos, fingerprint)

    @classmethod
    def open(cls, folder: Path, as_of: int | None = None, *, cache_bytes: int = CACHE_BYTES) -> "Catalogue":
        """Open a catalogue, for reading also as it was at one of its versions (see `history`).

        A smaller cache takes less memory, and longer to search words in records and to write.

        Raises CatalogueNotFound, CatalogueDamaged, CatalogueTooNew, or CatalogueError for a version
        that is not there.
        """
        if not cls.exists(folder):
            raise CatalogueNotFound(
                f"There is no catalogue at {folder}. Make one with `bioclip-search index PHOTOS`, "
                "or name another place with --catalogue."
            )
        with lance_errors(folder):
            connection = connect(folder, cache_bytes)
            photos = connection.open_table(_PHOTOS)
            metadata = {key.decode(): value.decode() for key, value in (photos.schema.metadata or {}).items()}
        fingerprint = _read_fingerprint(folder, metadata)
        if as_of is None:
            _add_missing_columns(folder, photos, fingerprint.dim)
        else:
            _check_out(folder, photos, as_of)
        return cls(folder, connection, photos, fingerprint, is_past=as_of is not None)

    def require_model(self, fingerprint: Fingerprint) -> None:
        """Raise ModelMismatch unless embeddings of this model can be compared with the catalogue's."""
        if not fingerprint.matches(self.fingerprint):
            raise ModelMismatch(
                f"The catalogue {self.folder} was built with the model {self.fingerprint}, not with {fingerprint}. "
                f"Use that model (and --preprocess {self.fingerprint.fit} to index), or another --catalogue."
            )

    # Writing

    def upsert(
        self, photos: Sequence[Photo], embeddings: npt.NDArray[np.floating[Any]], thumbnails: Sequence[bytes]
    ) -> None:
        """Add photos, or replace the rows of those that are there: one commit.

        `embeddings` are unit length [n, dim]; they are kept as float16. The same photo must not
        occur twice in one call. What the model for texts made of a photo's row before is emptied.
        """
        if photos:
            self._merge(photo_table(photos, embeddings, thumbnails))

    def describe(self, specimens: Mapping[str, Specimen]) -> None:
        """Set the Darwin Core columns of rows, by photo_id; embeddings stay as they are."""
        import pyarrow as pa

        whole = photo_schema(self.fingerprint.dim)
        schema = pa.schema([whole.field(name) for name in (KEY, *SPECIMEN_COLUMNS, RECORD_TEXT)])
        for chunk in chunks(list(specimens), _DESCRIBED_AT_ONCE):
            rows = [
                {KEY: key, **specimen_row(specimens[key]), RECORD_TEXT: record_text(specimens[key])} for key in chunk
            ]
            with self._writing():
                table = pa.Table.from_pylist(rows, schema=schema)
                self._photos.merge_insert(KEY).when_matched_update_all().execute(table)
            self._described += len(chunk)

    def copy(self, photos: Sequence[Photo]) -> list[Photo]:
        """Add photos whose content is in the catalogue already: embeddings and thumbnail are copied.

        Returns the photos whose content is not (or no longer) there; they are left out.
        """
        second = self.for_text.fingerprint
        stored: dict[str, dict[str, Any]] = {}
        for chunk in chunks([photo.content_hash for photo in photos]):
            columns = ["content_hash", THUMBNAIL, EMBEDDING, *([EMBEDDING_FOR_TEXT, IS_FOR_TEXT] if second else [])]
            for row in self._rows(among("content_hash", chunk), columns).to_pylist():
                if row["content_hash"] not in stored or row.get(IS_FOR_TEXT):
                    stored[row["content_hash"]] = row
        there = [photo for photo in photos if photo.content_hash in stored]
        if there:
            rows = [stored[photo.content_hash] for photo in there]
            embeddings = np.asarray([row[EMBEDDING] for row in rows], dtype=np.float32)
            table = photo_table(there, embeddings, [row[THUMBNAIL] for row in rows])
            if second:
                for_text = [row[EMBEDDING_FOR_TEXT] if row[IS_FOR_TEXT] else None for row in rows]
                table = with_text_embeddings(table, for_text, second)
            self._merge(table)
        return [photo for photo in photos if photo.content_hash not in stored]

    def remove(self, keys: Sequence[str]) -> None:
        """Delete rows by photo id."""
        for chunk in chunks(keys):
            with self._writing():
                self._photos.delete(among(KEY, chunk))

    def mark_missing(self, keys: Sequence[str], since: datetime | None) -> None:
        """Say since when the files of rows are not where they were; None says that they are back."""
        for chunk in chunks(keys):
            with self._writing():
                self._photos.update(among(KEY, chunk), values={"missing_since": since})

    def move(self, places: Mapping[str, tuple[str, str]]) -> None:
        """Give rows new places, by photo_id: (root, path); keys follow.

        New rows are written before old ones are deleted, so that stopping loses none; doing it again does the rest.
        """
        import pyarrow as pa

        schema = self._schema()
        for chunk in chunks(list(places)):
            rows = self._rows(among(KEY, chunk), list(schema.names))
            moved = [places[key] for key in rows[KEY].to_pylist()]
            columns = {name: rows[name] for name in schema.names}
            columns |= {
                KEY: pa.array([photo_id(root, path) for root, path in moved]),
                "root": pa.array([root for root, _ in moved]),
                "path": pa.array([path for _, path in moved]),
            }
            self._merge(pa.table(columns, schema=schema))
            written = set(columns[KEY].to_pylist())
            self.remove([key for key in chunk if key not in written])

    def compact(self, *, anew: bool = False) -> None:
        """Compact the files and bring the indices of values and words up to date, or with `anew` make them again."""
        from lancedb.index import FTS, Bitmap, BTree

        with self._writing():
            indexed = set() if anew else {index.columns[0] for index in self._photos.list_indices()}
            for column in (*(rank.value for rank in RANKS), "view"):
                if column not in indexed:
                    self._photos.create_index(column, config=Bitmap())
            for column in (KEY, "content_hash", "catalogNumber", "occurrenceID", "vernacularName", "missing_since"):
                if column not in indexed:
                    self._photos.create_index(column, config=BTree())
            if RECORD_TEXT not in indexed and self._photos.count_rows(f"{RECORD_TEXT} IS NOT NULL"):
                # Numbers and names are what records are asked for: nothing is stemmed or left out.
                self._photos.create_index(
                    RECORD_TEXT, config=FTS(stem=False, remove_stop_words=False, ascii_folding=True)
                )
            self._photos.optimize()

    def optimize(self, *, anew: bool = False) -> None:
        """Compact, and bring the index of embeddings up to date where there are enough photos for one.

        With `anew` it is written again in any case.
        """
        self.compact(anew=anew)
        with self._writing():
            self._vectors.refresh(anew=anew, described=self._described)
            if self.for_text.fingerprint is not None:
                self._vectors_for_text.refresh(anew=anew, described=self._described)
        self._described = 0

    # Reading

    def count(self, where: str | None = None) -> int:
        """Number of photos, or of those that a SQL condition selects."""
        with self._errors():
            return int(self._photos.count_rows(where))

    @property
    def version(self) -> int:
        """The number of the commit that is read now: it grows with every change."""
        with self._errors():
            return int(self._photos.version)

    def let_go(self) -> None:
        """Give back the memory of what was read of indices; programs that stay open ask for it after a search."""
        self._vectors.let_go()
        self._vectors_for_text.let_go()

    def roots(self) -> list[str]:
        """The folders that were indexed, in alphabetical order."""
        return sorted(set(self._rows(None, ["root"])["root"].to_pylist()))

    def paths(self, root: str) -> list[str]:
        """The paths of all photos of one root."""
        paths: list[str] = self._rows(f"root = {quoted(root)}", ["path"])["path"].to_pylist()
        return paths

    def places_below(self, folder: str) -> list[tuple[str, str, str]]:
        """photo_id, root and path of the photos at or below an absolute folder, in no particular order."""
        found: list[tuple[str, str, str]] = []
        for root in self.roots():
            if not (is_below(root, [folder]) or is_below(folder, [root])):
                continue
            rows = self._rows(f"root = {quoted(root)}", [KEY, "path"])
            for key, path in zip(rows[KEY].to_pylist(), rows["path"].to_pylist(), strict=True):
                if is_below(os.path.join(root, path), [folder]):
                    found.append((key, root, path))
        return found

    def photos(self, where: str | None = None, limit: int | None = None) -> list[Photo]:
        """The photos that a SQL condition selects, in no particular order."""
        return [photo_from_row(row) for row in self._rows(where, list(PHOTO_COLUMNS), limit).to_pylist()]

    def scan(self, columns: Sequence[str], where: str | None = None) -> "Iterator[pa.RecordBatch]":
        """The rows that a SQL condition selects, streamed in small batches: memory does not grow with the table."""
        with self._errors():
            yield from scan(self._photos, columns, where)

    def known_files(self, root: str) -> "pa.Table":
        """All rows of one root: photo_id, path, size, mtime, content_hash, missing_since."""
        columns = [KEY, "path", "size", "mtime", "content_hash", "missing_since"]
        return self._rows(f"root = {quoted(root)}", columns)

    def contents(self) -> ContentSet:
        """The contents of all photos."""
        column = self._rows(None, ["content_hash"])["content_hash"]
        keys = (ContentSet.key(content_hash) for chunk in column.chunks for content_hash in chunk.to_pylist())
        return ContentSet(np.fromiter(keys, dtype=np.uint64, count=len(column)))

    def photos_by_content(self, hashes: Sequence[str]) -> dict[str, Photo]:
        """For every content hash that is in the catalogue one photo with it."""
        found: dict[str, Photo] = {}
        for chunk in chunks(hashes):
            photos = self.photos(among("content_hash", chunk))
            found.update((photo.content_hash, photo) for photo in photos)
        return found

    def photos_by_id(self, keys: Sequence[str]) -> dict[str, Photo]:
        """The photos of rows, by photo_id; those that are not there are left out."""
        found: dict[str, Photo] = {}
        for chunk in chunks(keys):
            for row in self._rows(among(KEY, chunk), list(PHOTO_COLUMNS)).to_pylist():
                found[row[KEY]] = photo_from_row(row)
        return found

    def specimens(self, keys: Sequence[str]) -> dict[str, Specimen]:
        """The specimens of rows, by photo_id."""
        return {key: photo.specimen for key, photo in self.photos_by_id(keys).items()}

    def embedding_of_content(self, content_hash: str, *, for_text: bool = False) -> npt.NDArray[np.float32] | None:
        """The embedding of any photo with this content, float32 [dim], or None."""
        found = self.embeddings(f"content_hash = {quoted(content_hash)}", for_text=for_text, limit=1)
        return next(iter(found.values()), None)

    def embeddings(
        self, where: str, *, for_text: bool = False, limit: int | None = None
    ) -> dict[str, npt.NDArray[np.float32]]:
        """The embeddings float32 [dim] of the photos that a SQL condition selects, by photo_id; for some thousands.

        Photos that the model for texts has not embedded are left out where its embeddings are asked for.
        """
        column = self._column(for_text=for_text)
        rows = self._rows(f"({where}) AND {IS_FOR_TEXT}" if for_text else where, [KEY, column], limit)
        vectors = (np.asarray(value, dtype=np.float32) for value in rows[column].to_pylist())
        return dict(zip(rows[KEY].to_pylist(), vectors, strict=True))

    def taxa(self, *, include_missing: bool = False) -> list[TaxonCount]:
        """Every distinct combination of ranks and common name, with its number of photos (that are not missing)."""
        columns = list(TAXON_COLUMNS)
        groups = (
            self._rows(None if include_missing else PRESENT, columns).group_by(columns).aggregate([([], "count_all")])
        )
        return [TaxonCount(Taxon.from_ranks(row), row["count_all"]) for row in groups.to_pylist()]

    def branches(self, *, include_missing: bool = False) -> Branches:
        """The same as a tree, of which a part is counted when it is asked for."""
        with self._errors():
            return self._listings.branches(include_missing=include_missing)

    def listing(self, filter_: Filter | None = None) -> Listing:
        """The photos that a filter leaves, in the order of root and path; read a window at a time."""
        with self._errors():
            return self._listings.listing(filter_ or Filter())

    def thumbnails(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The thumbnails (JPEG, 256 pixels) of rows, by photo_id; those that have none are left out."""
        found: dict[str, bytes] = {}
        for chunk in chunks(keys):
            rows = self._rows(among(KEY, chunk), [KEY, THUMBNAIL])
            pairs = zip(rows[KEY].to_pylist(), rows[THUMBNAIL].to_pylist(), strict=True)
            found.update((key, thumbnail) for key, thumbnail in pairs if thumbnail)
        return found

    def nearest(
        self,
        vector: npt.NDArray[np.floating[Any]],
        limit: int,
        filter_: Filter | None = None,
        *,
        exact: bool = False,
        for_text: bool = False,
    ) -> list[Neighbour]:
        """The photos nearest to a vector [dim], best first; the filter is applied before.

        `exact` compares every embedding without the index.
        """
        asked = unit(np.asarray(vector, dtype=np.float32))
        if not np.linalg.norm(asked) > 0:
            raise QueryError("There is nothing to compare with: the vector has no direction.")
        vectors = self._vectors_of(for_text=for_text)
        with self._errors():
            return vectors.nearest(asked, limit, filter_ or Filter(), exact=exact)

    def best_cosines(self, vectors: npt.NDArray[np.float32], *, for_text: bool = False) -> npt.NDArray[np.float32]:
        """For each of some unit vectors float32 [n, dim] the cosine of the nearest photo, float32 [n]."""
        search = self._vectors_of(for_text=for_text)
        with self._errors():
            return search.best_cosines(vectors)

    def in_records(self, words: str, limit: int, filter_: Filter, *, for_text: bool = False) -> list[RecordMatch]:
        """The photos whose records say all of the words, best first (BM25). Raises QueryError where no index of
        the records was made."""
        column = self._column(for_text=for_text)
        with self._errors():
            return self._records.matches(words, limit, filter_, column)

    def names(self, *, include_missing: bool = False) -> dict[str, set[str]]:
        """By column, ranks and vernacularName, the names that photos carry."""
        with self._errors():
            version = int(self._photos.version)
            known = self._names.get(include_missing)
            if known is None or known[0] != version:
                names = self._vectors.names(include_missing=include_missing)
                if names is None:
                    names = self._names_in_rows(include_missing)
                known = self._names[include_missing] = (version, names)
        return known[1]

    def _names_in_rows(self, include_missing: bool) -> dict[str, set[str]]:
        table = self._rows(None if include_missing else PRESENT, list(TAXON_COLUMNS))
        return {column: set(table[column].unique().drop_null().to_pylist()) for column in TAXON_COLUMNS}

    def index_report(self, *, for_text: bool = False) -> IndexReport:
        """How the nearest are found, and how many photos the index does not know."""
        vectors = self._vectors_of(for_text=for_text)
        with self._errors():
            return vectors.report()

    def _vectors_of(self, *, for_text: bool) -> VectorSearch:
        return self._vectors_for_text if self._column(for_text=for_text) == EMBEDDING_FOR_TEXT else self._vectors

    def _column(self, *, for_text: bool) -> str:
        """The column of embeddings that is meant. Raises QueryError where there is no second one."""
        if not for_text:
            return EMBEDDING
        self.for_text.require()
        return EMBEDDING_FOR_TEXT

    def _schema(self) -> "pa.Schema":
        """The columns that the table has, without what LanceDB knows of them."""
        import pyarrow as pa

        schema = photo_schema(self.fingerprint.dim)
        second = self.for_text.fingerprint
        return schema if second is None else pa.schema([*schema, *text_fields(second)])

    def _rows(self, where: str | None, columns: list[str], limit: int | None = None) -> "pa.Table":
        with self._errors():
            query = self._photos.search().select(columns)
            if where is not None:
                query = query.where(where)
            return query.limit(limit).to_arrow()

    def _merge(self, table: "pa.Table") -> None:
        with self._writing():
            merge = self._photos.merge_insert(KEY).when_matched_update_all().when_not_matched_insert_all()
            merge.execute(self.for_text.completed(table))

    def _errors(self) -> AbstractContextManager[None]:
        return lance_errors(self.folder)

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self.folder)


def _add_missing_columns(folder: Path, photos: Any, dim: int) -> None:
    """Bring a table of an older schema up to date: its rows have nothing in the new columns, but the text of their
    records, which is made of the others."""
    missing = [field for field in photo_schema(dim) if field.name not in photos.schema.names]
    if not missing:
        return
    with writing(folder):
        others = [field for field in missing if field.name != RECORD_TEXT]
        if others:
            photos.add_columns(others)
        if len(others) < len(missing):
            values = ", ".join(f"CAST(`{column}` AS STRING)" for column in SPECIMEN_COLUMNS)
            photos.add_columns({RECORD_TEXT: f"nullif(concat_ws(' ', {values}), '')"})


def _open_at(connection: Any, version: int) -> Any:
    """The table as it is at a version, whatever is written later."""
    photos = connection.open_table(_PHOTOS)
    photos.checkout(version)
    return photos


def _check_out(folder: Path, photos: Any, version: int) -> None:
    """Let a table be read as it was. Raises CatalogueError for a version that is not there."""
    with lance_errors(folder):
        kept = {entry["version"] for entry in photos.list_versions()}
        if version not in kept:
            raise CatalogueError(
                f"The catalogue {folder} has no version {version}; `bioclip-search history` lists those it has."
            )
        photos.checkout(version)


def _read_fingerprint(folder: Path, metadata: Mapping[str, str]) -> Fingerprint:
    try:
        version = int(metadata["bioclip_search.schema"])
        if version > SCHEMA_VERSION:
            written_by = metadata.get("bioclip_search.version", "a newer version")
            raise CatalogueTooNew(
                f"The catalogue {folder} was written by bioclip-search {written_by}; this is {__version__}. "
                "Update the program to open it."
            )
        return Fingerprint.from_json(metadata["bioclip_search.fingerprint"])
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogueDamaged(
            f"The folder {folder} holds a table that is not a catalogue of this program; name another with --catalogue."
        ) from error
