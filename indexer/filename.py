"""What a photo's file name tells: the catalogue number of its specimen, and the view.

Collections write names such as `EMEC12346 Bembix grzymalai.jpg`, `NY_00020326.jpg`,
`TENN-L-0000013_lg.jpg`, `BMNHE_500607_dorsal.tif`, `MCZ-ENT00012345.2.jpg`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bioclip_search.errors import UsageError

__all__ = ["FileName", "compile_patterns", "number_key", "read_file_name", "zeroless_key"]

_VIEWS = {
    "dorsal": ("dorsal", "dors", "d"),
    "ventral": ("ventral", "vent", "v"),
    "lateral": ("lateral", "lat"),
    "frontal": ("frontal", "front", "face"),
    "head": ("head",),
    "habitus": ("habitus", "hab"),
    "label": ("label", "labels", "lab"),
    "verso": ("verso", "back"),
}
_VIEW_OF = {word: view for view, words in _VIEWS.items() for word in words}
_LAST_WORD = re.compile(r"^(?P<rest>.+?)[ _.\-]+(?P<word>[A-Za-z]+)(?P<index>\d{0,2})$")
# After the number: what a derivative is for, and before that the count of several photos (`.2`, `(3)`, `-A`).
_DERIVATIVE = re.compile(r"^(?P<rest>.*\d.*?)[._-](?:lg|sm|hi|lo|med|thumb|web|master|crop|edit)$")
_COUNT = re.compile(r"^(?P<rest>.*\d.*?)(?:[._\- ]\d{1,2}|\(\d{1,2}\)|[ _-][A-Za-z])$")
# A collection's letters, perhaps a department's, and at least three digits.
_BARCODE = re.compile(
    r"^(?P<number>[A-Za-z]{1,8}(?:\([A-Za-z]\))?(?:[-_ :][A-Za-z]{1,4})?[-_ :]?\d{3,})(?![0-9]|[-_.:/ ]\d{3})"
)


@dataclass(frozen=True, slots=True)
class FileName:
    """Catalogue numbers that a name may hold, the likeliest first, and the view that it tells of."""

    numbers: tuple[str, ...]
    view: str | None


def compile_patterns(patterns: Sequence[str]) -> list[re.Pattern[str]]:
    """Regular expressions with a group `catalogNumber` (and perhaps `view`). Raises UsageError."""
    compiled = []
    for pattern in patterns:
        try:
            expression = re.compile(pattern, re.IGNORECASE)
        except re.error as error:
            raise UsageError(f"--name-pattern {pattern} is not a regular expression ({error}).") from error
        if "catalogNumber" not in expression.groupindex:
            raise UsageError(
                f"--name-pattern {pattern} has no group (?P<catalogNumber>…); write one around the number."
            )
        compiled.append(expression)
    return compiled


def read_file_name(stem: str, patterns: Sequence[re.Pattern[str]] = ()) -> FileName:
    """Read a file name without its suffix; a pattern that matches leaves nothing to the habits built in."""
    stem = unicodedata.normalize("NFC", stem)
    for pattern in patterns:
        if match := pattern.search(stem):
            groups = match.groupdict()
            view = (groups.get("view") or "").lower()
            return FileName((groups["catalogNumber"] or "",), _VIEW_OF.get(view) or view or _view(stem))
    return FileName(tuple(dict.fromkeys(_numbers(stem))), _view(stem))


def _numbers(stem: str) -> Iterator[str]:
    yield stem
    rest = _without_view(stem)
    yield rest
    if match := _DERIVATIVE.match(rest):
        rest = _without_view(match["rest"])
        yield rest
    if match := _COUNT.match(rest):
        yield _without_view(match["rest"])
    if match := _BARCODE.match(stem):
        yield match["number"]


def _view(stem: str) -> str | None:
    """The view that the last word names; a lone letter only after a number (`…123_D`)."""
    match = _LAST_WORD.match(stem)
    if match is None:
        return None
    word = match["word"].lower()
    if len(word) == 1 and not match["rest"][-1].isdigit():
        return None
    return _VIEW_OF.get(word)


def _without_view(stem: str) -> str:
    match = _LAST_WORD.match(stem) if _view(stem) else None
    return match["rest"] if match else stem


def number_key(number: str) -> str:
    """A catalogue number as it is compared: case, blanks and separators make no difference.

    Between digits a separator stays one: `12346.1` is not `123461`.
    """
    folded = unicodedata.normalize("NFC", number).casefold()
    marked = re.sub(r"(?<=\d)[\s_\-.:/()]+(?=\d)", "~", folded)
    return re.sub(r"[\s_\-.:/()]+", "", marked)


def zeroless_key(key: str) -> str:
    """A key without leading zeros in its numbers, for where that is unambiguous."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", key)
