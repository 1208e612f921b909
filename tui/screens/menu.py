"""A few things to choose from."""

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.bindings import key
from tui.screens.sheet import Sheet

__all__ = ["Menu"]


class _Choices(OptionList, inherit_bindings=False):
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "select", "Choose", "Choose this", "menu-choose", show=True),
        key("up,k", "cursor_up", "Up", "One line up", "menu-up"),
        key("down,j", "cursor_down", "Down", "One line down", "menu-down"),
    ]


class Menu(Sheet[str]):
    """Answers with the key of the line that was chosen."""

    def __init__(self, title: str, choices: Mapping[str, str]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet menu") as sheet:
            sheet.border_title = self._title
            sheet.border_subtitle = "⏎ chooses · Esc closes"
            yield _Choices(
                *(Option(Content(title), id=name.replace(" ", "-")) for name, title in self._choices.items())
            )

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(list(self._choices)[event.option_index])
