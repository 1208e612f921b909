"""Hits as rows: what `search` prints in each of its formats."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.output import print_csv, print_json, print_lines, print_table
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.query import Evidence, Hit, Hits

__all__ = ["print_hits", "print_notes", "print_notes_for_text"]


_TITLE = 16


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
        _print_table(hits, rows, why=why)


def print_notes(hits: "Hits") -> None:
    """Say on standard error what the hits themselves do not tell."""
    for found in hits.determined:
        if sum(found.name in _names(hit) for hit in hits) >= found.photos:
            continue  # all of them are among the hits
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


def _names(hit: "Hit") -> set[str | None]:
    return {*(name for _, name in hit.taxon.lineage), hit.taxon.common_name}


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


def _print_table(hits: Sequence["Hit"], rows: Sequence[dict[str, Any]], *, why: bool) -> None:
    """Scores first; with `why` a column for each part of the query behind it."""
    parts = [_title(evidence) for evidence in max((hit.why for hit in hits), key=len)] if why else []
    columns = {
        "score": "cyan",
        **{f"{number}: {part}" if parts.count(part) > 1 else part: "cyan dim" for number, part in enumerate(parts, 1)},
        "scientific name": "italic",
        "common name": "",
        "catalogue number": "",
        "path": "dim",
    }
    cells = [
        (
            _number(row["score"]),
            *_filled([_number(part.cosine if part.cosine is not None else part.relevance) for part in hit.why], parts),
            row["scientificName"],
            row["vernacularName"],
            row["catalogNumber"],
            row["path"] if row["missingSince"] is None else f"{row['path']} (missing)",
        )
        for hit, row in zip(hits, rows, strict=True)
    ]
    print_table(columns, cells)


def _filled(values: list[str | None], parts: Sequence[str]) -> list[str | None]:
    """As many values as there are columns for parts; not every hit answers every part."""
    return [*values, *[None] * len(parts)][: len(parts)]


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def _title(evidence: "Evidence") -> str:
    """A part of a query as the title of a narrow column."""
    text = f"{'not ' if evidence.weight < 0 else ''}{printable(evidence.part)}"
    return text if len(text) <= _TITLE else f"{text[: _TITLE - 1]}…"
