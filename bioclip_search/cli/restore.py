"""bioclip-search restore"""

import sys
from datetime import datetime
from pathlib import Path

import click

from bioclip_search.cli.consent import require_consent
from bioclip_search.cli.journaled import journaled
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
    touched, nor is the taxonomy in use: where it was chosen after VERSION, `bioclip-search taxonomy use` places the
    photos in it again. Versions older than 7 days are removed whenever the catalogue is compacted.
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.errors import UsageError
    from bioclip_search.history import restore, versions

    folder = catalogue_folder(catalogue)
    opened = Catalogue.open(folder)
    wanted = next((version for version in versions(folder) if version.number == number), None)
    if not yes:
        shown = f"version {number}"
        if wanted is not None:
            shown += f" of {wanted.moment.astimezone():%Y-%m-%d %H:%M:%S} with {wanted.rows or 0:,} photos"
        if not sys.stdin.isatty():
            raise UsageError(f"The catalogue would be brought back to {shown}; give --yes if it is to be.")
        require_consent(f"Bring the catalogue back to {shown}?")
    with journaled(opened) as counts:
        made = restore(folder, number)
        counts["restored"] = made.rows or 0
    if format_ == "json":
        print_json({"restored": number, "version": made.number, "photos": made.rows})
    else:
        print_lines([f"The catalogue is what it was in version {number}, with {made.rows or 0:,} photos"])
    if wanted is not None and _has_newer_taxonomy(folder, wanted.moment):
        click.echo(
            f"Note: the taxonomy in use was chosen after version {number}, and its photos may not be placed in it; "
            "`bioclip-search taxonomy use FILE` does so again.",
            err=True,
        )


def _has_newer_taxonomy(folder: Path, moment: datetime) -> bool:
    from bioclip_search.placement import open_backbone

    backbone = open_backbone(folder)
    if backbone is None:
        return False
    with backbone:
        return backbone.info.built > moment
