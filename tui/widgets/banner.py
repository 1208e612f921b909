"""One line for what went wrong: the program goes on."""

from textual.content import Content
from textual.widgets import Static

from bioclip_search.text import printable

__all__ = ["Banner"]


class Banner(Static):
    """Hidden until there is something to say. `details` is all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.details = ""

    def on_mount(self) -> None:
        self.display = False

    def say(self, sentence: str, details: str | None = None) -> None:
        """Show a sentence; what is too long for the line is in the details."""
        self.details = details or sentence
        hint = "   E details · Esc hides this"
        room = max(20, self.app.size.width - len(hint) - 5)
        line = Content(printable(sentence)).truncate(room, ellipsis=True)
        self.update(Content.assemble((" ! ", "bold"), line, (hint, "dim")))
        self.display = True

    def hide(self) -> None:
        self.display = False
