"""Read a taxon from the folders that a photo lies in, only where they plainly name one.

Understood are a binomial (`Danaus plexippus`, `Danaus_plexippus`), a genus folder with epithet
folders in it, family and order endings fixed by the codes of nomenclature (-idae, -aceae, -ales),
the names of kingdoms, a full row of ranks from the kingdom down, and the folder names of the
iNaturalist 2021 competition (`02912_Animalia_Arthropoda_…_Danaus_plexippus`).
"""

import re
from collections.abc import Sequence

from bioclip_search.taxonomy import RANKS, Taxon

__all__ = ["taxon_from_folders"]

_KINGDOMS = {"animalia", "plantae", "fungi", "chromista", "protozoa", "bacteria", "archaea", "viruses"}
_NAME = re.compile(r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ-]+")
_EPITHET = re.compile(r"[a-zß-öø-ÿ-]{2,}")
_INATURALIST = re.compile(r"\d+((?:_[A-Za-z-]+){7,})")
_FAMILY_ENDINGS = ("idae", "aceae")
_ORDER_ENDING = "ales"


def taxon_from_folders(folders: Sequence[str]) -> Taxon:
    """The taxon that a row of folder names, outermost first, stands for; an empty Taxon if none."""
    names = [" ".join(folder.replace("_", " ").split()) for folder in folders]
    return _inaturalist(folders) or _full_row(names) or _scattered(names)


def _inaturalist(folders: Sequence[str]) -> Taxon | None:
    match = _INATURALIST.fullmatch(folders[-1]) if folders else None
    if match is None:
        return None
    *ranks, epithet = match[1].strip("_").split("_", 6)
    return Taxon.from_ranks(dict(zip(RANKS, [*ranks, epithet.replace("_", " ")], strict=True)))


def _full_row(names: Sequence[str]) -> Taxon | None:
    """Kingdom to genus or species without a gap: only then does the position tell the rank."""
    start = next((place for place, name in enumerate(names) if name.lower() in _KINGDOMS), None)
    if start is None:
        return None
    row = names[start:]
    complete = len(row) in (6, 7) and all(_NAME.fullmatch(name) for name in row[:6])
    return Taxon.from_ranks(dict(zip(RANKS, row, strict=False))) if complete else None


def _scattered(names: Sequence[str]) -> Taxon:
    found: dict[str, str] = {}
    for name, inner in zip(names, [*names[1:], ""], strict=True):
        words = name.split()
        if name.lower() in _KINGDOMS:
            found["kingdom"] = name.capitalize()
        elif len(words) >= 2 and _NAME.fullmatch(words[0]) and _EPITHET.fullmatch(words[1]):
            found["genus"], found["specificEpithet"] = words[0], words[1]
        elif not _NAME.fullmatch(name):
            continue
        elif name.endswith(_FAMILY_ENDINGS):
            found["family"] = name
        elif name.endswith(_ORDER_ENDING):
            found["order"] = name
        elif _EPITHET.fullmatch(inner):
            found["genus"], found["specificEpithet"] = name, inner
    return Taxon.from_ranks(found)
