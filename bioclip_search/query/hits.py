"""Hits: photos that were found, how well, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from bioclip_search.specimen import Photo, Specimen
from bioclip_search.taxonomy import RANKS, Taxon

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["HIT_COLUMNS", "Determined", "Evidence", "Hit", "Hits", "hit_row"]

HIT_COLUMNS = (
    "score",
    "root",
    "path",
    "catalogNumber",
    "occurrenceID",
    "scientificName",
    "vernacularName",
    *(rank.value for rank in RANKS),
    "view",
    "missingSince",
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One part of a query as a hit answers it: the part's label and weight, and the cosine of the two; of words in
    records the relevance (BM25) instead."""

    part: str
    weight: float
    cosine: float | None = None
    relevance: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A photo that was found; `score` is its cosine to the query, None in a plain list of a taxon."""

    photo: Photo
    score: float | None
    why: tuple[Evidence, ...] = ()

    @property
    def specimen(self) -> Specimen:
        return self.photo.specimen

    @property
    def taxon(self) -> Taxon:
        return self.photo.specimen.taxon


@dataclass(frozen=True, slots=True)
class Determined:
    """A name in the query that the catalogue's own determinations carry, and on how many photos."""

    words: str
    name: str
    photos: int


@dataclass(frozen=True, slots=True)
class Hits(Sequence[Hit]):
    """The hits of a query, best first.

    `no_good_match` says that the best is no better than what unrelated queries reach in this catalogue (None where
    that was never measured); `determined` are names of the query that are also determinations; `has_prose` says
    that words of the query are no name, but a description, of which the catalogue's model for texts knows more.
    """

    hits: tuple[Hit, ...]
    no_good_match: bool | None = None
    determined: tuple[Determined, ...] = ()
    has_prose: bool = False

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    @overload
    def __getitem__(self, at: int) -> Hit: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Hit]: ...
    def __getitem__(self, at: int | slice) -> Hit | Sequence[Hit]:
        return self.hits[at]

    def to_arrow(self) -> "pa.Table":
        """A table with HIT_COLUMNS: score float64, missingSince and the others strings."""
        import pyarrow as pa

        schema = pa.schema([(name, pa.float64() if name == "score" else pa.string()) for name in HIT_COLUMNS])
        return pa.Table.from_pylist([hit_row(hit) for hit in self.hits], schema=schema)

    def to_pandas(self) -> "pd.DataFrame":
        """The same as a DataFrame. Raises ImportError where pandas is not installed."""
        return self.to_arrow().to_pandas()


def hit_row(hit: Hit) -> dict[str, Any]:
    """A hit as a flat mapping of HIT_COLUMNS."""
    photo, specimen = hit.photo, hit.specimen
    return {
        "score": None if hit.score is None else round(hit.score, 6),
        "root": photo.root,
        "path": photo.path,
        "catalogNumber": specimen.catalog_number,
        "occurrenceID": specimen.occurrence_id,
        "scientificName": specimen.scientific_name or specimen.taxon.scientific_name,
        "vernacularName": specimen.taxon.common_name,
        **{rank.value: specimen.taxon.name_at(rank) for rank in RANKS},
        "view": photo.view,
        "missingSince": photo.missing_since.isoformat(timespec="seconds") if photo.missing_since else None,
    }
