"""The files of an index: below its home one folder a generation, and a small file that names the one in use.

A generation is written whole before it is named, and never changed: a search that has it open keeps it.
"""

import json
import logging
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from bioclip_search.atomic import write_json

__all__ = ["IndexInUse", "IndexState", "drop_index", "in_use", "new_folder", "use_folder"]

_FORMAT = 2
_IN_USE = "in_use.json"
_GENERATION = re.compile(r"[0-9a-f]{32}")
_MOMENT = re.compile(r"[0-9T:+-]*")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IndexState:
    """What an index holds: the table's `version`, its `rows`, when it was `built` (ISO 8601), in how many
    `seconds`, and its measured `recall` of the ten nearest, with the number of queries that it was measured on;
    `fitted` is the number of rows when the codes' components were last fitted."""

    version: int
    rows: int
    built: str
    seconds: float
    recall: float
    queries: int
    fitted: int

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "IndexState":
        """Raises TypeError or ValueError for what `asdict` did not give."""
        state = cls(**values)
        if not all(isinstance(getattr(state, field.name), (field.type, int)) for field in fields(cls)):  # type: ignore[arg-type]
            raise TypeError("a value has another type")
        if not _MOMENT.fullmatch(state.built):
            raise ValueError("this is no moment")
        return state


@dataclass(frozen=True, slots=True)
class IndexInUse:
    """The folder of the generation that searches open, and what it holds."""

    folder: Path
    state: IndexState


def new_folder(home: Path) -> Path:
    """An empty folder for a generation that is being written."""
    folder = home / uuid.uuid4().hex
    folder.mkdir(parents=True)
    return folder


def use_folder(home: Path, folder: Path, state: IndexState) -> None:
    """Name the generation that searches open from now on, and remove the others."""
    write_json(home / _IN_USE, {"format": _FORMAT, "folder": folder.name, "state": asdict(state)})
    for other in folder.parent.iterdir():
        if other.is_dir() and other != folder:
            # Where a search still has it open Windows refuses; the next generation tries again.
            shutil.rmtree(other, ignore_errors=True)


def drop_index(home: Path) -> None:
    """Remove what there is of an index."""
    (home / _IN_USE).unlink(missing_ok=True)
    shutil.rmtree(home, ignore_errors=True)


def in_use(home: Path) -> IndexInUse | None:
    """The generation that searches open; None without one."""
    try:
        named = json.loads((home / _IN_USE).read_text(encoding="utf-8"))
        if named["format"] != _FORMAT or not _GENERATION.fullmatch(named["folder"]):
            return None
        return IndexInUse(home / named["folder"], IndexState.read(named["state"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        _log.debug("the index %s cannot be read", home, exc_info=True)
        return None
