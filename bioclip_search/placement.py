"""Determinations placed in the taxonomy in use: missing ranks filled, synonyms led to accepted names."""

import json
from dataclasses import replace
from pathlib import Path

from bioclip_search.backbone import Backbone, BackboneMatch, MatchType
from bioclip_search.specimen import Specimen
from bioclip_search.taxonomy import RANKS, Rank, Taxon

__all__ = ["BACKBONE_FILE", "MATCH_TERM", "is_contradicted", "open_backbone", "placed", "unplaced"]

BACKBONE_FILE = "backbone.sqlite"
MATCH_TERM = "taxonMatchType"
"""The term under which a specimen keeps how its name was found: exact, synonym or higher."""

_BEFORE = "ranksBeforePlacement"
"""The term that keeps, as JSON, what a placement replaced: rank -> name, or null where it was missing."""

_TOLD = ("nameAccordingTo", "acceptedNameUsage", MATCH_TERM, _BEFORE)


def open_backbone(catalogue_folder: Path) -> Backbone | None:
    """The taxonomy in use in a catalogue, or None. Raises RecordError for one that is damaged."""
    path = catalogue_folder / BACKBONE_FILE
    return Backbone.open(path) if path.exists() else None


def placed(specimen: Specimen, backbone: Backbone) -> Specimen:
    """The specimen with the ranks that the taxonomy knows of its determination.

    The name as written stays. What the record says of a rank stays too, unless its name is a synonym:
    then genus and species are those of the accepted name, which `acceptedNameUsage` says. A name that
    several taxa bear, and a record whose ranks above the genus contradict the taxonomy's, are left alone. Spellings are
    never corrected here.
    """
    specimen = unplaced(specimen)
    found = _match(specimen, backbone)
    if found is None or _contradicts(specimen.taxon, found):
        return specimen
    info = backbone.info
    taxon = _filled(specimen.taxon, found)
    terms = {
        **specimen.terms,
        "nameAccordingTo": " ".join(filter(None, (info.name, info.version))),
        MATCH_TERM: found.match_type.value,
        _BEFORE: json.dumps(_differing(specimen.taxon, taxon), sort_keys=True),
    }
    if found.match_type is MatchType.SYNONYM and found.taxon.scientific_name:
        terms["acceptedNameUsage"] = found.taxon.scientific_name
    return Specimen(taxon, terms)


def is_contradicted(specimen: Specimen, backbone: Backbone) -> bool:
    """Whether the taxonomy has the name, but `placed` leaves it alone because the record's ranks are others."""
    specimen = unplaced(specimen)
    found = _match(specimen, backbone)
    return found is not None and _contradicts(specimen.taxon, found)


def unplaced(specimen: Specimen) -> Specimen:
    """The specimen as its record has it, without what a taxonomy added."""
    if _BEFORE not in specimen.terms:
        return specimen
    names: dict[str, str | None] = {**_names(specimen.taxon), **json.loads(specimen.terms[_BEFORE])}
    terms = {name: value for name, value in specimen.terms.items() if name not in _TOLD}
    return Specimen(Taxon.from_ranks(names), terms)


def _names(taxon: Taxon) -> dict[str, str | None]:
    return {**{rank.value: taxon.name_at(rank) for rank in RANKS}, "vernacularName": taxon.common_name}


def _differing(before: Taxon, after: Taxon) -> dict[str, str | None]:
    names = _names(after)
    return {rank: name for rank, name in _names(before).items() if name != names[rank]}


def _match(specimen: Specimen, backbone: Backbone) -> BackboneMatch | None:
    """The name as written first: genus and species may be an accepted name's already."""
    for name in (specimen.scientific_name, specimen.taxon.scientific_name):
        if name and (found := backbone.match(name, kingdom=specimen.taxon.kingdom)):
            return found
    return None


def _contradicts(taxon: Taxon, found: BackboneMatch) -> bool:
    """Whether record and taxonomy differ in a rank above the genus: they may mean another organism of that name.

    Another family of the same order is no other organism: genera are moved, and accepted names of synonyms
    stand elsewhere.
    """
    same = {
        rank: own.casefold() == other.casefold()
        for rank in RANKS[: RANKS.index(Rank.GENUS)]
        if (own := taxon.name_at(rank)) and (other := found.taxon.name_at(rank))
    }
    is_moved = same.get(Rank.ORDER, False)
    return any(not is_same for rank, is_same in same.items() if not (rank is Rank.FAMILY and is_moved))


def _filled(taxon: Taxon, found: BackboneMatch) -> Taxon:
    names: dict[str, str | None] = {rank.value: taxon.name_at(rank) or found.taxon.name_at(rank) for rank in RANKS}
    if found.match_type is MatchType.SYNONYM:
        names |= {rank.value: found.taxon.name_at(rank) for rank in RANKS if found.taxon.name_at(rank)}
    filled = Taxon.from_ranks(names)
    return replace(filled, common_name=taxon.common_name or _common_name(taxon, filled, found))


def _common_name(taxon: Taxon, filled: Taxon, found: BackboneMatch) -> str | None:
    """The common name of exactly this taxon; never one that is borrowed from a wider one."""
    is_same = found.match_type is not MatchType.HIGHER and filled.scientific_name == found.taxon.scientific_name
    return found.taxon.common_name if is_same and taxon.rank is not None else None
