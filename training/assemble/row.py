"""What a collection says of one of its photos, as it says it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Collection", "CollectionRow"]


@dataclass(frozen=True, slots=True)
class CollectionRow:
    """A photo: where its file is, what it is called in its collection, ranks and names as written there.

    `file` is None where the collection describes a photo whose file is not here. `barcode` is the Barcode
    Index Number of a specimen (BIN), where there is one.
    """

    file: str | None
    photo: str
    ranks: Mapping[str, str | None]
    common: str | None = None
    specimen: str | None = None
    barcode: str | None = None


class Collection(Protocol):
    """One of the sources; `unknown` counts files that it has no word about."""

    name: str
    unknown: Counter[str]

    def rows(self) -> Iterator[CollectionRow]:
        """All photos, in any order."""
