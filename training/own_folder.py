"""Folders that a command writes into: new, empty, or its own; never one of shards or of somebody's photos."""

from collections.abc import Collection
from pathlib import Path

from bioclip_search.errors import UsageError
from bioclip_search.text import listed, printable
from training.shards.manifest import MANIFEST

__all__ = ["require_results_folder", "require_run_folder"]

_OF_RUN = ("metrics.jsonl", "checkpoints")
_OF_RESULTS = ("results.json", "features")
_BEGUN = "index"  # the first thing that either makes
_RECIPE_SUFFIX = ".toml"


def require_run_folder(folder: Path) -> None:
    """Raise UsageError unless `train run` may write there. A recipe may lie in the folder already."""
    _require(folder, _OF_RUN, "a run", "--out")


def require_results_folder(folder: Path) -> None:
    """Raise UsageError unless `train eval` may write there."""
    _require(folder, _OF_RESULTS, "results of `train eval`", "--output")


def _require(folder: Path, own: Collection[str], what: str, option: str) -> None:
    try:
        there = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return  # it is not there, or the making of it will tell why it cannot be
    shown = printable(str(folder))
    if MANIFEST in there:
        raise UsageError(f"{shown} is a folder of training shards; name another one with {option}.")
    others = [name for name in there if name != _BEGUN and not name.endswith(_RECIPE_SUFFIX)]
    if others and not set(own).intersection(there):
        raise UsageError(
            f"The folder {shown} holds other things than {what} ({listed(others, most=1)}); name a new one with "
            f"{option}."
        )
