"""The columns of an export: Darwin Core first, then what else records say, then the file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioclip_search.export.selection import SCORE, Selection
from bioclip_search.records.exported import FILE_COLUMNS, MISSING_SINCE
from bioclip_search.schema import EMBEDDING, OTHER_TERMS, photo_schema
from bioclip_search.specimen import NUMBER_TERMS
from bioclip_search.terms import SPECIMEN_TERMS

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FILE_COLUMNS", "MISSING_SINCE", "STORED_COLUMNS", "Layout", "Survey", "specimen_ids", "survey"]

STORED_COLUMNS = (*SPECIMEN_TERMS, OTHER_TERMS, *FILE_COLUMNS[:-1], "missing_since")
"""What is read of the catalogue."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is to export: the number of photos, the terms beyond SPECIMEN_TERMS, their roots and folder depths.

    Among the terms are numbers that records write as words (`year`: “ca. 1900”).
    """

    photos: int
    terms: tuple[str, ...]
    roots: frozenset[str]
    depths: frozenset[int]


def survey(selection: Selection) -> Survey:
    """Read once through all rows, for columns must be known before the first is written."""
    photos = 0
    terms: set[str] = set()
    roots: set[str] = set()
    depths: set[int] = set()
    for rows in selection.batches([OTHER_TERMS, "root", "path"]):
        photos += rows.num_rows
        for others in rows[OTHER_TERMS].to_pylist():
            if others:
                terms.update(json.loads(others))
        roots.update(rows["root"].unique().to_pylist())
        depths.update(path.count("/") + 1 for path in rows["path"].to_pylist())
    return Survey(photos, tuple(sorted(terms)), frozenset(roots), frozenset(depths))


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows of the catalogue become rows of a file.

    `typed`: numbers are numbers, and a number written as words is in a column of its own (`verbatim
    year`); otherwise all terms are text, as written, in the column of the term.
    """

    terms: tuple[str, ...]
    typed: bool
    ranked: bool = False
    dim: int = 0

    def schema(self) -> "pa.Schema":
        """The Arrow schema; `dim` above 0 adds the embeddings, float32 [dim]."""
        import pyarrow as pa

        stored = photo_schema(1)
        types = {name: stored.field(name).type if self.typed else pa.string() for name in SPECIMEN_TERMS}
        types |= {column: pa.string() for _, column in self.others()}
        types |= {name: stored.field(name).type for name in FILE_COLUMNS[:-1]}
        types[MISSING_SINCE] = stored.field("missing_since").type if self.typed else pa.string()
        if self.ranked:
            types[SCORE] = pa.float64()
        if self.dim:
            types[EMBEDDING] = pa.list_(pa.float32(), self.dim)
        return pa.schema(types)

    def others(self) -> list[tuple[str, str]]:
        """The terms that get a column of their own, with its name, which no other column has."""
        taken = {*SPECIMEN_TERMS, *FILE_COLUMNS, SCORE, EMBEDDING}
        named = []
        for term in self.terms:
            if term in NUMBER_TERMS and not self.typed:
                continue
            column = term
            while column in taken:
                column = f"verbatim {column}"
            taken.add(column)
            named.append((term, column))
        return named

    def arrange(self, rows: "pa.Table") -> "pa.Table":
        """Rows of STORED_COLUMNS (and `score` and embedding, where they belong) under the columns of `schema`."""
        import pyarrow as pa

        schema = self.schema()
        said = [json.loads(others) if others else {} for others in rows[OTHER_TERMS].to_pylist()]
        columns: dict[str, Any] = {name: rows[name] for name in (*SPECIMEN_TERMS, *FILE_COLUMNS[:-1])}
        columns |= {column: [terms.get(term) for terms in said] for term, column in self.others()}
        columns[MISSING_SINCE] = rows["missing_since"]
        if not self.typed:
            columns |= {name: _in_words(name, rows[name].to_pylist(), said) for name in NUMBER_TERMS}
            moments = rows["missing_since"].to_pylist()
            columns[MISSING_SINCE] = [moment.isoformat(timespec="seconds") if moment else None for moment in moments]
        if self.ranked:
            columns[SCORE] = [None if score is None else round(score, 6) for score in rows[SCORE].to_pylist()]
        if self.dim:
            columns[EMBEDDING] = rows[EMBEDDING].cast(pa.list_(pa.float32(), self.dim))
        arrays = [
            pa.array(values, schema.field(name).type) if isinstance(values := columns[name], list) else values
            for name in schema.names
        ]
        return pa.table(arrays, schema=schema)


def _in_words(name: str, numbers: Sequence[float | None], said: Sequence[dict[str, str]]) -> list[str | None]:
    return [terms.get(name) if number is None else str(number) for number, terms in zip(numbers, said, strict=True)]


def specimen_ids(rows: "pa.Table") -> list[str]:
    """What identifies the specimen of each row: its occurrenceID, else its number with its codes, else the photo.

    Made ones are the same in every export. A code that is missing leaves its place empty, so that a number of
    a collection is not that of an institution.
    """
    columns = ("occurrenceID", "institutionCode", "collectionCode", "catalogNumber", "content_hash")
    return [
        occurrence or _urn(institution, collection, number, content)
        for occurrence, institution, collection, number, content in zip(
            *(rows[name].to_pylist() for name in columns), strict=True
        )
    ]


def _urn(institution: str | None, collection: str | None, number: str | None, content: str) -> str:
    if not number:
        return f"urn:sha256:{content}"
    parts = ((part or "").replace("%", "%25").replace(":", "%3A") for part in (institution, collection, number))
    return f"urn:catalog:{':'.join(parts)}"
