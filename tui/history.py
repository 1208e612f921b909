"""Where the user has been: questions with their results and the photo they stood on."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.question import Question

if TYPE_CHECKING:
    from tui.results import Results

__all__ = ["History", "View"]

_MOST = 100


@dataclass(slots=True)
class View:
    """A question, what it gave, and where the cursor stood; `is_typed` while its words may go on."""

    question: Question
    results: "Results"
    cursor: int = 0
    is_typed: bool = False


@dataclass(slots=True)
class History:
    """The views, oldest first; `at` is the one on the screen."""

    views: list[View] = field(default_factory=list)
    at: int = -1

    @property
    def now(self) -> View | None:
        return self.views[self.at] if self.views else None

    def visit(self, view: View) -> None:
        """Go on from here; what lay forward is forgotten."""
        self.views = [*self.views[: self.at + 1], view][-_MOST:]
        self.at = len(self.views) - 1

    def move(self, by: int) -> View | None:
        """One back (-1) or forward (1); None where there is nothing."""
        if not 0 <= self.at + by < len(self.views):
            return None
        self.at += by
        return self.now
