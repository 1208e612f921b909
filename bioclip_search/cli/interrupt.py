"""Ctrl-C as a wish: the first one is noted, so that work in hand is finished; a second one interrupts."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["ctrl_c_noted"]


@contextmanager
def ctrl_c_noted(tell: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Within it, the first Ctrl-C only makes the function that it gives true, and is told of."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread receives signals
        return
    wish = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        yield wish.is_set  # run in the background (nohup, `&`): Ctrl-C is meant for something else
        return

    def noted(_number: int, _frame: FrameType | None) -> None:
        wish.set()
        signal.signal(signal.SIGINT, before)
        tell("stopping: what is being embedded is finished and kept; Ctrl-C again stops at once")

    signal.signal(signal.SIGINT, noted)
    try:
        yield wish.is_set
    finally:
        signal.signal(signal.SIGINT, before)
