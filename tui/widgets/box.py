"""Boxes to type into. What is pasted into them comes as one line without control codes."""

from typing import Any, ClassVar

from textual import events
from textual.widgets import Input

from bioclip_search.text import clean, printable

__all__ = ["Box", "PathBox"]


class Box(Input):
    """A box for words, of which a model reads no more than the first 77 tokens."""

    most: ClassVar[int] = 1_000
    """Characters that it takes: Textual measures all of them at every key."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # When the focus comes, letters may have been typed already that Textual would select then.
        super().__init__(*arguments, max_length=self.most, select_on_focus=False, **options)
        self.cursor_blink = False  # over a slow line every blink is written

    def enter(self) -> None:
        """Take the focus, with what is there selected: what is typed takes its place."""
        self.screen.set_focus(self)
        self.action_select_all()

    def type_in(self, character: str) -> None:
        """Put a character in the place of what is selected, or at the cursor."""
        self.replace(character, *sorted(self.selection))

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.take_in(event.text)

    def take_in(self, pasted: str) -> None:
        """Put pasted text in the place of what is selected, or at the cursor."""
        start, end = sorted(self.selection)
        room = self.most - len(self.value) + end - start
        self.replace(self.one_line(pasted)[: max(0, room)], start, end)

    def one_line(self, pasted: str) -> str:
        """Lines one behind the other, each with single blanks; one at an end stays, as other words may stand there."""
        words, line = clean(pasted) or "", pasted.strip("\r\n")
        before, after = (" " if end.isspace() else "" for end in (line[:1], line[-1:]))
        return f"{before}{words}{after}" if words else before


class PathBox(Box):
    """A box for a path, in which every blank counts."""

    most = 4_096

    def one_line(self, pasted: str) -> str:
        """The first line; a control code becomes “?”, as it is shown everywhere."""
        return printable(next(iter(pasted.splitlines()), ""))
