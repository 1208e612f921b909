"""The last line: the keys that matter most where one is."""

from typing import Any

from textual.binding import Binding
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Input

from tui.widgets.action_line import ActionLine, Piece

__all__ = ["KeyLine"]

_OF_MARKS = ("export", "show-marked")
_ORDER = ("search-text", "taxa", "similar", "mark", *_OF_MARKS, "copy-path", "view", "detail", "open", "next-pane")
_TYPED = ("slash", "question_mark")
_LAST = ("help", "commands", "quit")


class KeyLine(ActionLine):
    """Keys and their names, from the bindings that are active; each may be clicked. Help and leaving always fit."""

    has_marks: reactive[bool] = reactive(False)
    """Whether photos are marked: then there are keys for those."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, _screen: Screen[Any]) -> None:
        self.refresh()

    @property
    def text(self) -> str:
        """The line as one reads it."""
        return self.render().plain

    def render(self) -> Content:
        shown: dict[str, Binding] = {}
        is_typing = isinstance(self.screen.focused, Input)
        for active in self.screen.active_bindings.values():
            binding = active.binding
            is_shown = binding.show or (self.has_marks and not is_typing and binding.id in _OF_MARKS)
            if is_shown and binding.id and not (is_typing and binding.key in _TYPED):
                shown.setdefault(binding.id, binding)
        last = [self._piece(shown.pop(id_)) for id_ in _LAST if id_ in shown]
        # What the pane has for itself comes first.
        own = [binding for id_, binding in shown.items() if id_ not in _ORDER]
        pieces = [self._piece(binding) for binding in (*own, *(shown[id_] for id_ in _ORDER if id_ in shown))]
        room = self.size.width - sum(content.cell_length for content, _ in last)
        while pieces and sum(content.cell_length for content, _ in pieces) > room:
            pieces.pop()
        return self.line_of([*pieces, *last])

    def _piece(self, binding: Binding) -> Piece:
        key = self.app.get_key_display(binding)
        content = Content.assemble((f" {key} ", "bold $accent"), (f"{binding.description} ", "$quiet"))
        return content, f"app.press({binding.key!r})"
