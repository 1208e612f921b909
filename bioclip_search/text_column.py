"""The second column of embeddings, for texts: a general CLIP knows prose, where BioCLIP knows names.

The column is there only in catalogues that were given such a model. Its fingerprint is kept with the column
itself, as metadata of the field: versions of the table have it, lose it and get it back together.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bioclip_search.errors import CatalogueDamaged, ModelMismatch, QueryError
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.schema import EMBEDDING_FOR_TEXT, IS_FOR_TEXT, KEY, NOT_FOR_TEXT, embedding_array, embedding_type
from bioclip_search.storage import among, chunks, lance_errors, writing
from bioclip_search.vector_search import drop_indices

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["NO_MODEL", "TextColumn", "text_fields", "with_text_embeddings"]

NO_MODEL = "none"
"""Said in the place of a model's name where a catalogue shall have no model for texts."""

_COLUMNS = (EMBEDDING_FOR_TEXT, IS_FOR_TEXT)
_FINGERPRINT = b"bioclip_search.fingerprint"


class TextColumn:
    """The embeddings for texts in the table of a catalogue, if it has any."""

    def __init__(self, folder: Path, table: Any) -> None:
        self._folder = folder
        self._table = table

    @property
    def fingerprint(self) -> Fingerprint | None:
        """The model for texts; None where the catalogue has none. Raises CatalogueDamaged."""
        with lance_errors(self._folder):
            return self._fingerprint()

    def require(self) -> Fingerprint:
        """The model for texts. Raises QueryError where the catalogue has none."""
        fingerprint = self.fingerprint
        if fingerprint is None:
            raise QueryError(
                f"The catalogue {self._folder} has no second model for texts; "
                "`bioclip-search index PHOTOS --model-for-text NAME` adds one."
            )
        return fingerprint

    def require_model(self, fingerprint: Fingerprint) -> None:
        """Raise ModelMismatch unless the catalogue has no model for texts, or this one."""
        own = self.fingerprint
        if own is not None and not fingerprint.matches(own):
            raise ModelMismatch(
                f"The catalogue {self._folder} has the model for texts {own}, not {fingerprint}. Use that model, or "
                f"take its embeddings out first: `bioclip-search index PHOTOS --model-for-text {NO_MODEL}`."
            )

    def add(self, fingerprint: Fingerprint) -> None:
        """Make the column for a model, with nothing in it yet; where it is there already nothing is done.

        Raises ModelMismatch if it is another model's.
        """
        with writing(self._folder):
            is_there = self._fingerprint() is not None
            if not is_there:
                self._table.add_columns(text_fields(fingerprint))
        if is_there:
            self.require_model(fingerprint)

    def drop(self) -> None:
        """Take the column out, and its model; versions of the past keep it."""
        with writing(self._folder):
            if self._fingerprint() is not None:
                self._table.drop_columns(list(_COLUMNS))
                drop_indices(self._folder, EMBEDDING_FOR_TEXT)

    def count(self) -> int:
        """The number of photos that the model for texts has embedded."""
        with lance_errors(self._folder):
            return int(self._table.count_rows(IS_FOR_TEXT))

    def lacking(self) -> int:
        """The number of photos, missing ones left out, that the model for texts has not embedded."""
        with lance_errors(self._folder):
            return int(self._table.count_rows(NOT_FOR_TEXT))

    def fill(
        self, fingerprint: Fingerprint, contents: Mapping[str, str], embeddings: npt.NDArray[np.floating[Any]]
    ) -> int:
        """Set embeddings, unit length [n, dim], of rows: `contents` are the hashes of what was embedded, by photo_id.

        A row that has got other content meanwhile, or is there no longer, is left out. One commit a thousand rows;
        returns how many rows were set. Raises ModelMismatch if the column is not that of the model any more.
        """
        written = 0
        vectors = dict(zip(contents, embeddings, strict=True))
        for chunk in chunks(list(contents)):
            with writing(self._folder):
                own = self._fingerprint()
                if own is None or not own.matches(fingerprint):
                    raise ModelMismatch(f"Another run has changed the model for texts of the catalogue {self._folder}.")
                rows = self._table.search().where(among(KEY, chunk)).limit(None).to_arrow()
                rows = rows.filter([contents[key] == content for key, content in _contents(rows)])
                if rows.num_rows:
                    filled = [vectors[key] for key in rows[KEY].to_pylist()]
                    rows = with_text_embeddings(rows.drop_columns(list(_COLUMNS)), filled, fingerprint)
                    self._table.merge_insert(KEY).when_matched_update_all().execute(rows)
                    written += rows.num_rows
        return written

    def completed(self, photos: "pa.Table") -> "pa.Table":
        """Rows as they can be merged into the table: with its column, if it has one, and without NULL in it.

        Rows that say nothing of it are emptied there: a merge would leave what was embedded of the content before.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        own = self._fingerprint()
        if own is None:
            return photos
        if EMBEDDING_FOR_TEXT not in photos.column_names:
            return with_text_embeddings(photos, [None] * photos.num_rows, own)
        at = photos.column_names.index(EMBEDDING_FOR_TEXT)
        zeros = pa.scalar([np.float16(0)] * own.dim, embedding_type(own.dim))
        return photos.set_column(at, photos.schema.field(at), pc.coalesce(photos.column(at), zeros))

    def _fingerprint(self) -> Fingerprint | None:
        schema = self._table.schema
        if EMBEDDING_FOR_TEXT not in schema.names:
            return None
        try:
            return Fingerprint.from_json(schema.field(EMBEDDING_FOR_TEXT).metadata[_FINGERPRINT])
        except (KeyError, TypeError, ValueError) as error:
            raise CatalogueDamaged(
                f"The catalogue {self._folder} does not say of which model its embeddings for texts are; restore the "
                "folder from a backup."
            ) from error


def text_fields(fingerprint: Fingerprint) -> "list[pa.Field]":
    """The field of the embeddings, with the fingerprint of their model, and that which says where they are."""
    import pyarrow as pa

    metadata = {_FINGERPRINT: fingerprint.to_json().encode()}
    embeddings = pa.field(EMBEDDING_FOR_TEXT, embedding_type(fingerprint.dim), metadata=metadata)
    return [embeddings, pa.field(IS_FOR_TEXT, pa.bool_())]


def with_text_embeddings(
    rows: "pa.Table", embeddings: Sequence[npt.ArrayLike | None], fingerprint: Fingerprint
) -> "pa.Table":
    """Rows with embeddings for texts [dim], or None where there is none."""
    import pyarrow as pa

    columns = [
        embedding_array(embeddings, fingerprint.dim),
        pa.array([None if embedding is None else True for embedding in embeddings], pa.bool_()),
    ]
    for field, column in zip(text_fields(fingerprint), columns, strict=True):
        rows = rows.append_column(field, column)
    return rows


def _contents(rows: "pa.Table") -> Iterator[tuple[str, str]]:
    return zip(rows[KEY].to_pylist(), rows["content_hash"].to_pylist(), strict=True)
