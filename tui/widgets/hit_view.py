"""What the gallery and the list have in common: rows of hits of any number, a cursor, marks, and what they ask for.

Only the lines on the screen are ever made, so that a million hits cost no more than a hundred. A move of the cursor
repaints the cells that changed and no others: over SSH each one is some forty bytes.
"""

from abc import abstractmethod
from collections.abc import Mapping
from enum import Enum
from typing import ClassVar, Protocol

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bioclip_search.query import Hit
from tui.named import key_of
from tui.widgets.ground import ground_of

__all__ = ["HitView", "Listing", "TileState"]


class Listing(Protocol):
    """Hits by their place; `at` is None for those that were not read yet, and never waits."""

    @property
    def count(self) -> int: ...

    def at(self, index: int) -> Hit | None: ...


class TileState(Enum):
    """What stands where there is no picture."""

    LOADING = "loading…"
    NOT_FOUND = "not found"
    UNREADABLE = "unreadable"
    HIDDEN = "no picture"


class HitView(ScrollView, can_focus=True, inherit_bindings=False):
    """A scrolling view of hits, `columns` in each row; subclasses draw the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move_rows(-1)", "Up", show=False, id="hits-up", tooltip="To the photo above"),
        Binding("down,j", "move_rows(1)", "Down", show=False, id="hits-down", tooltip="To the photo below"),
        Binding("left,h", "move(-1)", "Left", show=False, id="hits-left", tooltip="To the photo before"),
        Binding("right,l", "move(1)", "Right", show=False, id="hits-right", tooltip="To the next photo"),
        Binding("home,g", "move_to_end(False)", "First", show=False, id="hits-first", tooltip="To the first photo"),
        Binding("end,G", "move_to_end(True)", "Last", show=False, id="hits-last", tooltip="To the last photo"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="hits-page-up", tooltip="One page back"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="hits-page-down", tooltip="One page on"),
        Binding("ctrl+u", "page(-0.5)", "Half page up", show=False, id="hits-half-up", tooltip="Half a page back"),
        Binding("ctrl+d", "page(0.5)", "Half page down", show=False, id="hits-half-down", tooltip="Half a page on"),
        Binding("enter", "select", "Full view", id="hits-select", tooltip="Show the photo as large as it can be"),
    ]

    DEFAULT_CSS = """
    HitView {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        &.-dim { opacity: 55%; }
    }
    """

    row_height: ClassVar[int] = 1
    header_height: ClassVar[int] = 0
    needs_pictures: ClassVar[bool] = False

    cursor: var[int] = var(0, init=False)

    class Highlighted(Message):
        """The cursor came to a photo, or the photo under it was read."""

        def __init__(self, view: "HitView", index: int, hit: Hit | None) -> None:
            super().__init__()
            self.view, self.index, self.hit = view, index, hit

        @property
        def control(self) -> "HitView":
            return self.view

    class Selected(Highlighted):
        """The photo was chosen with Enter or a double click."""

    class Wanted(Message):
        """Photos [start, end) are on the screen, or will soon be: read them, and their thumbnails if `pictures`,
        then call `put`. It takes the place of what was wanted before."""

        def __init__(self, view: "HitView", start: int, end: int) -> None:
            super().__init__()
            self.view, self.start, self.end = view, start, end
            self.pictures = view.needs_pictures

        @property
        def control(self) -> "HitView":
            return self.view

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.marked: set[str] = set()
        self.columns = 1
        self._results: Listing | None = None
        self._lines: LRUCache[tuple[int, int], Strip] = LRUCache(1_000)
        self._area = Size(0, 0)
        self._blank: Style | None = None
        self._asked: range | None = None
        self._painted_unread: set[int] = set()
        self._told_hit = False

    # What it shows

    @property
    def count(self) -> int:
        """Number of hits."""
        return 0 if self._results is None else self._results.count

    def show(self, results: Listing | None, cursor: int = 0) -> None:
        """Show other results, with the cursor on one of them."""
        self._results = results
        self._asked = None
        self.dim(False)
        self.set_reactive(HitView.cursor, self.validate_cursor(cursor))
        self.scroll_to(y=0, animate=False, force=True)
        self._lay_out()
        self._tell_highlighted()

    def put(self, thumbnails: Mapping[str, bytes | TileState]) -> None:
        """What was wanted has been read; `thumbnails` are by photo_id."""
        read = {index for index in self._painted_unread if self.hit_at(index) is not None}
        self._painted_unread -= read
        for index in read:
            self._repaint(index, Region(0, 0, self._area.width, self.row_height))
        self._keep_thumbnails(thumbnails)
        if not self._told_hit and self.hit_at(self.cursor) is not None:
            self._tell_highlighted()
        self.ask()

    def dim(self, is_dim: bool) -> None:
        """Show that these are the results of a former query."""
        self.set_class(is_dim, "-dim")

    def mark(self, key: str, is_marked: bool = True) -> None:
        """Mark a photo, or not, by its photo_id."""
        (self.marked.add if is_marked else self.marked.discard)(key)
        for index in self.on_screen:
            if (hit := self.hit_at(index)) is not None and key_of(hit) == key:
                self._repaint_cursor(index)

    def hit_at(self, index: int) -> Hit | None:
        """The hit, or None when it was not read yet or there is none."""
        return self._results.at(index) if self._results is not None and 0 <= index < self._results.count else None

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
        """The photos of which at least a line is on the screen."""
        first = self.scroll_offset.y // self.row_height
        last = (self.scroll_offset.y + max(self._area.height, 1) - 1) // self.row_height
        return range(min(first * self.columns, self.count), min((last + 1) * self.columns, self.count))

    def _columns_in(self, width: int) -> int:  # noqa: ARG002 (for subclasses)
        return 1

    def _lay_out(self) -> None:
        """Take account of another size or number of photos; the cursor stays on the screen if it was there."""
        width, height = self.scrollable_content_region.size
        size = self._area = Size(width, max(0, height - self.header_height))
        self.columns = self._columns_in(size.width)
        self._forget_lines()
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

    # What it asks for

    def ask(self) -> None:
        """Post Wanted for what is missing: on the screen, else on the page after it, else on the page before."""
        shown = self.on_screen
        page = max(len(shown), 1)
        below = range(shown.stop, min(shown.stop + page, self.count))
        above = range(max(shown.start - page, 0), shown.start)
        self._drop_outside(range(above.start, below.stop), shown)
        for part in (shown, below, above):
            missing = [index for index in part if self._is_missing(index)]
            if missing:
                self._want(range(missing[0], missing[-1] + 1))
                return

    def _want(self, wanted: range) -> None:
        if wanted != self._asked:  # what was not answered is not asked for over and over
            self._asked = wanted
            self.post_message(self.Wanted(self, wanted.start, wanted.stop))

    def _is_missing(self, index: int) -> bool:
        return self.hit_at(index) is None

    def _keep_thumbnails(self, thumbnails: Mapping[str, bytes | TileState]) -> None:
        """A view without pictures has no use for them."""

    def _drop_outside(self, wanted: range, shown: range) -> None:
        """Nothing waits in a view without pictures."""

    # The cursor

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, self.count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        if old == new:
            return
        self._repaint_cursor(old)
        self._repaint_cursor(new)
        self._show_cursor()
        self._tell_highlighted()

    def _tell_highlighted(self) -> None:
        if self.count:
            hit = self.hit_at(self.cursor)
            self._told_hit = hit is not None
            self.post_message(self.Highlighted(self, self.cursor, hit))

    def action_move(self, by: int) -> None:
        self.cursor += by

    def action_move_rows(self, by: int) -> None:
        row = self.cursor // self.columns + by
        if 0 <= row < self.rows:
            self.cursor += by * self.columns

    def action_page(self, pages: float) -> None:
        rows = max(1, int(abs(pages) * self.rows_on_screen))
        row = self.cursor // self.columns + (rows if pages > 0 else -rows)
        self.cursor = max(0, min(row, self.rows - 1)) * self.columns + self.cursor % self.columns

    def action_move_to_end(self, is_last: bool) -> None:
        self.cursor = self.count - 1 if is_last else 0

    def action_select(self) -> None:
        if self.count:
            self.post_message(self.Selected(self, self.cursor, self.hit_at(self.cursor)))

    def on_click(self, event: events.Click) -> None:
        x, y = event.screen_offset - self.content_region.offset
        line = y - self.header_height
        index = self._index_at(x, line + self.scroll_offset.y) if 0 <= line < self._area.height else None
        if index is not None:
            self.cursor = index
            if event.chain == 2:
                self.action_select()

    def _index_at(self, x: int, line: int) -> int | None:  # noqa: ARG002 (for subclasses)
        """The photo at a place of the content."""
        index = line // self.row_height
        return index if 0 <= index < self.count else None

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
        """A line of what is shown of one photo, from the cache or made anew."""
        if index >= self.count or not width:
            return Strip.blank(width, self.blank)
        strip = self._lines.get((index, line))
        if strip is None:
            hit = self.hit_at(index)
            if hit is None:
                self._painted_unread.add(index)
            strip = Strip(self._segments(index, hit, line)).adjust_cell_length(width, self.blank)
            self._lines[index, line] = strip
        return strip

    def _header(self) -> list[Segment]:
        """What stands above the rows, in views that have a header."""
        return []

    @abstractmethod
    def _segments(self, index: int, hit: Hit | None, line: int) -> list[Segment]:
        """One line of what is shown of a photo."""

    @abstractmethod
    def _repaint_cursor(self, index: int) -> None:
        """Repaint what tells whether the cursor is on a photo, and whether it is marked."""

    def _repaint(self, index: int, *regions: Region) -> None:
        """Repaint regions of a photo, in cells from its top left corner, as far as they are on the screen."""
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
        self._painted_unread.clear()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._blank = None
        self._forget_lines()
