"""The taxa of a catalogue as a tree with counts."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from bioclip_search.taxonomy import RANKS, Rank, Taxon

__all__ = ["TaxonNode", "grow_tree"]


@dataclass(slots=True)
class TaxonNode:
    """A taxon with the number of photos in it and below it; the root has neither rank nor name.

    `other_names` are all its common names, `common_name` is the one to show.
    """

    rank: Rank | None = None
    name: str | None = None
    common_name: str | None = None
    count: int = 0
    other_names: set[str] = field(default_factory=set)
    children: dict[tuple[Rank, str], "TaxonNode"] = field(default_factory=dict)

    def sorted_children(self) -> list["TaxonNode"]:
        """The narrower taxa, in the order of ranks and then of the alphabet."""
        return [self.children[key] for key in sorted(self.children, key=lambda key: (RANKS.index(key[0]), key[1]))]

    def walk(self) -> Iterator["TaxonNode"]:
        """This taxon and all narrower ones."""
        yield self
        for child in self.sorted_children():
            yield from child.walk()

    def named(self, names: Collection[str]) -> list["TaxonNode"]:
        """The widest taxa with one of these scientific or common names, in any case; several where one is a homonym.

        A taxon within one that is found (a subgenus named like its genus) is part of it, not a find of its own.
        """
        wanted = {name.casefold() for name in names}
        if wanted.intersection(name.casefold() for name in (self.name, *self.other_names) if name):
            return [self]
        return [found for child in self.sorted_children() for found in child.named(names)]


def grow_tree(taxa: Iterable[tuple[Taxon, int]]) -> TaxonNode:
    """Put taxa with their numbers of photos into one tree.

    Where a rank is missing, the taxon hangs from the nearest wider rank that is known.
    """
    root = TaxonNode()
    for taxon, photos in taxa:
        node = root
        node.count += photos
        for rank, name in taxon.lineage:
            node = node.children.setdefault((rank, name), TaxonNode(rank, name))
            node.count += photos
        if taxon.common_name and node is not root:
            node.other_names.add(taxon.common_name)
            node.common_name = node.common_name or taxon.common_name
    return root
