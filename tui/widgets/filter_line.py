"""The line below the search bar: what narrows the results, and how many there are."""

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from tui.question import Question

__all__ = ["FilterLine"]


class FilterLine(Widget):
    """Filters at the left, each of which can be clicked; the result at the right."""

    def __init__(self) -> None:
        super().__init__()
        self._question = Question()
        self._status = ""
        self._order = "path"

    def show(self, question: Question, status: str, order: str) -> None:
        """Tell of a question and of what became of it; `order` is how its photos are sorted."""
        self._question, self._status, self._order = question, status, order
        self.refresh()

    @property
    def text(self) -> str:
        """The line as one reads it."""
        return self.render().plain

    def render(self) -> Content:
        question = self._question
        taxon = question.taxon_name
        parts = [
            self._part("In", f"{taxon} ✕" if taxon else "all taxa", "screen.clear_taxon", is_set=taxon is not None),
            self._part("Rank", f"{question.determined_to or 'any'} ▾", "screen.next_rank", is_set=bool(question.determined_to)),
            self._part("Sort", f"{self._order} ▾", "screen.sort", is_set=question.order is not None),
        ]
        if question.is_search:
            least = f"≥ {question.least:.2f}" if question.least is not None else "any"
            parts.append(self._part("Score", least, "screen.raise_score", is_set=question.least is not None))
        left = Content.assemble(" ", *parts)
        status = Content.styled(f"{self._status} ", "$foreground")
        gap = self.size.width - left.cell_length - status.cell_length
        if gap < 0:
            left = left.truncate(max(0, self.size.width - status.cell_length), ellipsis=True)
        return Content.assemble(left, " " * max(0, gap), status)

    def _part(self, title: str, value: str, action: str, *, is_set: bool) -> Content:
        shown = Content.assemble((f"{title}: ", "$quiet"), (value, "bold $accent" if is_set else ""), "   ")
        return shown.stylize(Style.from_meta({"@click": action}))
