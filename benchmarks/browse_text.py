"""How long a search by words takes in `bioclip-search browse`, from Enter to the new thumbnails.

    python benchmarks/browse_text.py [--rows 100000] [--folder FOLDER]

A catalogue of painted specimens is made with the built-in model: one of 250 is indexed, and repeated as another
specimen with its embedding turned a little towards those of others. The program runs in tmux (120 × 40 cells) with its
model loaded. Printed: the median and 95th of the milliseconds from Enter, pressed when the words are read on the
screen, until the pictures of the gallery are others and stay so, for names that were never asked (each is put to the
model in 80 sentences) and for the same ones again; and that of the first words, which wait for the model. tmux is asked
for the screen in between every 20 milliseconds and more, which the figures include. A catalogue that FOLDER has
already is taken as it is.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from browse import Pane, told

from bioclip_search.catalogue import Catalogue
from bioclip_search.config import CACHE_VARIABLE
from bioclip_search.demo.collection import write_collection
from bioclip_search.demo.specimens import SPECIES
from bioclip_search.schema import photo_id

# Of so many photos one is painted, the others are its copies …
_COPIES = 250
_AT_ONCE = 10_000
# … each turned towards two others by such shares of the way: so they are no nearer to each other than photos are.
_TURNS = ((0.2, 0.7), (0.0, 0.35))
# Between two looks at the screen: to ask tmux without rest would take one of two processors away.
_LOOK = 0.02
# Names that the built-in model knows, of taxa that do not look alike.
_WORDS = [str(one.taxon.common_name or one.taxon.species) for one in SPECIES[:: max(1, len(SPECIES) // 20)]]


@click.command()
@click.option("--rows", default=100_000, help="Photos in the catalogue.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to keep the catalogue.  [default: temporary]")
def main(rows: int, folder: Path | None) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        place = (folder or Path(temporary)) / f"painted-{rows}"
        if not Catalogue.exists(place):
            _make(place, rows)
        os.environ[CACHE_VARIABLE] = temporary  # nothing is known of the words from before
        pane = Pane(place)
        pane.seconds_until(lambda screen: "Results 1/" in screen and "loading…" not in screen, pane.began)
        _seconds_to_pictures(pane, "", pane.began)
        print(f"first words, with the model still to be loaded: {_search(pane, 'insect') * 1000:.0f} ms")
        for which in ("new words", "words asked before"):
            print(f"{rows:,} photos, {which}: {told(sorted(_search(pane, words) for words in _WORDS))}")
        pane.tell("kill-server")


def _make(place: Path, rows: int) -> None:
    """Index painted specimens, then repeat their rows."""
    with tempfile.TemporaryDirectory() as temporary:
        sample = Path(temporary) / "catalogue"
        photos = Path(temporary) / "photos"
        records = write_collection(photos, max(rows // _COPIES, 1))
        index = ["index", str(photos), "--metadata", str(records), "--model", "builtin", "--catalogue", str(sample)]
        subprocess.run([sys.executable, "-m", "bioclip_search", *index], check=True)
        known = Catalogue.open(sample)
        catalogue = Catalogue.create(place, known.fingerprint)
        table = known._photos.to_arrow()
        for start in range(0, rows, _AT_ONCE):
            catalogue._photos.add(_copies(table, range(start, min(start + _AT_ONCE, rows))))
        catalogue.optimize()


def _copies(table: Any, numbers: Sequence[int]) -> Any:
    """Rows of a table repeated, each a photo of its own."""
    import pyarrow as pa

    count = len(numbers)
    rows = table.take(np.arange(numbers[0], numbers[0] + count) % len(table)).combine_chunks()
    paths = [f"drawer{number // 500:05d}/{number:08d}.jpg" for number in numbers]
    embeddings = rows["embedding"].combine_chunks()
    dim = embeddings.type.list_size
    own = np.asarray(embeddings.flatten()).reshape(count, dim).astype(np.float64)
    rng = np.random.default_rng(numbers[0])
    turned = own + sum(rng.uniform(*turn, (count, 1)) * (rng.permutation(own) - own) for turn in _TURNS)
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    rounds = [number // len(table) for number in numbers]
    flat = pa.array(turned.astype(np.float16).reshape(-1))
    changed = {
        "photo_id": pa.array([photo_id("/archive", path) for path in paths]),
        "root": pa.array(["/archive"] * count),
        "path": pa.array(paths),
        "content_hash": pa.array([f"{number:064x}" for number in numbers]),
        "embedding": pa.FixedSizeListArray.from_arrays(flat, dim),
        **{name: _numbered(rows[name].to_pylist(), rounds) for name in ("occurrenceID", "catalogNumber")},
    }
    for name, values in changed.items():
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(at, rows.schema.field(at), values.cast(rows.schema.field(at).type))
    return rows


def _numbered(identifiers: Sequence[str | None], rounds: Sequence[int]) -> Any:
    """Identifiers of other specimens: photos of one specimen that are repeated together stay those of one."""
    import pyarrow as pa

    pairs = zip(identifiers, rounds, strict=True)
    return pa.array([identifier and f"{identifier}-{number}" for identifier, number in pairs], pa.string())


def _search(pane: Pane, words: str) -> float:
    """Seconds from Enter until the gallery shows other pictures, and nothing changes any more."""
    pane.tell("send-keys", "/")
    pane.tell("send-keys", "C-u")
    before = _gallery(pane)
    pane.tell("send-keys", "-l", words)
    pane.seconds_until(lambda screen: words in screen.splitlines()[2], time.perf_counter())
    began = time.perf_counter()
    pane.tell("send-keys", "Enter")
    return _seconds_to_pictures(pane, before, began)


def _seconds_to_pictures(pane: Pane, before: str, began: float) -> float:
    """Until the pictures are others than before, and stay so."""
    changed, shown = time.perf_counter(), before
    while time.perf_counter() - changed < 0.5 or shown == before:
        time.sleep(_LOOK)
        now = _gallery(pane)
        if now != shown:
            shown, changed = now, time.perf_counter()
        if time.perf_counter() - began > 60:
            raise SystemExit(pane.screen)
    return changed - began


def _gallery(pane: Pane) -> str:
    """The pictures' cells, without their colours: those are dimmed while a search is under way."""
    return "\n".join(line[30:83] for line in pane.screen.splitlines()[10:34])


if __name__ == "__main__":
    main()
