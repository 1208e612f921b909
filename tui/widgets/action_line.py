"""A line whose pieces may be clicked."""

from collections.abc import Iterable

from textual import events
from textual.content import Content
from textual.widget import Widget

__all__ = ["ActionLine", "Piece"]

Piece = tuple[Content, str]
"""What is written, and the action of a click on it; no action where that is empty."""


class ActionLine(Widget):
    """One line of pieces."""

    def __init__(self) -> None:
        super().__init__()
        self._ends: list[tuple[int, str]] = []

    def line_of(self, pieces: Iterable[Piece]) -> Content:
        """The pieces one behind the other; where each ends is kept for the mouse."""
        self._ends, end, contents = [], 0, []
        for content, action in pieces:
            end += content.cell_length
            self._ends.append((end, action))
            contents.append(content)
        return Content.assemble(*contents)

    async def on_click(self, event: events.Click) -> None:
        action = next((action for end, action in self._ends if event.x < end), "")
        if action:
            await self.run_action(action)
