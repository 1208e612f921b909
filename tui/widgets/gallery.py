"""Thumbnails of hits side by side: pictures of 14 × 6 cells, each with its name and number below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.worker import get_current_worker

from bioclip_search.errors import PhotoError
from bioclip_search.photo import open_photo
from bioclip_search.query import Hit
from tui.images import RGB, DrawQueue, TileCache, blocks
from tui.named import key_of
from tui.widgets.captions import number_of, short_name, shortened, written_score
from tui.widgets.ground import ground_of
from tui.widgets.hit_view import HitSource, HitView, TileState

__all__ = ["DrawnTiles", "Gallery", "TileState"]

_WIDTH, _HEIGHT = 14, 6
_PITCH = 17
_AT_ONCE = 6

_Tile = list[list[Segment]] | TileState


@dataclass(frozen=True)
class DrawnTiles:
    """Tiles by the keys of their photos, drawn on a colour."""

    ground: RGB
    tiles: dict[str, _Tile]


class Gallery(HitView):
    """A grid of thumbnails. `show` gives it results, `put` the thumbnails that it has asked for."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "gallery--cursor",
        "gallery--name",
        "gallery--name-cursor",
        "gallery--number",
        "gallery--mark",
        "gallery--empty",
    }

    DEFAULT_CSS = """
    Gallery {
        & > .gallery--cursor { color: $foreground-muted; }
        & > .gallery--name { color: $foreground; }
        & > .gallery--name-cursor { color: $foreground; text-style: bold; }
        & > .gallery--number { color: $foreground-muted; }
        & > .gallery--mark { color: $text-accent; text-style: bold; }
        & > .gallery--empty { color: $foreground-muted; background: $foreground 6%; }
        &:focus > .gallery--cursor { color: $text-accent; }
        &:focus > .gallery--name-cursor { color: $text-accent; }
    }
    """

    row_height = _HEIGHT + 2
    needs_pictures = True

    class _Drawn(Message):
        """What the drawing thread has made, for photos that stood at some places of the results."""

        def __init__(self, drawn: DrawnTiles, indices: Sequence[int]) -> None:
            super().__init__()
            self.drawn, self.indices = drawn, indices

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._tiles: TileCache[_Tile] = TileCache()
        self._queue = DrawQueue()
        self._ground: RGB | None = None
        self._column_widgets: list[_Column] = []

    # Thumbnails, from bytes to a drawn tile

    def _keep_thumbnails(self, thumbnails: Mapping[str, bytes | TileState]) -> None:
        waiting: dict[int, tuple[str, bytes]] = {}
        for index in self._near:
            hit = self.hit_at(index)
            found = thumbnails.get(key := key_of(hit)) if hit is not None else None
            if isinstance(found, TileState):
                self._tiles.put(key, found)
                self._repaint_picture(index)
            elif found is not None and key not in self._tiles:
                waiting[index] = (key, found)
        if self._queue.put(waiting):
            self.run_worker(self._draw, group="tiles", thread=True, exit_on_error=False)

    def _draw(self) -> None:
        """Draw what waits; runs in a thread."""
        worker = get_current_worker()
        while (batch := self._queue.take(_AT_ONCE)) and not worker.is_cancelled:
            drawn = self.draw({item.key: item.data for item in batch})
            self.post_message(self._Drawn(drawn, [item.index for item in batch]))

    def on_gallery__drawn(self, message: _Drawn) -> None:
        message.stop()
        self._queue.done(message.indices)
        if not self.keep(message.drawn):
            return
        for index in self._near:  # other results may have the same photos elsewhere
            if (hit := self.hit_at(index)) is not None and key_of(hit) in message.drawn.tiles:
                self._repaint_picture(index)
        self.ask()

    def has_drawn(self, key: str) -> bool:
        """Whether the tile of a photo is at hand."""
        return key in self._tiles

    def draw(self, thumbnails: Mapping[str, bytes | TileState]) -> DrawnTiles:
        """Draw thumbnails, by the keys of their photos; may run in any thread. `keep` takes what is drawn."""
        ground = self._ground or (0, 0, 0)
        drawn = {key: _drawn(found, ground) if isinstance(found, bytes) else found for key, found in thumbnails.items()}
        return DrawnTiles(ground, drawn)

    def keep(self, drawn: DrawnTiles) -> bool:
        """Have tiles at hand; False where they were drawn on another colour than the gallery has by now."""
        if drawn.ground != self._ground:
            return False
        for key, tile in drawn.tiles.items():
            self._tiles.put(key, tile)
        return True

    def _is_missing(self, index: int) -> bool:
        hit = self.hit_at(index)
        return hit is None or not (self.has_drawn(key_of(hit)) or index in self._queue)

    def _drop_outside(self, wanted: range, shown: range) -> None:
        self._tiles.capacity = max(100, 4 * len(wanted))
        self._queue.keep(wanted, shown)

    def show(self, results: HitSource | None, cursor: int = 0) -> None:
        self._queue.clear()
        super().show(results, cursor)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        ground = ground_of(self)
        if ground != self._ground:  # pictures lie on it
            self._ground = ground
            self._tiles.clear()
            self._queue.clear()
            self._asked = None
            if self.is_mounted:
                self.call_after_refresh(self.ask)

    def forget_pictures(self) -> None:
        """Ask for all pictures anew."""
        self._tiles.clear()
        self._queue.clear()
        self._forget_lines()
        self._asked = None
        self.refresh()
        self.ask()

    # Where tiles are

    @property
    def _pitch(self) -> int:
        """From one tile to the next; what is left over lies between them."""
        return max(self._area.width // self.columns, 1)

    @property
    def _near(self) -> range:
        """The photos on the screen, on the page before and on the page after."""
        shown = self.on_screen
        page = max(len(shown), 1)
        return range(max(shown.start - page, 0), min(shown.stop + page, self.count))

    def _columns_in(self, width: int) -> int:
        return max(1, width // _PITCH)

    def _index_at(self, x: int, line: int) -> int | None:
        column = x // self._pitch
        index = line // self.row_height * self.columns + column
        return index if column < self.columns and 0 <= index < self.count else None

    # Painting

    def _lay_out(self) -> None:
        super()._lay_out()
        for column in self._column_widgets[self.columns :]:
            column.remove()
        del self._column_widgets[self.columns :]
        new = [_Column(self, number) for number in range(len(self._column_widgets), self.columns)]
        self._column_widgets += new
        self.mount_all(new)
        for column in self._column_widgets:
            column.place(self._pitch)

    @property
    def is_container(self) -> bool:
        return True  # of its columns; a ScrollView usually is not

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 (the columns lie on it)
        return Strip.blank(self._area.width, self.blank)

    def render_tile_line(self, column: int, y: int) -> Strip:
        """The line `y` of the screen in one column."""
        row, line = divmod(y + self.scroll_offset.y, self.row_height)
        return self.strip(row * self.columns + column, line, self._pitch)

    def repaint_all(self) -> None:
        for column in self._column_widgets:
            column.refresh()

    def _refresh_column(self, column: int, regions: list[Region]) -> None:
        if column < len(self._column_widgets):
            self._column_widgets[column].refresh(*regions)

    def _repaint_cursor(self, index: int) -> None:
        self._repaint(index, Region(0, 0, 1, self.row_height), Region(0, _HEIGHT, self._pitch, 1))

    def _repaint_picture(self, index: int) -> None:
        self._repaint(index, Region(1, 0, _WIDTH, _HEIGHT))

    def _segments(self, index: int, hit: Hit | None, line: int) -> list[Segment]:
        """A cell for the cursor, and the picture or a caption."""
        is_here = index == self.cursor
        marker = Segment("┃", self._style("cursor")) if is_here else Segment(" ", self.blank)
        if line < _HEIGHT:
            return [marker, *self._picture_line(hit, line)]
        if line == _HEIGHT:
            return [marker, *self._name_line(hit, self._pitch - 2, is_here)]
        return [marker, *self._number_line(hit, self._pitch - 1)]

    def _picture_line(self, hit: Hit | None, line: int) -> list[Segment]:
        tile = None if hit is None else self._tiles.get(key_of(hit))
        if isinstance(tile, list):
            return tile[line]
        text = (tile or TileState.LOADING).value if line == (_HEIGHT - 1) // 2 else ""
        return [Segment(text.center(_WIDTH), self._style("empty"))]

    def _name_line(self, hit: Hit | None, room: int, is_here: bool) -> list[Segment]:
        is_marked = hit is not None and key_of(hit) in self.marked
        mark = [Segment("✓ ", self._style("mark"))] if is_marked else []
        # As long with the cursor as without it, so that names do not change under it.
        name = "…" if hit is None else shortened(short_name(hit), room - 2 - 2 * len(mark))
        if not is_here:
            return [*mark, Segment(name, self._style("name"))]
        style = self._style("name-cursor")
        return [Segment("▌", style), *mark, Segment(name, style), Segment("▐", style)]

    def _number_line(self, hit: Hit | None, room: int) -> list[Segment]:
        if hit is None:
            return []
        score = written_score(hit)
        number = shortened(number_of(hit), room - len(score) - bool(score), keep_end=True)
        return [Segment(f"{score} {number}" if score else number, self._style("number"))]

    def _style(self, part: str) -> Style:
        return self.get_component_rich_style(f"gallery--{part}")


class _Column(Widget):
    """One column of a gallery: what it repaints begins at its own left edge, not at that of the gallery.

    Textual sends a terminal all cells from the left edge of a widget to the changed ones: without columns, a move
    of the cursor on the right would send again the pictures on the left.
    """

    DEFAULT_CSS = """
    _Column { dock: left; height: 100%; }
    """

    def __init__(self, gallery: Gallery, number: int) -> None:
        super().__init__()
        self._gallery, self._number = gallery, number

    def place(self, width: int) -> None:
        self.styles.width = width
        self.styles.offset = (self._number * width, 0)

    def render_line(self, y: int) -> Strip:
        return self._gallery.render_tile_line(self._number, y)


def _drawn(data: bytes, ground: RGB) -> _Tile:
    try:
        image = open_photo(data, needed=2 * _WIDTH).image
    except PhotoError:
        return TileState.UNREADABLE
    return blocks(image, _WIDTH, _HEIGHT, ground)
