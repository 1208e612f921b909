"""Paths as they are typed, pasted or dropped into a terminal."""

import os
import shlex
from urllib.parse import unquote

from bioclip_search.text import printable

__all__ = ["at_home", "completions", "dropped_file", "dropped_path", "looks_like_path"]

_MOST = 200
_PICTURES = frozenset(
    ".jpg .jpeg .png .tif .tiff .webp .bmp .gif .heic .heif .jp2 .dng .nef .cr2 .cr3 .arw .orf .raf .rw2".split()
)


def dropped_path(text: str) -> str:
    """The path in what a terminal pastes when a file is dropped on it: quoted, escaped, or as a file:// address."""
    text = text.strip()
    if text.startswith("file://"):
        _, slash, path = text.removeprefix("file://").partition("/")
        return unquote(slash + path)
    if text[:1] in ("'", '"') or ("\\" in text and not os.path.exists(text)):
        try:
            words = shlex.split(text)
        except ValueError:
            return text.strip("'\"")
        return words[0] if words else ""
    return text


def dropped_file(text: str) -> str | None:
    """The whole path of the picture that was dropped, or pasted; None where there is no such file."""
    try:
        path = at_home(dropped_path(text))
    except ValueError:  # no file has such a name
        return None
    is_picture = os.path.splitext(path)[1].lower() in _PICTURES
    return path if is_picture and path.startswith(os.sep) and os.path.isfile(path) else None


def looks_like_path(typed: str) -> bool:
    """Whether what is typed begins as a whole path does, and words do not."""
    return typed.lstrip("'\"").startswith(("/", "~/", "file://"))


def at_home(path: str) -> str:
    """The path with the user's folder in the place of ~; its last slash stays."""
    return os.path.expanduser(path)  # noqa: PTH111


def completions(typed: str) -> list[str]:
    """Folders and pictures whose paths begin with what is typed, folders first; blocks on slow disks.

    Names with control codes are left out.
    """
    folder, beginning = os.path.split(at_home(typed))
    try:
        with os.scandir(folder or ".") as entries:
            found = [(entry.name, _is_folder(entry)) for entry in entries if entry.name.startswith(beginning)]
    except OSError:
        return []
    shown = [
        (name, is_folder)
        for name, is_folder in found
        if (beginning.startswith(".") or not name.startswith("."))
        and printable(name) == name  # what is typed goes to the terminal as it is
        and (is_folder or os.path.splitext(name)[1].lower() in _PICTURES)
    ]
    shown.sort(key=lambda entry: (not entry[1], entry[0].lower()))
    return [os.path.join(folder, name) + (os.sep if is_folder else "") for name, is_folder in shown[:_MOST]]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a folder; what cannot be told, as of a link to itself, is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False
