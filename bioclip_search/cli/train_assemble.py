"""bioclip-search train assemble"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bioclip_search.cli.options import format_option
from bioclip_search.cli.output import print_json, print_lines, print_table
from bioclip_search.cli.progress import Meter, meter

if TYPE_CHECKING:
    from training.assemble.row import Collection
    from training.assemble.run import AssembleReport

__all__ = ["command"]

_PHOTOS_BETWEEN_LINES = 200_000
_COUNTS = {
    "images": "images",
    "taxa": "taxa",
    "species": "species",
    "barcodes": "BINs",
    "ranksFilled": "ranks filled",
    "duplicates": "duplicates",
    "testTaxa": "of test taxa",
    "testImages": "test images",
    "withoutName": "without name",
    "withoutFile": "without file",
    "withoutRecord": "without record",
    "unreadable": "unreadable",
}


class _Observer:
    def __init__(self, meter: Meter) -> None:
        self._say = meter.say

    def read(self, source: str, photos: int) -> None:
        if photos % _PHOTOS_BETWEEN_LINES == 0:
            self._say(f"{source}: {photos:,} photos read")

    def compared(self, photos: int) -> None:
        if photos % _PHOTOS_BETWEEN_LINES == 0:
            self._say(f"{photos:,} photos compared with others of their size")


@click.command("assemble")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--inat21", type=click.Path(path_type=Path), metavar="DIR", help="train.json and its image folders.")
@click.option(
    "--bioscan",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The metadata TSV and part1 …, in folders or zips.",
)
@click.option(
    "--eol",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Images of the Encyclopedia of Life; needs --eol-catalogue.",
)
@click.option(
    "--eol-catalogue", type=click.Path(path_type=Path), metavar="CSV", help="TreeOfLife-10M's catalogue, for --eol."
)
@click.option(
    "--without-species",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Species that are for tests: Rare Species' unseen_in_training.json, a table, or a name a line.",
)
@click.option(
    "--without-images",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Images that are for tests: seen_in_training.json, or a file name a line.",
)
@click.option("--workers", type=click.IntRange(1, 256), help="Photos read at a time.")
@format_option("table", "json")
def command(
    folder: Path,
    inat21: Path | None,
    bioscan: Path | None,
    eol: Path | None,
    eol_catalogue: Path | None,
    without_species: tuple[Path, ...],
    without_images: tuple[Path, ...],
    workers: int | None,
    format_: str,
) -> int:
    """Put iNat21, BIOSCAN-1M and the Encyclopedia of Life together, as TreeOfLife-10M was.

    Names are unified, missing ranks filled, exact copies and what is for tests left out. Photos stay where they
    are; FOLDER gets records.csv, which `train shards` takes, and report.json.

    \b
    bioclip-search train assemble tol/ --inat21 inat21/ --bioscan bioscan/ --eol eol/ --eol-catalogue catalog.csv
    bioclip-search train shards shards/ --records tol/records.csv
    """
    from bioclip_search.paths import absolute
    from training.assemble.run import AssembleOptions, assemble
    from training.assemble.tested import read_images
    from training.shards.species import read_species

    collections = _collections(inat21, bioscan, eol, eol_catalogue)
    options = AssembleOptions(
        folder=absolute(folder),
        without_species=frozenset().union(*(read_species(absolute(file)) for file in without_species)),
        without_images=frozenset().union(*(read_images(absolute(file)) for file in without_images)),
        workers=workers,
    )
    with meter("Reading") as progress:
        report = assemble(collections, options, _Observer(progress))
    if format_ == "json":
        print_json({"sources": report.sources, "total": report.total, "seconds": round(report.seconds, 3)})
    else:
        _print_table(report, options.folder)
    return 0


def _collections(
    inat21: Path | None, bioscan: Path | None, eol: Path | None, eol_catalogue: Path | None
) -> list["Collection"]:
    from bioclip_search.errors import UsageError
    from bioclip_search.paths import absolute
    from training.assemble.bioscan import Bioscan
    from training.assemble.eol import EncyclopediaOfLife
    from training.assemble.inat21 import INat21

    if (eol is None) != (eol_catalogue is None):
        raise UsageError("--eol and --eol-catalogue say together what is on the images; give both, or neither.")
    collections: list[Collection] = []
    if inat21:
        collections.append(INat21(absolute(inat21)))
    if bioscan:
        collections.append(Bioscan(absolute(bioscan)))
    if eol and eol_catalogue:
        collections.append(EncyclopediaOfLife(absolute(eol), absolute(eol_catalogue)))
    return collections


def _print_table(report: "AssembleReport", folder: Path) -> None:
    rows = {**report.sources, "together": report.total}
    shown = [name for name in _COUNTS if any(row.get(name) for row in rows.values())]
    columns = {"source": "bold", **{_COUNTS[name]: "cyan" for name in shown}}
    print_table(columns, [(source, *(f"{row.get(name, 0):,}" for name in shown)) for source, row in rows.items()])
    print_lines([f"bioclip-search train shards SHARDS --records {folder / 'records.csv'}"])
