"""The left pane: the tree of taxa, and the box that finds one by its name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from bioclip_search.branches import Branch
from bioclip_search.text import printable
from tui.bindings import key
from tui.messages import TaxaSought, TaxonChosen
from tui.widgets.box import Box
from tui.widgets.taxon_tree import TaxonTree

__all__ = ["MOST_FOUND", "MOST_LIKE", "FoundTaxa", "TaxaPane"]

MOST_FOUND = 200
"""How many taxa are looked for by a name at once …"""
MOST_LIKE = 8
"""… and how many by one that none has."""


@dataclass(frozen=True, slots=True)
class FoundTaxa:
    """Taxa that are `named` with words; where there are none, those that have a name `like` it."""

    words: str = ""
    named: Sequence[Branch] = ()
    like: Sequence[Branch] = ()

    @property
    def told(self) -> str:
        """How many there are."""
        if not self.words:
            return ""
        if self.named:
            most = "best " if len(self.named) == MOST_FOUND else ""
            return f"{most}{len(self.named):,} tax{'on' if len(self.named) == 1 else 'a'}"
        return "none; did you mean" if self.like else "none"


class _NameBox(Box):
    """Narrows the taxa while one types."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape", "leave", "To the tree", "Forget the name, back to the tree", "find-leave", show=True),
        key("down", "to_found", "To the taxa", "Go to the taxa that were found", "find-down"),
    ]

    def action_leave(self) -> None:
        self.screen.query_one(TaxaPane).show_tree()

    def action_to_found(self) -> None:
        self.screen.set_focus(self.screen.query_one(_FoundList))


class _FoundList(OptionList, inherit_bindings=False):
    """Taxa that were found, wherever they stand in the tree."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "select", "Show", "Show the photos of this taxon", "found-show", show=True),
        key("up,k", "cursor_up", "Up", "One line up", "found-up"),
        key("down,j", "cursor_down", "Down", "One line down", "found-down"),
        key("home,g", "first", "First", "The first line", "found-first"),
        key("end,G", "last", "Last", "The last line", "found-last"),
        key("pageup,ctrl+u", "page_up", "Page up", "One page up", "found-page-up"),
        key("pagedown,ctrl+d", "page_down", "Page down", "One page down", "found-page-down"),
        key("escape", "leave", "To the tree", "Forget the name, back to the tree", "found-leave", show=True),
    ]

    def action_leave(self) -> None:
        self.screen.query_one(TaxaPane).show_tree()


class TaxaPane(Vertical):
    """Taxa; `f` finds one by a part of its name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("f", "find", "Find a taxon", "Find taxa by scientific or common name", "tree-find", show=True)
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: list[Branch] = []
        self._words = ""

    def compose(self) -> ComposeResult:
        yield TaxonTree()
        yield _FoundList()
        yield _NameBox(placeholder="part of a name", compact=True)

    def on_mount(self) -> None:
        self.border_title = "Taxa (t)"
        self._show(is_finding=False)

    @property
    def taxa(self) -> TaxonTree:
        return self.query_one(TaxonTree)

    def action_find(self) -> None:
        self._show(is_finding=True)
        self.query_one(_NameBox).enter()

    def show_tree(self) -> None:
        """Back to the tree as it was."""
        self._show(is_finding=False)
        self.query_one(_NameBox).value = ""
        self.screen.set_focus(self.taxa)

    def found(self, found: FoundTaxa) -> None:
        """Show what was found; that of words that were changed since is not shown."""
        if found.words != self.query_one(_NameBox).value.strip():
            return
        self._found, self._words = [*found.named, *found.like], found.words
        width = max(10, self.query_one(_FoundList).scrollable_content_region.width)
        options = self.query_one(_FoundList)
        options.clear_options()
        options.add_options([Option(_line(branch, width)) for branch in self._found])
        if self._found:
            options.highlighted = 0
        self.border_subtitle = found.told

    def _show(self, *, is_finding: bool) -> None:
        self.taxa.display = not is_finding
        self.query_one(_FoundList).display = is_finding
        self.query_one(_NameBox).display = is_finding
        self.border_subtitle = "" if is_finding else "f finds"

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(TaxaSought(event.value.strip()))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._found and event.value.strip() == self._words:
            self._choose(self._found[0])

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_index < len(self._found):  # others may have been found meanwhile
            self._choose(self._found[event.option_index])

    def _choose(self, branch: Branch) -> None:
        self.show_tree()
        self.post_message(TaxonChosen(branch.path))


def _line(branch: Branch, width: int) -> Content:
    """A found taxon in one line: its name, its common name, its number of photos."""
    count = f" {branch.count:,}"
    common = f" {printable(branch.common_name)}" if branch.common_name else ""
    rank = f" {branch.rank}" if branch.rank and not common else ""
    name = Content.assemble(printable(branch.name or "(unidentified)"), (common or rank, "$quiet"))
    room = max(0, width - len(count))
    name = name.truncate(room, ellipsis=True)
    return Content.assemble(name, " " * max(0, room - name.cell_length), (count, "$quiet"))
