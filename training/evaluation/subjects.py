"""Photos numbered by species and by specimen: what every figure is computed from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.errors import UsageError
from bioclip_search.identification.ranks import RankTree
from bioclip_search.identification.taxa import TaxonTable
from bioclip_search.taxonomy import Taxon
from training.evaluation.photos import Photo
from training.shards.species import species_key

__all__ = ["NO_SPECIES", "Subjects", "subjects_of"]

Numbers = npt.NDArray[np.int64]

NO_SPECIES = -1


@dataclass(frozen=True, slots=True)
class Subjects:
    """`species` int64 [n] are rows of the tree's taxa, or NO_SPECIES; `specimens` int64 [n]; `names` of the photos."""

    tree: RankTree
    species: Numbers
    specimens: Numbers
    names: tuple[str, ...]

    @property
    def taxa(self) -> list[Taxon]:
        """The species, in the order of their numbers."""
        return [self.tree.taxa[row] for row in range(len(self.tree.taxa))]

    def take(self, rows: npt.NDArray[np.bool_]) -> "Subjects":
        """Some of the photos; species of which none is left are no species any more."""
        kept, numbers = np.unique(self.species[rows & (self.species != NO_SPECIES)], return_inverse=True)
        species = np.full(int(rows.sum()), NO_SPECIES, dtype=np.int64)
        species[self.species[rows] != NO_SPECIES] = numbers
        names = tuple(name for name, is_kept in zip(self.names, rows, strict=True) if is_kept)
        return Subjects(RankTree(self.tree.taxa.take(kept)), species, self.specimens[rows], names)


def subjects_of(photos: Sequence[Photo], only: frozenset[str] | None = None) -> tuple[Subjects, npt.NDArray[np.bool_]]:
    """The photos, and which of those given they are: bool [n].

    `only` are the keys of species (see `species_key`): photos of others are left out. Ranks that records leave out
    are filled where another record of the same name has them. Raises UsageError where no photo is left that is
    determined to a species.
    """
    kept = np.asarray([only is None or _key(photo.taxon) in only for photo in photos], dtype=np.bool_)
    taken = [photo for photo, is_kept in zip(photos, kept, strict=True) if is_kept]
    written = list(dict.fromkeys(photo.taxon for photo in taken if photo.taxon.species))
    if not written:
        wanted = "of the species asked for" if only is not None else "determined to a species"
        raise UsageError(f"There is no photo {wanted}, so there is nothing to measure; check the records.")
    table, rows = TaxonTable.of(written).completed().distinct()
    number = dict(zip(written, rows.tolist(), strict=True))
    specimens = {name: place for place, name in enumerate(dict.fromkeys(photo.specimen for photo in taken))}
    subjects = Subjects(
        RankTree(table),
        np.asarray([number.get(photo.taxon, NO_SPECIES) for photo in taken], dtype=np.int64),
        np.asarray([specimens[photo.specimen] for photo in taken], dtype=np.int64),
        tuple(photo.name for photo in taken),
    )
    return subjects, kept


def _key(taxon: Taxon) -> str:
    return species_key(taxon.species or "")
