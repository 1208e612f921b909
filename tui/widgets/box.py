"""Boxes to type into. What is pasted into them comes as one line without control codes."""

from textual import events
from textual.widgets import Input

from bioclip_search.text import clean, printable

__all__ = ["Box", "PathBox"]


class Box(Input):
    """A box for words."""

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.take_in(event.text)

    def take_in(self, pasted: str) -> None:
        """Put pasted text in the place of what is selected, or at the cursor."""
        self.replace(self.one_line(pasted), *sorted(self.selection))

    def one_line(self, pasted: str) -> str:
        """Lines one behind the other, each with single blanks."""
        return clean(pasted) or ""


class PathBox(Box):
    """A box for a path, in which every blank counts."""

    def one_line(self, pasted: str) -> str:
        """The first line; a control code becomes “?”, as it is shown everywhere."""
        return printable(next(iter(pasted.splitlines()), ""))
