"""Show how far a long run is: a bar on a terminal, plain lines elsewhere, on standard error."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

from bioclip_search.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Meter", "meter"]

_SECONDS_BETWEEN_LINES = 5.0


class Meter(Protocol):
    """Counts photos, or what else it was made for; lines may be said in between."""

    def begin(self, total: int) -> None: ...

    def advance(self, photos: int) -> None: ...

    def say(self, line: str) -> None: ...

    def paused(self) -> AbstractContextManager[None]:
        """The bar is out of the way of a question."""


@contextmanager
def meter(doing: str, what: str = "photos") -> Iterator[Meter]:
    """A meter for one long job, “Indexing” photos; its bar is removed at the end."""
    if not sys.stderr.isatty():
        yield _Lines(doing, what)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
    )
    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress, doing, what)


class _Bar:
    def __init__(self, progress: "Progress", doing: str, what: str) -> None:
        self._progress, self._what = progress, what
        self._task = progress.add_task(doing, total=None, rate="")
        self._started = time.monotonic()

    def begin(self, total: int) -> None:
        self._started = time.monotonic()
        self._progress.update(self._task, total=total, completed=0)

    def advance(self, photos: int) -> None:
        done = self._progress.tasks[0].completed + photos
        self._progress.update(
            self._task, completed=done, rate=_rate(done, time.monotonic() - self._started, self._what)
        )

    def say(self, line: str) -> None:
        self._progress.console.print(printable(line), soft_wrap=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._progress.stop()
        yield
        self._progress.start()


class _Lines:
    def __init__(self, doing: str, what: str) -> None:
        self._doing, self._what = doing, what
        self._total = self._done = 0
        self._started = self._last = time.monotonic()

    def begin(self, total: int) -> None:
        self._total, self._done = total, 0
        self._started = self._last = time.monotonic()
        self.say(f"{self._doing} {total:,} {self._what}")

    def advance(self, photos: int) -> None:
        self._done += photos
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN_LINES:
            return
        self._last = now
        elapsed = now - self._started
        left = elapsed / self._done * (self._total - self._done)
        rate = _rate(self._done, elapsed, self._what)
        self.say(f"{self._done:,} of {self._total:,} {self._what}, {rate}, {left:.0f} s left")

    def say(self, line: str) -> None:
        sys.stderr.write(printable(line) + "\n")
        sys.stderr.flush()

    def paused(self) -> AbstractContextManager[None]:
        return nullcontext()


def _rate(done: float, seconds: float, what: str) -> str:
    return f"{done / max(seconds, 1e-3):.1f} {what}/s"
