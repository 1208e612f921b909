"""bioclip-search history"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.options import catalogue_option, format_option
from bioclip_search.cli.output import print_csv, print_json, print_table

if TYPE_CHECKING:
    from bioclip_search.history import Version

__all__ = ["command"]


@click.command("history")
@click.option("--all", "all_", is_flag=True, help="Every commit, also those in the midst of an indexing run.")
@catalogue_option
@format_option("table", "json", "csv")
def command(all_: bool, catalogue: Path | None, format_: str) -> None:
    """List the versions of the catalogue, the newest first, and the command that each came from.

    `bioclip-search restore VERSION` brings one back. Versions older than 7 days are removed whenever the
    catalogue is compacted, as at the end of `index`.
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.history import versions

    folder = catalogue_folder(catalogue)
    Catalogue.open(folder)
    listed = versions(folder)
    if not all_:
        listed = _ends_of_runs(listed)
    if format_ == "json":
        print_json([_as_json(version) for version in listed])
    elif format_ == "csv":
        print_csv(("version", "time", "photos", "command"), [_as_json(version) for version in listed])
    else:
        print_table({"version": "cyan", "time": "", "photos": "", "made by": "dim"}, map(_cells, listed))


def _ends_of_runs(listed: "Sequence[Version]") -> "list[Version]":
    """The last version of each run, and all that no run made."""
    newer = [None, *(version.run for version in listed)]
    return [
        version for version, after in zip(listed, newer, strict=False) if version.run is None or version.run != after
    ]


def _as_json(version: "Version") -> dict[str, Any]:
    return {
        "version": version.number,
        "time": version.moment.isoformat(timespec="seconds"),
        "photos": version.rows,
        "command": version.run.command if version.run else None,
    }


def _cells(version: "Version") -> tuple[Any, ...]:
    command = version.run.command if version.run else None
    return version.number, f"{version.moment.astimezone():%Y-%m-%d %H:%M:%S}", version.rows, command
