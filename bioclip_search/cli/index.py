"""bioclip-search index"""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.interrupt import ctrl_c_noted
from bioclip_search.cli.journaled import command_line
from bioclip_search.cli.metadata import column_map
from bioclip_search.cli.options import catalogue_option, device_options, format_option, record_options
from bioclip_search.cli.output import print_json, print_lines, print_table
from bioclip_search.cli.progress import Meter, meter
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.journal import Problem
    from indexer.report import IndexReport
    from indexer.run import IndexOptions

__all__ = ["command", "run_index", "summary"]

_RESCAN_SECONDS = 600.0


class _Observer:
    def __init__(self, meter: Meter, *, consent: bool) -> None:
        self._meter, self._consent = meter, consent
        self.begin = meter.begin
        self.advance = meter.advance
        self.say = meter.say

    def problem(self, problem: "Problem") -> None:
        self.say(f"skipped {problem.path}: {problem.reason}")

    def may_prune(self, gone: int, rows: int) -> bool:
        question = f"{gone:,} of {rows:,} photos are missing. Remove them from the catalogue for good?"
        if self._consent:
            return True
        if not sys.stdin.isatty():
            self.say(f"not pruned: {gone:,} of {rows:,} photos are missing; say --yes if they are to be removed")
            return False
        with self._meter.paused():
            return click.confirm(question, err=True)

    def stoppable(self) -> AbstractContextManager[Callable[[], bool]]:
        return ctrl_c_noted(self.say)


