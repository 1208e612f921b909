"""Hits as rows: what `search` prints in each of its formats."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.output import print_csv, print_json, print_lines, print_table
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.query import Hit, Hits

__all__ = ["print_hits", "print_notes", "print_notes_for_text"]


def print_hits(hits: Sequence["Hit"], format_: str, *, why: bool = False) -> None:
    """Print hits as table, json, csv, paths (one a line) or paths0 (each ended by a NUL, for `xargs -0`).

    With `why`, json and table also tell how each part of the query matched.
    """
    from bioclip_search.query import HIT_COLUMNS, hit_row

    rows = [hit_row(hit) for hit in hits]
    if format_ == "json":
        print_json([{**row, "why": _why(hit)} for row, hit in zip(rows, hits, strict=True)] if why else rows)
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
        _print_table(rows, [_why_in_words(hit) for hit in hits] if why else None)


def print_notes(hits: "Hits") -> None:
    """Say on standard error what the hits themselves do not tell."""
    for found in hits.determined:
        name, photos = printable(found.name), f"{found.photos:,} photo{'' if found.photos == 1 else 's'}"
        click.echo(f'Determined as {name}: {photos}; list them with --taxon "{name}".', err=True)
    if hits.no_good_match:
        click.echo("No good match: things that are surely not in this catalogue come as near as these hits.", err=True)


def print_notes_for_text(hits: "Hits", catalogue: "Catalogue", *, for_text: bool) -> None:
    """Say on standard error what the catalogue's model for texts, where it has one, could do or has not yet done."""
    if for_text:
        if lacking := catalogue.for_text.lacking():
            photos = f"{lacking:,} photo{' was' if lacking == 1 else 's were'}"
            click.echo(f"{photos} not compared: the model for texts embeds them with the next run of index.", err=True)
    elif hits.has_prose and catalogue.for_text.fingerprint is not None:
        click.echo("This is a description and no name: the model for texts knows more; add --model-for-text.", err=True)


def _why(hit: "Hit") -> list[dict[str, Any]]:
    return [
        {
            "part": evidence.part,
            "weight": round(evidence.weight, 6),
            "cosine": None if evidence.cosine is None else round(evidence.cosine, 6),
            "relevance": None if evidence.relevance is None else round(evidence.relevance, 6),
        }
        for evidence in hit.why
    ]


def _why_in_words(hit: "Hit") -> str:
    return ", ".join(
        f"{evidence.part} {(evidence.relevance or 0.0) if evidence.cosine is None else evidence.cosine:.3f}"
        for evidence in hit.why
    )


def _print_table(rows: Sequence[dict[str, Any]], why: Sequence[str] | None) -> None:
    columns = {
        "score": "cyan",
        "scientific name": "italic",
        "common name": "",
        "catalogue number": "",
        "path": "dim",
        **({"why": ""} if why else {}),
    }
    cells = [
        (
            None if row["score"] is None else f"{row['score']:.3f}",
            row["scientificName"],
            row["vernacularName"],
            row["catalogNumber"],
            row["path"] if row["missingSince"] is None else f"{row['path']} (missing)",
            *((why[at],) if why else ()),
        )
        for at, row in enumerate(rows)
    ]
    print_table(columns, cells)
