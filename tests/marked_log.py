"""What a program writes to its terminal, counted without waiting for a time: marks go the same way behind it."""

import os
import time
import uuid
from pathlib import Path

__all__ = ["MarkedLog"]

_PATIENCE = 90


class MarkedLog:
    """The file into which tmux pipes a pane; `tty` is the pane's own device."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._marks = 0

    def settled(self, tty: Path) -> int:
        """As `written`, once eight round trips in a row find nothing more: a frame may be under way."""
        counts = [self.written(tty)]
        end = time.monotonic() + _PATIENCE
        while len(counts) < 8 or len(set(counts[-8:])) > 1:
            assert time.monotonic() < end, "never still"
            counts.append(self.written(tty))
        return counts[-1]

    def written(self, tty: Path) -> int:
        """Bytes that the program has written so far.

        An escape code that no terminal knows is written behind them: once it has come, they all have.
        """
        mark = f"\x1b]7777;{uuid.uuid4().hex}\x07".encode()
        terminal = os.open(tty, os.O_WRONLY | os.O_NOCTTY)
        os.write(terminal, mark)
        os.close(terminal)
        end = time.monotonic() + _PATIENCE
        while (at := self.file.read_bytes().find(mark)) < 0:
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.01)
        self._marks += 1
        return at - (self._marks - 1) * len(mark)
