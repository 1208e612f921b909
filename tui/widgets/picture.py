"""One photo, as large as there is room: in the specimen pane and in the full view."""

import importlib
from typing import Any

from PIL import Image
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.images import RGB, Mode, blocks
from tui.widgets.ground import ground_of

__all__ = ["Picture"]


class Picture(Widget):
    """A picture, or a state such as “loading…” where there is none.

    `mode` may change while the program runs. Kitty graphics and sixels are textual-image's; without it, and for
    `auto`, which should have been resolved by `detect` before, blocks are drawn.
    """

    DEFAULT_CSS = """
    Picture {
        align: center middle;
        & > .picture--graphic { width: auto; height: auto; }
    }
    """

    mode: reactive[Mode] = reactive(Mode.BLOCKS, recompose=True)

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
        self._state = ""
        self._is_graphic = False
        self._drawn: tuple[tuple[int, int, RGB], list[list[Segment]]] | None = None

    def show(self, image: Image.Image | None, state: str = "") -> None:
        """Show another picture, or in its place a state."""
        self._picture, self._state, self._drawn = image, state, None
        for graphic in self.query(".picture--graphic"):
            graphic.image = image  # type: ignore[attr-defined]
        self.refresh()

    def watch_mode(self) -> None:
        self.refresh()

    def compose(self) -> ComposeResult:
        widget = _graphic(self.mode)
        self._is_graphic = widget is not None
        if widget is not None:
            yield widget(self._picture, classes="picture--graphic")

    def render_line(self, y: int) -> Strip:
        """A line of the picture in blocks; of a state; or nothing below a graphic."""
        width, height = self.content_size
        ground = ground_of(self)
        blank = Style(bgcolor=RichColor.from_rgb(*ground))
        text = self._written()
        if text:
            line = text.center(width)[:width] if y == (height - 1) // 2 else ""
            return Strip([Segment(line, self.rich_style)]).adjust_cell_length(width, blank)
        if self._picture is None or self._is_graphic or not 0 <= y < height or not width:
            return Strip.blank(width, blank)
        return Strip(self._blocks(self._picture, width, height, ground)[y], width)

    def _written(self) -> str:
        if self.mode is Mode.NONE:
            return "no pictures (--images none)"
        return self._state if self._picture is None else ""

    def _blocks(self, picture: Image.Image, width: int, height: int, ground: RGB) -> list[list[Segment]]:
        """The picture in blocks, drawn anew when its room or what lies behind it has changed."""
        room = (width, height, ground)
        if self._drawn is None or self._drawn[0] != room:
            self._drawn = (room, blocks(picture, width, height, ground))
        return self._drawn[1]


def _graphic(mode: Mode) -> Any | None:
    """textual-image's widget for a mode; None where blocks are to be drawn."""
    if mode not in (Mode.KITTY, Mode.SIXEL):
        return None
    try:
        widgets = importlib.import_module("textual_image.widget")
    except ImportError:
        return None
    return widgets.TGPImage if mode is Mode.KITTY else widgets.SixelImage
