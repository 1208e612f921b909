"""The tree of taxa with numbers of photos. A taxon's children are asked for when it is opened."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.binding import BindingType
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from bioclip_search.branches import Branch
from bioclip_search.taxonomy import Rank, TaxonPath
from bioclip_search.text import printable
from tui.bindings import key
from tui.messages import BranchesWanted, TaxonChosen

__all__ = ["Row", "TaxonTree"]

_AT_ONCE = 200
_LEAST_NAME = 4


class Row:
    """What a line of the tree stands for: a taxon, what is being read, or the rest of a long list."""

    def __init__(self, branch: Branch | None = None, rest: Sequence[Branch] = (), words: str = "") -> None:
        self.branch = branch
        self.rest = rest
        self.words = words
        self.is_asked = False

    @property
    def told(self) -> str:
        """What a line says that is no taxon."""
        return f"… {len(self.rest):,} more (⏎)" if self.rest else self.words


Node = TreeNode[Row]


class TaxonTree(Tree[Row], inherit_bindings=False):
    """Taxa; the one that is shown is marked with »."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "select_cursor", "Show", "Show the photos of this taxon", "tree-show", show=True),
        key("space", "toggle_node", "Open/close", "Open or close this taxon", "tree-toggle"),
        key("right,l", "open", "Open", "Open this taxon, or go into it", "tree-open"),
        key("left,h", "close", "Close", "Close this taxon, or go to the one it is in", "tree-close"),
        key("up,k", "cursor_up", "Up", "One line up", "tree-up"),
        key("down,j", "cursor_down", "Down", "One line down", "tree-down"),
        key("home,g", "scroll_home", "First", "The first line", "tree-first"),
        key("end,G", "scroll_end", "Last", "The last line", "tree-last"),
        key("pageup,ctrl+u", "page_up", "Page up", "One page up", "tree-page-up"),
        key("pagedown,ctrl+d", "page_down", "Page down", "One page down", "tree-page-down"),
    ]
    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "

    def __init__(self) -> None:
        super().__init__("all taxa", data=Row())
        self.guide_depth = 2
        self.show_guides = False
        self.auto_expand = False
        self._chosen: TaxonPath = ()
        self._counts: Mapping[TaxonPath, int] | None = None
        self._wanted: TaxonPath = ()
        self._by_path: dict[TaxonPath, Node] = {(): self.root}

    # What is shown

    def begin(self, photos: int) -> None:
        """The tree of a catalogue with so many photos, from its root."""
        self.root.remove_children()
        self._by_path = {(): self.root}
        self.root.data = Row(Branch((), None, "All taxa", None, photos, True))
        self.root.expand()
        self._ask(self.root)

    def fill(self, path: TaxonPath, branches: Sequence[Branch]) -> None:
        """The children of a taxon have come."""
        node = self._by_path.get(path)
        if node is not None:
            node.remove_children()
            self._add(node, branches)
            self._go_on()

    def fail(self, path: TaxonPath) -> None:
        """The children of a taxon could not be read; it can be opened again."""
        node = self._by_path.get(path)
        if node is not None and node.data is not None:
            node.remove_children()
            node.data.is_asked = False
            node.collapse()

    def choose(self, path: TaxonPath) -> None:
        """Mark the taxon that is shown, and open the tree down to it."""
        self._chosen = self._wanted = path
        self._go_on()
        self._redraw()

    def count(self, counts: Mapping[TaxonPath, int] | None) -> None:
        """How many of the hits belong to each taxon; None for a listing."""
        self._counts = counts
        self._redraw()

    def _redraw(self) -> None:
        """Write the lines anew: they stay where they are, so that nothing needs to be laid out."""
        self._line_cache.clear()
        self.refresh()

    def _add(self, node: Node, branches: Sequence[Branch]) -> None:
        """Some children now, a line for the rest: a genus may have thousands of species."""
        for branch in branches[:_AT_ONCE]:
            self._by_path[branch.path] = node.add("", data=Row(branch), allow_expand=branch.has_children)
        if rest := branches[_AT_ONCE:]:
            node.add_leaf("", data=Row(rest=rest))

    def _add_rest(self, line: Node) -> bool:
        """The next of a long list in the place of the line that stands for them; False for another line."""
        if line.data is None or line.parent is None or not line.data.rest:
            return False
        rest, line.data.rest = line.data.rest, ()  # a second key may be on its way
        parent = line.parent
        line.remove()
        self._add(parent, rest)
        return True

    def _bring(self, path: TaxonPath, parent: Node) -> None:
        """Put a taxon that is in the rest of a long list before the line that stands for it."""
        line = parent.children[-1] if parent.children else None
        row = line.data if line is not None else None
        branch = next((branch for branch in row.rest if branch.path == path), None) if row is not None else None
        if row is None or branch is None:
            return
        row.rest = [other for other in row.rest if other is not branch]
        self._by_path[path] = parent.add("", data=Row(branch), allow_expand=branch.has_children, before=line)
        if not row.rest and line is not None:
            line.remove()

    def _ask(self, node: Node) -> None:
        row = node.data
        if row is None or row.branch is None or row.is_asked:
            return
        row.is_asked = True
        node.add_leaf("", data=Row(words="loading…"))
        self.post_message(BranchesWanted(row.branch.path))

    def _go_on(self) -> None:
        """Open the next taxon on the way to the one that is wanted, as far as it has been read."""
        wanted = self._wanted
        for length in range(len(wanted)):
            node = self._by_path.get(wanted[:length])
            if node is None or wanted[: length + 1] in self._by_path:
                continue
            if node.data is not None and not node.data.is_asked:
                node.expand()
            self._bring(wanted[: length + 1], node)
            if wanted[: length + 1] not in self._by_path:
                return
        if wanted and (node := self._by_path.get(wanted)) is not None:
            self._wanted = ()
            for above in range(len(wanted)):
                self._by_path[wanted[:above]].expand()
            self.call_after_refresh(self.move_cursor, node)

    # What the user does

    @on(Tree.NodeExpanded)
    def _opened(self, event: Tree.NodeExpanded[Row]) -> None:
        event.stop()
        self._ask(event.node)

    @on(Tree.NodeSelected)
    def _selected(self, event: Tree.NodeSelected[Row]) -> None:
        event.stop()
        row = event.node.data
        if row is None:
            return
        if row.rest:
            self._add_rest(event.node)
        elif row.branch is not None:
            event.node.expand()
            self.post_message(TaxonChosen(row.branch.path))

    def action_open(self) -> None:
        node = self.cursor_node
        if node is None or not node.allow_expand:
            self._add_rest_here()
        elif node.is_expanded:
            self.action_cursor_down()
        else:
            node.expand()

    def action_toggle_node(self) -> None:
        if not self._add_rest_here():
            super().action_toggle_node()

    def _add_rest_here(self) -> bool:
        return self.cursor_node is not None and self._add_rest(self.cursor_node)

    def action_close(self) -> None:
        node = self.cursor_node
        if node is None:
            return
        if node.is_expanded and node.allow_expand:
            node.collapse()
        elif node.parent is not None:
            self.move_cursor(node.parent)

    # A line

    def render_label(self, node: Node, base_style: Style, style: Style) -> Text:
        row = node.data
        if row is None or row.branch is None:
            return Text.assemble(("  " + (row.told if row else ""), self._quiet + style))
        branch = row.branch
        icon = self.ICON_NODE_EXPANDED if node.is_expanded else self.ICON_NODE
        icon = icon if node.allow_expand else "  "
        is_chosen = branch.path == self._chosen and bool(self._chosen)
        toggle = base_style + Style(meta={"toggle": True}) if node.allow_expand else base_style
        head = Text.assemble(("»" if is_chosen else "", self._accent + style), (icon, toggle + style))
        count = self._count(branch)
        room = self._room(node) - head.cell_len - len(count) - 1
        name = Text(branch_name(branch), style=style + Style(italic=_is_italic(branch) or None, bold=is_chosen or None))
        name.truncate(max(room, _LEAST_NAME), overflow="ellipsis", pad=True)
        return Text.assemble(head, name, (" ", style), (count, self._quiet + style))

    def _count(self, branch: Branch) -> str:
        if self._counts is None:
            return f"{branch.count:,}"
        return f"{self._counts.get(branch.path, 0):,}/{branch.count:,}"

    def _room(self, node: Node) -> int:
        depth, above = 0, node.parent
        while above is not None:
            depth, above = depth + 1, above.parent
        return self.scrollable_content_region.width - depth * self.guide_depth

    @property
    def _quiet(self) -> Style:
        return self.get_component_rich_style("tree--guides", partial=True)

    @property
    def _accent(self) -> Style:
        return self.get_component_rich_style("tree--guides-selected", partial=True)


def branch_name(branch: Branch) -> str:
    """The name of a taxon; a species' genus as a letter, for it stands in the line above."""
    name = branch.name
    if not name:
        return "(unidentified)"
    genus, _, epithet = name.partition(" ")
    return printable(f"{genus[0]}. {epithet}" if branch.rank is Rank.SPECIES and epithet else name)


def _is_italic(branch: Branch) -> bool:
    return branch.rank in (Rank.GENUS, Rank.SPECIES)
