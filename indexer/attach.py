"""Join records to photos that are in the catalogue already: no photo is read, nothing is embedded."""

from collections.abc import Sequence
from dataclasses import dataclass

from bioclip_search.catalogue import Catalogue
from bioclip_search.determination import Change, change_of, lost_ranks
from bioclip_search.placement import MATCH_TERM, is_contradicted, open_backbone, placed, unplaced
from bioclip_search.records import Record
from bioclip_search.schema import photo_id
from bioclip_search.specimen import Specimen
from indexer.describe import Describer
from indexer.filename import compile_patterns
from indexer.join import RecordIndex
from indexer.plan import Place

__all__ = ["Attached", "Joined", "Placed", "attach", "join_records", "place_all"]

_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Joined:
    """The photos of a catalogue and the records that belong to them."""

    places: Sequence[Place]
    index: RecordIndex

    def without_record(self) -> list[Place]:
        """The photos that no record fits; the ambiguous ones are not among them."""
        return [place for place in self.places if place not in self.index.matches]


@dataclass(slots=True)
class Attached:
    """What records did to a catalogue, in photos.

    `updated` have a new or changed record; of those, `replaced` were determined as something else before,
    and `lost_ranks` of these had ranks that are not known of the new name; the name of `cleared` is gone.
    """

    updated: int = 0
    replaced: int = 0
    lost_ranks: int = 0
    cleared: int = 0

    def count(self, before: Specimen, after: Specimen) -> None:
        """Take up one photo whose specimen was changed."""
        change = change_of(unplaced(before), unplaced(after))
        self.updated += 1
        self.cleared += change is Change.CLEARED
        self.replaced += change is Change.REPLACED
        self.lost_ranks += change is Change.REPLACED and lost_ranks(before.taxon, after.taxon)


@dataclass(slots=True)
class Placed:
    """Photos by what a taxonomy made of their determinations.

    `placed` are those that it has, `changed` those of them that are placed newly or differently; the names of
    `contradicting` are in it too, but with ranks that are not those of the record.
    """

    placed: int = 0
    changed: int = 0
    contradicting: int = 0


def join_records(catalogue: Catalogue, records: Sequence[Record], name_patterns: Sequence[str] = ()) -> Joined:
    """Find the photos of records. Raises UsageError for a pattern that is none."""
    patterns = compile_patterns(name_patterns)
    places = [Place(root, path) for root in catalogue.roots() for path in catalogue.paths(root)]
    return Joined(places, RecordIndex(records, places, patterns))


def attach(catalogue: Catalogue, joined: Joined) -> Attached:
    """Write the joined records to the catalogue; returns what became of what was known."""
    describer = Describer(joined.index, backbone=open_backbone(catalogue.folder))
    matched = [place for place in joined.places if joined.index.find(place) is not None]
    done = Attached()
    for start in range(0, len(matched), _AT_ONCE):
        keys = {photo_id(place.root, place.path): place for place in matched[start : start + _AT_ONCE]}
        stored = catalogue.specimens(list(keys))
        told = {key: describer.describe(place, stored.get(key, Specimen())) for key, place in keys.items()}
        new = {key: specimen for key, specimen in told.items() if specimen != stored.get(key)}
        catalogue.describe(new)
        for key, specimen in new.items():
            done.count(stored.get(key, Specimen()), specimen)
    if done.updated:
        catalogue.optimize()
    return done


def place_all(catalogue: Catalogue) -> Placed:
    """Place every determination in the taxonomy in use."""
    backbone = open_backbone(catalogue.folder)
    done = Placed()
    if backbone is None:
        return done
    keys = [key for root in catalogue.roots() for key, _, _ in catalogue.places_below(root)]
    for start in range(0, len(keys), _AT_ONCE):
        stored = catalogue.specimens(keys[start : start + _AT_ONCE])
        told = {key: placed(specimen, backbone) for key, specimen in stored.items()}
        new = {key: specimen for key, specimen in told.items() if specimen != stored[key]}
        catalogue.describe(new)
        alone = [specimen for specimen in told.values() if MATCH_TERM not in specimen.terms]
        done.placed += len(told) - len(alone)
        done.contradicting += sum(is_contradicted(specimen, backbone) for specimen in alone)
        done.changed += len(new)
    if done.changed:
        catalogue.optimize()
    return done
