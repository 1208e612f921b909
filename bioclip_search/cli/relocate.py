"""bioclip-search relocate"""

import os
from pathlib import Path

import click

from bioclip_search.cli.journaled import journaled
from bioclip_search.cli.options import catalogue_option, format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.text import printable

__all__ = ["command"]


@click.command("relocate")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@catalogue_option
@format_option("text", "json")
def command(old: Path, new: Path, catalogue: Path | None, format_: str) -> None:
    """Tell the catalogue that the photos of folder OLD are now in folder NEW.

    Nothing is read or embedded again. OLD is a folder that was indexed, as `info` shows it, or one
    above or below it.
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.paths import absolute
    from bioclip_search.relocation import plan_relocation

    opened = Catalogue.open(catalogue_folder(catalogue))
    before, after = absolute(old), absolute(new)
    relocation = plan_relocation(opened, before, after)
    count = len(relocation.places)
    with journaled(opened) as counts:
        opened.move(relocation.places)
        opened.journal.forget_problems_below(os.fspath(before))
        opened.optimize()
        counts["relocated"] = count
    if format_ == "json":
        print_json({"folder": str(after), "relocated": count, "notFound": relocation.absent})
        return
    print_lines([f"{count:,} photos are now in {printable(str(after))}"])
    if relocation.absent:
        looked_for = f"{relocation.absent:,} of {relocation.looked_for:,} that were looked for"
        print_lines([f"{looked_for} are not there; `bioclip-search index` the folder to find out which"])
