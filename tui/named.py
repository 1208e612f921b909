"""What a photo is called: the same wherever it is shown, sorted or copied. Nothing here is fit for a terminal yet."""

from bioclip_search.query import Hit
from bioclip_search.schema import photo_id
from bioclip_search.specimen import Photo

__all__ = ["file_name", "key_of", "name_as_written", "narrowest_name", "number_or_file"]


def key_of(hit: Hit) -> str:
    """The photo_id of a hit."""
    return photo_id(hit.photo.root, hit.photo.path)


def file_name(photo: Photo) -> str:
    """The file without its folders."""
    return photo.path.rsplit("/", 1)[-1]


def number_or_file(hit: Hit) -> str:
    """The catalogue number; the file's name for a photo without a record."""
    return hit.specimen.catalog_number or file_name(hit.photo)


def name_as_written(hit: Hit) -> str | None:
    """The determination as the record has it, else the name at the narrowest rank, else the common name."""
    return hit.specimen.scientific_name or hit.taxon.scientific_name or hit.taxon.common_name


def narrowest_name(hit: Hit) -> str | None:
    """The name at the narrowest rank, without authors; else the determination as written, else the common name."""
    return hit.taxon.scientific_name or hit.specimen.scientific_name or hit.taxon.common_name
