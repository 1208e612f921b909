"""In place of everything while the terminal is too small: keys do nothing to what cannot be seen."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.bindings import key

__all__ = ["LEAST_HEIGHT", "LEAST_WIDTH", "TooSmall"]

LEAST_WIDTH, LEAST_HEIGHT = 60, 18


class TooSmall(ModalScreen[None]):
    """Lies over all that there is, and goes when the terminal is large enough."""

    BINDINGS: ClassVar[list[BindingType]] = [key("q", "app.leave", "Quit", "Leave the program", "small-quit")]

    @staticmethod
    def is_needed(size: Size) -> bool:
        return size.width < LEAST_WIDTH or size.height < LEAST_HEIGHT

    def compose(self) -> ComposeResult:
        yield Static(self._words(), id="too-small")

    def on_resize(self) -> None:
        self._mind_size()

    def on_screen_resume(self) -> None:
        self._mind_size()

    def _mind_size(self) -> None:
        if self.is_needed(self.app.size):
            self.query_one(Static).update(self._words())
        elif self.is_current:
            self.app.pop_screen()

    def _words(self) -> Content:
        width, height = self.app.size
        return Content(f"Terminal too small ({width}×{height}); need {LEAST_WIDTH}×{LEAST_HEIGHT}")
