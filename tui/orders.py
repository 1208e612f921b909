"""Results in other orders, and counted by taxon."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from bioclip_search.branches import UNPLACED
from bioclip_search.query import Hit, Hits
from bioclip_search.taxonomy import RANKS, TaxonPath
from tui.named import name_as_written
from tui.results import ListResults, Order, Results, SearchResults

__all__ = ["counted", "ordered"]

# What a photo is called in a list: the determination as written, else the name at the narrowest rank.
_NAMES = ("scientificName", *(rank.value for rank in reversed(RANKS)), "vernacularName")
_COLUMNS = {Order.NAME: _NAMES, Order.NUMBER: ("catalogNumber",), Order.INDEXED: ("indexed_at",)}


def ordered(results: Results, order: Order) -> Results:
    """The same results in another order; what lacks the value comes last, the latest indexed first."""
    if isinstance(results, ListResults):
        columns = _COLUMNS.get(order)
        if columns is None:
            return results
        began = time.perf_counter()
        listing = results.listing.sorted_by(columns, descending=order is Order.INDEXED)
        return ListResults(listing, time.perf_counter() - began)
    hits = results.hits or Hits(())
    return SearchResults(hits, results.seconds, _in_order(hits, order))


def counted(hits: Sequence[Hit]) -> Mapping[TaxonPath, int]:
    """How many of some hits each taxon has; a path without any has 0."""
    counts: Counter[TaxonPath] = Counter()
    for hit in hits:
        path = tuple(hit.taxon.lineage)
        counts.update(path[:depth] for depth in range(len(path) + 1))
        if not path:
            counts[UNPLACED] += 1
    return counts


def _in_order(hits: Hits, order: Order) -> Sequence[Hit]:
    """Hits in an order, what lacks the value last and equal ones by similarity."""

    def value(hit: Hit) -> str | None:
        return name_as_written(hit) if order is Order.NAME else hit.specimen.catalog_number

    match order:
        case Order.SIMILARITY:
            return hits.hits
        case Order.PLACE:
            return sorted(hits, key=lambda hit: (hit.photo.root, hit.photo.path))
        case Order.INDEXED:
            return sorted(hits, key=lambda hit: hit.photo.indexed_at, reverse=True)
        case _:
            return sorted(hits, key=lambda hit: (value(hit) is None, value(hit) or ""))
