"""Hits as lines of text, one a photo: what the gallery shows, for those who read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region

from bioclip_search.query import Hit
from bioclip_search.text import printable
from tui.named import key_of, name_as_written, number_or_file
from tui.widgets.captions import shortened, written_score
from tui.widgets.hit_view import HitView

__all__ = ["ResultList"]

_GAP = 2
_BEFORE = 3
"""Cells before the first column: the cursor, a mark, a blank."""


@dataclass(frozen=True, slots=True)
class _Column:
    """`width` is the least, in cells; `grows` is its share of what is left over."""

    title: str
    text: Callable[[Hit], str | None]
    width: int
    grows: int = 0
    keep_end: bool = False


def _place(hit: Hit) -> str | None:
    terms = hit.specimen.terms
    return ", ".join(filter(None, (terms.get("country"), terms.get("eventDate") or terms.get("year")))) or None


def _file(hit: Hit) -> str | None:
    return hit.photo.path if hit.photo.missing_since is None else f"{hit.photo.path} (no file)"


_NAME = _Column("scientific name", name_as_written, 22, grows=3)
_NUMBER = _Column("catalogue no.", number_or_file, 15, grows=1, keep_end=True)
_SCORE = _Column("score", written_score, 5)
_COLUMNS = (
    _SCORE,
    _NUMBER,
    _NAME,
    _Column("family", lambda hit: hit.taxon.family, 14),
    _Column("view", lambda hit: hit.photo.view, 8),
    _Column("country, date", _place, 16, grows=2),
    _Column("file", _file, 18, grows=4, keep_end=True),
)
_FIRST_LEFT_OUT = ("view", "country, date", "file", "family", "score", "catalogue no.")


class ResultList(HitView):
    """One line a photo; columns for which there is no room are left out. Messages and cursor are the gallery's."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "result-list--header",
        "result-list--row",
        "result-list--cursor",
        "result-list--other",
        "result-list--mark",
    }

    DEFAULT_CSS = """
    ResultList {
        & > .result-list--header { color: $foreground-muted; text-style: bold; }
        & > .result-list--row { color: $foreground; }
        & > .result-list--other { color: $foreground-muted; }
        & > .result-list--cursor { color: $foreground; text-style: bold; }
        & > .result-list--mark { color: $text-accent; text-style: bold; }
        &:focus > .result-list--cursor { color: $text-accent; }
    }
    """

    header_height = 1

    @property
    def _columns(self) -> Sequence[tuple[_Column, int]]:
        return _laid_out(self._area.width, has_scores=self._results is not None and self._results.has_scores)

    def _header(self) -> list[Segment]:
        titles = (set_cell_size(column.title, width + _GAP) for column, width in self._columns)
        return [Segment(" " * _BEFORE + "".join(titles), self._style("header"))]

    def _segments(self, index: int, hit: Hit | None, line: int) -> list[Segment]:  # noqa: ARG002 (a row is one line)
        is_here = index == self.cursor
        is_marked = hit is not None and key_of(hit) in self.marked
        segments = [
            Segment("┃" if is_here else " ", self._style("cursor")),
            Segment("✓ " if is_marked else "  ", self._style("mark")),
        ]
        if hit is None:
            return [*segments, Segment("…", self._style("other"))]
        columns = self._columns
        # Something tells which photo it is, however narrow the list.
        unnamed = "–" if _NUMBER in (column for column, _ in columns) else number_or_file(hit)
        return [*segments, *(self._cell(*column, hit, unnamed, is_here=is_here) for column in columns)]

    def _cell(self, column: _Column, width: int, hit: Hit, unnamed: str, *, is_here: bool) -> Segment:
        text = printable(column.text(hit) or (unnamed if column is _NAME else "–"))
        if column is not _NAME:
            return _filled(shortened(text, width, keep_end=column.keep_end), width + _GAP, self._style("other"))
        # As long with the cursor as without it.
        text = shortened(text, width - 1)
        if is_here:
            return _filled(f"▌{text}▐", width + _GAP, self._style("cursor"))
        return _filled(text, width + _GAP, self._style("row"))

    def _repaint_cursor(self, index: int) -> None:
        self._repaint(index, Region(0, 0, self._area.width, 1))

    def _style(self, part: str) -> Style:
        return self.get_component_rich_style(f"result-list--{part}")


def _filled(text: str, width: int, style: Style) -> Segment:
    return Segment(set_cell_size(text, width), style)


@lru_cache(64)
def _laid_out(width: int, *, has_scores: bool) -> Sequence[tuple[_Column, int]]:
    """The columns for which there is room, with their widths; what is left over goes to those that grow."""
    columns = [column for column in _COLUMNS if has_scores or column is not _SCORE]
    for title in _FIRST_LEFT_OUT:
        if _BEFORE + sum(column.width + _GAP for column in columns) <= width:
            break
        columns = [column for column in columns if column.title != title]
    left = max(0, width - _BEFORE - sum(column.width + _GAP for column in columns))
    shares = sum(column.grows for column in columns) or 1
    return [(column, column.width + left * column.grows // shares) for column in columns]
