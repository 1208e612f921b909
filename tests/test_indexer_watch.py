"""Following folders: a change is told, and the regular rescan comes without one."""

import threading
from pathlib import Path

from helpers import draw_photo

from indexer.watch import changes


def test_a_new_photo_is_told_of(tmp_path: Path) -> None:
    """The operating system's word is enough; no rescan is near."""
    stop, told = threading.Event(), threading.Event()

    def follow() -> None:
        for _ in changes([tmp_path], rescan_seconds=3_600, stop=stop):
            told.set()

    follower = threading.Thread(target=follow)
    follower.start()
    for seed in range(100):  # when the watching has begun nobody tells
        draw_photo(tmp_path / f"{seed}.png", seed=seed)
        if told.wait(0.5):
            break
    stop.set()
    follower.join(30)
    assert told.is_set()
    assert not follower.is_alive()


def test_it_ends_when_told_to(tmp_path: Path) -> None:
    """Nothing is yielded after that."""
    stop = threading.Event()
    stop.set()
    assert list(changes([tmp_path], rescan_seconds=60, stop=stop)) == []
