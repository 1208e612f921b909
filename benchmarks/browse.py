"""How long `bioclip-search browse` takes in a real terminal (tmux), and how much memory.

    python benchmarks/browse.py CATALOGUE [--keys 60]

`benchmarks/search.py` makes a catalogue of a million rows. Prints seconds from the start of the process to the first
text, the tree and the first results; milliseconds from a key to another screen (median and 95th of 100; tmux is asked
for the screen in between, which takes some milliseconds itself); and resident memory in MiB. No model is loaded.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_PATIENCE = 60
_REST = 0.3


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
        return time.perf_counter() - since


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("--keys", type=int, default=60)
    asked = parser.parse_args()
    pane = Pane(asked.catalogue)
    print(f"first text      {pane.seconds_until(lambda screen: 'Search' in screen, pane.began):6.2f} s")
    print(f"tree            {pane.seconds_until(lambda screen: re.search('▸ .* [0-9]', screen), pane.began):6.2f} s")
    print(f"first results   {pane.seconds_until(lambda screen: 'Results 1/' in screen, pane.began):6.2f} s")
    time.sleep(2)
    print(f"memory          {pane.memory:6d} MiB")
    for key in ("Down", "PageDown"):
        waits = sorted(_wait(pane, key) for _ in range(asked.keys))
        middle, late = waits[len(waits) // 2], waits[int(len(waits) * 0.95)]
        print(f"{key:<15} {middle * 1000:6.0f} ms, 95th {late * 1000:.0f} ms")
    print(f"memory          {pane.memory:6d} MiB")
    pane.tell("kill-server")


def _wait(pane: Pane, key: str) -> float:
    """Seconds from a key to another screen."""
    time.sleep(_REST)
    before, began = pane.screen, time.perf_counter()
    pane.tell("send-keys", key)
    return pane.seconds_until(lambda screen: screen != before, began)


if __name__ == "__main__":
    main()
