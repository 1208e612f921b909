"""What went wrong last, in full."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from bioclip_search.text import printable
from tui.bindings import key
from tui.screens.sheet import Sheet

__all__ = ["Details"]


class Details(Sheet[None]):
    """A sentence that may be copied."""

    BINDINGS: ClassVar[list[BindingType]] = [key("y,c", "copy", "Copy", "Copy this text", "details-copy", show=True)]

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self._sentence = sentence

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "What went wrong"
            sheet.border_subtitle = "y copies · Esc closes"
            with VerticalScroll():
                yield Static(Content(printable(self._sentence)), classes="sheet-text")

    def action_copy(self) -> None:
        self.app.copy(self._sentence)  # type: ignore[attr-defined]
