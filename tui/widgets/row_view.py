"""A scrolling view of rows, of which only the lines on the screen are ever made.

A million rows cost no more than a hundred. A change repaints the cells that changed and no others: over SSH each one
is some forty bytes.
"""

from abc import abstractmethod
from typing import ClassVar

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.widgets.ground import ground_of

__all__ = ["RowView"]

_LINES = 300


class RowView(ScrollView, inherit_bindings=False):
    """Things by their place, `columns` in each row, and a cursor on one of them; subclasses draw them."""

    DEFAULT_CSS = """
    RowView {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        &.-dim { opacity: 55%; }
    }
    """

    row_height: ClassVar[int] = 1
    header_height: ClassVar[int] = 0

    cursor: var[int] = var(0, init=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.columns = 1
        self._lines: LRUCache[tuple[int, int], Strip] = LRUCache(_LINES)
        self._area = Size(0, 0)
        self._blank: Style | None = None

    @property
    @abstractmethod
    def count(self) -> int:
        """Number of things."""

    @abstractmethod
    def ask(self) -> None:
        """See to what is missing on the screen, which has changed."""

    # Where things are

    @property
    def rows(self) -> int:
        return -(-self.count // self.columns)

    @property
    def rows_on_screen(self) -> int:
        """How many whole rows there is room for, at least one."""
        return max(1, self._area.height // self.row_height)

    @property
    def on_screen(self) -> range:
        """Those of which at least a line is on the screen."""
        first = self.scroll_offset.y // self.row_height
        last = (self.scroll_offset.y + max(self._area.height, 1) - 1) // self.row_height
        return range(min(first * self.columns, self.count), min((last + 1) * self.columns, self.count))

    @property
    def most_on_screen(self) -> int:
        """How many rows and parts of rows there is room for, times the columns."""
        return ((max(self._area.height, 1) - 1) // self.row_height + 1) * self.columns

    def _columns_in(self, width: int) -> int:  # noqa: ARG002 (for subclasses)
        return 1

    def _lay_out(self) -> None:
        """Take account of another size or number of things; the cursor stays on the screen if it was there."""
        width, height = self.scrollable_content_region.size
        size = self._area = Size(width, max(0, height - self.header_height))
        self.columns = self._columns_in(size.width)
        self._forget_lines()
        # Twice what is on the screen: of fewer, the oldest would be forgotten just before it is drawn again.
        self._lines.maxsize = max(_LINES, 2 * self.most_on_screen * self.row_height)
        if not size.height:
            return
        height = self.rows * self.row_height
        if height > size.height:
            # The last page, too, begins with a whole row.
            height += size.height % self.row_height
        self.virtual_size = Size(size.width, height + self.header_height)
        self._show_cursor()
        self.repaint_all()
        self.call_after_refresh(self.ask)

    def on_resize(self) -> None:
        self._lay_out()

    def _show_cursor(self) -> None:
        """Scroll as little as needed, so that the first row on the screen is whole."""
        row = self.cursor // self.columns
        first = -(-self.scroll_offset.y // self.row_height)
        if row < first:
            self._scroll_to_row(row)
        elif row >= first + self.rows_on_screen:
            self._scroll_to_row(row - self.rows_on_screen + 1)

    def _scroll_to_row(self, row: int) -> None:
        self.scroll_to(y=row * self.row_height, animate=False, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            self.repaint_all()
            self.ask()

    # Painting

    @property
    def blank(self) -> Style:
        """What is between things."""
        if self._blank is None:
            self._blank = Style(bgcolor=Color.from_rgb(*ground_of(self)))
        return self._blank

    def render_line(self, y: int) -> Strip:
        """The line `y` of the screen."""
        if y < self.header_height:
            return Strip(self._header()).adjust_cell_length(self._area.width, self.blank)
        row, line = divmod(y - self.header_height + self.scroll_offset.y, self.row_height)
        return self.strip(row, line, self._area.width)

    def strip(self, index: int, line: int, width: int) -> Strip:
        """A line of what is shown of one thing, from the cache or made anew."""
        if index >= self.count or not width:
            return Strip.blank(width, self.blank)
        strip = self._lines.get((index, line))
        if strip is None:
            strip = Strip(self._line_of(index, line)).adjust_cell_length(width, self.blank)
            self._lines[index, line] = strip
        return strip

    def _header(self) -> list[Segment]:
        """What stands above the rows, in views that have a header."""
        return []

    @abstractmethod
    def _line_of(self, index: int, line: int) -> list[Segment]:
        """One line of what is shown of a thing."""

    def _repaint(self, index: int, *regions: Region) -> None:
        """Repaint regions of a thing, in cells from its top left corner, as far as they are on the screen."""
        for line in range(self.row_height):
            self._lines.discard((index, line))
        row, column = divmod(index, self.columns)
        down = row * self.row_height - self.scroll_offset.y
        on_screen = Region(0, 0, *self._area)
        shown = [part for region in regions if (part := region.translate((0, down)).intersection(on_screen))]
        if shown:
            self._refresh_column(column, shown)

    def _refresh_column(self, column: int, regions: list[Region]) -> None:  # noqa: ARG002 (for subclasses)
        self.refresh(*(region.translate((0, self.header_height)) for region in regions))

    def repaint_all(self) -> None:
        """Repaint every line."""
        self.refresh()

    def _forget_lines(self) -> None:
        self._lines.clear()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._blank = None
        self._forget_lines()
