"""The line below the search bar: what narrows the results, and how many there are."""

from textual.content import Content

from tui.question import Question
from tui.widgets.action_line import ActionLine, Piece

__all__ = ["FilterLine"]

_SET = "bold $accent"
"""How a filter is written that narrows the results."""


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
        status = Content.styled(f"{self._status} ", "bold")
        room = max(0, self.size.width - status.cell_length)
        pieces = self._pieces()
        while len(pieces) > 1 and sum(content.cell_length for content, _ in pieces) > room:
            pieces.remove(self._least_needed(pieces))
        left = self.line_of(pieces).truncate(room, ellipsis=True)
        return Content.assemble(left, " " * (room - left.cell_length), status)

    @staticmethod
    def _least_needed(pieces: list[Piece]) -> Piece:
        """The last piece that narrows nothing; else the last one."""
        return next((piece for piece in reversed(pieces[1:]) if not _is_set(piece)), pieces[-1])

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
    return Content.assemble((f"{title}: ", "$quiet"), (value, _SET if is_set else ""), "   "), action


def _is_set(piece: Piece) -> bool:
    return any(span.style == _SET for span in piece[0].spans)
