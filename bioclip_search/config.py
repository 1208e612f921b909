"""Where the catalogue and the cache are when no flag says so: the environment, else the platform's folders."""

import os
from pathlib import Path

from bioclip_search.paths import absolute

__all__ = ["CACHE_VARIABLE", "CATALOGUE_VARIABLE", "cache_folder", "catalogue_folder"]

CATALOGUE_VARIABLE = "BIOCLIP_SEARCH_CATALOGUE"
CACHE_VARIABLE = "BIOCLIP_SEARCH_CACHE"


def catalogue_folder(flag: Path | None = None) -> Path:
    """The folder of the catalogue, absolute: flag, then BIOCLIP_SEARCH_CATALOGUE, then the default.

    Raises UsageError for a name that no folder can have.
    """
    if flag is not None:
        return absolute(flag)
    if named := os.environ.get(CATALOGUE_VARIABLE):
        return absolute(Path(named))
    import platformdirs

    return Path(platformdirs.user_data_dir("bioclip-search", appauthor=False)) / "catalogue"


def cache_folder() -> Path:
    """The folder of what can be made again, absolute: BIOCLIP_SEARCH_CACHE, else the platform's.

    Raises UsageError for a name that no folder can have.
    """
    if named := os.environ.get(CACHE_VARIABLE):
        return absolute(Path(named))
    import platformdirs

    return Path(platformdirs.user_cache_dir("bioclip-search", appauthor=False))
