"""The sentences of the screen: how a search went, why there is nothing, how results may be sorted."""

from bioclip_search.text import printable
from tui.question import LISTING_LIMIT, Question
from tui.results import Order, Results

__all__ = ["default_order", "nothing_found", "orders", "ranks_all", "remark", "status"]

_SLOW = 2
_ORDERS = (Order.PLACE, Order.NAME, Order.NUMBER, Order.INDEXED)


def orders(question: Question) -> tuple[Order, ...]:
    """How the photos of a question may be sorted; the usual way first."""
    return (Order.SIMILARITY, *_ORDERS) if question.is_search else _ORDERS


def default_order(question: Question) -> Order:
    return orders(question)[0]


def status(question: Question, results: Results | None, waiting: int | None) -> str:
    """How the question went; `waiting` are seconds while it is under way."""
    if waiting is not None:
        slow = f" {waiting} s" if waiting >= _SLOW else ""
        return f"searching…{slow}  esc cancels"
    if results is None:
        return ""
    if not question.is_search:
        return f"{results.count:,} photo{'' if results.count == 1 else 's'}"
    return f"{_found(question, results.count)} · {results.seconds * 1000:,.0f} ms"


def ranks_all(question: Question, results: Results) -> bool:
    """Whether a search left out nothing of the taxon: it has put all its photos in an order."""
    is_narrowed = question.least is not None or question.determined_to is not None
    return question.is_search and not is_narrowed and results.count < LISTING_LIMIT


def _found(question: Question, count: int) -> str:
    """How many photos a search gave. Every photo has some likeness: only a lowest score makes matches of them."""
    if count == LISTING_LIMIT:
        return f"best {count:,}"
    if question.least is not None:
        return f"{count:,} match{'' if count == 1 else 'es'}"
    return f"{count:,} photo{'' if count == 1 else 's'}, best first"


def remark(results: Results) -> str:
    """What a search says of itself beside its hits, in a few words."""
    if results.hits is None:
        return ""
    if results.hits.determined:
        found = results.hits.determined[0]
        return printable(f"{found.photos:,} determined as {found.name}")
    return "nothing matches well" if results.hits.no_good_match else ""


def nothing_found(question: Question) -> str:
    """Why no photo is shown, and what to do about it."""
    if question.kept is not None:
        return "No photo is marked. m marks the photo under the cursor."
    where = f" in {question.taxon_name}" if question.taxon else ""
    remedies = []
    if question.taxon:
        remedies.append("x removes the taxon filter")
    if question.least is not None:
        remedies.append("[ lowers the score")
    if question.determined_to is not None:
        remedies.append("R takes other ranks")
    said = f"No photo matches {question.title}{where}." if question.is_search else f"There is no photo{where}."
    if not question.is_search and not remedies:
        return "The catalogue is empty. Leave with q, and fill it:\n\nbioclip-search index PHOTOS"
    return f"{said}\n\n{' · '.join(remedies)}" if remedies else said
