"""One stage of a pipeline: work done in threads, in order, a bounded number ahead of whoever takes it."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["Stage", "Stopwatch", "never"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def never() -> bool:
    """The wish to stop of a stage that always finishes what it was given."""
    return False


class Stopwatch:
    """Adds up the seconds that threads spend on something, waiting for disk or processor included."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    def timed(self, work: Callable[[Item], Result], item: Item) -> Result:
        """The result of `work`, its time added."""
        began = time.perf_counter()
        try:
            return work(item)
        finally:
            taken = time.perf_counter() - began
            with self._lock:
                self.seconds += taken


class Stage:
    """Threads that work on items one by one.

    `busy` is how long they worked, summed over the threads; `waited` is for how many seconds whoever
    takes the results had to wait for one, and so whether this stage is the one that holds up the others.
    """

    def __init__(self, threads: int, ahead: int) -> None:
        """At most `ahead` results are worked on or held ready."""
        self.threads = threads
        self.busy = Stopwatch()
        self.waited = 0.0
        self._ahead = ahead

    def run(
        self, work: Callable[[Item], Result], items: Iterable[Item], stopping: Callable[[], bool] = never
    ) -> Generator[Result, None, None]:
        """The results of `work`, in the order of the items.

        When `stopping` says so, no further item is taken up, and the results of those that are worked on
        are the last. What `work` raises is raised here.
        """
        with ThreadPoolExecutor(self.threads) as pool:
            waiting: deque[Future[Result]] = deque()
            try:
                for item in items:
                    if stopping():
                        break
                    waiting.append(pool.submit(self.busy.timed, work, item))
                    if len(waiting) >= self._ahead:
                        yield from self._next(waiting, stopping)
                while waiting:
                    yield from self._next(waiting, stopping)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def finish(self, work: Callable[[], object]) -> None:
        """What is left to do when all items are done; it counts as work of this stage, and as waiting for it."""
        before = self.busy.seconds
        self.busy.timed(lambda _: work(), None)
        self.waited += self.busy.seconds - before

    def _next(self, waiting: deque[Future[Result]], stopping: Callable[[], bool]) -> Generator[Result, None, None]:
        if stopping():
            for future in waiting:
                future.cancel()
        began = time.perf_counter()
        try:
            result = waiting.popleft().result()
        except CancelledError:
            return
        finally:
            self.waited += time.perf_counter() - began
        yield result
