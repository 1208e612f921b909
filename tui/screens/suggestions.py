"""What a specimen could be: suggestions beside the determination, to accept or to reject."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from bioclip_search.query import Hit
from bioclip_search.text import printable
from tui.bindings import key
from tui.described import full_name
from tui.messages import IdentificationWanted, ReviewGiven, SuggestionsWanted
from tui.screens.sheet import Sheet

if TYPE_CHECKING:
    from tui.browsed import Suggested

__all__ = ["Suggestions"]


_CANDIDATES = 6
_SIGNS = {"accepted": "✓", "rejected": "✗"}


class _List(OptionList, inherit_bindings=False):
    BINDINGS: ClassVar[list[BindingType]] = [
        key("up,k", "cursor_up", "Up", "One line up", "suggestions-up"),
        key("down,j", "cursor_down", "Down", "One line down", "suggestions-down"),
    ]


class Suggestions(Sheet[None]):
    """Accepting is a review that is kept beside the suggestion; the determination stays as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("i", "identify", "Identify", "Identify the photo now", "suggestions-identify", show=True),
        key("a,enter", "review('accepted')", "Accept", "Accept this suggestion", "suggestions-accept", show=True),
        key("r", "review('rejected')", "Reject", "Reject this suggestion", "suggestions-reject", show=True),
    ]

    def __init__(self, hit: Hit) -> None:
        super().__init__()
        self._hit = hit
        self._shown: list[Suggested] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "Suggestions"
            sheet.border_subtitle = "i identifies · a accepts · r rejects · Esc closes"
            yield Static(Content.assemble(("Determined as ", "$quiet"), full_name(self._hit)), classes="sheet-text")
            yield _List()
            yield Static("", id="candidates", classes="hint")
            yield Static("", id="prompt-hint", classes="hint")

    def on_mount(self) -> None:
        self._say("Looking for suggestions…")
        self.post_message(SuggestionsWanted(self._hit))

    @property
    def shown(self) -> "Sequence[Suggested]":
        return self._shown

    def put(self, found: "Sequence[Suggested]") -> None:
        """What was suggested, with what was said of it; nothing if this was closed meanwhile."""
        if self not in self.app.screen_stack:
            return
        options = self.query_one(_List)
        at = options.highlighted or 0
        self._shown = list(found)
        options.clear_options()
        options.add_options([Option(_line(one)) for one in self._shown])
        if self._shown:
            options.highlighted = min(at, len(self._shown) - 1)
        self._say(
            "Reviews are kept beside the suggestions; the determination stays as it is."
            if self._shown
            else "Nothing was suggested for this photo yet. i identifies it."
        )

    def reviewed(self, suggested: "Suggested") -> None:
        """What is said of one of them now; the others stay, for one just made is kept nowhere else."""
        changed = suggested.suggestion.suggestion_id
        self.put([suggested if one.suggestion.suggestion_id == changed else one for one in self._shown])

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_index < len(self._shown):  # others may have come meanwhile
            self.query_one("#candidates", Static).update(_candidates(self._shown[event.option_index]))

    def failed(self, sentence: str) -> None:
        self._say(sentence)

    def _say(self, sentence: str) -> None:
        if self in self.app.screen_stack:
            self.query_one("#prompt-hint", Static).update(Content(printable(sentence)))

    def action_identify(self) -> None:
        self._say("Comparing with determined specimens…")
        self.post_message(IdentificationWanted(self._hit))

    def action_review(self, verdict: str) -> None:
        at = self.query_one(_List).highlighted
        if at is not None and at < len(self._shown):
            self.post_message(ReviewGiven(self._hit, self._shown[at], verdict))


def _candidates(suggested: "Suggested") -> Content:
    """What else it could be, the likeliest first."""
    lines = [
        Content.assemble(
            (f"{score:>5.0%}  ", "$count"), (printable(name or "?"), "italic"), (f"  {rank or ''}", "$quiet")
        )
        for rank, name, score in suggested.suggestion.candidates[:_CANDIDATES]
    ]
    return Content("\n").join([Content("Candidates"), *lines]) if lines else Content("")


def _line(suggested: "Suggested") -> Content:
    """A suggestion in one line, and what was said of it."""
    suggestion, review = suggested.suggestion, suggested.review
    taxon = suggestion.taxon
    name = printable(taxon.scientific_name or taxon.common_name or "no rank is certain enough")
    score = f"{suggestion.score:.0%}" if suggestion.score is not None else "–"
    common = f"  {printable(taxon.common_name)}" if taxon.common_name and taxon.scientific_name else ""
    return Content.assemble(
        (f"{score:>5}  ", "$count"),
        (name, "italic"),
        (common, "$quiet"),
        (f"  {taxon.rank or ''} · by {printable(suggestion.method)} · {suggestion.created:%Y-%m-%d}", "$quiet"),
        (
            f"  {_SIGNS[review.verdict]} {review.verdict} by {printable(review.reviewer)}" if review else "",
            "bold $accent",
        ),
    )
