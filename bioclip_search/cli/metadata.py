"""bioclip-search metadata"""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.journaled import journaled
from bioclip_search.cli.options import catalogue_option, format_option, record_options
from bioclip_search.cli.output import print_csv, print_json, print_lines
from bioclip_search.terms import JOINING_TERMS
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.records import Record
    from indexer.attach import Attached, Joined

__all__ = ["command", "column_map"]

_KINDS = ("photo without record", "ambiguous photo", "record without photo")
_LEFT_OVER = ("path", "occurrenceID", "catalogNumber", "scientificName", "lookedFor", "candidates")
_NAMED_BY = ("occurrenceID", "catalogNumber", "scientificName")


@click.group("metadata")
def command() -> None:
    """Join specimen records to the photos of the catalogue, and see what fits."""


@command.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@record_options
@catalogue_option
@format_option("text", "json")
def import_(
    source: Path, columns: tuple[str, ...], name_patterns: tuple[str, ...], catalogue: Path | None, format_: str
) -> None:
    """Give photos the records of SOURCE: a CSV or TSV table, a Darwin Core Archive, a GBIF download.

    Nothing is embedded, and importing again updates. A column that SOURCE does not have stays as it is; an empty
    cell of one that it has clears the value. While the name stays, so does the rest of a determination; another
    name replaces all of it, and keeps only the ranks that both are said to share.
    """
    from indexer.attach import attach

    opened, joined = _joined(source, columns, name_patterns, catalogue)
    with journaled(opened) as counts:
        done = attach(opened, joined)
        counts["updated"] = done.updated
    if format_ == "json":
        print_json({**_counts(joined), **_changes(done)})
    else:
        print_lines([*_summary(joined, source), *_told_changes(done)])


@command.command("report")
@click.argument("source", type=click.Path(path_type=Path))
@record_options
@catalogue_option
@format_option("text", "json", "csv")
def report(
    source: Path, columns: tuple[str, ...], name_patterns: tuple[str, ...], catalogue: Path | None, format_: str
) -> None:
    """Say which records of SOURCE would be joined by which rule, and what is left over; change nothing.

    JSON and CSV list every photo without a record, every record without a photo with what was looked for, and
    every ambiguous photo with the records that compete for it.
    """
    _, joined = _joined(source, columns, name_patterns, catalogue)
    if format_ == "json":
        print_json({**_counts(joined), "leftOver": _left_over(joined)})
    elif format_ == "csv":
        rows = ({**row, "candidates": " | ".join(row["candidates"])} for row in _left_over(joined))
        print_csv(("kind", *_LEFT_OVER), rows)
    else:
        print_lines(_summary(joined, source))


def _joined(
    source: Path, columns: Sequence[str], name_patterns: Sequence[str], catalogue: Path | None
) -> "tuple[Catalogue, Joined]":
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.records import read_records
    from indexer.attach import join_records

    opened = Catalogue.open(catalogue_folder(catalogue))
    records = read_records(source, column_map(columns))
    return opened, join_records(opened, records, name_patterns)


def column_map(pairs: Sequence[str]) -> dict[str, str]:
    """`catalogNumber=Barcode,scientificName=Det`, once or several times -> term: column.

    Raises UsageError for what is no such pair, for an unknown term and for one that is given twice.
    """
    from bioclip_search.errors import UsageError
    from bioclip_search.terms import canonical_term, known_terms

    columns: dict[str, str] = {}
    for pair in (part for option in pairs for part in option.split(",")):
        term, equals, column = pair.partition("=")
        if not (equals and term.strip() and column.strip()):
            raise UsageError(f"--map wants TERM=COLUMN, such as catalogNumber=Barcode, not {pair}.")
        known = canonical_term(term)
        if known not in known_terms():
            near = difflib.get_close_matches(known, sorted(known_terms()))
            remedy = f"did you mean {' or '.join(near)}?" if near else "see https://dwc.tdwg.org/terms/."
            raise UsageError(f"--map names the term {printable(known)}, which Darwin Core does not have; {remedy}")
        if known in columns:
            raise UsageError(f"--map names two columns for {known}, {columns[known]} and {column}; leave one out.")
        columns[known] = column
    return columns


def _counts(joined: "Joined") -> dict[str, Any]:
    return {
        "photos": len(joined.places),
        "records": len(joined.index.records),
        "joined": joined.index.joined,
        "byRule": joined.index.counts(),
        "photosWithoutRecord": len(joined.without_record()),
        "ambiguousPhotos": len(joined.index.ambiguous()),
        "recordsWithoutPhoto": len(joined.index.without_photo()),
    }


def _changes(done: "Attached") -> dict[str, int]:
    return {
        "updated": done.updated,
        "determinationsReplaced": done.replaced,
        "lostRanks": done.lost_ranks,
        "determinationsCleared": done.cleared,
    }


def _told_changes(done: "Attached") -> list[str]:
    """What happened to records; to determinations only if anything did."""
    lines = [f"{done.updated:,} photos have a new or changed record now"]
    if done.replaced:
        lost = f", {done.lost_ranks:,} of them without ranks that were known of the old name"
        lines += [f"{done.replaced:,} determinations were replaced by another name{lost if done.lost_ranks else ''}"]
    if done.cleared:
        lines += [f"{done.cleared:,} determinations were cleared, for the column of the name is empty there"]
    return lines


def _summary(joined: "Joined", source: Path) -> list[str]:
    counts = _counts(joined)
    lines = [f"{counts['joined']:,} of {counts['photos']:,} photos have a record in {printable(str(source))}"]
    lines += [f"  {count:,} by {rule}" for rule, count in counts["byRule"].items()]
    lines += [f"{counts['photosWithoutRecord']:,} photos without a record"]
    lines += [f"{counts['ambiguousPhotos']:,} photos that two or more records fit equally well"]
    lines += [f"{counts['recordsWithoutPhoto']:,} of {counts['records']:,} records without a photo"]
    return lines


def _left_over(joined: "Joined") -> list[dict[str, Any]]:
    """Rows of _LEFT_OVER and `kind`."""
    empty: dict[str, Any] = {**dict.fromkeys(_LEFT_OVER), "candidates": []}
    photos = [{**empty, "kind": _KINDS[0], "path": str(place.file)} for place in joined.without_record()]
    photos += [
        {**empty, "kind": _KINDS[1], "path": str(place.file), "candidates": [_terms(it, _NAMED_BY) for it in several]}
        for place, several in joined.index.ambiguous().items()
    ]
    records = [
        {
            **empty,
            **{name: record[name] for name in _NAMED_BY if name in record},
            "kind": _KINDS[2],
            "lookedFor": _terms(record, JOINING_TERMS),
        }
        for record in joined.index.without_photo()
    ]
    return photos + records


def _terms(record: "Record", terms: Sequence[str]) -> str:
    """Some terms of a record in one line: “catalogNumber A 7, scientificName Danaus plexippus”."""
    return ", ".join(f"{term} {record[term]}" for term in terms if term in record)
