"""bioclip-search relocate"""

import os
from pathlib import Path

import click

from bioclip_search.cli.options import catalogue_option, format_option
from bioclip_search.cli.output import print_json, print_lines

__all__ = ["command"]

_SAMPLE = 20


@click.command("relocate")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@catalogue_option
@format_option("text", "json")
def command(old: Path, new: Path, catalogue: Path | None, format_: str) -> None:
    """Tell the catalogue that the photos of folder OLD are now in folder NEW.

    Nothing is read or embedded again. OLD is a folder that was indexed, as `info` shows it.
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder

    opened = Catalogue.open(catalogue_folder(catalogue))
    old_root, new_root = (os.path.abspath(folder.expanduser()) for folder in (old, new))  # noqa: PTH100
    _check(opened.roots(), old_root, new_root, opened.paths(old_root, _SAMPLE))
    rows = opened.relocate(old_root, new_root)
    opened.optimize()
    if format_ == "json":
        print_json({"root": new_root, "relocated": rows})
    else:
        print_lines([f"{rows:,} photos are now in {new_root}"])


def _check(roots: list[str], old_root: str, new_root: str, sample: list[str]) -> None:
    from bioclip_search.errors import UsageError

    if old_root not in roots:
        raise UsageError(f"The catalogue has no photos of the folder {old_root}; it has those of {', '.join(roots)}.")
    if new_root == old_root:
        raise UsageError(f"The photos of {old_root} cannot move to where they are; name the new folder second.")
    if not any((Path(new_root) / path).exists() for path in sample):
        raise UsageError(f"None of the photos of {old_root} is found in {new_root}; is this the folder they moved to?")
