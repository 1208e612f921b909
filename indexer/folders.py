"""Read a taxon from the folders that a photo lies in, only where they plainly name one.

Understood are a binomial (`Danaus plexippus`, `Danaus_plexippus`, `Carabus_sp`), family endings
fixed by the codes of nomenclature (-idae, -aceae), the names of kingdoms, and below any of these
also orders (-ales) and a genus folder with epithet folders in it; a full row of ranks from the
kingdom down; and the folder names of the iNaturalist 2021 competition
(`02912_Animalia_Arthropoda_…_Danaus_plexippus`).
"""

import re
from collections.abc import Sequence

from bioclip_search.taxonomy import RANKS, Taxon

__all__ = ["taxon_from_folders"]

_KINGDOMS = {"animalia", "plantae", "fungi", "chromista", "protozoa", "bacteria", "archaea", "viruses"}
_NAME = re.compile(r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ-]+")
# Words that stand behind a capitalised one in names of folders, and are no epithets.
_EPITHET = re.compile(r"[a-zß-öø-ÿ][a-zß-öø-ÿ-]+")
_PLAIN_WORDS = frozenset(
    """
    one two three four five six seven eight nine ten new old photo photos picture pictures image images
    scan scans specimen specimens collection collections drawer drawers box boxes tray trays shelf cabinet
    folder archive batch part label labels dorsal ventral lateral female females male males types type day
    trip export upload sp spp cf aff nr ssp subsp var agg nov indet undet gen spec species genus unidentified
    unknown undetermined and et ex de da van von der
    """.split()
)
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
    species = f"{ranks[-1]} {epithet.replace('_', ' ')}"
    return Taxon.from_ranks(dict(zip(RANKS, [*ranks, species], strict=True)))


def _full_row(names: Sequence[str]) -> Taxon | None:
    """Kingdom to genus or species without a gap: only then does the position tell the rank."""
    start = next((place for place, name in enumerate(names) if name.lower() in _KINGDOMS), None)
    if start is None:
        return None
    row = names[start:]
    complete = len(row) in (6, 7) and all(_NAME.fullmatch(name) for name in row[:6])
    if len(row) == 7 and _epithet(row[6].removeprefix(f"{row[5]} ")) is None:
        complete = False
    return Taxon.from_ranks(dict(zip(RANKS, row, strict=False))) if complete else None


def _scattered(names: Sequence[str]) -> Taxon:
    found: dict[str, str] = {}
    for name, inner in zip(names, [*names[1:], ""], strict=True):
        genus, _, rest = name.partition(" ")
        if name.lower() in _KINGDOMS:
            found["kingdom"] = name.capitalize()
        elif rest and _NAME.fullmatch(genus) and rest.rstrip(".") in ("sp", "spp"):
            found["genus"] = genus
        elif rest and _NAME.fullmatch(genus) and (epithet := _epithet(rest)):
            found["genus"], found["specificEpithet"] = genus, epithet
        elif not _NAME.fullmatch(name):
            continue
        elif name.endswith(_FAMILY_ENDINGS):
            found["family"] = name
        elif found and name.endswith(_ORDER_ENDING):
            found["order"] = name
        elif found and (epithet := _epithet(inner)):
            found["genus"], found["specificEpithet"] = name, epithet
    return Taxon.from_ranks(found)


def _epithet(words: str) -> str | None:
    """The epithet that some words begin with, unless one of them says that it is none."""
    first, *others = words.split() or [""]
    plain = _PLAIN_WORDS.intersection([first, *others])
    return first if _EPITHET.fullmatch(first) and not plain else None