@click.command("index")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option(
    "--metadata",
    type=click.Path(path_type=Path),
    help="Records: CSV or TSV with Darwin Core columns, a Darwin Core Archive, a GBIF download.",
)
@record_options
@click.option("--taxa-from-folders", is_flag=True, help="Read taxa from folder names such as Danaus_plexippus.")
@click.option(
    "--model",
    help="bioclip (default), bioclip-2, bioclip-2.5, hf-hub:ORGANISATION/NAME, a model folder, or builtin.",
)
@click.option(
    "--model-for-text",
    metavar="NAME",
    help="A second model that knows prose, such as hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K, for `search "
    "--model-for-text`. It embeds every photo of the catalogue, now and in later runs; none takes it out.",
)
@click.option(
    "--preprocess",
    type=click.Choice(["squash", "crop", "pad"]),
    help="How an oblong photo becomes the model's square. Default: squash, as BioCLIP was trained.",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), help="Photos read and decoded at a time; more help with a slow share."
)
@click.option("--batch-size", type=click.IntRange(1, 4096), help="Photos embedded at a time; fewer need less memory.")
@click.option("--prune", is_flag=True, help="Remove photos whose files are gone; asks when they are many.")
@click.option("--yes", is_flag=True, help="Answer yes to the question of --prune.")
@click.option("--dry-run", is_flag=True, help="Count what there is to do, and do nothing.")
@click.option("--watch", is_flag=True, help="Go on: index what changes in the folders, until Ctrl-C.")
@click.option("--verbose", "-v", is_flag=True, help="Say how fast every stage was, and which one is the limit.")
@catalogue_option
@device_options
@format_option("text", "json")
def command(
    paths: tuple[Path, ...],
    metadata: Path | None,
    columns: tuple[str, ...],
    name_patterns: tuple[str, ...],
    taxa_from_folders: bool,
    model: str | None,
    model_for_text: str | None,
    preprocess: str | None,
    workers: int | None,
    batch_size: int | None,
    prune: bool,
    yes: bool,
    dry_run: bool,
    watch: bool,
    verbose: bool,
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
    from bioclip_search.errors import UsageError
    from bioclip_search.preprocessing import Fit
    from indexer.run import IndexOptions

    _check_options(prune=prune, yes=yes, dry_run=dry_run, watch=watch)
    if metadata is None and (columns or name_patterns):
        raise UsageError("--map and --name-pattern say how --metadata is read and joined; give that too.")
    options = IndexOptions(
        paths=paths,
        catalogue=catalogue_folder(catalogue),
        metadata=metadata,
        columns=column_map(columns),
        name_patterns=name_patterns,
        taxa_from_folders=taxa_from_folders,
        model=model,
        model_for_text=model_for_text,
        fit=Fit(preprocess) if preprocess else None,
        device=device,
        dtype=dtype,
        workers=workers,
        batch_size=batch_size,
        prune=prune,
        dry_run=dry_run,
        command=command_line(),
    )
    tell = _print_json if format_ == "json" else _print_text
    report = run_index(options, consent=yes)
    tell(report, options, verbose)
    if watch and not report.interrupted:
        _follow(options, lambda report: tell(report, options, verbose), consent=yes)
    if report.interrupted:
        click.echo("Stopped; what was indexed is kept. The same command continues.", err=True)
        return 130
    return 0


def _check_options(*, prune: bool, yes: bool, dry_run: bool, watch: bool) -> None:
    """An option that would be ignored is an error."""
    from bioclip_search.errors import UsageError

    if yes and not prune:
        raise UsageError("--yes answers the question of --prune; give both, or neither.")
    if dry_run and (prune or watch):
        raise UsageError("--dry-run does nothing and cannot be given with --prune or --watch; leave one of them out.")


def run_index(options: "IndexOptions", *, consent: bool = False) -> "IndexReport":
    """Index with progress on standard error; `consent` answers yes to every question."""
    from indexer.run import index

    with meter("Indexing") as progress:
        return index(options, _Observer(progress, consent=consent))


def _follow(options: "IndexOptions", tell: Callable[["IndexReport"], None], *, consent: bool) -> None:
    """Index again whenever something changes, until Ctrl-C."""
    from bioclip_search.catalogue import Catalogue
    from indexer.plan import scopes_of
    from indexer.watch import changes

    folders = scopes_of(options.paths, Catalogue.open(options.catalogue), options.catalogue)
    click.echo("Following the folders; Ctrl-C ends.", err=True)
    for _ in changes(folders, _RESCAN_SECONDS):
        report = run_index(options, consent=consent)
        if any(getattr(report, name) for name in ("new", "changed", "moved", "pruned", "for_text")):
            tell(report)
        if report.interrupted:
            raise KeyboardInterrupt


def _print_json(report: "IndexReport", _options: "IndexOptions", verbose: bool) -> None:
    problems = [{"path": problem.path, "reason": problem.reason} for problem in report.problems]
    document: dict[str, Any] = {**report.counts, "pruned": report.pruned, "seconds": round(report.seconds, 3)}
    if report.with_record is not None:
        document["withRecord"] = report.with_record
    if report.for_text:
        document["forText"] = report.for_text
    if verbose:
        document["stages"] = {name: asdict(rate) for name, rate in report.stages.items()}
        document["limit"] = report.limit
    print_json({**document, "problems": problems})


def _print_text(report: "IndexReport", options: "IndexOptions", verbose: bool) -> None:
    print_lines([summary(report) + (" (dry run: nothing was done)" if options.dry_run else "")])
    if report.with_record is not None:
        photos = report.new + report.changed + report.moved + report.unchanged
        print_lines(
            [f"{report.with_record:,} of {photos:,} photos have a record in {printable(str(options.metadata))}"]
        )
    if verbose and report.stages:
        columns = {"stage": "bold", "photos/s": "cyan", "threads": "", "waited for": ""}
        rows = [
            (name, f"{rate.photos_per_second:,.1f}", rate.threads, f"{rate.waited:.0%}")
            for name, rate in report.stages.items()
        ]
        print_table(columns, rows)
        print_lines([f"The limit is {report.limit}: the run waited for it most."])


def summary(report: "IndexReport") -> str:
    """One line: “990 new, 0 changed, … in 41.2 s”."""
    counts = ", ".join(f"{count:,} {name}" for name, count in report.counts.items())
    pruned = f", {report.pruned:,} pruned" if report.pruned else ""
    for_text = f", {report.for_text:,} embedded for texts" if report.for_text else ""
    return f"{counts}{pruned}{for_text} in {report.seconds:.1f} s"
