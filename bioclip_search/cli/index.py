"""bioclip-search index"""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bioclip_search.cli.options import catalogue_option, device_options, format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.cli.progress import Meter, meter

if TYPE_CHECKING:
    from bioclip_search.journal import Problem
    from indexer.report import IndexReport
    from indexer.run import IndexOptions

__all__ = ["command", "run_index", "summary"]


class _Observer:
    def __init__(self, meter: Meter, *, consent: bool) -> None:
        self._meter, self._consent = meter, consent
        self.begin = meter.begin
        self.advance = meter.advance
        self._say = meter.say

    def problem(self, problem: "Problem") -> None:
        self._say(f"skipped {problem.path}: {problem.reason}")

    def may_prune(self, gone: int, rows: int) -> bool:
        question = f"{gone:,} of {rows:,} photos are missing. Remove them from the catalogue for good?"
        if self._consent:
            return True
        if not sys.stdin.isatty():
            self._say(f"not pruned: {gone:,} of {rows:,} photos are missing; say --yes if they are to be removed")
            return False
        with self._meter.paused():
            return click.confirm(question, err=True)


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
@click.option("--prune", is_flag=True, help="Remove photos whose files are gone; asks when they are many.")
@click.option("--yes", is_flag=True, help="Answer yes to the question of --prune.")
@click.option("--dry-run", is_flag=True, help="Count what there is to do, and do nothing.")
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
    prune: bool,
    yes: bool,
    dry_run: bool,
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
        prune=prune,
        dry_run=dry_run,
        command=shlex.join(sys.argv[1:]),
    )
    report = run_index(options, consent=yes)
    if format_ == "json":
        problems = [{"path": problem.path, "reason": problem.reason} for problem in report.problems]
        print_json(
            {**report.counts, "pruned": report.pruned, "seconds": round(report.seconds, 3), "problems": problems}
        )
    else:
        print_lines([summary(report) + (" (dry run: nothing was done)" if dry_run else "")])
    if report.interrupted:
        click.echo("Stopped; what was indexed is kept. The same command continues.", err=True)
        return 130
    return 0


def run_index(options: "IndexOptions", *, consent: bool = False) -> "IndexReport":
    """Index with progress on standard error; `consent` answers yes to every question."""
    from indexer.run import index

    with meter("Indexing") as progress:
        return index(options, _Observer(progress, consent=consent))


def summary(report: "IndexReport") -> str:
    """One line: “990 new, 0 changed, … in 41.2 s”."""
    counts = ", ".join(f"{count:,} {name}" for name, count in report.counts.items())
    pruned = f", {report.pruned:,} pruned" if report.pruned else ""
    return f"{counts}{pruned} in {report.seconds:.1f} s"
