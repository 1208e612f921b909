"""Hits as rows: what `search` prints in each of its formats."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bioclip_search.cli.output import print_csv, print_json, print_lines, print_table
from bioclip_search.taxonomy import RANKS
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.query import Hit

__all__ = ["HIT_COLUMNS", "hit_row", "print_hits"]

HIT_COLUMNS = (
    "score",
    "root",
    "path",
    "catalogNumber",
    "occurrenceID",
    "scientificName",
    "vernacularName",
    *(rank.value for rank in RANKS),
    "view",
    "missingSince",
)


def hit_row(hit: "Hit") -> dict[str, Any]:
    """A hit as a flat mapping of HIT_COLUMNS."""
    photo, specimen = hit.photo, hit.photo.specimen
    return {
        "score": None if hit.score is None else round(hit.score, 6),
        "root": photo.root,
        "path": photo.path,
        "catalogNumber": specimen.catalog_number,
        "occurrenceID": specimen.occurrence_id,
        "scientificName": specimen.scientific_name or specimen.taxon.scientific_name,
        "vernacularName": specimen.taxon.common_name,
        **{rank.value: specimen.taxon.name_at(rank) for rank in RANKS},
        "view": photo.view,
        "missingSince": photo.missing_since.isoformat(timespec="seconds") if photo.missing_since else None,
    }


def print_hits(hits: Sequence["Hit"], format_: str) -> None:
    """Print hits as table, json, csv, paths (one a line) or paths0 (each ended by a NUL, for `xargs -0`)."""
    rows = [hit_row(hit) for hit in hits]
    if format_ == "json":
        print_json(rows)
    elif format_ == "csv":
        print_csv(HIT_COLUMNS, rows)
    elif format_ == "paths":
        # Exact for the next program in a pipe; harmless for a person at a terminal.
        show = printable if sys.stdout.isatty() else str
        print_lines(show(str(hit.photo.file)) for hit in hits)
    elif format_ == "paths0":
        show = printable if sys.stdout.isatty() else str
        sys.stdout.write("".join(f"{show(str(hit.photo.file))}\0" for hit in hits))
    elif not rows:
        print_lines(["No photos were found."])
    else:
        _print_table(rows)


def _print_table(rows: Sequence[dict[str, Any]]) -> None:
    columns = {
        "score": "cyan",
        "scientific name": "italic",
        "common name": "",
        "catalogue number": "",
        "path": "dim",
    }
    cells = [
        (
            None if row["score"] is None else f"{row['score']:.3f}",
            row["scientificName"],
            row["vernacularName"],
            row["catalogNumber"],
            row["path"] if row["missingSince"] is None else f"{row['path']} (missing)",
        )
        for row in rows
    ]
    print_table(columns, cells)
