"""What is known of a specimen after a later record of it has come.

A source is believed in what it says, and what it says nothing of stays as it is: a table of two columns
may follow one of forty. Only where it names another taxon the earlier determination goes, as a whole, so
that names, authors and dates of two determinations never mix.
"""

import re
from collections.abc import Container, Mapping
from enum import StrEnum

from bioclip_search.darwin_core import DETERMINATION_TERMS, FINER_RANK_TERMS, separated_parts, specimen_of, year_of
from bioclip_search.names import NameKind, parse_name
from bioclip_search.specimen import Specimen
from bioclip_search.taxonomy import RANKS, Rank, Taxon

__all__ = ["Change", "change_of", "lost_ranks", "updated_specimen"]

_RANK_NAMES = tuple(rank.value for rank in RANKS)
_ABOVE_GENUS = RANKS[: RANKS.index(Rank.GENUS)]
_NARROW = ("scientificName", "genus", "species", "specificEpithet", "infraspecificEpithet")
"""Terms that name a genus or what is in it, or any taxon."""

_OPEN = re.compile(r"(?:spp?|spec|species|indet)\b\.?", re.IGNORECASE)

_Names = Mapping[str, str | None]


class Change(StrEnum):
    """What became of a determination."""

    NONE = "none"
    REPLACED = "replaced"
    CLEARED = "cleared"


def updated_specimen(stored: Specimen, record: Mapping[str, str], columns: Container[str]) -> Specimen:
    """The specimen as a record of a source with these columns leaves it; doing it again changes nothing.

    A source without a column leaves its term as it was; an empty cell clears it. While the name stays (the
    same but for authorship and spelling of its case, or none is told), so does all else of the determination;
    a rank above the genus that differs is a correction of that rank alone. Another name takes the place of
    all of it: of the old ranks only those stay that are wider than what both have in common (of another
    species of the genus, the ranks above the genus), or that a name of the genus or narrower fits into where
    none was known. A year that was that of the date goes with the date.
    """
    before = _said_by(stored)
    record = _completed(record, before, columns)
    if _is_cleared(before, record, columns) or _is_another(before, record):
        kept = _kept_of_another(before, record)
    else:
        kept = _kept_of_same(before, record)
    if "eventDate" in columns and before.get("year") == year_of(before.get("eventDate")):
        kept = {name: value for name, value in kept.items() if name != "year"}
    return specimen_of({**{name: value for name, value in kept.items() if name not in columns}, **record})


def change_of(before: Specimen, after: Specimen) -> Change:
    """Whether a determination became another one; both as records have them, without a taxonomy's additions."""
    name, later = _name_of(_said_by(before)), _name_of(_said_by(after))
    if name is None or name == later:
        return Change.NONE
    return Change.CLEARED if later is None else Change.REPLACED


def lost_ranks(before: Taxon, after: Taxon) -> bool:
    """Whether a rank above the genus was known and is not any more."""
    return any(before.name_at(rank) and not after.name_at(rank) for rank in _ABOVE_GENUS)


def _said_by(specimen: Specimen) -> dict[str, str]:
    """A specimen as one record with a value for everything that is known."""
    names = {rank.value: specimen.taxon.name_at(rank) for rank in RANKS}
    names["vernacularName"] = specimen.taxon.common_name
    return {**specimen.terms, **{name: value for name, value in names.items() if value}}


def _completed(record: Mapping[str, str], before: _Names, columns: Container[str]) -> Mapping[str, str]:
    """The record with the genus that is known, where it has none and gives an epithet alone."""
    epithet = record.get("species") or record.get("specificEpithet")
    known = None if record.get("scientificName") or "genus" in columns else before.get("genus")
    genus = record.get("genus") or known
    if not (epithet and genus):
        return record
    species = {"species": f"{genus} {epithet}"} if " " not in record.get("species", " ") else {}
    return {**record, "genus": genus, **species}


def _is_cleared(before: _Names, record: Mapping[str, str], columns: Container[str]) -> bool:
    """Whether the source has a column of the name, and its cell is empty as those of all parts of the name."""
    if any(record.get(term) for term in _NARROW):
        return False
    term = "scientificName" if before.get("scientificName") else "genus"
    return term in columns and bool(before.get(term))


