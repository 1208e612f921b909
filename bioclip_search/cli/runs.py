"""bioclip-search runs"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.options import catalogue_option, format_option
from bioclip_search.cli.output import print_csv, print_json, print_lines, print_table

if TYPE_CHECKING:
    from bioclip_search.journal import Run

__all__ = ["command"]


@click.command("runs")
@catalogue_option
@format_option("table", "json", "csv")
def command(catalogue: Path | None, format_: str) -> None:
    """List the commands that filled or changed the catalogue, the last one first."""
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.journal import COUNTS

    runs = Catalogue.open(catalogue_folder(catalogue)).journal.runs()
    if format_ == "json":
        print_json([_as_json(run) for run in runs])
    elif format_ == "csv":
        rows = [_as_json(run) for run in runs]
        counts = dict.fromkeys([*COUNTS, *(name for run in runs for name in run.counts)])
        names = ("started", "finished", "seconds", *counts, "model", "version", "command")
        print_csv(names, [{**row, "model": row["model"]["model"]} for row in rows])
    elif not runs:
        print_lines(["Nothing was indexed yet."])
    else:
        columns = {"started": "", "seconds": "cyan", "done": "", "version": "", "command": "dim"}
        print_table(columns, [_cells(run) for run in runs])


def _as_json(run: "Run") -> dict[str, Any]:
    return {
        "started": run.started.isoformat(timespec="seconds"),
        "finished": run.finished.isoformat(timespec="seconds"),
        "seconds": run.seconds,
        "command": run.command,
        "version": run.version,
        "model": json.loads(run.fingerprint),
        **run.counts,
    }


def _cells(run: "Run") -> tuple[Any, ...]:
    done = ", ".join(f"{count:,} {name}" for name, count in run.counts.items() if count)
    return f"{run.started.astimezone():%Y-%m-%d %H:%M}", run.seconds, done, run.version, run.command
