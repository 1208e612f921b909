"""bioclip-search train shards"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.metadata import column_map
from bioclip_search.cli.options import catalogue_option, format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.cli.progress import Meter, meter

if TYPE_CHECKING:
    from training.shards.plan import Problem
    from training.shards.run import ShardOptions, ShardReport
    from training.shards.source import Source

__all__ = ["command"]

_PHOTOS_BETWEEN_LINES = 200_000


class _Observer:
    def __init__(self, meter: Meter) -> None:
        self.begin = meter.begin
        self.advance = meter.advance
        self._say = meter.say

    def planned(self, photos: int) -> None:
        if photos % _PHOTOS_BETWEEN_LINES == 0:
            self._say(f"{photos:,} photos found")

    def problem(self, problem: "Problem") -> None:
        self._say(f"skipped {problem.file}: {problem.reason}")


@click.command("shards")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--records",
    type=click.Path(path_type=Path),
    metavar="TABLE",
    help="Instead of the catalogue: a CSV or TSV with Darwin Core or TreeOfLife columns that names files.",
)
@click.option(
    "--photos",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the files that --records names are. Default: the folder of the table.",
)
@click.option(
    "--map", "columns", multiple=True, metavar="TERM=COLUMN", help="A column of --records that is called otherwise."
)
@click.option(
    "--val",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.05,
    show_default=True,
    help="Share of each taxon's specimens for validation.",
)
@click.option(
    "--unseen",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Species to keep out of training, for tests on unseen taxa: they become the split `unseen`.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides split and order.")
@click.option(
    "--size", type=click.IntRange(16, 4096), default=256, show_default=True, help="Side of the pictures, in pixels."
)
@click.option(
    "--fit",
    type=click.Choice(["squash", "keep"]),
    default="squash",
    show_default=True,
    help="Squash pictures to squares, as BioCLIP's were, or keep their proportions (--size is the shorter side).",
)
@click.option("--quality", type=click.IntRange(1, 95), default=90, show_default=True, help="Of the JPEGs.")
@click.option(
    "--text-members",
    is_flag=True,
    help="Also write the texts of BioCLIP's own shards, for its trainer and open_clip's.",
)
@click.option("--max-count", type=click.IntRange(min=1), default=2_000, show_default=True, help="Photos a shard.")
@click.option("--max-size", type=click.IntRange(min=1), default=1_000, show_default=True, help="Megabytes a shard.")
@click.option("--workers", type=click.IntRange(1, 256), help="Photos decoded at a time.")
@catalogue_option
@format_option("text", "json")
def command(folder: Path, format_: str, **options: Any) -> int:
    """Pack photos and their taxa into shards in FOLDER, for training and for validation.

    Photos are those of the catalogue, or of --records. All photos of a specimen come into the same split. The
    same seed gives the same bytes; a run that was stopped goes on where it was.

    \b
    bioclip-search train shards shards/
    bioclip-search train shards shards/ --records occurrence.csv --photos images/ --unseen held-out.txt
    """
    from training.shards.run import write_shards

    source = _source(**options)
    asked = _options(folder, **options)
    try:
        with meter("Writing") as progress:
            report = write_shards(source, asked, _Observer(progress))
    except KeyboardInterrupt:
        click.echo("Stopped; finished shards are kept. The same command continues.", err=True)
        return 130
    for note in _notes(report, asked.dealt.val):
        click.echo(f"Note: {note}.", err=True)
    if format_ == "json":
        print_json(_as_json(report, asked.folder))
    else:
        print_lines(_lines(report))
    return 0


def _source(
    records: Path | None, photos: Path | None, columns: tuple[str, ...], catalogue: Path | None, **_: Any
) -> "Source":
    from bioclip_search.config import catalogue_folder
    from bioclip_search.errors import UsageError
    from bioclip_search.paths import absolute
    from training.shards.source import CatalogueSource
    from training.shards.table import TableSource

    if records is None:
        if photos or columns:
            raise UsageError("--photos and --map say how --records is read; give that too.")
        return CatalogueSource(catalogue_folder(catalogue))
    if catalogue:
        raise UsageError("Photos come from --records or from --catalogue; give one of them.")
    return TableSource(absolute(records), absolute(photos) if photos else None, column_map(columns))


def _options(
    folder: Path,
    val: float,
    unseen: Path | None,
    seed: int,
    size: int,
    fit: str,
    quality: int,
    text_members: bool,
    max_count: int,
    max_size: int,
    workers: int | None,
    **_: Any,
) -> "ShardOptions":
    from bioclip_search.paths import absolute
    from training.shards.picture import PictureFit, Shape
    from training.shards.plan import Dealt
    from training.shards.run import ShardOptions
    from training.shards.species import read_species
    from training.shards.write import Form

    return ShardOptions(
        folder=absolute(folder),
        dealt=Dealt(seed, val, read_species(absolute(unseen)) if unseen else None),
        form=Form(Shape(size, PictureFit(fit), quality), text_members, max_count, max_size * 1_000_000),
        workers=workers,
    )


def _as_json(report: "ShardReport", folder: Path) -> dict[str, Any]:
    from bioclip_search.cli.train_check import splits_as_json

    return {
        "folder": str(folder),
        "splits": splits_as_json(report.manifest),
        "skipped": report.skipped,
        "unseenNotThere": list(report.not_there),
        **report.left_out,
        "seconds": round(report.seconds, 3),
    }


def _notes(report: "ShardReport", val: float) -> list[str]:
    """What may not be as it was meant."""
    from bioclip_search.text import listed

    notes, splits = [], report.manifest.splits
    if report.not_there:
        notes.append(f"species of --unseen without any photo: {len(report.not_there):,} ({listed(report.not_there)})")
    if not splits["train"].samples:
        notes.append("no photo is for training: all species are listed by --unseen")
    elif val and not splits["val"].samples:
        notes.append(
            "no photo is for validation: one specimen of each taxon stays for training, and too few taxa have another "
            "one. For a recipe that evaluates give a larger --val, or more photos"
        )
    return notes


def _lines(report: "ShardReport") -> list[str]:
    from bioclip_search.cli.train_check import split_lines
    from training.shards.run import PROBLEMS

    lines = split_lines(report.manifest)
    if report.skipped:
        lines.append(f"{report.skipped:,} photos were skipped; {PROBLEMS} beside the shards says why")
    if count := report.left_out.get("withoutName"):
        lines.append(f"{count:,} photos have no name and were left out")
    if count := report.left_out.get("withoutFile"):
        lines.append(f"{count:,} records name no file that is there")
    return [*lines, f"in {report.seconds:.1f} s"]
