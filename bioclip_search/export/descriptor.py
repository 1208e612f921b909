"""What a Darwin Core Archive says of itself: meta.xml and eml.xml."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

from bioclip_search._version import __version__
from bioclip_search.export.layout import MISSING_SINCE
from bioclip_search.export.selection import SCORE
from bioclip_search.text import clean

__all__ = ["MEDIA_TYPES", "Field", "audiovisual", "eml", "meta", "occurrence"]

MEDIA_TYPES = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "image/jpeg"),
    **dict.fromkeys((".jp2", ".j2k", ".j2c"), "image/jp2"),
    **dict.fromkeys((".jpx", ".jpf"), "image/jpx"),
    **dict.fromkeys((".tif", ".tiff"), "image/tiff"),
    **dict.fromkeys((".heic", ".heif"), "image/heic"),
    **dict.fromkeys((".bmp", ".dib"), "image/bmp"),
    **{f".{name}": f"image/{name}" for name in ("png", "apng", "webp", "avif", "gif")},
    ".dng": "image/x-adobe-dng",
}
"""Media types (RFC 6838) of files by suffix, where there is one that is known well."""

_OUR_TERMS = "urn:bioclip-search:"
_GBIF_TERMS = {"species": "http://rs.gbif.org/terms/1.0/species"}
_OCCURRENCE = "http://rs.tdwg.org/dwc/terms/Occurrence"
_AUDIOVISUAL = "http://rs.tdwg.org/ac/terms/Multimedia"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# The reader takes what follows the last of these for the term's name.
_SEPARATORS = {ord(sign): f"%{ord(sign):02X}" for sign in "/#:"}


class Field(NamedTuple):
    """A column: its heading, and the address of its term."""

    name: str
    term: str


def occurrence(terms: Sequence[str]) -> list[Field]:
    """The fields of terms; one that is in no standard gets an address of ours."""
    return [Field(clean(term) or "", _address(term)) for term in terms]


def audiovisual(*, ranked: bool) -> list[Field]:
    """The fields of a photo, https://ac.tdwg.org/termlist/ (2023)."""
    ac, dublin_core, exif = "http://rs.tdwg.org/ac/terms/", "http://purl.org/dc/terms/", "http://ns.adobe.com/exif/1.0/"
    fields = [
        Field("accessURI", f"{ac}accessURI"),
        Field("identifier", f"{dublin_core}identifier"),
        Field("format", f"{dublin_core}format"),
        Field("title", f"{dublin_core}title"),
        Field("subjectOrientation", f"{ac}subjectOrientation"),
        Field("subjectPart", f"{ac}subjectPart"),
        Field("PixelXDimension", f"{exif}PixelXDimension"),
        Field("PixelYDimension", f"{exif}PixelYDimension"),
        Field("hashFunction", f"{ac}hashFunction"),
        Field("hashValue", f"{ac}hashValue"),
        Field(MISSING_SINCE, f"{_OUR_TERMS}{MISSING_SINCE}"),
    ]
    return [*fields, Field(SCORE, f"{_OUR_TERMS}{SCORE}")] if ranked else fields


def meta(core: Sequence[Field], media: Sequence[Field]) -> str:
    """The meta.xml; the id of both files is in their first column."""
    still = '    <field default="StillImage" term="http://purl.org/dc/terms/type"/>\n'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="eml.xml">\n'
        + _table("core", _OCCURRENCE, "occurrence.txt", '<id index="0"/>', core)
        + _table("extension", _AUDIOVISUAL, "multimedia.txt", '<coreid index="0"/>', media, still)
        + "</archive>\n"
    )


def _table(kind: str, row_type: str, file: str, identity: str, fields: Sequence[Field], more: str = "") -> str:
    columns = "".join(
        f'    <field index="{place}" term={quoteattr(_NOT_XML.sub("?", field.term))}/>\n'
        for place, field in enumerate(fields, start=1)
    )
    return (
        f'  <{kind} encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy="" '
        f'ignoreHeaderLines="1" rowType="{row_type}">\n'
        f"    <files><location>{file}</location></files>\n"
        f"    {identity}\n{columns}{more}  </{kind}>\n"
    )


def eml(photos: int) -> str:
    """A minimal eml.xml (GBIF's profile 1.1): what can be said without knowing the collection."""
    today = datetime.now(UTC).date().isoformat()
    party = "<organizationName>unknown</organizationName>"
    title = escape(f"Specimens of {photos:,} photos, exported by bioclip-search {__version__}")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<eml:eml xmlns:eml="eml://ecoinformatics.org/eml-2.1.1" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="eml://ecoinformatics.org/eml-2.1.1 '
        'http://rs.gbif.org/schema/eml-gbif-profile/1.1/eml.xsd" '
        f'packageId="{uuid4()}" system="bioclip-search" scope="system" xml:lang="en">\n'
        f"  <dataset>\n    <title>{title}</title>\n    <creator>{party}</creator>\n"
        f"    <metadataProvider>{party}</metadataProvider>\n    <pubDate>{today}</pubDate>\n"
        f"    <language>en</language>\n    <abstract><para>{title}.</para></abstract>\n"
        f"    <contact>{party}</contact>\n  </dataset>\n</eml:eml>\n"
    )


def _address(term: str) -> str:
    return _known().get(term) or _OUR_TERMS + term.translate(_SEPARATORS)


@cache
def _known() -> dict[str, str]:
    from dwca.darwincore.terms import TERMS

    return {**{str(address).rsplit("/", 1)[-1]: str(address) for address in TERMS}, **_GBIF_TERMS}
