"""A folder of photos has moved: which rows get which new place."""

import os
from dataclasses import dataclass
from pathlib import Path

from bioclip_search.catalogue import Catalogue
from bioclip_search.errors import UsageError
from bioclip_search.paths import is_below
from bioclip_search.schema import photo_id
from bioclip_search.text import printable

__all__ = ["Relocation", "plan_relocation"]

_LOOKED_FOR = 500
_ENOUGH = 0.9


@dataclass(frozen=True, slots=True)
class Relocation:
    """New places by photo_id: (root, path). `absent` of the `looked_for` new files are not there."""

    places: dict[str, tuple[str, str]]
    looked_for: int
    absent: int


def plan_relocation(catalogue: Catalogue, old: Path, new: Path) -> Relocation:
    """Where the rows of the photos at or below the folder `old` go when it is now `new`; both absolute.

    Raises UsageError when there are no such rows, when their files are not in `new`, or when the
    catalogue already holds other photos there.
    """
    before, after = os.fspath(old), os.fspath(new)
    shown_old, shown_new = printable(before), printable(after)
    if before == after:
        raise UsageError(f"The photos of {shown_old} cannot move to where they are; name the new folder second.")
    roots = catalogue.roots()
    places: dict[str, tuple[str, str]] = {}
    for key, root, path in catalogue.places_below(before):
        file = os.path.normpath(os.path.join(root, path))
        places[key] = _new_place(root, os.path.normpath(after + file[len(before.rstrip(os.sep)) :]), before, after)
    if not places:
        there = ", ".join(map(printable, roots)) or "no folder"
        raise UsageError(f"The catalogue has no photos of the folder {shown_old}; it has those of {there}.")
    looked_for = list(places.values())[:: max(1, len(places) // _LOOKED_FOR)]
    absent = sum(not os.path.lexists(os.path.join(*place)) for place in looked_for)
    if absent > (1 - _ENOUGH) * len(looked_for):
        raise UsageError(
            f"Of {len(looked_for):,} photos of {shown_old} that were looked for, {absent:,} are not in {shown_new}. "
            f"If only some have moved, `bioclip-search index` with both folders finds out which."
        )
    _check_free(catalogue, places, shown_new)
    return Relocation(places, len(looked_for), absent)


def _new_place(root: str, file: str, before: str, after: str) -> tuple[str, str]:
    """A root at or below the folder moves with it; one above it stays if the new folder is in it too."""
    if is_below(root, [before]):
        root = os.path.normpath(after + root[len(before.rstrip(os.sep)) :])
    elif not is_below(after, [root]):
        root = after
    return root, os.path.relpath(file, root).replace(os.sep, "/")


def _check_free(catalogue: Catalogue, places: dict[str, tuple[str, str]], shown_new: str) -> None:
    """Raise UsageError if a new place is taken by another photo; the same one is what an interrupted run left."""
    sources = {photo_id(*place): key for key, place in places.items()}
    if sources.keys() & places.keys():
        raise UsageError(
            f"Photos would move to places in {shown_new} that are to move themselves; go by a third folder."
        )
    taken = catalogue.photos_by_id([key for key in sources if key not in places])
    own = catalogue.photos_by_id([sources[key] for key in taken])
    for key, photo in taken.items():
        source = own[sources[key]]
        if (photo.content_hash, photo.specimen) != (source.content_hash, source.specimen):
            raise UsageError(
                f"The catalogue holds {printable(photo.path)} of {shown_new} already, as another photo or with another "
                "record. `bioclip-search forget` that folder first, or index both folders: what moved is recognised."
            )
