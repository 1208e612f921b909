"""Our own CSV export read back: its columns of the file are no part of a record, and its guards come off."""

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from bioclip_search.terms import MULTIMEDIA
from bioclip_search.text import guarded

__all__ = ["FILE_COLUMNS", "MISSING_SINCE", "SCORE", "is_own_export", "terms_of_export", "unguarded_rows"]

MISSING_SINCE = "missingSince"
SCORE = "score"
FILE_COLUMNS = ("root", "path", "width", "height", "view", "content_hash", MISSING_SINCE)
"""The columns of an export that say where a photo's file is, and what it is like."""

_TAKEN = (*FILE_COLUMNS, SCORE, "embedding")
_BEFORE_TAKEN = "verbatim "


def is_own_export(header: Sequence[str]) -> bool:
    """Whether a table with this header was written by `bioclip-search export`."""
    return set(FILE_COLUMNS) <= set(header)


def terms_of_export(header: Sequence[str], names: Sequence[str]) -> list[str]:
    """The terms of the columns of `unguarded_rows`: none of those of the file, and where it is in the last.

    `names` are the terms as they are understood of any table. A term of a record that is called like a column
    of the file has its own name again; a column of the file that the user gave a term keeps that.
    """
    own = ["" if column in _TAKEN and name == column else name for column, name in zip(header, names, strict=True)]
    again = [name.removeprefix(_BEFORE_TAKEN) if name.removeprefix(_BEFORE_TAKEN) in _TAKEN else name for name in own]
    return [*again, MULTIMEDIA]


def unguarded_rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[list[str]]:
    """The rows without apostrophes that guard against formulas, each with the address of its file (RFC 8089)."""
    root, path = header.index("root"), header.index("path")
    for row in rows:
        cells = [_unguarded(cell) for cell in row]
        if len(cells) == len(header):
            folder = cells[root].replace("\\", "/").strip("/")
            cells.append(f"file:///{quote(f'{folder}/{cells[path]}')}")
        yield cells


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and guarded(cell[1:]) == cell else cell
