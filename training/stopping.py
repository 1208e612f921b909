"""Ctrl-C and SIGTERM as wishes: the step in hand is finished and saved."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["stop_noted"]


@contextmanager
def stop_noted() -> Iterator[Callable[[], int]]:
    """Gives a function that tells the signal by which a stop was wished, or 0. A second Ctrl-C stops at once.

    Not so a second SIGTERM: torchrun and job schedulers send it more than once.
    """
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: 0  # only the main thread receives signals
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def note(number: int, _frame: FrameType | None) -> None:
        noted.append(number)
        if number == signal.SIGINT:
            signal.signal(number, before[signal.SIGINT])

    for number in numbers:
        if before[number] is not signal.SIG_IGN:  # in the background Ctrl-C is meant for something else
            signal.signal(number, note)
    try:
        yield lambda: noted[0] if noted else 0
    finally:
        for number in numbers:
            signal.signal(number, before[number])
