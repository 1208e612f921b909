"""What the gallery and the list have in common: hits, a cursor that goes through them, marks, what they ask for."""

from abc import abstractmethod
from collections.abc import Mapping
from enum import Enum
from typing import ClassVar, Protocol

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message

from bioclip_search.query import Hit
from tui.named import key_of
from tui.widgets.row_view import RowView

__all__ = ["HitView", "HitSource", "TileState"]


class HitSource(Protocol):
    """Hits by their place; `at` is None for those that were not read yet, and never waits. `has_scores` says whether
    any has one."""

    has_scores: bool

    @property
    def count(self) -> int: ...

    def at(self, index: int) -> Hit | None: ...


class TileState(Enum):
    """What stands where there is no picture."""

    LOADING = "loading…"
    NOT_FOUND = "not found"
    UNREADABLE = "unreadable"
    HIDDEN = "no picture"


class HitView(RowView, can_focus=True, inherit_bindings=False):
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

    needs_pictures: ClassVar[bool] = False

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
        self._results: HitSource | None = None
        self._asked: range | None = None
        self._painted_unread: set[int] = set()
        self._told_hit = False

    # What it shows

    @property
    def count(self) -> int:
        """Number of hits."""
        return 0 if self._results is None else self._results.count

    def show(self, results: HitSource | None, cursor: int = 0) -> None:
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

    def _line_of(self, index: int, line: int) -> list[Segment]:
        hit = self.hit_at(index)
        if hit is None:
            self._painted_unread.add(index)
        return self._segments(index, hit, line)

    def _forget_lines(self) -> None:
        super()._forget_lines()
        self._painted_unread.clear()

    @abstractmethod
    def _segments(self, index: int, hit: Hit | None, line: int) -> list[Segment]:
        """One line of what is shown of a photo."""

    @abstractmethod
    def _repaint_cursor(self, index: int) -> None:
        """Repaint what tells whether the cursor is on a photo, and whether it is marked."""
