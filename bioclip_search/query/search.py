"""Answer a query: what is meant, where to look, what to say beside the hits."""

from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock

import numpy as np
import numpy.typing as npt

from bioclip_search.background import Background
from bioclip_search.catalogue import Catalogue
from bioclip_search.conditions import parse_condition
from bioclip_search.embedder import Embedder
from bioclip_search.errors import QueryError
from bioclip_search.filters import Filter
from bioclip_search.listing import Listing
from bioclip_search.loading import model_loader
from bioclip_search.query.choose import Candidate
from bioclip_search.query.hits import Determined, Hit, Hits
from bioclip_search.query.ranking import Ranking
from bioclip_search.query.taxa import resolve_taxon
from bioclip_search.query.value import LikePart, Part, PhotoPart, Query, TextPart
from bioclip_search.query.vectors import PartVector, PartVectors
from bioclip_search.storage import quoted

__all__ = ["Searcher", "search"]

Vector = npt.NDArray[np.float32]


class Searcher:
    """Searches one catalogue; `load` gives the embedder, and is called at most once, when something must be
    embedded. Its model must be the catalogue's. Several threads may search; one at a time embeds.

    `load_for_text` does the same for queries with `for_text`; without it the catalogue's model for texts is loaded
    by its name.
    """

    def __init__(
        self, catalogue: Catalogue, load: Callable[[], Embedder], load_for_text: Callable[[], Embedder] | None = None
    ) -> None:
        self._catalogue = catalogue
        self._loaders = {False: cache(load), True: cache(load_for_text or model_loader(catalogue, for_text=True))}
        self._vectors: dict[bool, PartVectors] = {}
        self._lock, self._making = Lock(), Lock()

    def search(self, query: Query) -> Hits:
        """Answer a query, best hit first.

        Raises UnknownTaxon, ModelMismatch, what loading a model raises, or QueryError for a photo that cannot be
        read, a condition that is none, parts that cancel each other, and a model for texts that the catalogue
        does not have.
        """
        if not query.parts and query.records is None:
            return Hits(tuple(self._listed(query)))
        filter_ = self._filter(query)
        parts = [self._vector(part, for_text=query.for_text) for part in query.parts]
        ranking = Ranking(self._catalogue, query, filter_, parts)
        best = ranking.best()
        return Hits(
            tuple(ranking.hit(candidate) for candidate in best[query.offset :]),
            self._is_no_match(query, parts, best),
            tuple(self._determined(parts)),
            any(part.is_prose and part.part.weight > 0 for part in parts),
        )

    def search_all(self, queries: Sequence[Query]) -> list[Hits | QueryError]:
        """Answer several queries, in order; what must be embedded for them goes to the model together.

        For a query that cannot be answered its error stands in the place of the hits.
        """
        for for_text in {query.for_text for query in queries}:
            parts = [part for query in queries if query.for_text is for_text for part in query.parts]
            vectors = self._vectors_of(for_text=for_text)
            with self._lock:
                vectors.prepare(parts)
        return [self._answer(query) for query in queries]

    def _answer(self, query: Query) -> Hits | QueryError:
        try:
            return self.search(query)
        except QueryError as error:
            return error

    def _vector(self, part: Part, *, for_text: bool) -> PartVector:
        """A part's vector; photos of the catalogue have theirs, and wait for no model that is being loaded."""
        vectors = self._vectors_of(for_text=for_text)
        if isinstance(part, LikePart):
            return vectors.of(part)
        with self._lock:
            return vectors.of(part)

    def _vectors_of(self, *, for_text: bool) -> PartVectors:
        with self._making:
            if for_text not in self._vectors:
                self._vectors[for_text] = PartVectors(self._catalogue, self._loaders[for_text], for_text=for_text)
            return self._vectors[for_text]

    def _filter(self, query: Query) -> Filter:
        def names(name: str) -> tuple[tuple[str, str], ...]:
            return resolve_taxon(self._catalogue, name, include_missing=query.include_missing)

        wanted = tuple(pair for name in query.taxa for pair in names(name))
        conditions = [] if query.where is None else [parse_condition(query.where).sql]
        if query.view is not None:
            conditions.append(f"view = {quoted(query.view.strip().lower())}")
        return Filter(
            taxa=(wanted,) if wanted else (),
            not_taxa=tuple(pair for name in query.not_taxa for pair in names(name)),
            conditions=tuple(conditions),
            include_missing=query.include_missing,
            within=query.within,
        )

    def _listed(self, query: Query) -> list[Hit]:
        photos = self.listing(query).photos(query.offset, query.offset + query.limit)
        return [Hit(photo, None) for photo in photos]

    def listing(self, query: Query) -> Listing:
        """All photos that a query without parts and words in records means, whatever its limit and offset."""
        listing = self._catalogue.listing(self._filter(query))
        return listing.one_a_specimen() if query.by_specimen else listing

    def _is_no_match(self, query: Query, parts: Sequence[PartVector], best: Sequence[Candidate]) -> bool | None:
        """Whether none of the best is nearer to any part that it should be like than unrelated queries come."""
        background = Background.read(self._catalogue, for_text=query.for_text)
        sought = [part for part in parts if part.part.weight > 0 and isinstance(part.part, TextPart | PhotoPart)]
        if background is None or not sought or not best:
            return None
        embeddings = np.stack([candidate.embedding for candidate in best])
        return not any(
            float((embeddings @ part.vector).max()) > background.reached(is_text=isinstance(part.part, TextPart))
            for part in sought
        )

    def _determined(self, parts: Sequence[PartVector]) -> list[Determined]:
        found = []
        for part in parts:
            if part.names and part.part.weight > 0:
                photos = self._catalogue.count(Filter(taxa=(part.names,)).sql)
                found.append(Determined(part.part.label, part.names[0][1], photos))
        return [one for one in found if one.photos]


def search(catalogue: Catalogue, query: Query, embedder: Callable[[], Embedder]) -> Hits:
    """Answer one query; see Searcher."""
    return Searcher(catalogue, embedder).search(query)
