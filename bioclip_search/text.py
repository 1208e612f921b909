"""Text that comes from files is untrusted: make it one line without control codes."""

import re
from collections.abc import Sequence

__all__ = ["clean", "guarded", "listed", "printable"]

# C0 and C1 controls, line and paragraph separators, bidirectional overrides, zero-width
# marks, soft hyphen, byte order mark, lone surrogates (file names that are not UTF-8).
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_BLANKS = re.compile(r"\s+")


def clean(value: str | None) -> str | None:
    """The value on one line, without control codes and surplus blanks; None when nothing is left."""
    if value is None:
        return None
    return _BLANKS.sub(" ", _INVISIBLE.sub(" ", value)).strip() or None


def printable(value: str) -> str:
    """The value with every control code replaced by “?”, so that no terminal can be made to obey it."""
    return _INVISIBLE.sub("?", value)


def listed(values: Sequence[str], most: int = 5) -> str:
    """The first values as `printable`, one after the other; “ …” behind them where there are more."""
    return printable(", ".join(values[:most])) + (" …" if len(values) > most else "")


def guarded(cell: str) -> str:
    """The cell with an apostrophe before it, if a spreadsheet would take it for a formula.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell
