"""Find specimen photographs by words, by a photo or by taxon, on your own machine.

The names below are what other programs may use; each is imported when it is first asked for,
so that `import bioclip_search` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from bioclip_search._version import __version__

if TYPE_CHECKING:
    from bioclip_search.api import OpenCatalogue
    from bioclip_search.api import open_catalogue as open  # noqa: A004
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.embedder import Embedder
    from bioclip_search.errors import BioclipSearchError
    from bioclip_search.identification import Identification
    from bioclip_search.query import Hit, Hits, LikePart, PhotoPart, Query, TextPart, search
    from bioclip_search.specimen import Photo, Specimen
    from bioclip_search.taxonomy import Rank, Taxon, TextType

__all__ = [
    "BioclipSearchError",
    "Catalogue",
    "Embedder",
    "Hit",
    "Hits",
    "Identification",
    "LikePart",
    "OpenCatalogue",
    "Photo",
    "PhotoPart",
    "Query",
    "Rank",
    "Specimen",
    "Taxon",
    "TextPart",
    "TextType",
    "__version__",
    "open",
    "search",
]

_HOMES = {
    "BioclipSearchError": "errors",
    "Catalogue": "catalogue",
    "Embedder": "embedder",
    "Hit": "query",
    "Hits": "query",
    "Identification": "identification",
    "LikePart": "query",
    "OpenCatalogue": "api",
    "Photo": "specimen",
    "PhotoPart": "query",
    "Query": "query",
    "Rank": "taxonomy",
    "Specimen": "specimen",
    "Taxon": "taxonomy",
    "TextPart": "query",
    "TextType": "taxonomy",
    "open": "api",
    "search": "query",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    inside = "open_catalogue" if name == "open" else name
    return getattr(importlib.import_module(f"bioclip_search.{_HOMES[name]}"), inside)


def __dir__() -> list[str]:
    return sorted(__all__)
