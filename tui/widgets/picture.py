"""One photo, as large as there is room: in the specimen pane and in the full view."""

import importlib
from typing import Any

from PIL import Image
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.images import RGB, Mode, blocks
from tui.lanes import Lane
from tui.widgets.ground import ground_of

__all__ = ["WHOLE", "Part", "Picture"]

Part = tuple[float, float, float, float]
"""A part of a picture: left, top, right and bottom, as shares of its width and height."""

WHOLE: Part = (0.0, 0.0, 1.0, 1.0)

_MOST_SIXELS = 1_000
"""Pixels in each direction; xterm shows nothing of a larger picture (its resource maxGraphicSize)."""

_Sight = tuple[Image.Image, Part, Mode, int, int, RGB]
"""What is to be seen: a picture, a part of it, how it is drawn, the cells there are and the colour behind them."""


class Picture(Widget):
    """A picture, or a state such as “loading…” where there is none.

    It is cut and drawn in a thread, the latest only; what was drawn before stays until then. `mode` may change while
    the program runs. Kitty graphics and sixels are textual-image's; without it, and for `auto`, which should have
    been resolved by `detect` before, blocks are drawn.
    """

    DEFAULT_CSS = """
    Picture {
        align: center middle;
        & > .picture--room { align: center middle; }
        & .picture--graphic { width: auto; height: auto; }
    }
    """

    mode: reactive[Mode] = reactive(Mode.BLOCKS, recompose=True)

    class _Drawn(Message):
        """What a thread has cut and drawn."""

        def __init__(self, sight: _Sight, cut: Image.Image, rows: list[list[Segment]]) -> None:
            super().__init__()
            self.sight, self.cut, self.rows = sight, cut, rows

    def __init__(
        self,
        mode: Mode = Mode.BLOCKS,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.set_reactive(Picture.mode, mode)
        self._picture: Image.Image | None = None
        self._part = WHOLE
        self._state = ""
        self._lane = Lane(latest=True)
        self._asked: _Sight | None = None
        self._cut: Image.Image | None = None
        self._rows: list[list[Segment]] = []
        self._is_graphic = False

    def show(self, image: Image.Image | None, state: str = "", part: Part = WHOLE) -> None:
        """Show another picture, or a part of it; or in its place a state."""
        self._picture, self._part, self._state = image, part, state
        if image is None:
            self._asked = None
            self._lay(None, [])
        else:
            self._draw()

    # Drawing

    def _draw(self) -> None:
        """Have what is to be seen by now drawn; what was asked for before, and has not begun, is dropped."""
        picture, mode = self._picture, self.mode
        width, height = self.content_size
        if picture is None or mode is Mode.NONE or not (width and height):
            return
        sight = (picture, self._part, mode, width, height, ground_of(self))
        former = self._asked
        # Pictures are told apart as such: to compare their pixels takes long.
        if former is None or sight[0] is not former[0] or sight[1:] != former[1:]:
            self._asked = sight
            self._lane.do(lambda: self.post_message(self._Drawn(sight, *_drawn(sight))))

    def on_picture__drawn(self, message: _Drawn) -> None:
        message.stop()
        if message.sight is self._asked:
            self._lay(message.cut, message.rows)

    def _lay(self, cut: Image.Image | None, rows: list[list[Segment]]) -> None:
        self._cut, self._rows = cut, rows
        for graphic in self.query(".picture--graphic"):
            graphic.image = cut  # type: ignore[attr-defined]
        self.refresh()

    def on_mount(self) -> None:
        self.set_class(self.mode is Mode.NONE, "-none")

    def on_resize(self) -> None:
        self._draw()

    def watch_mode(self) -> None:
        self.set_class(self.mode is Mode.NONE, "-none")
        self._asked = None
        self._lay(None, [])
        self._draw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted:  # another colour may be behind it
            self._draw()

    # What is seen

    def compose(self) -> ComposeResult:
        widget = _graphic(self.mode)
        self._is_graphic = widget is not None
        if widget is not None:
            with Container(classes="picture--room") as room:
                if self.mode is Mode.SIXEL:
                    room.styles.max_width, room.styles.max_height = _most_cells()
                    # Sixels are six pixels high: the last may reach below the picture, and would scroll the screen.
                    room.styles.padding = (0, 0, 1, 0)
                yield widget(self._cut, classes="picture--graphic")

    def render_line(self, y: int) -> Strip:
        """A line of the picture in blocks; of a state; or nothing below a graphic."""
        width, height = self.content_size
        blank = Style(bgcolor=RichColor.from_rgb(*ground_of(self)))
        text = self._written()
        if text:
            line = text.center(width)[:width] if y == (height - 1) // 2 else ""
            return Strip([Segment(line, self.rich_style)]).adjust_cell_length(width, blank)
        if self._is_graphic or not 0 <= y < len(self._rows):
            return Strip.blank(width, blank)
        return Strip(self._rows[y]).adjust_cell_length(width, blank)

    def _written(self) -> str:
        if self.mode is Mode.NONE:
            return "no pictures (i draws them)"
        return self._state if self._picture is None else ""


def _drawn(sight: _Sight) -> tuple[Image.Image, list[list[Segment]]]:
    """The part of the picture, and where blocks are drawn, its lines; takes some tens of milliseconds."""
    picture, part, mode, width, height, ground = sight
    cut = picture
    if part != WHOLE:
        across, down = picture.size
        cut = picture.crop(tuple(round(at * of) for at, of in zip(part, (across, down) * 2, strict=True)))  # type: ignore[arg-type]
    return cut, [] if _graphic(mode) is not None else blocks(cut, width, height, ground)


def _most_cells() -> tuple[int, int]:
    """The columns and rows that a picture in sixels may take."""
    cell = importlib.import_module("textual_image._terminal").get_cell_size()
    return _MOST_SIXELS // cell.width, _MOST_SIXELS // cell.height


def _graphic(mode: Mode) -> Any | None:
    """textual-image's widget for a mode; None where blocks are to be drawn."""
    if mode not in (Mode.KITTY, Mode.SIXEL):
        return None
    try:
        widgets = importlib.import_module("textual_image.widget")
    except ImportError:
        return None
    return widgets.TGPImage if mode is Mode.KITTY else widgets.SixelImage
