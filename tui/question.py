"""What the screen asks: a search or a listing, and the filters around it. No Textual in it."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from bioclip_search.taxonomy import Rank, TaxonPath
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.query import Query
    from tui.results import Order

__all__ = ["LISTING_LIMIT", "RANKS_TO_CHOOSE", "Like", "Question"]

LISTING_LIMIT = 500
"""How many hits of a search are shown; a listing has no end."""

RANKS_TO_CHOOSE = (None, Rank.SPECIES, Rank.GENUS, Rank.FAMILY)


@dataclass(frozen=True, slots=True)
class Like:
    """A photo of the catalogue that others shall resemble: its file, and the name it goes by."""

    file: str
    name: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is on the screen. Without words, picture or photo it is a listing of the taxon, or of everything.

    `least` is the lowest score that is shown; `determined_to` leaves out photos that are not determined so far;
    `kept` is the heading of photos that were gathered by hand, which are not asked of the catalogue.
    """

    words: str = ""
    picture: str | None = None
    like: Like | None = None
    taxon: TaxonPath = ()
    least: float | None = None
    determined_to: Rank | None = None
    order: "Order | None" = None
    kept: str | None = None

    @property
    def is_search(self) -> bool:
        """Whether hits have scores."""
        return bool(self.words or self.picture or self.like)

    def is_other_search(self, other: "Question") -> bool:
        """Whether another question seeks other words, pictures or photos, whatever it is narrowed to."""
        return (self.words, self.picture, self.like) != (other.words, other.picture, other.like)

    @property
    def taxon_name(self) -> str | None:
        return (printable(self.taxon[-1][1]) or "unidentified") if self.taxon else None

    @property
    def title(self) -> str:
        """The question in words: “wings”, similar to NHM-10017, picture moth.jpg, all photos."""
        if self.kept is not None:
            return self.kept
        if self.like is not None:
            return f"similar to {printable(self.like.name)}"
        if self.picture is not None:
            return f"picture {printable(PurePath(self.picture).name)}"
        return f"“{printable(self.words)}”" if self.words else "all photos"

    def query(self) -> "Query":
        """The same as the catalogue is asked it. Raises QueryError."""
        from bioclip_search.query import LikePart, PhotoPart, Query, TextPart

        parts: list[TextPart | PhotoPart | LikePart] = []
        if self.words:
            parts.append(TextPart(self.words))
        if self.picture is not None:
            parts.append(PhotoPart(self.picture))
        if self.like is not None:
            parts.append(LikePart(self.like.file))
        return Query(
            tuple(parts),
            within=(self.taxon,),
            where=f"{self.determined_to.value} is not empty" if self.determined_to else None,
            limit=LISTING_LIMIT,
            min_score=self.least if parts else None,
        )
