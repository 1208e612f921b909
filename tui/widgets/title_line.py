"""The first line: which catalogue this is, how large, with which model; and what is being waited for."""

from textual.content import Content
from textual.widget import Widget

from bioclip_search.text import printable

__all__ = ["TitleLine"]


class TitleLine(Widget):
    """One line; a note stands at its right end."""

    def __init__(self) -> None:
        super().__init__()
        self._facts: list[str] = []
        self._note = ""

    def tell(self, *facts: str) -> None:
        """What stands beside the program's name."""
        self._facts = [printable(fact) for fact in facts if fact]
        self.refresh()

    def note(self, text: str) -> None:
        """What is being waited for; nothing when it is empty."""
        if text != self._note:
            self._note = text
            self.refresh()

    def render(self) -> Content:
        width = self.size.width
        note = f" {self._note} " if self._note else ""
        left = Content.assemble((" bioclip-search ", "bold $primary"), (" " + " · ".join(self._facts), "$quiet"))
        room = max(0, width - len(note))
        left = left.truncate(room, ellipsis=True).pad_right(max(0, room - left.cell_length))
        return Content.assemble(left, (note, "$accent"))
