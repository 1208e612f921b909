"""The file that an export makes: never a photo's neighbour, whole or not there at all."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bioclip_search.catalogue import Catalogue
from bioclip_search.errors import UsageError
from bioclip_search.paths import lies_in
from bioclip_search.text import printable

__all__ = ["check_target", "written_aside"]

_FULL = (errno.ENOSPC, errno.EDQUOT)


def check_target(target: Path, catalogue: Catalogue, *, force: bool) -> None:
    """Raise UsageError unless the file may be written there."""
    shown = printable(str(target))
    for root in catalogue.roots():
        if lies_in(target, Path(root)):
            raise UsageError(
                f"{shown} is in the folder of photos {printable(root)}, where nothing is written; name another folder."
            )
    if lies_in(target, catalogue.folder):
        raise UsageError(f"{shown} is in the catalogue itself; name another folder.")
    if os.path.isdir(target):
        raise UsageError(f"{shown} is a folder; name the file that is to be written in it.")
    if os.path.lexists(target) and not force:
        raise UsageError(f"{shown} is there already; name another file, or replace it with --force.")
    if not os.path.isdir(target.parent):
        raise UsageError(f"There is no folder {printable(str(target.parent))}; make it, or name another file.")


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """A file beside the target, which takes its place when the block is done, and is removed if it fails.

    Raises UsageError where the disk is full or writing is not permitted.
    """
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield aside
        aside.replace(target)
    except (OSError, sqlite3.OperationalError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        room = "free some space, or " if getattr(error, "errno", None) in _FULL or "full" in reason else ""
        raise UsageError(
            f"{printable(str(target))} cannot be written ({reason}); {room}name a file in another folder."
        ) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
