"""The first line: which catalogue this is, how large, with which model; what is being waited for, and whether
it has changed meanwhile.
"""

from textual.content import Content
from textual.widget import Widget

from bioclip_search.text import printable

__all__ = ["TitleLine"]


class TitleLine(Widget):
    """One line; notes stand at its right end."""

    def __init__(self) -> None:
        super().__init__()
        self._facts: list[str] = []
        self._notes: dict[str, str] = {}

    def tell(self, *facts: str) -> None:
        """What stands beside the program's name."""
        self._facts = [printable(fact) for fact in facts if fact]
        self.refresh()

    def note(self, what: str, text: str) -> None:
        """A note on something, in the place of the last one on it; none when it is empty."""
        if text != self._notes.get(what, ""):
            self._notes[what] = text
            self.refresh()

    @property
    def text(self) -> str:
        """The line as one reads it."""
        return self.render().plain

    def render(self) -> Content:
        width = self.size.width
        notes = " · ".join(filter(None, self._notes.values()))
        note = f" {notes} " if notes else ""
        left = Content.assemble((" bioclip-search ", "bold $primary"), (" " + " · ".join(self._facts), "$quiet"))
        room = max(0, width - len(note))
        left = left.truncate(room, ellipsis=True).pad_right(max(0, room - left.cell_length))
        return Content.assemble(left, (note, "$accent"))
