"""What people say of suggestions: accepted or rejected, by whom and when.

A table beside the photos to which rows are only ever added; a later review of the same suggestion counts in the place
of an earlier one. A review never touches the photo's own record: determinations are the collection's.
"""

import getpass
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioclip_search.errors import UsageError
from bioclip_search.identification.suggestions import Suggestion
from bioclip_search.specimen import Photo
from bioclip_search.storage import connect, lance_errors, writing
from bioclip_search.taxonomy import RANKS, Taxon
from bioclip_search.text import clean, printable

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Review", "Verdict", "called", "last_reviews", "login_name", "review", "reviews"]

_TABLE = "reviews"
_AS_THEY_ARE = (
    *("suggestion_id", "photo_id", "content_hash", "catalogNumber", "method", "model", "fingerprint"),
    *("verdict", "reviewer", "moment"),
)


class Verdict(StrEnum):
    """What may be said of a suggestion."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Review:
    """What a person said of a suggestion: of which photo, which taxon, by which method and model; `moment` in UTC."""

    suggestion_id: str
    photo_id: str
    content_hash: str
    catalog_number: str | None
    taxon: Taxon
    method: str
    model: str
    fingerprint: str
    verdict: Verdict
    reviewer: str
    moment: datetime


def login_name() -> str:
    """The name by which the person is logged in."""
    try:
        return clean(getpass.getuser()) or "unknown"
    except (KeyError, OSError, ImportError):
        # There is none in a container that runs under a bare number.
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def review(
    folder: Path, reviewed: Sequence[tuple[Suggestion, Photo]], verdict: Verdict, reviewer: str | None = None
) -> list[Review]:
    """Add what a person says of suggestions, each with the photo that it is of: one commit.

    Without `reviewer` it is the person who is logged in. Raises UsageError for a suggestion without a taxon, and
    CatalogueError where nothing can be written.
    """
    if any(suggestion.taxon.scientific_name is None and not suggestion.taxon.common_name for suggestion, _ in reviewed):
        raise UsageError("There is no taxon to review: no rank was certain enough for an answer.")
    now, person = datetime.now(UTC), clean(reviewer) or login_name()
    made = [
        Review(
            suggestion_id=suggestion.suggestion_id,
            photo_id=suggestion.photo_id,
            content_hash=suggestion.content_hash,
            catalog_number=photo.specimen.catalog_number,
            taxon=suggestion.taxon,
            method=suggestion.method,
            model=suggestion.model,
            fingerprint=suggestion.fingerprint,
            verdict=verdict,
            reviewer=person,
            moment=now,
        )
        for suggestion, photo in reviewed
    ]
    if made:
        import pyarrow as pa

        table = pa.Table.from_pylist([_row(one) for one in made], schema=_schema())
        with writing(folder):
            connect(folder).create_table(_TABLE, schema=table.schema, exist_ok=True).add(table)
    return made


def reviews(folder: Path) -> list[Review]:
    """All reviews, the latest first. Raises CatalogueDamaged."""
    with lance_errors(folder):
        connection = connect(folder)
        if _TABLE not in connection.list_tables().tables:
            return []
        rows = connection.open_table(_TABLE).search().limit(None).to_list()
    return sorted((_review(row) for row in rows), key=lambda one: (one.moment, one.suggestion_id), reverse=True)


def last_reviews(folder: Path, found: Sequence[Suggestion]) -> dict[str, Review]:
    """The last review of each suggestion that was reviewed, by suggestion_id.

    A photo that was identified anew, as another taxon, has not been reviewed.
    """
    known: dict[tuple[str, str], Review] = {}
    for one in reviews(folder) if found else ():
        known.setdefault((one.suggestion_id, _said(one.taxon)), one)
    return {
        suggestion.suggestion_id: last
        for suggestion in found
        if (last := known.get((suggestion.suggestion_id, _said(suggestion.taxon))))
    }


def called(
    name: str, found: Sequence[Suggestion], photos: Mapping[str, Photo], method: str | None = None
) -> list[tuple[Suggestion, Photo]]:
    """The suggestions that a person means by a suggestion_id, a photo_id, a number or a path; `photos` are theirs, by
    suggestion_id.

    Raises UsageError where there is none, and where they name different taxa.
    """
    shown = printable(name)
    meant = [
        (one, photo)
        for one in found
        if (photo := photos.get(one.suggestion_id))
        and one.taxon.scientific_name
        and method in (None, one.method)
        and name in _names(one, photo)
    ]
    if not meant:
        raise UsageError(
            f"There is no suggestion for {shown}; `bioclip-search suggestions` lists those that there are."
        )
    names = sorted({one.taxon.scientific_name or "" for one, _ in meant})
    if len(names) > 1:
        raise UsageError(
            f"The suggestions for {shown} differ ({', '.join(names)}); give the path of one photo, --method, or a "
            "suggestion_id (see --format json)."
        )
    return meant


def _names(suggestion: Suggestion, photo: Photo) -> set[str | None]:
    own = {suggestion.suggestion_id, suggestion.photo_id, photo.path, str(photo.file)}
    return {*own, photo.specimen.catalog_number, photo.specimen.occurrence_id}


def _said(taxon: Taxon) -> str:
    return taxon.tagged or taxon.common_name or ""


def _row(one: Review) -> dict[str, Any]:
    row = {name: getattr(one, name) for name in _AS_THEY_ARE if name != "catalogNumber"}
    ranks = {rank.value: one.taxon.name_at(rank) for rank in RANKS}
    return {**row, "catalogNumber": one.catalog_number, **ranks, "vernacularName": one.taxon.common_name}


def _review(row: dict[str, Any]) -> Review:
    values = {name: row[name] for name in _AS_THEY_ARE if name not in ("catalogNumber", "verdict")}
    taxon = Taxon.from_ranks({name: row[name] for name in (*(rank.value for rank in RANKS), "vernacularName")})
    return Review(catalog_number=row["catalogNumber"], taxon=taxon, verdict=Verdict(row["verdict"]), **values)


def _schema() -> "pa.Schema":
    import pyarrow as pa

    texts = [name for name in _AS_THEY_ARE if name != "moment"]
    texts += [*(rank.value for rank in RANKS), "vernacularName"]
    return pa.schema({**{name: pa.string() for name in texts}, "moment": pa.timestamp("us", tz="UTC")})
