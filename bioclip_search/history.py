"""The versions of a catalogue: every commit is one, and the catalogue can be brought back to any that is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bioclip_search.errors import UsageError
from bioclip_search.journal import Journal, Run
from bioclip_search.schema import KEY
from bioclip_search.storage import connect, lance_errors, writing
from bioclip_search.vector_search import drop_indices

__all__ = ["KEPT_DAYS", "Version", "open_photos", "restore", "versions"]

KEPT_DAYS = 7
"""LanceDB removes older versions whenever it compacts the table."""

_PHOTOS = "photos"


@dataclass(frozen=True, slots=True)
class Version:
    """One state of the table of photos; `run` is the command that committed it, where one was remembered."""

    number: int
    moment: datetime
    rows: int | None
    run: Run | None


def versions(folder: Path) -> list[Version]:
    """The versions that are kept, the newest first. `folder` is a catalogue's. Raises CatalogueDamaged."""
    with lance_errors(folder):
        connection = connect(folder)
        listed = connection.open_table(_PHOTOS).list_versions()
    runs = Journal(folder, connection).runs()
    return sorted((_version(entry, runs) for entry in listed), key=lambda version: version.number, reverse=True)


def restore(folder: Path, number: int) -> Version:
    """Bring the photos back to a version, and return the new version that this makes; nothing is lost by it.

    Raises UsageError if there is no such version, or if it is the current one.
    """
    with writing(folder):
        photos = open_photos(folder)
        kept = sorted(entry["version"] for entry in photos.list_versions())
        if number not in kept:
            raise UsageError(
                f"There is no version {number} in the history, which goes from {kept[0]} to {kept[-1]}; versions "
                f"older than {KEPT_DAYS} days are removed. `bioclip-search history` lists them."
            )
        if number == kept[-1]:
            raise UsageError(f"Version {number} is the current one; `bioclip-search history` lists the others.")
        # Row ids of versions that are left behind may be given again, to other photos.
        drop_indices(folder)
        photos.restore(number)
        # The very first version of a table is from before its key was declared.
        if not photos.schema.field(KEY).metadata:
            photos.set_unenforced_primary_key(KEY)
        newest = max(photos.list_versions(), key=lambda entry: int(entry["version"]))
        return _version(newest, [])


def open_photos(folder: Path) -> Any:
    """The table of photos of a catalogue's folder, on its own connection; errors as LanceDB raises them."""
    return connect(folder).open_table(_PHOTOS)


def _version(entry: dict[str, Any], runs: Sequence[Run]) -> Version:
    # LanceDB gives local time without saying so.
    moment = entry["timestamp"].astimezone(UTC)
    rows = entry["metadata"].get("total_rows")
    # Of runs at the same time, such as an import during a long indexing, the last to start is the likeliest.
    covering = (run for run in runs if run.started <= moment <= run.finished)
    run = max(covering, key=lambda run: run.started, default=None)
    return Version(int(entry["version"]), moment, None if rows is None else int(rows), run)
