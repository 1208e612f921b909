"""The photos of one specimen."""

from bioclip_search.catalogue import Catalogue
from bioclip_search.query.choose import specimen_of
from bioclip_search.specimen import Photo
from bioclip_search.storage import quoted

__all__ = ["siblings"]

_COLUMNS = ("institutionCode", "collectionCode", "catalogNumber")


def siblings(catalogue: Catalogue, photo: Photo, limit: int = 200) -> list[Photo]:
    """The other photos of a photo's specimen, in the order of root and path; missing files too.

    A specimen is known by its occurrenceID, else its catalogue number and codes, else the content of its photo.
    """
    specimen = specimen_of(photo)
    found = catalogue.photos(_condition(photo), limit)
    own = (photo.root, photo.path)
    others = [other for other in found if specimen_of(other) == specimen and (other.root, other.path) != own]
    return sorted(others, key=lambda other: (other.root, other.path))


def _condition(photo: Photo) -> str:
    terms = photo.specimen.terms
    if occurrence := terms.get("occurrenceID"):
        return f"`occurrenceID` = {quoted(occurrence)}"
    if terms.get("catalogNumber"):
        return " AND ".join(_is(column, terms.get(column)) for column in _COLUMNS)
    return f"content_hash = {quoted(photo.content_hash)}"


def _is(column: str, value: str | None) -> str:
    return f"`{column}` IS NULL" if value is None else f"`{column}` = {quoted(value)}"
