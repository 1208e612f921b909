"""All keys of where one is, with what they do and the names that the settings call them by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tui.bindings import key
from tui.config import config_file
from tui.screens.sheet import Sheet

__all__ = ["Group", "HelpScreen", "groups"]

_TITLES = {
    "Gallery": "The gallery",
    "ResultList": "The list",
    "TaxonTree": "The tree of taxa",
    "TaxaPane": "The tree of taxa",
    "SearchInput": "The search box",
    "FullView": "Full view",
    "MainScreen": "Everywhere",
    "BrowseApp": "Everywhere",
}


@dataclass(frozen=True, slots=True)
class Group:
    """The keys of a pane or of the whole screen: for every binding its keys as they are written, and itself."""

    title: str
    keys: tuple[tuple[str, Binding], ...]


def groups(screen: Screen[Any]) -> list[Group]:
    """The keys that act now, those of the focused pane first; what each pane has stands under its name."""
    found: dict[str, dict[str, tuple[list[str], Binding]]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if not (binding.description and binding.id) or binding.system:
            continue
        title = _TITLES.get(type(active.node).__name__, "Here")
        _, together = found.setdefault(title, {}), found[title]
        keys, _ = together.setdefault(binding.id, ([], binding))
        keys.append(screen.app.get_key_display(binding))
    return [
        Group(title, tuple((" ".join(dict.fromkeys(keys)), binding) for keys, binding in found[title].values()))
        for title in found
    ]


class _Pages(VerticalScroll, inherit_bindings=False):
    BINDINGS: ClassVar[list[BindingType]] = [
        key("up,k", "scroll_up", "Up", "One line up", "help-up"),
        key("down,j", "scroll_down", "Down", "One line down", "help-down"),
        key("pageup,ctrl+u", "page_up", "Page up", "One page up", "help-page-up"),
        key("pagedown,ctrl+d,space", "page_down", "Page down", "One page down", "help-page-down"),
        key("home,g", "scroll_home", "First", "The first line", "help-first"),
        key("end,G", "scroll_end", "Last", "The last line", "help-last"),
    ]


class HelpScreen(Sheet[None]):
    """Help for the pane that had the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("question_mark,f1,q", "leave", "Close", "Close the help", "help-close")
    ]

    def __init__(self, shown: Sequence[Group]) -> None:
        super().__init__()
        self.shown = shown

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet help") as sheet:
            sheet.border_title = "Help"
            sheet.border_subtitle = "at the right: names for your own keymap · ↑↓ scrolls · Esc closes"
            with _Pages():
                for group in self.shown:
                    yield Static(Content.styled(group.title, "bold $primary"))
                    yield Static(_table(group), classes="help-keys")
                yield Static(Content(_NOTES.format(file=config_file())), classes="hint")

    @property
    def text(self) -> str:
        """The help as one reads it."""
        lines = [
            f"{keys} {binding.description} {binding.tooltip}" for group in self.shown for keys, binding in group.keys
        ]
        return "\n".join(lines)


_NOTES = """Shift+drag selects text with the mouse, as the terminal does itself; --no-mouse leaves the mouse to it.
Other keys: write the name of the last column under [browse.keys] in
{file}
All of this can be done by commands as well: bioclip-search --help."""


def _table(group: Group) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, expand=True, padding=(0, 2, 0, 0))
    table.add_column(width=17, style="bold")
    table.add_column(ratio=1)
    table.add_column(style="dim", justify="right", no_wrap=True)
    for keys, binding in group.keys:
        table.add_row(Text(keys), Text(binding.tooltip or binding.description), Text(binding.id or ""))
    return table
