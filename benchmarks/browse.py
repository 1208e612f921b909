"""How long `bioclip-search browse` takes in a real terminal (tmux), and how much memory.

    python benchmarks/browse.py CATALOGUE [--keys 100]

`benchmarks/browse_text.py --rows 1000000 --folder FOLDER` makes a catalogue of a million painted photos. Prints seconds
from the start of the process to the first text, the tree and the first results; milliseconds from a key to the
repainted screen (median and 95th of 100 keys), and until all is drawn that follows, the pictures too; and resident
memory in MiB. The bytes that tmux is sent are read as they come; to send it a key takes it some milliseconds, which
the figures include. No model is loaded.
"""

import argparse
import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_PATIENCE = 60
# Between two looks at the screen: to ask tmux without rest would take one of two processors away.
_LOOK = 0.02
# What is drawn at once comes in parts, one straight after the other …
_PART = 0.005
# … and nothing more comes when there was nothing for so long.
_STILL = 0.25


class Pane:
    """A tmux pane of 120 × 40 cells in which the program runs."""

    def __init__(self, catalogue: Path) -> None:
        self._socket = f"browse-{os.getpid()}"
        command = [sys.executable, "-m", "bioclip_search", "browse", "--catalogue", str(catalogue)]
        self.began = time.perf_counter()
        self.tell("-f", os.devnull, "new-session", "-d", "-x", "120", "-y", "40", *command)

    def tell(self, *arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self._socket, *arguments], capture_output=True, text=True, check=True
        ).stdout

    @property
    def screen(self) -> str:
        return self.tell("capture-pane", "-p")

    @property
    def memory(self) -> int:
        """Resident memory in MiB; Linux only."""
        pid = self.tell("display-message", "-p", "#{pane_pid}").strip()
        status = Path(f"/proc/{pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) // 1024 if found else 0

    def seconds_until(self, condition: Callable[[str], object], since: float) -> float:
        while not condition(self.screen):
            if time.perf_counter() - since > _PATIENCE:
                raise SystemExit(self.screen)
            time.sleep(_LOOK)
        return time.perf_counter() - since


class Drawn:
    """What the program draws in a pane from now on."""

    def __init__(self, pane: Pane, folder: Path) -> None:
        pipe = folder / "drawn"
        os.mkfifo(pipe)
        self._stream = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        pane.tell("pipe-pane", "-O", f"exec cat > {pipe}")

    def last(self, within: float, gap: float) -> float | None:
        """When the last bytes came of those that begin `within` seconds and have no longer gap; None without any."""
        last = None
        while select.select([self._stream], [], [], within if last is None else gap)[0]:
            if not os.read(self._stream, 2**16):
                raise SystemExit("the program has ended")
            last = time.perf_counter()
        return last


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("--keys", type=int, default=100)
    asked = parser.parse_args()
    pane = Pane(asked.catalogue)
    print(f"first text      {pane.seconds_until(lambda screen: 'Search' in screen, pane.began):6.2f} s")
    print(f"tree            {pane.seconds_until(lambda screen: re.search('▸ .* [0-9]', screen), pane.began):6.2f} s")
    print(f"first results   {pane.seconds_until(lambda screen: 'Results 1/' in screen, pane.began):6.2f} s")
    time.sleep(2)
    print(f"memory          {pane.memory:6d} MiB")
    with tempfile.TemporaryDirectory() as folder:
        drawn = Drawn(pane, Path(folder))
        drawn.last(1, _STILL)
        for key in ("Down", "PageDown", "End", "Up", "PageUp"):
            waits = [_wait(pane, drawn, key) for _ in range(asked.keys if key != "End" else 1)]
            first, whole = (sorted(column) for column in zip(*waits, strict=True))
            print(f"{key:<15} {told(first)}; all drawn {told(whole)}")
    print(f"memory          {pane.memory:6d} MiB")
    time.sleep(5)
    print(f"after a pause   {pane.memory:6d} MiB")
    pane.tell("kill-server")


def _wait(pane: Pane, drawn: Drawn, key: str) -> tuple[float, float]:
    """Seconds from a key to the repainted screen, and until nothing more is drawn."""
    began = time.perf_counter()
    pane.tell("send-keys", key)
    first = drawn.last(_PATIENCE, _PART)
    if first is None:
        raise SystemExit(f"nothing was drawn after {key}:\n{pane.screen}")
    return first - began, (drawn.last(_STILL, _STILL) or first) - began


def told(waits: list[float]) -> str:
    """The median and 95th of sorted seconds, in milliseconds."""
    middle, late = waits[len(waits) // 2], waits[int(len(waits) * 0.95)]
    return f"{middle * 1000:4.0f} ms, 95th {late * 1000:4.0f} ms"


if __name__ == "__main__":
    main()
