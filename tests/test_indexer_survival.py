"""The indexer is killed, and run twice at once: no photo lost, none twice."""

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from helpers import draw_photo

from bioclip_search.catalogue import Catalogue

_INDEX = """
import sys
from pathlib import Path
from indexer.report import Quiet
from indexer.run import IndexOptions, index

class Begun(Quiet):
    def begin(self, total): print("begun", flush=True)
    def problem(self, problem): raise AssertionError(problem)

photos, catalogue, model = map(Path, sys.argv[1:])
index(IndexOptions((photos,), catalogue, model=str(model), batch_size=4, commit_seconds=0.0), Begun())
"""


def start(photos: Path, catalogue: Path, model: Path) -> subprocess.Popen[str]:
    """An indexer in a process of its own that commits after every photo it can."""
    arguments = [sys.executable, "-c", _INDEX, str(photos), str(catalogue), str(model)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def rows(catalogue: Path) -> Counter[str]:
    return Counter(photo.path for photo in Catalogue.open(catalogue).photos())


def test_killed_at_random_moments_it_ends_with_exactly_the_right_rows(small_model: Path, tmp_path: Path) -> None:
    """SIGKILL after a random time, again and again; the last run does the rest."""
    names = [draw_photo(tmp_path / "photos" / f"{n:03d}.png", seed=n, size=(24, 24)).name for n in range(150)]
    chance = random.Random(0)  # noqa: S311 (nothing to keep secret)
    for _ in range(8):
        process = start(tmp_path / "photos", tmp_path / "catalogue", small_model)
        assert process.stdout is not None
        process.stdout.readline()  # it has begun (or found nothing left to do)
        try:
            process.wait(timeout=chance.uniform(0, 0.4))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        assert max(rows(tmp_path / "catalogue").values(), default=1) == 1
    last = start(tmp_path / "photos", tmp_path / "catalogue", small_model)
    last.communicate()
    assert last.returncode == 0
    assert rows(tmp_path / "catalogue") == Counter(names)


def test_two_first_indexers_at_once_make_one_catalogue(small_model: Path, tmp_path: Path) -> None:
    """The one that comes second waits until the catalogue is made, and goes on with it."""
    for number in range(20):
        draw_photo(tmp_path / "photos" / f"part{number % 2}" / f"{number:03d}.png", seed=number, size=(24, 24))
    both = [start(tmp_path / "photos" / part, tmp_path / "catalogue", small_model) for part in ("part0", "part1")]
    for process in both:
        process.communicate()
    assert [process.returncode for process in both] == [0, 0]
    assert rows(tmp_path / "catalogue") == Counter(file.name for file in (tmp_path / "photos").rglob("*.png"))


def test_two_indexers_at_once_make_one_row_a_photo(small_model: Path, tmp_path: Path) -> None:
    """Overlapping folders, the same catalogue, the same time."""
    for number in range(40):
        draw_photo(tmp_path / "photos" / f"part{number % 2}" / f"{number:03d}.png", seed=number, size=(24, 24))
    first = start(tmp_path / "photos" / "part0", tmp_path / "catalogue", small_model)
    first.communicate()  # the root of part0 is known before the two begin
    for number in range(40, 80):
        draw_photo(tmp_path / "photos" / f"part{number % 2}" / f"{number:03d}.png", seed=number, size=(24, 24))
    both = [
        start(folder, tmp_path / "catalogue", small_model)
        for folder in (tmp_path / "photos", tmp_path / "photos" / "part0")
    ]
    for process in both:
        process.communicate()
        assert process.returncode == 0
    catalogue = Catalogue.open(tmp_path / "catalogue")
    found = Counter(photo.file for photo in catalogue.photos())
    assert found == Counter((tmp_path / "photos").rglob("*.png"))
