"""What a run did, and how it tells while it runs."""

from dataclasses import dataclass, field
from typing import Protocol

from bioclip_search.journal import Problem

__all__ = ["IndexReport", "Observer", "note"]


@dataclass(slots=True)
class IndexReport:
    """What a run did, in photos.

    `missing` counts rows whose file is no longer there, `pruned` those of them that were removed.
    """

    new: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    missing: int = 0
    failed: int = 0
    pruned: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    problems: list[Problem] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        names = ("new", "changed", "moved", "unchanged", "missing", "failed")
        return {name: getattr(self, name) for name in names}


class Observer(Protocol):
    """Whoever shows how far the run is."""

    def begin(self, total: int) -> None:
        """`total` photos will be decoded and embedded."""

    def advance(self, photos: int) -> None:
        """So many more photos are done, well or badly."""

    def problem(self, problem: Problem) -> None:
        """A file was skipped."""

    def may_prune(self, gone: int, rows: int) -> bool:
        """Whether so many of the rows, more than a tenth, may be removed for good."""


def note(problem: Problem, report: IndexReport, observer: Observer) -> None:
    """Count a problem, keep it, and say it."""
    report.failed += 1
    report.problems.append(problem)
    observer.problem(problem)
