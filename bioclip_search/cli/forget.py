"""bioclip-search forget"""

import os
import sys
from pathlib import Path

import click

from bioclip_search.cli.consent import require_consent
from bioclip_search.cli.journaled import journaled
from bioclip_search.cli.options import catalogue_option, format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.text import printable

__all__ = ["command"]


@click.command("forget")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@catalogue_option
@format_option("text", "json")
def command(folder: Path, yes: bool, catalogue: Path | None, format_: str) -> None:
    """Remove the photos at or below FOLDER from the catalogue, whether their files are there or not.

    The files are not touched; `index` takes them up again.
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.errors import UsageError
    from bioclip_search.paths import absolute

    opened = Catalogue.open(catalogue_folder(catalogue))
    place = absolute(folder)
    keys = [key for key, _, _ in opened.places_below(os.fspath(place))]
    shown = printable(str(place))
    if not keys:
        roots = ", ".join(printable(root) for root in opened.roots()) or "no folder"
        raise UsageError(f"The catalogue has no photos at or below {shown}; it has those of {roots}.")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"{len(keys):,} photos would be removed from the catalogue; give --yes if they are to be.")
        require_consent(f"Remove {len(keys):,} photos at or below {shown} from the catalogue?")
    with journaled(opened) as counts:
        opened.remove(keys)
        opened.journal.forget_problems_below(os.fspath(place))
        opened.optimize()
        counts["forgotten"] = len(keys)
    if format_ == "json":
        print_json({"folder": str(place), "forgotten": len(keys)})
    else:
        print_lines([f"{len(keys):,} photos of {shown} are no longer in the catalogue; their files are untouched"])
