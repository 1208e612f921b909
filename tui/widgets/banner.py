"""A line or two for what went wrong: the program goes on."""

from textual.content import Content
from textual.widgets import Static

from bioclip_search.text import printable

__all__ = ["Banner"]

_LINES = 3


class Banner(Static):
    """Hidden until there is something to say."""

    def __init__(self) -> None:
        super().__init__()
        self._is_lasting = False

    def on_mount(self) -> None:
        self.display = False

    def say(self, sentence: str, *, is_lasting: bool = False) -> None:
        """Show the beginning of a sentence; one that is lasting stays when a search goes well."""
        self._is_lasting = is_lasting
        hint = "   E\xa0details · Esc\xa0hides\xa0this"
        room = max(20, _LINES * (self.app.size.width - 8) - len(hint))
        line = Content(printable(sentence)).truncate(room, ellipsis=True)
        self.update(Content.assemble((" ! ", "bold"), line, (hint, "dim")))
        self.display = True

    def end_of_error(self) -> None:
        """A search went well: what went wrong before is of no interest any more."""
        if not self._is_lasting:
            self.hide()

    def hide(self) -> None:
        self.display = False
