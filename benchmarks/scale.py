"""Does indexing stay flat? Peak memory and time of a second run, at two sizes of archive.

    python benchmarks/scale.py --small 1000 --large 20000

Draws small JPEGs, indexes them with the built-in model, each time in a process of its own, and prints
for both sizes the peak of resident memory, the seconds of the first and of the second run (in which
nothing has changed), and the peak with a JPEG of 300 megapixels among the small ones.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import numpy as np
from PIL import Image

_INDEX = """
import json, resource, sys, time
from pathlib import Path
from indexer.run import IndexOptions, index
began = time.perf_counter()
report = index(IndexOptions((Path(sys.argv[1]),), Path(sys.argv[2]), model="builtin"))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"photos": report.new + report.unchanged, "new": report.new, "failed": report.failed,
                  "seconds": time.perf_counter() - began, "peak_mb": peak}))
"""


@click.command()
@click.option("--small", default=1_000, help="Photos of the small archive.")
@click.option("--large", default=20_000, help="Photos of the large one.")
def main(small: int, large: int) -> None:
    """Measure and print one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        figures: dict[str, dict[str, float]] = {}
        for name, count in (("small", small), ("large", large)):
            _draw(place / name, count)
            figures[name] = _index(place, name)
            figures[f"{name}_again"] = _index(place, name)
        Image.new("L", (20_000, 15_000), 128).save(place / "small" / "300_megapixels.jpg")
        figures["small_with_300_megapixels"] = _index(place, "small", catalogue="fresh")
        ratios = {
            "peak_large_to_small": figures["large"]["peak_mb"] / figures["small"]["peak_mb"],
            "second_to_first_run": figures["large_again"]["seconds"] / figures["large"]["seconds"],
        }
        sys.stdout.write(json.dumps({**figures, **ratios}, indent=2) + "\n")


def _draw(folder: Path, count: int) -> None:
    rng = np.random.default_rng(count)
    for number in range(count):
        drawer = folder / f"drawer{number // 500:03d}"
        drawer.mkdir(parents=True, exist_ok=True)
        patches = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(patches).resize((320, 240)).save(drawer / f"{number:06d}.jpg")


def _index(place: Path, name: str, catalogue: str = "") -> dict[str, float]:
    words = [sys.executable, "-c", _INDEX, str(place / name), str(place / f"catalogue-{catalogue or name}")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    main()
