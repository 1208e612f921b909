"""Follow folders: tell when something in them may have changed."""

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["changes"]

_QUIET_MS = 2_000
_AWAY_SECONDS = 10.0


def changes(folders: Sequence[Path], rescan_seconds: float, stop: threading.Event | None = None) -> Iterator[None]:
    """Yield after every change below the folders, and at the latest every `rescan_seconds`.

    The operating system tells of changes on this computer's disks; what others do on a network share
    it does not see, and the regular rescan does. Ends when `stop` is set; Ctrl-C raises KeyboardInterrupt.
    """
    from watchfiles import watch

    stop = stop or threading.Event()
    while not stop.is_set():
        there = [folder for folder in folders if os.path.exists(folder)]
        if len(there) < len(folders):
            stop.wait(_AWAY_SECONDS)  # a drive that is not connected at the moment
            continue
        try:
            for _ in watch(
                *there,
                watch_filter=lambda _change, path: not os.path.basename(path).startswith("."),
                debounce=_QUIET_MS,
                rust_timeout=round(rescan_seconds * 1_000),
                yield_on_timeout=True,
                stop_event=stop,
            ):
                yield
        except FileNotFoundError:
            continue  # it went away while it was being watched
