"""Where the user has been: questions with their results and the photo they stood on."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.question import Question

if TYPE_CHECKING:
    from tui.results import Results

__all__ = ["History", "Visit"]

_MOST = 100


@dataclass(slots=True, eq=False)
class Visit:
    """A question, what it gave, and where the cursor stood; `is_typed` while its words may go on.

    It has no results if another question overtook it before it was answered.
    """

    question: Question
    results: "Results | None"
    cursor: int = 0
    is_typed: bool = False


@dataclass(slots=True)
class History:
    """The visits, oldest first; `at` is the one on the screen."""

    visits: list[Visit] = field(default_factory=list)
    at: int = -1

    @property
    def now(self) -> Visit | None:
        return self.visits[self.at] if self.visits else None

    def add(self, visit: Visit, *, goes_on: bool = False) -> None:
        """Go on from here; what lay forward is forgotten. One that goes on stands in the place of words that it
        goes on from."""
        if goes_on and self.now is not None and self.now.is_typed:
            self.at -= 1
        self.visits = [*self.visits[: self.at + 1], visit][-_MOST:]
        self.at = len(self.visits) - 1

    def beside(self, by: int) -> Visit | None:
        """One back (-1) or forward (1); None where there is nothing."""
        return self.visits[self.at + by] if 0 <= self.at + by < len(self.visits) else None

    def forget(self, visit: Visit) -> None:
        """Take out a visit that one cannot come to; what is on the screen stays."""
        if visit is not self.now and visit in self.visits:
            self.at -= self.visits.index(visit) < self.at
            self.visits.remove(visit)

    def go_to(self, visit: Visit) -> None:
        """Come to a visit again; a forgotten one is added."""
        if visit in self.visits:
            self.at = self.visits.index(visit)
        else:
            self.add(visit)
