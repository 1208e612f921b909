"""The taxa of a catalogue as a tree with counts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bioclip_search.taxonomy import RANKS, Rank, Taxon

__all__ = ["TaxonNode", "grow_tree"]


@dataclass(slots=True)
class TaxonNode:
    """A taxon with the number of photos in it and below it; the root has neither rank nor name."""

    rank: Rank | None = None
    name: str | None = None
    common_name: str | None = None
    count: int = 0
    children: dict[tuple[Rank, str], "TaxonNode"] = field(default_factory=dict)

    def sorted_children(self) -> list["TaxonNode"]:
        """The narrower taxa, in the order of ranks and then of the alphabet."""
        return [self.children[key] for key in sorted(self.children, key=lambda key: (RANKS.index(key[0]), key[1]))]

    def walk(self) -> Iterator["TaxonNode"]:
        """This taxon and all narrower ones."""
        yield self
        for child in self.sorted_children():
            yield from child.walk()

    def named(self, name: str) -> list["TaxonNode"]:
        """The taxa of a scientific or common name, in any case; several where the name is a homonym."""
        wanted = name.casefold()
        return [node for node in self.walk() if wanted in (_fold(node.name), _fold(node.common_name))]


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
        if node is not root:
            node.common_name = node.common_name or taxon.common_name
    return root


def _fold(name: str | None) -> str | None:
    return None if name is None else name.casefold()
