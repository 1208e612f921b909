"""Queries with the photos that answer them, in the tables of INQUIRE (Vendrow et al. 2024).

INQUIRE has a table of queries (`query_id`, `query_text`, `supercategory`) and one of annotations (`query_id`,
`image_path`: every row is a relevant photo). One table with the text and a photo in each row does as well, with a
column `relevance` where it lists photos that are not relevant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bioclip_search.errors import RecordError
from bioclip_search.records import Record, stream_table
from bioclip_search.text import printable

__all__ = ["Query", "read_queries", "relevant_photos"]

_TEXT = ("query_text", "query", "text")
_IMAGE = ("image_path", "image", "file_name", "fileName", "file", "path", "associatedMedia")
_GROUP = ("supercategory", "category")
_RELEVANT = frozenset(("1", "1.0", "true", "yes"))


@dataclass(slots=True)
class Query:
    """A text, the group that it belongs to, and the photos that answer it, as they are named."""

    text: str
    group: str | None = None
    images: set[str] = field(default_factory=set)


def read_queries(queries: Path, annotations: Path | None = None) -> list[Query]:
    """The queries of a table, with the photos of another, or of the same where there is no other.

    Raises RecordError for tables that cannot be read or lack what makes them queries.
    """
    shown = printable(str(queries))
    found: dict[str, Query] = {}
    for record in _rows(queries, _TEXT, "the text of a query (query_text)"):
        text = _value(record, _TEXT)
        if text is None:
            continue
        query = found.setdefault(record.get("query_id", text), Query(text, _value(record, _GROUP)))
        if annotations is None:
            _add(query, record)
    if annotations is not None:
        _annotate(found, annotations)
    if not any(query.images for query in found.values()):
        raise RecordError(
            f"{shown} names no photo that answers a query; give INQUIRE's annotations with --relevant, or a column "
            "image_path."
        )
    return list(found.values())


def relevant_photos(queries: Sequence[Query], names: Sequence[str]) -> Iterator[npt.NDArray[np.bool_]]:
    """For each query whether it is answered by each of the photos, bool [n].

    A photo is meant by its name, or where one of the two names ends with the other: INQUIRE's paths begin below
    the folder of its images.
    """
    rows_of: dict[str, list[int]] = {}
    rows_of_ending: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        whole, *endings = _endings(name)
        rows_of.setdefault(whole, []).append(row)
        for ending in endings:
            rows_of_ending.setdefault(ending, []).append(row)
    for query in queries:
        meant = np.zeros(len(names), dtype=np.bool_)
        for image in query.images:
            whole, *endings = _endings(image)
            rows = rows_of.get(whole) or rows_of_ending.get(whole)
            meant[rows or next((rows_of[ending] for ending in endings if ending in rows_of), [])] = True
        yield meant


def _endings(path: str) -> Iterator[str]:
    """“a/b/c.jpg”, “b/c.jpg”, “c.jpg”."""
    parts = path.replace("\\", "/").split("/")
    yield from ("/".join(parts[place:]) for place in range(len(parts)))


def _annotate(found: dict[str, Query], annotations: Path) -> None:
    for record in _rows(annotations, _IMAGE, "photos (image_path)"):
        key = record.get("query_id") or _value(record, _TEXT)
        if key in found:
            _add(found[key], record)


def _add(query: Query, record: Record) -> None:
    image = _value(record, _IMAGE)
    if image is not None and record.get("relevance", "1").lower() in _RELEVANT:
        query.images.add(image)


def _rows(table: Path, wanted: Sequence[str], what: str) -> Iterator[Record]:
    stream = stream_table(table)
    if not set(wanted).intersection(stream.columns):
        raise RecordError(f"{printable(str(table))} has no column of {what}; it has {', '.join(stream.columns)}.")
    return stream.records


def _value(record: Record, columns: Sequence[str]) -> str | None:
    return next((record[column] for column in columns if column in record), None)
