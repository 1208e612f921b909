"""In place of everything, where there is no catalogue to show."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from bioclip_search.text import printable
from tui.bindings import key
from tui.widgets.key_line import KeyLine

__all__ = ["Notice"]


class Notice(Screen[None]):
    """A sentence with its remedy, and how to leave or try again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("r", "again", "Try again", "Look once more", "notice-again", show=True),
        key("q,escape,enter", "app.leave", "Quit", "Leave the program", "notice-quit", show=True),
    ]

    def __init__(self, title: str, sentence: str) -> None:
        super().__init__()
        self._heading = title
        self.sentence = sentence

    def compose(self) -> ComposeResult:
        notice = Static(Content(printable(self.sentence)), id="notice")
        notice.border_title = self._heading
        yield notice
        yield KeyLine()

    def action_again(self) -> None:
        self.app.pop_screen()
        self.app.action_reload()  # type: ignore[attr-defined]
