"""Ranks and taxa, and the five texts by which BioCLIP knows a taxon.

The text types are those of Stevens et al. 2024, “BioCLIP: A Vision Foundation Model for
the Tree of Life”, section 4 (common, scientific, taxonomic, and the two combinations).
A missing rank stays missing: names never move into another rank's place.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from bioclip_search.text import clean

__all__ = ["RANKS", "Rank", "Taxon", "TaxonPath", "TextType", "names_on"]


class Rank(StrEnum):
    """The seven ranks, from the widest to the narrowest; the value is the Darwin Core term."""

    KINGDOM = "kingdom"
    PHYLUM = "phylum"
    CLASS = "class"
    ORDER = "order"
    FAMILY = "family"
    GENUS = "genus"
    SPECIES = "species"


RANKS: tuple[Rank, ...] = tuple(Rank)

TaxonPath = tuple[tuple[Rank, str], ...]
"""A place in the tree of taxa: the ranks that are known from the widest on, with their names; () is all of it.

Homonyms, which have one name in two places, have two paths. With “” as its last name a path stands for what is
known no further than the path before it.
"""


def names_on(path: TaxonPath) -> list[tuple[Rank, str | None]]:
    """What a photo on a path has at every rank that the path settles: a name, or None where it has none."""
    known = dict(path)
    if not path:
        return []
    narrowest, name = path[-1]
    settled = RANKS[: RANKS.index(narrowest) + 1] if name else RANKS
    return [(rank, known.get(rank) or None) for rank in settled]


_TAXON_KEYS = (*(rank.value for rank in RANKS), "specificepithet", "vernacularname", "common_name")


class TextType(StrEnum):
    """The kinds of text that BioCLIP was trained on; the values are its own short names."""

    COMMON = "com"
    SCIENTIFIC = "sci"
    TAXONOMIC = "taxon"
    SCIENTIFIC_COMMON = "sci_com"
    TAXONOMIC_COMMON = "taxon_com"


@dataclass(frozen=True, slots=True)
class Taxon:
    """A place in the tree of life; every part may be missing (None).

    `species` is the whole name of the species, “Danaus plexippus”. Blanks are collapsed and
    control codes removed; a part that is empty after that is None.
    """

    kingdom: str | None = None
    phylum: str | None = None
    class_: str | None = None
    order: str | None = None
    family: str | None = None
    genus: str | None = None
    species: str | None = None
    common_name: str | None = None

    def __post_init__(self) -> None:
        for field in self.__slots__:
            object.__setattr__(self, field, clean(getattr(self, field)))

    @classmethod
    def from_ranks(cls, names: Mapping[str, str | None]) -> "Taxon":
        """Read a taxon from a mapping with Darwin Core or TreeOfLife keys, of any case.

        Known keys are the seven ranks, `specificEpithet`, `vernacularName` and `common_name`.
        A species given as an epithet alone is completed with the genus; an epithet without a
        genus names no species and is left out.
        """
        lower = {key.strip().lower(): value for key, value in names.items()}
        known = {key: clean(lower.get(key)) for key in _TAXON_KEYS}
        genus, species, epithet = known["genus"], known["species"], known["specificepithet"]
        if species is not None and " " not in species:
            epithet, species = epithet or species, None
        if species is None and genus and epithet:
            species = f"{genus} {epithet}"
        return cls(
            kingdom=known["kingdom"],
            phylum=known["phylum"],
            class_=known["class"],
            order=known["order"],
            family=known["family"],
            genus=genus,
            species=species,
            common_name=known["vernacularname"] or known["common_name"],
        )

    @classmethod
    def parse_tagged(cls, text: str) -> "Taxon":
        """Read what `tagged` writes: “kingdom Animalia … genus Danaus species Danaus plexippus”.

        A word counts as a tag only in rank order, so that a name such as “Order X” cannot
        displace the ranks after it. Raises ValueError when the text names no rank at all.
        """
        pattern = "".join(rf"(?:(?:^|\s+){rank}\s+(?P<{rank}>.+?))?" for rank in RANKS)
        match = re.fullmatch(pattern, text.strip())
        if match is None or not any(match.groupdict().values()):
            raise ValueError(f"no ranks in {text!r}")
        return cls.from_ranks(match.groupdict())

    @property
    def lineage(self) -> Iterator[tuple[Rank, str]]:
        """The ranks that are known, from the widest to the narrowest, with their names."""
        for rank in RANKS:
            if name := self.name_at(rank):
                yield rank, name

    def name_at(self, rank: Rank) -> str | None:
        """The name at one rank, or None."""
        name: str | None = getattr(self, "class_" if rank is Rank.CLASS else rank.value)
        return name

    @property
    def rank(self) -> Rank | None:
        """The narrowest rank that is known."""
        return max((rank for rank, _ in self.lineage), key=RANKS.index, default=None)

    @property
    def scientific_name(self) -> str | None:
        """The name at the narrowest known rank: “Danaus plexippus”, or “Quercus” for an oak."""
        rank = self.rank
        return None if rank is None else self.name_at(rank)

    @property
    def specific_epithet(self) -> str | None:
        """The second word of the species' name."""
        words = (self.species or "").split()
        return " ".join(words[1:]) or None

    @property
    def taxonomic_name(self) -> str | None:
        """All known ranks in order; the genus is not said twice before its species."""
        names = [name for rank, name in self.lineage if not (rank is Rank.GENUS and self.species)]
        return " ".join(names) or None

    @property
    def tagged(self) -> str:
        """Every known name behind its rank, unambiguous whatever is missing."""
        return " ".join(f"{rank} {name}" for rank, name in self.lineage)

    def text(self, kind: TextType) -> str | None:
        """The text of the given type.

        Where a name is missing it falls back as BioCLIP's training did: common to scientific,
        scientific to taxonomic, and a combination to the part that is there. None only for a
        taxon without any name.
        """
        scientific = self.scientific_name or self.common_name
        taxonomic = self.taxonomic_name or self.common_name
        match kind:
            case TextType.COMMON:
                return self.common_name or scientific
            case TextType.SCIENTIFIC:
                return scientific
            case TextType.TAXONOMIC:
                return taxonomic
            case TextType.SCIENTIFIC_COMMON:
                return self._with_common(scientific)
            case TextType.TAXONOMIC_COMMON:
                return self._with_common(taxonomic)

    def _with_common(self, name: str | None) -> str | None:
        if name is None or self.common_name is None or name == self.common_name:
            return name
        return f"{name} with common name {self.common_name}"

    def cut_at(self, rank: Rank) -> "Taxon":
        """The ancestor at `rank`: narrower ranks and the common name are left out."""
        narrower = {("class_" if r is Rank.CLASS else r.value): None for r in RANKS[RANKS.index(rank) + 1 :]}
        return replace(self, common_name=None, **narrower)
