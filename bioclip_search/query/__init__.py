"""Ask the catalogue: by words, by photos, by its records, within taxa; the answer is a list of hits.

Nothing here imports torch: the embedder is asked for only when a text or a photo must be embedded.
"""

from bioclip_search.query.hits import HIT_COLUMNS, Determined, Evidence, Hit, Hits, hit_row
from bioclip_search.query.search import Searcher, search
from bioclip_search.query.taxa import resolve_taxon
from bioclip_search.query.value import LikePart, Part, PhotoPart, Query, TextPart

__all__ = [
    "HIT_COLUMNS",
    "Determined",
    "Evidence",
    "Hit",
    "Hits",
    "LikePart",
    "Part",
    "PhotoPart",
    "Query",
    "Searcher",
    "TextPart",
    "hit_row",
    "resolve_taxon",
    "search",
]
