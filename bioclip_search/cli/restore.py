"""bioclip-search restore"""

import sys
from pathlib import Path

import click

from bioclip_search.cli.options import catalogue_option, format_option
from bioclip_search.cli.output import print_json, print_lines

__all__ = ["command"]


@click.command("restore")
@click.argument("number", type=click.IntRange(1), metavar="VERSION")
@click.option("--yes", is_flag=True, help="Do not ask.")
@catalogue_option
@format_option("text", "json")
def command(number: int, yes: bool, catalogue: Path | None, format_: str) -> None:
    """Bring the photos of the catalogue back to a VERSION that `bioclip-search history` lists.

    This makes a new version, so that it can be undone in the same way. Photos and the list of runs are not
    touched. Versions older than 7 days are removed whenever the catalogue is compacted.
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.errors import UsageError
    from bioclip_search.history import restore, versions

    folder = catalogue_folder(catalogue)
    Catalogue.open(folder)
    if not yes:
        wanted = next((version for version in versions(folder) if version.number == number), None)
        shown = f"version {number}"
        if wanted is not None:
            shown += f" of {wanted.moment.astimezone():%Y-%m-%d %H:%M:%S} with {wanted.rows or 0:,} photos"
        if not sys.stdin.isatty():
            raise UsageError(f"The catalogue would be brought back to {shown}; give --yes if it is to be.")
        click.confirm(f"Bring the catalogue back to {shown}?", abort=True, err=True)
    made = restore(folder, number)
    if format_ == "json":
        print_json({"restored": number, "version": made.number, "photos": made.rows})
    else:
        print_lines([f"The catalogue is what it was in version {number}, with {made.rows or 0:,} photos"])
