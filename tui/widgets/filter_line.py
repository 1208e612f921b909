"""The line below the search bar: what narrows the results, and how many there are."""

from textual.content import Content

from tui.question import Question
from tui.widgets.action_line import ActionLine, Piece

__all__ = ["FilterLine"]


class FilterLine(ActionLine):
    """Filters at the left, each of which can be clicked; the result at the right."""

    def __init__(self) -> None:
        super().__init__()
        self._question = Question()
        self._status = ""
        self._order = ""

    def show(self, question: Question, status: str, order: str) -> None:
        """Tell of a question and of what became of it; `order` is how its photos are sorted."""
        self._question, self._status, self._order = question, status, order
        self.refresh()

    @property
    def text(self) -> str:
        """The line as one reads it."""
        return self.render().plain

    def render(self) -> Content:
        left = self.line_of(self._pieces())
        status = Content.styled(f"{self._status} ", "bold")
        room = max(0, self.size.width - status.cell_length)
        left = left.truncate(room, ellipsis=True)
        return Content.assemble(left, " " * (room - left.cell_length), status)

    def _pieces(self) -> list[Piece]:
        question = self._question
        taxon, rank, least = question.taxon_name, question.determined_to, question.least
        pieces = [
            (Content(" "), ""),
            _piece("In", f"{taxon} ✕" if taxon else "all taxa", "screen.clear_taxon", is_set=taxon is not None),
            _piece("Rank", f"{rank or 'any'} ▾", "screen.next_rank", is_set=rank is not None),
            _piece("Sort", f"{self._order} ▾", "screen.sort", is_set=question.order is not None),
        ]
        if question.is_search:
            shown = f"≥ {least:.2f}" if least is not None else "any"
            pieces.append(_piece("Score", shown, "screen.raise_score", is_set=least is not None))
        return pieces


def _piece(title: str, value: str, action: str, *, is_set: bool) -> Piece:
    return Content.assemble((f"{title}: ", "$quiet"), (value, "bold $accent" if is_set else ""), "   "), action
