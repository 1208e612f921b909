"""From photos to names: probabilities by a method, summed up the ranks, an answer where it is certain enough."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bioclip_search.errors import UsageError
from bioclip_search.identification.method import BATCH_BYTES, Method, Scores
from bioclip_search.identification.neighbours import Neighbours
from bioclip_search.identification.ranks import Choice, Probabilities, RankTree
from bioclip_search.identification.softmax import TEMPERATURES
from bioclip_search.identification.subjects import Subject, Subjects
from bioclip_search.taxonomy import Rank

__all__ = ["Evidence", "Identification", "Settings", "identify", "summed"]

_EVIDENCE = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked: the narrowest rank, the confidence an answer needs, the number of candidates shown.

    Raises UsageError for numbers that mean nothing.
    """

    rank: Rank = Rank.SPECIES
    confidence: float = 0.8
    limit: int = 5
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.confidence <= 1:
            raise UsageError("The confidence that an answer needs is above 0 and at most 1, such as 0.8.")
        lowest, highest = TEMPERATURES
        if not lowest <= self.temperature <= highest:
            raise UsageError(f"A temperature is a number from {lowest:g} to {highest:g}, such as 1.")
        if self.limit < 1:
            raise UsageError("The number of candidates must be at least 1.")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A photo of the catalogue that speaks for an answer, with its cosine."""

    photo_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Identification:
    """What a photo was identified as.

    `answer` is the narrowest name that is certain enough, or None; `by_rank` the best name at each rank,
    from the widest to the narrowest; `candidates` the most probable taxa at the rank asked for, best first.
    """

    subject: Subject
    answer: Choice | None
    by_rank: tuple[Choice, ...]
    candidates: tuple[Choice, ...]
    evidence: tuple[Evidence, ...]


def identify(method: Method, batches: Iterable[Subjects], settings: Settings) -> Iterator[Identification]:
    """Identify photos, in their order."""
    tree = RankTree(method.taxa)
    for subjects in batches:
        scores = method.score(subjects.block)
        for rows, sums in summed(tree, scores, len(subjects), settings.temperature):
            for at, row in enumerate(range(rows.start, rows.stop)):
                yield Identification(
                    subjects.photos[row],
                    answer=tree.answer(sums, at, settings.confidence, settings.rank),
                    by_rank=tuple(tree.best(sums, at)),
                    candidates=tuple(tree.ranked(sums, at, settings.rank, settings.limit)),
                    evidence=_evidence(scores.evidence, row),
                )


def summed(
    tree: RankTree, scores: Scores, count: int, temperature: float
) -> Iterator[tuple[slice, list[Probabilities]]]:
    """Probabilities summed up at every rank, for as many photos at a time as memory should hold."""
    size = max(1, BATCH_BYTES // (64 * len(tree.taxa)))
    for start in range(0, count, size):
        rows = slice(start, min(start + size, count))
        yield rows, tree.sums(scores.probabilities(rows, temperature))


def _evidence(neighbours: Neighbours | None, row: int) -> tuple[Evidence, ...]:
    if neighbours is None:
        return ()
    pairs = zip(neighbours.photos[row], neighbours.scores[row], strict=True)
    return tuple(Evidence(str(photo), float(score)) for photo, score in pairs if photo)[:_EVIDENCE]
