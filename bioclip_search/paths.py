"""Paths as a user writes them, made absolute without following links or mapped drives."""

import os
from collections.abc import Sequence
from pathlib import Path

from bioclip_search.errors import UsageError
from bioclip_search.text import printable

__all__ = ["absolute", "is_below", "is_unicode", "lies_in"]


def absolute(path: Path) -> Path:
    """The absolute path, `~` expanded. Raises UsageError for a name that cannot be stored."""
    shown = printable(str(path))
    try:
        expanded = path.expanduser()
    except RuntimeError as error:
        raise UsageError(f"The home folder in {shown} is not known; write the path in full.") from error
    if not is_unicode(os.fspath(expanded)):
        raise UsageError(f"The name {shown} is not valid Unicode; rename it, or name a folder above it.")
    # Path.resolve() would follow links and mapped drives; the name given is the name kept.
    return Path(os.path.abspath(expanded))


def is_unicode(name: str) -> bool:
    """Whether a name can be stored: file systems on Linux allow bytes that are no text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in name


def is_below(name: str, folders: Sequence[str]) -> bool:
    """Whether a path is one of the folders or lies in one of them; strings, for it is asked of every row."""
    name = os.path.normpath(name)
    return any(name == folder or name.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def lies_in(inner: Path, outer: Path) -> bool:
    """Whether `inner`, which need not be there yet, is `outer` or lies in it, links followed."""
    real, container = os.path.realpath(inner), os.path.realpath(outer)
    return is_below(real, [container])
