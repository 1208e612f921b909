"""bioclip-search suggestions"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.journaled import journaled
from bioclip_search.cli.options import catalogue_option, format_option
from bioclip_search.cli.output import print_csv, print_json, print_lines, print_table
from bioclip_search.taxonomy import RANKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bioclip_search.catalogue import Catalogue
    from bioclip_search.identification import Review, Suggestion
    from bioclip_search.specimen import Photo

__all__ = ["SUGGESTION_COLUMNS", "command"]

SUGGESTION_COLUMNS = (
    *("suggestion_id", "photo_id", "root", "path", "catalogNumber", "determination", "rank", "scientificName"),
    *("vernacularName", *(rank.value for rank in RANKS), "score", "method", "model", "temperature", "created", "run"),
    *("verdict", "reviewer", "reviewed"),
)


@click.command("suggestions")
@click.option(
    "--accept",
    "accepted",
    multiple=True,
    metavar="NUMBER-OR-PATH",
    help="Say that the suggestion for this specimen or photo is right: a catalogue number, occurrenceID, path, "
    "photo_id or suggestion_id. Several are allowed.",
)
@click.option(
    "--reject", "rejected", multiple=True, metavar="NUMBER-OR-PATH", help="Say that it is wrong, in the same way."
)
@click.option(
    "--method",
    type=click.Choice(["zero-shot", "neighbours", "centroids"]),
    help="List, accept or reject only suggestions of this method.",
)
@click.option("--reviewer", metavar="NAME", help="Who reviews. Default: your login name.")
@catalogue_option
@format_option("table", "json", "csv")
def command(
    accepted: tuple[str, ...],
    rejected: tuple[str, ...],
    method: str | None,
    reviewer: str | None,
    catalogue: Path | None,
    format_: str,
) -> None:
    """List what `identify --save` took photos for, the latest first, beside what curators determined.

    With --accept or --reject review suggestions, and print those. Neither suggestions nor reviews ever change a
    determination. Those of photos that are no longer in the catalogue are left out.

    \b
    bioclip-search suggestions
    bioclip-search suggestions --accept EMEC1142 --reject drawer12/IMG_0417.jpg
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.errors import UsageError
    from bioclip_search.identification import last_reviews, suggestions

    if reviewer is not None and not (accepted or rejected):
        raise UsageError("--reviewer says who reviews; give --accept or --reject with it.")
    opened = Catalogue.open(catalogue_folder(catalogue))
    found = [one for one in suggestions(opened.folder) if method in (None, one.method)]
    photos = _photos(opened, found)
    if accepted or rejected:
        found = _reviewed(opened, found, photos, accepted, rejected, reviewer)
    last = last_reviews(opened.folder, found)
    rows = [_row(one, photo, last.get(one.suggestion_id)) for one in found if (photo := photos.get(one.suggestion_id))]
    if format_ == "json":
        print_json(rows)
    elif format_ == "csv":
        print_csv(SUGGESTION_COLUMNS, rows)
    elif not rows:
        print_lines(["There are no suggestions; `bioclip-search identify --taxon unidentified --save` makes some."])
    else:
        _print_table(rows)


def _reviewed(
    catalogue: "Catalogue",
    found: "Sequence[Suggestion]",
    photos: "Mapping[str, Photo]",
    accepted: "Sequence[str]",
    rejected: "Sequence[str]",
    reviewer: str | None,
) -> "list[Suggestion]":
    """Review the suggestions that are named, all or none, and give them."""
    from bioclip_search.errors import UsageError
    from bioclip_search.identification import Verdict, called, review

    right = {one.suggestion_id: (one, photo) for name in accepted for one, photo in called(name, found, photos)}
    wrong = {one.suggestion_id: (one, photo) for name in rejected for one, photo in called(name, found, photos)}
    if both := right.keys() & wrong.keys():
        raise UsageError(f"The suggestion {min(both)} is accepted and rejected; leave one of the two out.")
    with journaled(catalogue) as counts:
        for verdict, named in ((Verdict.ACCEPTED, right), (Verdict.REJECTED, wrong)):
            counts[verdict.value] = len(review(catalogue.folder, list(named.values()), verdict, reviewer))
    return [one for one, _ in (*right.values(), *wrong.values())]


def _photos(catalogue: "Catalogue", found: "Sequence[Suggestion]") -> "Mapping[str, Photo]":
    """The photo of each suggestion; one that has moved is known by its content."""
    by_id = catalogue.photos_by_id(sorted({one.photo_id for one in found}))
    moved = sorted({one.content_hash for one in found if one.photo_id not in by_id})
    by_content = catalogue.photos_by_content(moved)
    places = {one.suggestion_id: by_id.get(one.photo_id) or by_content.get(one.content_hash) for one in found}
    return {suggestion: photo for suggestion, photo in places.items() if photo}


def _row(suggestion: "Suggestion", photo: "Photo", last: "Review | None") -> dict[str, Any]:
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
        "verdict": last.verdict.value if last else None,
        "reviewer": last.reviewer if last else None,
        "reviewed": last.moment.isoformat(timespec="seconds") if last else None,
    }


def _print_table(rows: "Sequence[Mapping[str, Any]]") -> None:
    columns = {
        "path": "dim",
        "suggestion": "italic",
        "rank": "",
        "score": "cyan",
        "method": "",
        "determination": "",
        "review": "",
    }
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
                f"{row['verdict']} by {row['reviewer']}" if row["verdict"] else None,
            )
            for row in rows
        ),
    )
