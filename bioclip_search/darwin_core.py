"""What a record says of its specimen: ranks, names and their doubts, and all other terms.

Darwin Core terms as defined at https://dwc.tdwg.org/terms/ (TDWG 2023).
"""

import re
from collections.abc import Mapping

from bioclip_search.names import ParsedName, parse_name
from bioclip_search.specimen import Specimen
from bioclip_search.taxonomy import RANKS, Taxon
from bioclip_search.terms import MULTIMEDIA

__all__ = ["DETERMINATION_TERMS", "FINER_RANK_TERMS", "separated_parts", "specimen_of", "year_of"]

NAME_TERMS = ("scientificName", *(rank.value for rank in RANKS), "specificEpithet", "infraspecificEpithet")
"""Terms of which any one means that a source determines its specimens."""

FINER_RANK_TERMS = ("superfamily", "subfamily", "tribe", "subtribe", "higherClassification")
"""Terms of ranks between those of RANKS, all above the genus."""

DETERMINATION_TERMS = (
    *NAME_TERMS,
    *FINER_RANK_TERMS,
    *("genericName", "subgenus", "infragenericEpithet", "cultivarEpithet", "verbatimTaxonRank"),
    "scientificNameAuthorship",
    "taxonRank",
    "vernacularName",
    "identificationQualifier",
    "identifiedBy",
    "dateIdentified",
    "verbatimIdentification",
    "identificationRemarks",
    "identificationReferences",
    "identificationVerificationStatus",
    "taxonomicStatus",
    "nomenclaturalStatus",
    "taxonRemarks",
    "acceptedNameUsage",
    "parentNameUsage",
    "originalNameUsage",
    "nameAccordingTo",
    "taxonMatchType",
    "ranksBeforePlacement",
    "taxonID",
    "scientificNameID",
    "acceptedNameUsageID",
    "parentNameUsageID",
    "originalNameUsageID",
)
"""Terms that say together what a specimen was determined as, and by whom."""

_ABOVE_GENUS = ("kingdom", "phylum", "class", "order", "family")
_GENUS_AND_BELOW = frozenset("genus subgenus section species subspecies variety varietas form forma cultivar".split())


_EVENT_DATE = re.compile(
    r"""(?P<year>(?!0000)\d{4})
    (?: -(?:0[1-9]|1[0-2]) | -?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01]) | -\d{3} )?  # month, day, or day of the year
    (?: [T ]\d\d[\d:.,]*[ ]?(?:Z|[+-][\d:]+)? )?
    (?: /.* )?""",
    re.ASCII | re.VERBOSE,
)


def specimen_of(record: Mapping[str, str]) -> Specimen:
    """The specimen that a record describes.

    Ranks come from their own columns. A genus or species that has none is read from scientificName,
    where that claims one without doubt; authorship, qualifier and rank are separated from it into the
    terms that Darwin Core has for them, where the record leaves those empty. The name as written stays.
    A record without a year has that of its eventDate.
    """
    parsed = parse_name(record.get("scientificName"))
    names: dict[str, str | None] = dict(record)
    if not names.get("genus") and _may_hold_genus(record):
        names["genus"] = parsed.genus
    if not (names.get("specificEpithet") or names.get("species")) and parsed.genus == names.get("genus"):
        names["species"] = parsed.species
    own = {name: value for name, value in record.items() if name != MULTIMEDIA}
    year = year_of(record.get("eventDate"))
    understood = {**separated_parts(parsed, names.get("genus")), **({"year": year} if year else {})}
    return Specimen(taxon=Taxon.from_ranks(names), terms={**understood, **own})


def separated_parts(parsed: ParsedName, genus: str | None) -> dict[str, str]:
    """The terms that a name holds beside genus and species; epithets only of the genus that the record means."""
    is_meant = parsed.genus == genus
    parts = {
        "scientificNameAuthorship": parsed.authorship,
        "identificationQualifier": parsed.qualifier,
        "specificEpithet": parsed.specific_epithet if is_meant else None,
        "infraspecificEpithet": parsed.infraspecific_epithet if is_meant else None,
        "taxonRank": parsed.rank,
    }
    return {name: value for name, value in parts.items() if value}


def year_of(event_date: str | None) -> str | None:
    """The year of a date, or with which an interval begins, as Darwin Core has them (ISO 8601-1:2019).

    None for what is written otherwise.
    """
    date = _EVENT_DATE.fullmatch(event_date.strip()) if event_date else None
    return date["year"] if date else None


def _may_hold_genus(record: Mapping[str, str]) -> bool:
    """False when the record says that its name belongs to a rank above the genus."""
    rank = record.get("taxonRank", "").lower()
    name = record.get("scientificName", "").split(" ", 1)[0]
    return (not rank or rank in _GENUS_AND_BELOW) and name not in (record.get(wider) for wider in _ABOVE_GENUS)
