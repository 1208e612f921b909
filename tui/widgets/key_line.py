"""The last line: the keys that matter most where one is."""

from typing import Any

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

__all__ = ["KeyLine"]

_LAST = ("help", "commands", "quit")


class KeyLine(Widget):
    """Keys and their names, from the bindings that are active; each may be clicked. Help and leaving always fit."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, _screen: Screen[Any]) -> None:
        self.refresh()

    def render(self) -> Content:
        shown = [self._piece(binding) for binding in self._bindings(is_last=False)]
        last = [self._piece(binding) for binding in self._bindings(is_last=True)]
        room = self.size.width - sum(piece.cell_length for piece in last)
        fitting: list[Content] = []
        for piece in shown:
            room -= piece.cell_length
            if room < 0:
                break
            fitting.append(piece)
        return Content.assemble(*fitting, *last)

    def _bindings(self, *, is_last: bool) -> list[Binding]:
        active = {one.binding.id or one.binding.key: one.binding for one in self.screen.active_bindings.values()}
        shown = [binding for binding in active.values() if binding.show and (binding.id in _LAST) is is_last]
        return sorted(shown, key=lambda one: _LAST.index(one.id)) if is_last else shown  # type: ignore[arg-type]

    def _piece(self, binding: Binding) -> Content:
        key = self.app.get_key_display(binding)
        click = Style.from_meta({"@click": f"app.press({binding.key!r})"})
        return Content.assemble((f" {key}", "bold $accent"), (f" {binding.description} ", "$quiet")).stylize(click)
