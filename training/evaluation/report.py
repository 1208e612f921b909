"""Write what was measured: results.json for programs, results.md for people, pictures beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from bioclip_search._version import __version__
from bioclip_search.atomic import write_json
from bioclip_search.errors import UsageError
from bioclip_search.text import printable
from training.evaluation.paper import paper_tables
from training.evaluation.pictures import accuracy_picture, hierarchy_picture, reliability_picture
from training.evaluation.run import Evaluation
from training.evaluation.tables import Table, own_tables, published_tables, summary
from training.own_folder import require_results_folder

__all__ = ["as_json", "make_folder", "write_report"]

_PICTURES = {
    "reliability.png": ("Reliability of zero-shot probabilities", reliability_picture),
    "accuracy-by-rank.png": ("Accuracy at every rank", accuracy_picture),
    "hierarchy.png": ("Photos and texts in two dimensions (PCA)", hierarchy_picture),
}
_NOT_TOLD = ("picture",)


def make_folder(folder: Path) -> None:
    """Make the folder of results. Raises UsageError where that cannot be, and for one that holds other things."""
    require_results_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"The folder {printable(str(folder))} cannot be made ({error.strerror}); name another with --output."
        ) from error


def write_report(found: Evaluation, folder: Path) -> None:
    """Write results.json, results.md and the pictures. Raises UsageError where the disk refuses."""
    try:
        write_json(folder / "results.json", as_json(found))
        (folder / "results.md").write_text(_markdown(found), encoding="utf-8")
        for name, (_, draw) in _PICTURES.items():
            draw(found).save(folder / name)
    except OSError as error:
        raise UsageError(
            f"The results cannot be written to {printable(str(folder))} ({error.strerror}); name another --output."
        ) from error


def as_json(found: Evaluation) -> dict[str, Any]:
    """All figures as plain values; shares are from 0 to 1."""
    document: dict[str, Any] = _plain(found)
    document["options"]["queries"] = len(found.options.queries)
    for images in document["images"].values():
        for one in images["few_shot"].values():
            if one is not None:
                one |= {"mean": float(np.mean(one["simple_shot"])), "std": _deviation(one["simple_shot"])}
    return {"version": __version__, **document, "published": _plain(paper_tables())}


def _deviation(accuracies: Sequence[float]) -> float:
    return float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else 0.0


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value) if one.name not in _NOT_TOLD}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.value if isinstance(value, StrEnum) else value


def _markdown(found: Evaluation) -> str:
    parts = [f"# Evaluation of {found.model}", " ".join(summary(found))]
    parts += [_section(table, 2) for table in own_tables(found)]
    parts += [f"![{title}]({name})" for name, (title, _) in _PICTURES.items()]
    parts += [_section(table, 2) for table in published_tables(found)]
    return "\n\n".join(parts) + "\n"


def _section(table: Table, level: int) -> str:
    rows = [table.columns, ("---",) * len(table.columns), *table.rows]
    body = "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows)
    return f"{'#' * level} {table.title}\n\n{body}\n\n{table.note}"


def _cell(text: str) -> str:
    return printable(text).replace("|", "\\|")