def _is_another(before: _Names, record: Mapping[str, str]) -> bool:
    """Whether the record names another taxon; ranks above the genus alone name none."""
    name = _name_of(before)
    if name is None:
        return False
    if record.get("scientificName"):
        return name != _name_of(record)
    known = {"genus": before.get("genus")}
    if record.get("genus") or before.get("genus"):  # an epithet without a genus names nothing
        known["species"] = before.get("species")
        known["specificEpithet"] = before.get("specificEpithet") or (before.get("species") or "").partition(" ")[2]
        known["infraspecificEpithet"] = before.get("infraspecificEpithet")
    return any(record.get(part) and _folded(record[part]) != _folded(value) for part, value in known.items())


def _kept_of_same(before: dict[str, str], record: Mapping[str, str]) -> dict[str, str]:
    """All that is known, but for what was read from parts or a spelling of the name that the record gives anew."""
    if any(_differ(record.get(part), before.get(part)) for part in ("genus", "specificEpithet")):
        before = {name: value for name, value in before.items() if name != "species"}
    if not record.get("scientificName"):
        return before
    old = separated_parts(parse_name(before.get("scientificName")), before.get("genus"))
    new = separated_parts(parse_name(record["scientificName"]), before.get("genus"))
    outdated = {name for name in old if before.get(name) == old[name] and name in {*new, "identificationQualifier"}}
    return {name: value for name, value in before.items() if name not in outdated}


def _kept_of_another(before: dict[str, str], record: Mapping[str, str]) -> dict[str, str]:
    """What does not belong to the determination, and the old ranks that hold of the new one too."""
    told = _said_by(specimen_of(record))
    kept_ranks = _shared_ranks(before, told)
    gone = {*DETERMINATION_TERMS, "vernacularName"} - {*kept_ranks}
    if "genus" in kept_ranks:
        gone -= {*FINER_RANK_TERMS}
    return {name: value for name, value in before.items() if name not in gone}


def _shared_ranks(before: _Names, told: _Names) -> tuple[str, ...]:
    """The ranks that stay under another name: down to the narrowest that is said to be the same."""
    is_refined = not before.get("genus") and not before.get("species") and bool(told.get("genus"))
    if is_refined and not any(_differ(before.get(rank.value), told.get(rank.value)) for rank in _ABOVE_GENUS):
        return _RANK_NAMES[: len(_ABOVE_GENUS)]
    alone = None if told.get("genus") else parse_name(told.get("scientificName")).canonical
    shared = [
        at
        for at, rank in enumerate(_RANK_NAMES[:-1])
        if before.get(rank) and _folded(before[rank]) in (_folded(told.get(rank)), _folded(alone))
    ]
    return _RANK_NAMES[: max(shared) + 1] if shared else ()


def _differ(one: str | None, other: str | None) -> bool:
    return bool(one and other) and _folded(one) != _folded(other)


def _name_of(names: _Names) -> tuple[str, ...] | None:
    """The name as it is compared: its words without authorship, and its doubt; None where nothing is named."""
    parts = (names.get("species") or names.get("genus"), names.get("infraspecificEpithet"))
    parsed = parse_name(names.get("scientificName") or " ".join(filter(None, parts)))
    if parsed.kind is NameKind.EMPTY:
        return None
    qualifier = parsed.qualifier or ""
    if parsed.kind is NameKind.SCIENTIFIC or parsed.kind is NameKind.HYBRID or _OPEN.fullmatch(qualifier):
        words = (parsed.genus, parsed.specific_epithet, parsed.infraspecific_epithet)
        told = words if parsed.specific_epithet else (parsed.canonical or parsed.verbatim,)
        return (*map(_folded, told), "" if _OPEN.fullmatch(qualifier) else qualifier)
    return (_folded(parsed.verbatim),)


def _folded(name: str | None) -> str:
    """A name as it is compared: case and the sign of hybrids make no difference."""
    return " ".join((name or "").replace("×", " ").casefold().split())
