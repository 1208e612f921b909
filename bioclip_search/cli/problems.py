"""bioclip-search problems"""

from pathlib import Path

import click

from bioclip_search.cli.options import catalogue_option, format_option
from bioclip_search.cli.output import print_csv, print_json, print_lines, print_table

__all__ = ["command"]


@click.command("problems")
@catalogue_option
@format_option("table", "json", "csv")
def command(catalogue: Path | None, format_: str) -> None:
    """List the files that could not be indexed, and why.

    A file that is mended is taken up by the next run, and leaves the list.
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder

    found = Catalogue.open(catalogue_folder(catalogue)).journal.problems()
    rows = [{"path": problem.path, "reason": problem.reason} for problem in found]
    if format_ == "json":
        print_json(rows)
    elif format_ == "csv":
        print_csv(("path", "reason"), rows)
    elif not rows:
        print_lines(["There are no problems: every photo that was tried is in the catalogue."])
    else:
        print_table({"path": "", "reason": "yellow"}, [(row["path"], row["reason"]) for row in rows])
