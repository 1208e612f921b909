"""What a run did, and how it tells while it runs."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from bioclip_search.journal import COUNTS, Problem

__all__ = ["IndexReport", "Observer", "Quiet", "StageRate", "note"]


@dataclass(frozen=True, slots=True)
class StageRate:
    """How fast one stage of the run was.

    `photos_per_second` is what its threads together could do without the others; `waited` is the
    share of the run, 0 to 1, in which the other stages waited for it.
    """

    photos_per_second: float
    threads: int
    waited: float


@dataclass(slots=True)
class IndexReport:
    """What a run did, in photos.

        `missing` counts rows whose file is no longer there, `pruned` those of them that were removed,
    <<<<<<< HEAD
        `with_record` the photos that a record of this run was joined to (None: no records were given),
        `for_text` those that the model for texts embedded.
    =======
        `with_record` the photos, of those that are settled, that a record of this run was joined to (None: no
        records were given).
    >>>>>>> main
    """

    new: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    missing: int = 0
    failed: int = 0
    pruned: int = 0
    with_record: int | None = None
    for_text: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    problems: list[Problem] = field(default_factory=list)
    stages: dict[str, StageRate] = field(default_factory=dict)

    @property
    def counts(self) -> Mapping[str, int]:
        return {name: getattr(self, name) for name in COUNTS}

    @property
    def limit(self) -> str | None:
        """The stage that the others waited for most."""
        return max(self.stages, key=lambda name: self.stages[name].waited, default=None)


class Observer(Protocol):
    """Whoever shows how far the run is. It may be called from another thread than the run's."""

    def begin(self, total: int) -> None:
        """`total` photos will be decoded and embedded; said again for the model for texts."""

    def advance(self, photos: int) -> None:
        """So many more photos are done, well or badly."""

    def problem(self, problem: Problem) -> None:
        """A file was skipped."""

    def say(self, line: str) -> None:
        """Something worth knowing that is no problem of a file."""

    def may_prune(self, gone: int, rows: int) -> bool:
        """Whether so many of the rows, more than a tenth, may be removed for good."""

    def stoppable(self) -> AbstractContextManager[Callable[[], bool]]:
        """A time in which the wish to stop is only noted; it gives a function that tells of it."""


class Quiet:
    """An observer that shows nothing, never stops and lets nothing be pruned."""

    def begin(self, total: int) -> None: ...

    def advance(self, photos: int) -> None: ...

    def problem(self, problem: Problem) -> None: ...

    def say(self, line: str) -> None: ...

    def may_prune(self, gone: int, rows: int) -> bool:  # noqa: ARG002
        return False

    def stoppable(self) -> AbstractContextManager[Callable[[], bool]]:
        return nullcontext(lambda: False)


def note(problem: Problem, report: IndexReport, observer: Observer) -> None:
    """Count a problem, keep it, and say it."""
    report.failed += 1
    report.problems.append(problem)
    observer.problem(problem)
