"""Where the catalogue is when no flag says so: the environment, else the platform's data folder."""

import os
from pathlib import Path

__all__ = ["CATALOGUE_VARIABLE", "catalogue_folder"]

CATALOGUE_VARIABLE = "BIOCLIP_SEARCH_CATALOGUE"


def catalogue_folder(flag: Path | None = None) -> Path:
    """The folder of the catalogue, absolute: flag, then BIOCLIP_SEARCH_CATALOGUE, then the default."""
    if flag is not None:
        return flag.expanduser().absolute()
    if named := os.environ.get(CATALOGUE_VARIABLE):
        return Path(named).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("bioclip-search", appauthor=False)) / "catalogue"
