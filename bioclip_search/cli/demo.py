"""bioclip-search demo"""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.hits import print_hits
from bioclip_search.cli.index import run_index, summary
from bioclip_search.cli.options import device_options, format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.cli.progress import meter
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.query import Hits

__all__ = ["command"]

_WORDS = "orange butterfly with black veins"


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("bioclip-search-demo"))
@click.option("--count", type=click.IntRange(1, 100_000), default=300, show_default=True, help="Specimens to paint.")
@device_options
@format_option("text", "json")
def command(folder: Path, count: int, device: str, dtype: str, format_: str) -> int:
    """Paint specimens into FOLDER (default: bioclip-search-demo), index them with the built-in model, and search.

    Everything happens on this computer and below FOLDER; nothing is downloaded. Run again, it
    uses what is there.
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.embedder import Embedder
    from bioclip_search.errors import UsageError
    from bioclip_search.models import BUILTIN
    from bioclip_search.paths import absolute
    from bioclip_search.query import PhotoPart, Query, Searcher, TextPart
    from indexer.run import IndexOptions

    if not folder.name:
        raise UsageError("The demo wants a folder of its own; name a new one.")
    photos, catalogue = absolute(folder) / "photos", absolute(folder) / "catalogue"
    records = _paint(absolute(folder), photos, count)
    report = run_index(IndexOptions((photos,), catalogue, metadata=records, model=BUILTIN, device=device, dtype=dtype))
    if report.interrupted:
        return 130
    opened = Catalogue.open(catalogue)
    embedder = Embedder.load(BUILTIN, device=device, dtype=dtype)
    example = opened.photos("species = 'Coccinella septempunctata'", limit=1) or opened.photos(limit=1)
    searcher = Searcher(opened, lambda: embedder)
    by_words = searcher.search(Query((TextPart(_WORDS),), limit=5))
    by_photo = searcher.search(Query((PhotoPart(str(example[0].file)),), limit=5))
    if format_ == "json":
        print_json(_as_json(folder, report.counts, by_words, example[0].path, by_photo))
    else:
        _tell(folder, summary(report), by_words, by_photo, example[0].path)
    return 0


def _paint(folder: Path, photos: Path, count: int) -> Path:
    """Paint the collection unless it is there, whole; returns the path of its records."""
    from bioclip_search.demo.collection import RECORDS, write_collection
    from bioclip_search.errors import UsageError
    from bioclip_search.records import read_records

    records = photos / RECORDS
    place = printable(str(folder))
    try:
        if folder.exists() and {entry.name for entry in folder.iterdir()} - {"photos", "catalogue"}:
            raise UsageError(f"The folder {place} holds other files; name a new one for the demo.")
        if records.exists():
            painted = read_records(records)
            if len(painted) != count:
                raise UsageError(
                    f"The folder {place} holds a demo of {len(painted)} specimens; name a new one for {count}."
                )
            if all((photos / record["associatedMedia"]).exists() for record in painted):
                return records
        elif photos.exists() and any(photos.iterdir()) and not (photos / f"{RECORDS}.part").exists():
            raise UsageError(f"The folder {printable(str(photos))} holds other files; name a new one for the demo.")
        with meter("Painting") as progress:
            progress.begin(count)
            return write_collection(photos, count, progress=progress.advance)
    except OSError as error:
        raise UsageError(f"The demo cannot be painted into {place} ({error.strerror}); name another folder.") from error


def _as_json(
    folder: Path, counts: Mapping[str, int], by_words: "Hits", example: str, by_photo: "Hits"
) -> dict[str, Any]:
    from bioclip_search.query import hit_row

    return {
        "photos": str(folder / "photos"),
        "catalogue": str(folder / "catalogue"),
        "index": counts,
        "searches": [
            {"text": _WORDS, "hits": [hit_row(hit) for hit in by_words]},
            {"image": example, "hits": [hit_row(hit) for hit in by_photo]},
        ],
    }


def _tell(folder: Path, summary: str, by_words: "Hits", by_photo: "Hits", example: str) -> None:
    place, program = printable(str(folder / "catalogue")), _program()
    shown = printable(str(folder / "photos" / example))
    print_lines([f"Indexed {printable(str(folder / 'photos'))}: {summary}", "", f'$ bioclip-search search "{_WORDS}"'])
    print_hits(by_words, "table")
    print_lines(["", f"$ bioclip-search search --image {shown}"])
    print_hits(by_photo, "table")
    print_lines(
        [
            "",
            "Try next:",
            f'  {program} search "pinned wasp, dorsal view" --catalogue "{place}"',
            f'  {program} search "red" --taxon Aves --catalogue "{place}"',
            f'  {program} taxa --catalogue "{place}"',
            f'  {program} browse --catalogue "{place}"',
            "And with your own photos and the BioCLIP model:",
            f"  {program} index PHOTOS",
        ]
    )


def _program() -> str:
    """The program as it was called, where its folder is not among those in which the shell looks for programs."""
    called = sys.argv[0]
    if shutil.which("bioclip-search") or Path(called).stem != "bioclip-search":
        return "bioclip-search"
    return printable(called if os.name == "nt" else shlex.quote(called))
