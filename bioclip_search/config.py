"""Where the catalogue is when no flag says so: the environment, else the platform's data folder."""

import os
from pathlib import Path

from bioclip_search.paths import absolute

__all__ = ["CATALOGUE_VARIABLE", "catalogue_folder"]

CATALOGUE_VARIABLE = "BIOCLIP_SEARCH_CATALOGUE"


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
