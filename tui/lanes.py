"""Threads for what blocks. A lane does one thing after the other, or only the latest of what is asked.

They are daemons: leaving the program waits for no model that is still loading.
"""

import threading
from collections.abc import Callable

__all__ = ["Lane", "in_thread"]

Job = Callable[[], object]


def in_thread(job: Job) -> None:
    """Do one thing beside all others."""
    threading.Thread(target=job, daemon=True).start()


class Lane:
    """One thread for one kind of work. With `latest` what has not begun gives way to what is asked after it."""

    def __init__(self, *, latest: bool = False) -> None:
        self._latest = latest
        self._jobs: list[Job] = []
        self._lock = threading.Lock()
        self._is_busy = False

    def do(self, job: Job) -> None:
        """Do this when what is under way is done."""
        with self._lock:
            if self._latest:
                self._jobs.clear()
            self._jobs.append(job)
            if self._is_busy:
                return
            self._is_busy = True
        in_thread(self._work)

    @property
    def is_free(self) -> bool:
        """Whether nothing waits: what is under way may go on at leisure."""
        return not self._jobs

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._is_busy = False
                    return
                job = self._jobs.pop(0)
            try:
                job()
            except BaseException:
                in_thread(self._work)  # what waits goes on in another: this one ends
                raise
