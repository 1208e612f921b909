"""bioclip-search suggestions"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.options import catalogue_option, format_option
from bioclip_search.cli.output import print_csv, print_json, print_lines, print_table
from bioclip_search.taxonomy import RANKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bioclip_search.catalogue import Catalogue
    from bioclip_search.identification import Suggestion
    from bioclip_search.specimen import Photo

__all__ = ["SUGGESTION_COLUMNS", "command"]

SUGGESTION_COLUMNS = (
    *("suggestion_id", "photo_id", "root", "path", "catalogNumber", "determination", "rank", "scientificName"),
    *("vernacularName", *(rank.value for rank in RANKS), "score", "method", "model", "temperature", "created", "run"),
)


@click.command("suggestions")
@catalogue_option
@format_option("table", "json", "csv")
def command(catalogue: Path | None, format_: str) -> None:
    """List what `identify --save` took photos for, the latest first, beside what curators determined.

    Suggestions never change a determination. Those of photos that are no longer in the catalogue are left out.
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.identification import suggestions

    opened = Catalogue.open(catalogue_folder(catalogue))
    found = suggestions(opened.folder)
    photos = _photos(opened, found)
    rows = [_row(one, photo) for one in found if (photo := photos.get(one.suggestion_id))]
    if format_ == "json":
        print_json(rows)
    elif format_ == "csv":
        print_csv(SUGGESTION_COLUMNS, rows)
    elif not rows:
        print_lines(["There are no suggestions; `bioclip-search identify --taxon unidentified --save` makes some."])
    else:
        _print_table(rows)


def _photos(catalogue: "Catalogue", found: "Sequence[Suggestion]") -> "Mapping[str, Photo]":
    """The photo of each suggestion; one that has moved is known by its content."""
    by_id = catalogue.photos_by_id(sorted({one.photo_id for one in found}))
    moved = sorted({one.content_hash for one in found if one.photo_id not in by_id})
    by_content = catalogue.photos_by_content(moved)
    places = {one.suggestion_id: by_id.get(one.photo_id) or by_content.get(one.content_hash) for one in found}
    return {suggestion: photo for suggestion, photo in places.items() if photo}


def _row(suggestion: "Suggestion", photo: "Photo") -> dict[str, Any]:
    taxon, specimen = suggestion.taxon, photo.specimen
    return {
        "suggestion_id": suggestion.suggestion_id,
        "photo_id": suggestion.photo_id,
        "root": photo.root,
        "path": photo.path,
        "catalogNumber": specimen.catalog_number,
        "determination": specimen.scientific_name or specimen.taxon.scientific_name,
        "rank": taxon.rank.value if taxon.rank else None,
        "scientificName": taxon.scientific_name,
        "vernacularName": taxon.common_name,
        **{rank.value: taxon.name_at(rank) for rank in RANKS},
        "score": None if suggestion.score is None else round(suggestion.score, 6),
        "method": suggestion.method,
        "model": suggestion.model,
        "temperature": suggestion.temperature,
        "created": suggestion.created.isoformat(timespec="seconds"),
        "run": suggestion.run,
    }


def _print_table(rows: "Sequence[Mapping[str, Any]]") -> None:
    columns = {"path": "dim", "suggestion": "italic", "rank": "", "score": "cyan", "method": "", "determination": ""}
    print_table(
        columns,
        (
            (
                row["path"],
                row["scientificName"] or row["vernacularName"],
                row["rank"],
                None if row["score"] is None else f"{row['score']:.3f}",
                row["method"],
                row["determination"],
            )
            for row in rows
        ),
    )
