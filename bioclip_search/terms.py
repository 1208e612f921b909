"""The Darwin Core terms of a specimen that have columns of their own, and the spelling of all others.

https://dwc.tdwg.org/terms/ (TDWG 2023); multimedia terms of Simple Multimedia and Audiovisual Core.
"""

import re
from functools import cache

from bioclip_search.taxonomy import RANKS

__all__ = [
    "JOINING_TERMS",
    "MEDIA_TERMS",
    "MULTIMEDIA",
    "SPECIMEN_TERMS",
    "canonical_term",
    "is_standard_term",
    "known_terms",
]

SPECIMEN_TERMS = (
    "occurrenceID",
    "catalogNumber",
    "otherCatalogNumbers",
    "institutionCode",
    "collectionCode",
    "basisOfRecord",
    "scientificName",
    "scientificNameAuthorship",
    "taxonRank",
    *(rank.value for rank in RANKS),
    "specificEpithet",
    "infraspecificEpithet",
    "vernacularName",
    "identificationQualifier",
    "identifiedBy",
    "dateIdentified",
    "acceptedNameUsage",
    "nameAccordingTo",
    "typeStatus",
    "sex",
    "lifeStage",
    "recordedBy",
    "eventDate",
    "year",
    "country",
    "stateProvince",
    "locality",
    "decimalLatitude",
    "decimalLongitude",
    "informationWithheld",
    "dataGeneralizations",
    "license",
    "rightsHolder",
)
"""Terms with a column of their own, in the order of columns; `species` is no Darwin Core term but GBIF's."""

MULTIMEDIA = "multimedia"
"""Where a record has the files of its archive's multimedia extension; no term of the specimen itself."""

MEDIA_TERMS = ("associatedMedia", MULTIMEDIA, "fileName", "file", "identifier", "accessURI")
"""Terms that name the files of a record."""

JOINING_TERMS = (*MEDIA_TERMS, "occurrenceID", "catalogNumber")
"""Terms of which any one may join a record to photos, in the order in which they are tried."""

_OURS = (*SPECIMEN_TERMS, *MEDIA_TERMS, "common_name", "coreid")


def canonical_term(column: str) -> str:
    """A column's name as Darwin Core spells it: “dwc:catalognumber” -> “catalogNumber”; others bare, as they are.

    Known in any case, with or without a prefix or the full term address.
    """
    bare = re.sub(r"^(https?://\S+[/#]|urn:bioclip-search:|\w+:(?=\S))", "", column.strip().strip('"')).strip()
    return _spellings().get(bare.lower(), bare)


def is_standard_term(column: str) -> bool:
    """Whether a column's name is a term of Darwin Core, in any spelling that `canonical_term` knows."""
    return canonical_term(column) in _standard_terms()


def known_terms() -> frozenset[str]:
    """Every term that this program knows: those of Darwin Core, and of files."""
    return frozenset(_spellings().values())


@cache
def _spellings() -> dict[str, str]:
    return {name.lower(): name for name in (*_standard_terms(), *_OURS)}


@cache
def _standard_terms() -> frozenset[str]:
    from dwca.darwincore.terms import TERMS

    return frozenset(address.rsplit("/", 1)[-1].rsplit("#", 1)[-1] for address in TERMS)
