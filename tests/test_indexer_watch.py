"""Following folders: a change is told, and the regular rescan comes without one."""

import threading
from pathlib import Path

from helpers import draw_photo

from indexer.watch import changes


def test_a_new_photo_is_told_of(tmp_path: Path) -> None:
    """The operating system's word is enough; no rescan is near."""
    stop = threading.Event()
    following = changes([tmp_path], rescan_seconds=0.2, stop=stop)
    next(following)  # the first rescan: the folder is being watched
    draw_photo(tmp_path / "a.png", seed=1)
    next(following)
    stop.set()
    assert list(following) == []


def test_it_ends_when_told_to(tmp_path: Path) -> None:
    """Nothing is yielded after that."""
    stop = threading.Event()
    stop.set()
    assert list(changes([tmp_path], rescan_seconds=60, stop=stop)) == []
