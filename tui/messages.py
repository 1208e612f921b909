"""What widgets and screens ask of the application; it alone speaks to the catalogue, and answers by calling back."""

from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from bioclip_search.taxonomy import TaxonPath
from tui.history import Visit
from tui.question import Question

if TYPE_CHECKING:
    from bioclip_search.query import Hit
    from tui.browsed import Suggested
    from tui.results import Results
    from tui.screens.full_view import FullView

__all__ = [
    "BranchesWanted",
    "ExportWanted",
    "IdentificationWanted",
    "ModelWanted",
    "PictureWanted",
    "QuestionAsked",
    "ReviewGiven",
    "SpecimenWanted",
    "SuggestionsWanted",
    "TaxaSought",
    "TaxonChosen",
]


class QuestionAsked(Message):
    """Answer this and put the cursor there; words that are being typed replace those before, until they are final.

    `visit` is the one that is made good, if it was not answered at its time.
    """

    def __init__(
        self, question: Question, *, cursor: int = 0, is_typed: bool = False, visit: Visit | None = None
    ) -> None:
        super().__init__()
        self.question = question
        self.cursor = cursor
        self.is_typed = is_typed
        self.is_final = not is_typed
        self.visit = visit


class ModelWanted(Message):
    """A search by words is about to come: load the model."""


class BranchesWanted(Message):
    """The taxa next below this one."""

    def __init__(self, path: TaxonPath) -> None:
        super().__init__()
        self.path = path


class TaxaSought(Message):
    """Taxa that have these words in their names."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words


class TaxonChosen(Message):
    """Show only photos of this taxon; () for all."""

    def __init__(self, path: TaxonPath) -> None:
        super().__init__()
        self.path = path


class SpecimenWanted(Message):
    """The picture of this hit, and the other photos of its specimen."""

    def __init__(self, hit: "Hit") -> None:
        super().__init__()
        self.hit = hit


class PictureWanted(Message):
    """The original of the photo at this place of these results, reduced to `longest` pixels, for a full view."""

    def __init__(self, screen: "FullView", results: "Results", index: int, longest: int) -> None:
        super().__init__()
        self.screen = screen
        self.results = results
        self.index = index
        self.longest = longest


class SuggestionsWanted(Message):
    """What was suggested for this photo before."""

    def __init__(self, hit: "Hit") -> None:
        super().__init__()
        self.hit = hit


class IdentificationWanted(SuggestionsWanted):
    """Identify this photo now."""


class ReviewGiven(Message):
    """A curator's word on a suggestion: accepted or rejected."""

    def __init__(self, hit: "Hit", suggested: "Suggested", verdict: str) -> None:
        super().__init__()
        self.hit = hit
        self.suggested = suggested
        self.verdict = verdict


class ExportWanted(Message):
    """Write the marked photos to this file."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
