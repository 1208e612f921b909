"""The tables of the papers, as data, to print beside one's own figures."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CAUTION", "PaperTable", "paper_tables"]

CAUTION = (
    "Published figures are of other photos and other lists of species than those measured here: "
    "they show what is usual, and compare no models."
)


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table of published figures in per cent; each of the `rows` has a figure for every column."""

    name: str
    title: str
    source: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[float, ...]]


def paper_tables() -> list[PaperTable]:
    """All published tables, in their order."""
    document = tomllib.loads((Path(__file__).parent / "paper.toml").read_text(encoding="utf-8"))
    return [
        PaperTable(
            one["name"],
            one["title"],
            one["source"],
            tuple(one["columns"]),
            {model: tuple(map(float, row)) for model, row in one["rows"].items()},
        )
        for one in document["tables"]
    ]
