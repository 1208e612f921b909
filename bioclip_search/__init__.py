"""Find specimen photographs by words, by a photo or by taxon, on your own machine.

The names below are what other programs may use; each is imported when it is first asked for,
so that `import bioclip_search` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from bioclip_search._version import __version__

if TYPE_CHECKING:
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.embedder import Embedder
    from bioclip_search.errors import BioclipSearchError
    from bioclip_search.query import Hit, Query, search
    from bioclip_search.specimen import Photo, Specimen
    from bioclip_search.taxonomy import Rank, Taxon, TextType

__all__ = [
    "BioclipSearchError",
    "Catalogue",
    "Embedder",
    "Hit",
    "Photo",
    "Query",
    "Rank",
    "Specimen",
    "Taxon",
    "TextType",
    "__version__",
    "search",
]

_HOMES = {
    "BioclipSearchError": "errors",
    "Catalogue": "catalogue",
    "Embedder": "embedder",
    "Hit": "query",
    "Photo": "specimen",
    "Query": "query",
    "Rank": "taxonomy",
    "Specimen": "specimen",
    "Taxon": "taxonomy",
    "TextType": "taxonomy",
    "search": "query",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"bioclip_search.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
