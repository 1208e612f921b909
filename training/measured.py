"""What was measured, in Markdown, made to fit into a model's card: below its heading, with its pictures."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from bioclip_search.errors import UsageError
from bioclip_search.text import printable

__all__ = ["MeasuredText", "read_measured"]

_DEEPER = 2  # the card has “## Measured” above it
_HEADING = re.compile(r"(#{1,6})(?=\s)")
_FENCE = re.compile(r"\s*(```|~~~)")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(\s*<?([^)\s>]*)>?[^)]*\)")
_FORMATS = (".png", ".jpg", ".jpeg", ".webp", ".svg")
_OF_THE_WEB = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class MeasuredText:
    """The Markdown, and the files of the pictures that it shows, which belong beside it."""

    markdown: str
    pictures: tuple[Path, ...] = ()


def read_measured(file: Path) -> MeasuredText:
    """A file such as `train eval` writes, its headings two levels deeper.

    Pictures beside the file go along; of others only the words stay. Raises UsageError.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UsageError(f"The file {printable(str(file))} cannot be read ({reason}); check the path.") from error
    pictures: list[Path] = []

    def shown(found: re.Match[str]) -> str:
        words, target = found.groups()
        picture = file.parent / target
        if target.startswith(_OF_THE_WEB):
            return found.group()
        if not _is_beside(picture, target):
            return words
        pictures.append(picture)
        return found.group()

    lines, is_code = [], False
    for line in text.splitlines():
        is_fence = _FENCE.match(line) is not None
        is_code ^= is_fence
        lines.append(line if is_code or is_fence else _PICTURE.sub(shown, _deeper(line)))
    return MeasuredText("\n".join(lines).strip(), tuple(dict.fromkeys(pictures)))


def _deeper(line: str) -> str:
    found = _HEADING.match(line)
    return "#" * min(6, len(found[1]) + _DEEPER) + line[found.end() :] if found else line


def _is_beside(picture: Path, target: str) -> bool:
    """Whether a link names a picture in the folder itself, and not another file by way of a link."""
    is_name = target not in ("", ".", "..") and os.path.basename(target) == target
    return is_name and picture.suffix.lower() in _FORMATS and picture.is_file() and not picture.is_symlink()
