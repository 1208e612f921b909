"""What can be asked, as a value: the same for the command line, the terminal UI and Python."""

import math
from dataclasses import dataclass

from bioclip_search.errors import QueryError
from bioclip_search.paths import is_unicode
from bioclip_search.region import Region
from bioclip_search.taxonomy import TaxonPath
from bioclip_search.text import clean, printable

__all__ = ["LikePart", "Part", "PhotoPart", "Query", "TextPart"]

_COMPARED = "give words, a photo (image) or a specimen (like)"


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words. A name is put to the model as BioCLIP is asked for names, other words as a caption; with `literal`
    they go to it as they are. A negative weight leads away from them."""

    words: str
    weight: float = 1.0
    literal: bool = False

    @property
    def label(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class PhotoPart:
    """A picture: a path, an http(s) address, or “-” for standard input; perhaps only a region of it."""

    source: str
    weight: float = 1.0
    region: Region | None = None

    @property
    def label(self) -> str:
        return self.source if self.region is None else f"{self.source} ({self.region})"


@dataclass(frozen=True, slots=True)
class LikePart:
    """Photos of the catalogue, by catalogue number, occurrenceID or path; they themselves are not found."""

    name: str
    weight: float = 1.0

    @property
    def label(self) -> str:
        return self.name


Part = TextPart | PhotoPart | LikePart


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: parts, words in records, or only a taxon or a condition, whose photos are listed.

    The parts' unit vectors are multiplied by their weights and added; hits are ordered by the cosine to the
    sum, which is the order of the weighted sum of their cosines to the parts.

    `taxa` are names of any rank or common names, of which a hit has one; `not_taxa` those it must not have; `within`
    are paths, of which a hit is on one, and () is that of every photo;
    `where` is a condition on Darwin Core terms (see `bioclip_search.conditions`); `records` are words that its
    record must say. `by_specimen` gives the best photo of each specimen, `diverse` prefers hits that differ
    from each other. `exact` compares every embedding without the index. `for_text` asks the catalogue's second
    model, a general CLIP that knows prose: all parts are then compared by its embeddings.

    Raises QueryError for a query that cannot be asked.
    """

    parts: tuple[Part, ...] = ()
    taxa: tuple[str, ...] = ()
    not_taxa: tuple[str, ...] = ()
    where: str | None = None
    view: str | None = None
    records: str | None = None
    limit: int = 10
    offset: int = 0
    min_score: float | None = None
    by_specimen: bool = False
    diverse: bool = False
    exact: bool = False
    include_missing: bool = False
    for_text: bool = False
    within: tuple[TaxonPath, ...] = ()

    def __post_init__(self) -> None:
        if any(clean(name) is None for name in (*self.taxa, *self.not_taxa)):
            raise QueryError("The name of a taxon is empty; give a name of any rank, or leave it out.")
        self._check_texts()
        if self.records is not None and clean(self.records) is None:
            raise QueryError("The words that records must say are empty; give some, or leave them out.")
        object.__setattr__(self, "records", clean(self.records))
        if not all(math.isfinite(part.weight) for part in self.parts):
            raise QueryError("A weight must be a finite number.")
        if self.min_score is not None and not math.isfinite(self.min_score):
            raise QueryError("The least score must be a finite number.")
        asked = (self.parts, self.taxa, self.not_taxa, self.where, self.view, self.records, self.within)
        if not any(asked):
            raise QueryError(
                "There is nothing to look for: give words, a photo (image), a specimen (like), a taxon or a "
                "condition (where)."
            )
        if self.parts and not any(part.weight for part in self.parts):
            raise QueryError("Every part of the query has the weight 0; give at least one another weight.")
        if self.limit < 1 or self.offset < 0:
            raise QueryError("The number of hits (limit) must be at least 1, and the offset at least 0.")
        if not self.parts and (self.min_score is not None or self.diverse):
            raise QueryError(f"A least score and diverse hits need scores; {_COMPARED}.")
        if not self.parts and self.for_text:
            raise QueryError(f"The model for texts has nothing to compare; {_COMPARED}.")

    def _check_texts(self) -> None:
        labels = [part.label for part in self.parts]
        if any(clean(label) is None for label in labels):
            raise QueryError("A part of the query is empty; give words, a photo or a number, or leave it out.")
        for text in (*labels, *self.taxa, *self.not_taxa, self.where, self.view, self.records):
            if text is not None and not is_unicode(text):
                raise QueryError(f"“{printable(text)}” is not valid Unicode; write it anew.")
