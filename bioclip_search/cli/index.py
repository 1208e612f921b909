"""bioclip-search index"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bioclip_search.cli.options import catalogue_option, device_options, format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.cli.progress import Meter, meter

if TYPE_CHECKING:
    from indexer.report import IndexReport, Problem
    from indexer.run import IndexOptions

__all__ = ["command", "run_index", "summary"]


class _Observer:
    def __init__(self, meter: Meter) -> None:
        self.begin = meter.begin
        self.advance = meter.advance
        self._say = meter.say

    def problem(self, problem: "Problem") -> None:
        self._say(f"skipped {problem.path}: {problem.reason}")


@click.command("index")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option(
    "--metadata",
    type=click.Path(path_type=Path),
    help="CSV or TSV with Darwin Core columns; joined by associatedMedia, file name or catalogNumber.",
)
@click.option("--taxa-from-folders", is_flag=True, help="Read taxa from folder names such as Danaus_plexippus.")
@click.option(
    "--model",
    help="bioclip (default), bioclip-2, bioclip-2.5, hf-hub:ORGANISATION/NAME, a model folder, or builtin.",
)
@click.option(
    "--preprocess",
    type=click.Choice(["squash", "crop", "pad"]),
    help="How an oblong photo becomes the model's square. Default: squash, as BioCLIP was trained.",
)
@click.option("--workers", type=click.IntRange(1, 256), default=4, show_default=True, help="Photos decoded at a time.")
@click.option("--batch-size", type=click.IntRange(1, 4096), default=64, show_default=True, help="Photos a batch.")
@catalogue_option
@device_options
@format_option("text", "json")
def command(
    paths: tuple[Path, ...],
    metadata: Path | None,
    taxa_from_folders: bool,
    model: str | None,
    preprocess: str | None,
    workers: int,
    batch_size: int,
    catalogue: Path | None,
    device: str,
    dtype: str,
    format_: str,
) -> int:
    """Read folders of photos into the catalogue.

    A second run does only what is new or changed. A photo that cannot be read is reported and
    skipped. The photos are never written to.
    """
    from bioclip_search.config import catalogue_folder
    from bioclip_search.preprocessing import Fit
    from indexer.run import IndexOptions

    options = IndexOptions(
        paths=paths,
        catalogue=catalogue_folder(catalogue),
        metadata=metadata,
        taxa_from_folders=taxa_from_folders,
        model=model,
        fit=Fit(preprocess) if preprocess else None,
        device=device,
        dtype=dtype,
        workers=workers,
        batch_size=batch_size,
    )
    report = run_index(options)
    if format_ == "json":
        problems = [{"path": problem.path, "reason": problem.reason} for problem in report.problems]
        print_json({**report.counts, "seconds": round(report.seconds, 3), "problems": problems})
    else:
        print_lines([summary(report)])
    if report.interrupted:
        click.echo("Stopped; what was indexed is kept. The same command continues.", err=True)
        return 130
    return 0


def run_index(options: "IndexOptions") -> "IndexReport":
    """Index with progress on standard error."""
    from indexer.run import index

    with meter("Indexing") as progress:
        return index(options, _Observer(progress))


def summary(report: "IndexReport") -> str:
    """One line: “990 new, 0 changed, … in 41.2 s”."""
    counts = ", ".join(f"{count:,} {name}" for name, count in report.counts.items())
    return f"{counts} in {report.seconds:.1f} s"
