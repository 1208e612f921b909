"""The order of a query's hits: by vector, by the words of records, or both; then what is left out and chosen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.catalogue import Catalogue
from bioclip_search.errors import QueryError
from bioclip_search.filters import Filter
from bioclip_search.query.choose import Candidate, different, one_a_specimen
from bioclip_search.query.fusion import fused
from bioclip_search.query.hits import Evidence, Hit
from bioclip_search.query.value import Query
from bioclip_search.query.vectors import PartVector
from bioclip_search.schema import photo_from_row, photo_id
from bioclip_search.vectors import unit

__all__ = ["Ranking"]

Vector = npt.NDArray[np.float32]

_NO_DIRECTION = 1e-6
# Where the order depends on how many are looked at, it must not depend on the page: pools come in few sizes.
_POOL, _POOL_GROWS = 500, 4
_MOST_DIVERSE = 2_000
# Scores are shown with six digits; what is shown as the least is not lower.
_SHOWN = 5e-7


@dataclass(frozen=True)
class Ranking:
    """The candidates of one query."""

    catalogue: Catalogue
    query: Query
    filter: Filter
    parts: Sequence[PartVector]

    def best(self) -> list[Candidate]:
        """The hits from the first to the last that is asked for, best first. Raises QueryError."""
        wanted = self.query.offset + self.query.limit
        if self.query.diverse and wanted > _MOST_DIVERSE:
            raise QueryError(f"At most {_MOST_DIVERSE:,} hits can be diverse; ask for fewer, or for the nearest.")
        is_pooled = self.query.diverse or self.query.records is not None
        count = _POOL if is_pooled else wanted
        while True:
            found, is_all = self._found(count)
            if self.query.by_specimen:
                found = one_a_specimen(found, lambda candidate: candidate.photo)
            if is_all or (count >= wanted and len(found) >= wanted):
                break
            count *= _POOL_GROWS
        return (different(found, wanted) if self.query.diverse else found)[:wanted]

    def hit(self, candidate: Candidate) -> Hit:
        """A candidate as a hit, with how each part of the query matched it."""
        why = [
            Evidence(part.part.label, part.part.weight, cosine=float(candidate.embedding @ part.vector))
            for part in self.parts
        ]
        if self.query.records is not None and candidate.relevance is not None:
            why.append(Evidence(f"records: {self.query.records}", 1.0, relevance=candidate.relevance))
        return Hit(candidate.photo, candidate.cosine, tuple(why))

    def _found(self, count: int) -> tuple[list[Candidate], bool]:
        """The best of `count` that may be found, and whether there are no more."""
        rankings = []
        if self.parts:
            rankings.append(self._by_vector(count + len(self._own)))
        if self.query.records is not None:
            rankings.append(self._by_records(count + len(self._own)))
        is_all = all(len(ranking) < count + len(self._own) for ranking in rankings)
        candidates = fused(*rankings) if len(rankings) > 1 else rankings[0]
        allowed = [candidate for candidate in candidates if self._is_allowed(candidate)]
        if len(rankings) == 1 and candidates and self._is_too_far(candidates[-1]):
            is_all = True
        return allowed, is_all

    @property
    def _own(self) -> frozenset[str]:
        return frozenset().union(*(part.keys for part in self.parts))

    def _is_allowed(self, candidate: Candidate) -> bool:
        is_own = bool(self._own) and photo_id(candidate.photo.root, candidate.photo.path) in self._own
        return not is_own and not self._is_too_far(candidate)

    def _is_too_far(self, candidate: Candidate) -> bool:
        least = self.query.min_score
        return least is not None and candidate.cosine is not None and candidate.cosine < least - _SHOWN

    def _by_vector(self, count: int) -> list[Candidate]:
        query = self.query
        found = self.catalogue.nearest(self._sum(), count, self.filter, exact=query.exact, for_text=query.for_text)
        candidates = [Candidate(photo_from_row(near.row), near.embedding, near.cosine) for near in found]
        contents = {part.content for part in self.parts}
        # Equal scores are common (copies of a file): the query's own content first.
        return sorted(
            candidates, key=lambda one: (-round(one.cosine or 0.0, 6), one.photo.content_hash not in contents)
        )

    def _by_records(self, count: int) -> list[Candidate]:
        total = self._sum() if self.parts else None
        matches = self.catalogue.in_records(self.query.records or "", count, self.filter, for_text=self.query.for_text)
        candidates = [
            Candidate(
                photo_from_row(match.row),
                match.embedding,
                None if total is None else float(match.embedding @ total),
                match.relevance,
            )
            for match in matches
        ]
        return sorted(candidates, key=lambda one: (-(one.relevance or 0.0), one.photo.root, one.photo.path))

    def _sum(self) -> Vector:
        """The unit vector of the weighted sum of the parts."""
        largest = max(abs(part.part.weight) for part in self.parts)
        weighted = [part.part.weight / largest * part.vector.astype(np.float64) for part in self.parts]
        total = np.stack(weighted).sum(axis=0)
        if float(np.linalg.norm(total)) < _NO_DIRECTION:
            raise QueryError("The parts of the query cancel each other; change a weight.")
        direction: Vector = unit(total.astype(np.float32))
        return direction
