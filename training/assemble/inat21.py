"""iNaturalist 2021: train.json with its categories' taxonomy, and the folders of images beside it.

https://github.com/visipedia/inat_comp/tree/master/2021
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from bioclip_search.errors import RecordError
from bioclip_search.text import printable
from training.assemble.files import CollectionFiles, tail_of
from training.assemble.json_stream import stream_arrays
from training.assemble.row import CollectionRow

__all__ = ["INat21"]

_ANNOTATIONS = ("train.json", "train_mini.json", "val.json")
_RANKS = ("kingdom", "phylum", "class", "order", "family", "genus")
_TABLES = """
PRAGMA journal_mode = OFF;
CREATE TABLE images (id INTEGER PRIMARY KEY, file TEXT);
CREATE TABLE annotations (image INTEGER PRIMARY KEY, category INTEGER);
BEGIN;
"""


class INat21:
    """The images of a folder with train.json (else train_mini.json or val.json)."""

    name = "inat21"

    def __init__(self, folder: Path) -> None:
        """Raises RecordError where there is no such file."""
        found = [folder / name for name in _ANNOTATIONS if (folder / name).is_file()]
        if not found:
            raise RecordError(f"{printable(str(folder))} has no train.json of iNaturalist 2021; name the folder of it.")
        self._folder, self._annotations = folder, found[0]
        self.unknown: Counter[str] = Counter()

    def rows(self) -> Iterator[CollectionRow]:
        with closing(sqlite3.connect("", isolation_level=None)) as database:
            database.executescript(_TABLES)
            categories = self._read(database)
            with closing(CollectionFiles(self._folder)) as files:
                query = (
                    "SELECT file, category FROM images JOIN annotations ON annotations.image = images.id ORDER BY id"
                )
                for file, number in database.execute(query):
                    yield _row(files.find(tail_of(file)), file, categories.get(number, {}))

    def _read(self, database: sqlite3.Connection) -> dict[int, dict[str, Any]]:
        """Put images and annotations into the database; returns the categories, of which there are ten thousand."""
        categories: dict[int, dict[str, Any]] = {}
        try:
            for kind, entry in stream_arrays(self._annotations):
                if kind == "images":
                    image = (int(entry["id"]), str(entry["file_name"]))
                    database.execute("INSERT OR REPLACE INTO images VALUES (?, ?)", image)
                elif kind == "annotations":
                    label = (int(entry["image_id"]), int(entry["category_id"]))
                    database.execute("INSERT OR REPLACE INTO annotations VALUES (?, ?)", label)
                elif kind == "categories":
                    categories[int(entry["id"])] = entry
        except (OSError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise RecordError(
                f"{printable(str(self._annotations))} is not the annotation file of iNaturalist 2021 ({error}); "
                "fetch it again."
            ) from error
        return categories


def _row(file: str | None, name: str, category: dict[str, Any]) -> CollectionRow:
    ranks = {rank: category.get(rank) for rank in _RANKS}
    ranks["species"] = category.get("specific_epithet") or category.get("name")
    return CollectionRow(file, f"inat21:{name}", ranks, category.get("common_name"))
