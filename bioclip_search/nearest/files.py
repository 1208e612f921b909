"""The files of an index: below its home one folder a generation, and a small file that names the one in use.

A generation is written whole before it is named, and never changed: a search that has it open keeps it.
"""

import json
import logging
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["IndexState", "drop_index", "folder_in_use", "new_folder", "state_in_use", "use_folder"]

_FORMAT = 1
_IN_USE = "in_use.json"

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


def new_folder(home: Path) -> Path:
    """An empty folder for a generation that is being written."""
    folder = home / uuid.uuid4().hex
    folder.mkdir(parents=True)
    return folder


def use_folder(home: Path, folder: Path, state: IndexState) -> None:
    """Name the generation that searches open from now on, and remove the others."""
    _write(home / _IN_USE, {"format": _FORMAT, "folder": folder.name, "state": asdict(state)})
    for other in folder.parent.iterdir():
        if other.is_dir() and other != folder:
            # Where a search still has it open Windows refuses; the next generation tries again.
            shutil.rmtree(other, ignore_errors=True)


def drop_index(home: Path) -> None:
    """Remove what there is of an index."""
    (home / _IN_USE).unlink(missing_ok=True)
    shutil.rmtree(home, ignore_errors=True)


def folder_in_use(home: Path) -> Path | None:
    """The generation that searches open; None without one."""
    named = _read(home)
    return home / str(named["folder"]) if named else None


def state_in_use(home: Path) -> IndexState | None:
    """What the index in use holds; None without one."""
    named = _read(home)
    try:
        return IndexState(**named["state"]) if named else None  # type: ignore[arg-type]
    except TypeError:
        return None


def _read(home: Path) -> Mapping[str, object] | None:
    try:
        named = json.loads((home / _IN_USE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        _log.debug("the index %s cannot be read", home, exc_info=True)
        return None
    is_ours = isinstance(named, dict) and named.get("format") == _FORMAT and isinstance(named.get("state"), dict)
    return named if is_ours else None


def _write(file: Path, content: object) -> None:
    aside = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    aside.write_text(json.dumps(content), encoding="utf-8")
    aside.replace(file)
