"""The words that tell of a specimen: names in italics, ranks as a path, the fields of its record.

All text of records goes through `printable` and into Content, where nothing is taken for markup.
"""

import math
from collections.abc import Iterator, Sequence

from textual.content import Content

from bioclip_search.query import Hit
from bioclip_search.specimen import Photo
from bioclip_search.taxonomy import Rank, Taxon
from bioclip_search.text import printable
from tui.named import name_as_written

__all__ = ["fields", "full_name", "matches", "other_fields", "ranks", "short_size"]

_FIELDS = {
    "catalogNumber": "Cat. no.",
    "typeStatus": "Type",
    "identifiedBy": "Det. by",
    "dateIdentified": "Det. date",
    "recordedBy": "Collector",
    "eventDate": "Date",
    "sex": "Sex",
    "lifeStage": "Stage",
    "habitat": "Habitat",
    "institutionCode": "Institute",
    "collectionCode": "Collection",
    "occurrenceID": "Occur. ID",
    "occurrenceRemarks": "Remarks",
}
_PLACE = ("locality", "county", "stateProvince", "country")
_UNITS = ("B", "kB", "MB", "GB")


def full_name(hit: Hit) -> Content:
    """The determination as written, its name in italics where it is of a genus or species, its authors upright."""
    taxon, written = hit.taxon, hit.specimen.scientific_name
    name = taxon.scientific_name
    text = printable(name_as_written(hit) or "unidentified")
    if name is None:
        return Content.styled(text, "italic" if written else "")
    style = "bold italic" if taxon.rank in (Rank.GENUS, Rank.SPECIES) else "bold"
    shown = printable(name)
    if not text.startswith(shown):
        return Content.styled(text, style)
    return Content.assemble((shown, style), text[len(shown) :])


def ranks(taxon: Taxon) -> Content:
    """Animalia › Arthropoda › Insecta › …, the narrowest last."""
    parts: list[str | tuple[str, str]] = []
    for rank, name in taxon.lineage:
        style = "italic" if rank in (Rank.GENUS, Rank.SPECIES) else ""
        shown = printable(name)
        if rank is Rank.SPECIES and taxon.genus and name.startswith(f"{taxon.genus} "):
            shown = f"{printable(name)[0]}. {printable(name.partition(' ')[2])}"
        parts += [(" › ", "$quiet"), (shown, style)]
    return Content.assemble(*parts[1:])


def fields(photo: Photo) -> Iterator[tuple[str, str]]:
    """The fields that matter most, with short titles: the record's, then the file's."""
    terms = photo.specimen.terms
    for term, title in _FIELDS.items():
        if value := terms.get(term) or (terms.get("year") if term == "eventDate" else None):
            yield title, printable(value)
        if term == "recordedBy" and (place := _place(photo)):
            yield "Place", place
    if photo.view:
        yield "View", printable(photo.view)
    yield "File", printable(photo.path)
    yield "Size", f"{photo.width}×{photo.height}  {short_size(photo.size)}"
    yield "Indexed", f"{photo.indexed_at:%Y-%m-%d}"
    if photo.missing_since is not None:
        yield "Missing", f"since {photo.missing_since:%Y-%m-%d}"


def other_fields(photo: Photo) -> Iterator[tuple[str, str]]:
    """All else that the record says, by Darwin Core term."""
    told = {*_FIELDS, *_PLACE, "scientificName", "year", "associatedMedia", "fileName"}
    for term, value in photo.specimen.terms.items():
        if term not in told:
            yield printable(term), printable(value)


def matches(hit: Hit) -> Sequence[str]:
    """How near the photo came to each part of the query."""
    lines = []
    for evidence in hit.why:
        near = evidence.cosine if evidence.cosine is not None else evidence.relevance
        weight = "" if evidence.weight == 1 else f"{evidence.weight:g}× "
        if near is not None:
            lines.append(f"{near:.2f}  {weight}{printable(evidence.part.rsplit('/', 1)[-1])}")
    return lines


def short_size(size: int) -> str:
    """Bytes as people read them: 14.2 MB."""
    step = min(int(math.log(size, 1000)), len(_UNITS) - 1) if size > 0 else 0
    return f"{size / 1000**step:.1f} {_UNITS[step]}" if step else f"{size} B"


def _place(photo: Photo) -> str:
    values = (photo.specimen.terms.get(term) for term in _PLACE)
    return printable(", ".join(value for value in values if value))
