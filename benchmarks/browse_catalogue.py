"""How long the terminal UI waits for a catalogue, and how much memory that takes.

    python benchmarks/browse_catalogue.py CATALOGUE

`benchmarks/search.py` makes a catalogue of a million rows. Each line is one step: milliseconds, and the resident memory
after it in MiB.
"""

import argparse
import time
from pathlib import Path
from typing import Any

_WINDOW = 60
_STEPS = 40


class Watch:
    """Prints how long each step took."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        took = 1000 * (time.perf_counter() - self._last)
        print(f"{step:52} {took:9.1f} ms  {_memory():6.0f} MiB")
        self._last = time.perf_counter()


def _memory() -> float:
    """Resident memory in MiB; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalogue", type=Path)
    folder = parser.parse_args().catalogue
    watch = Watch()
    from bioclip_search.lance_import import lancedb, leave_out_unused
    from tui.browsed import EVERYTHING, BrowsedCatalogue
    from tui.results import Order

    watch.lap("import the catalogue")
    leave_out_unused()
    lancedb()
    watch.lap("import lancedb")
    began = time.perf_counter()
    catalogue = BrowsedCatalogue.open(folder)
    watch.lap(f"open {catalogue.photos:,} photos")
    branches = catalogue.children()
    watch.lap(f"the {len(branches)} widest taxa, counted")
    results = catalogue.ask(EVERYTHING)
    watch.lap("list all photos")
    results.read(0, _WINDOW)
    watch.lap(f"read the first {_WINDOW}")
    catalogue.thumbnails(_keys(results, 0))
    watch.lap("and their thumbnails")
    print(f"{'open to first thumbnails':52} {1000 * (time.perf_counter() - began):9.1f} ms")
    _walk(catalogue, watch)
    _scroll(catalogue, watch, results)
    for order in (Order.NUMBER, Order.NAME, Order.INDEXED):
        catalogue.sorted(results, order)
        watch.lap(f"sort all photos by {order}")


def _walk(catalogue: Any, watch: Watch) -> None:
    from bioclip_search.query import Query
    from tui.widgets.taxa_pane import MOST_FOUND

    branch = catalogue.children()[0]
    while branch.has_children:
        children = catalogue.children(branch.path)
        watch.lap(f"expand {branch.name} ({len(children)} taxa)")
        results = catalogue.ask(Query(within=(branch.path,)))
        watch.lap(f"list its {results.count:,} photos")
        results.read(0, _WINDOW)
        watch.lap(f"read the first {min(_WINDOW, results.count)}")
        branch = children[0]
    catalogue.find_taxa("us", MOST_FOUND)
    watch.lap("find taxa by a part of their names")


def _scroll(catalogue: Any, watch: Watch, results: Any) -> None:
    times = []
    for step in range(_STEPS):
        start = step * max(1, results.count // _STEPS)
        began = time.perf_counter()
        results.read(start, start + _WINDOW)
        catalogue.thumbnails(_keys(results, start))
        times.append(1000 * (time.perf_counter() - began))
    times.sort()
    watch.lap(f"{_STEPS} windows with thumbnails, all over the list")
    print(f"  a window: median {times[_STEPS // 2]:.1f} ms, 95 % {times[int(0.95 * _STEPS)]:.1f} ms")


def _keys(results: Any, start: int) -> list[str]:
    from bioclip_search.schema import photo_id

    hits = (results.at(index) for index in range(start, start + _WINDOW))
    return [photo_id(hit.photo.root, hit.photo.path) for hit in hits if hit]


if __name__ == "__main__":
    main()
