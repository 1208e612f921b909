"""Photos that a benchmark tests with: their file names, from the lists that come with it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bioclip_search.errors import RecordError
from bioclip_search.text import clean, printable

__all__ = ["read_images"]


def read_images(file: Path) -> frozenset[str]:
    """The names, in lower case and without folders, of the images that a file lists.

    JSON of any shape (as seen_in_training.json and unseen_in_training.json of the Rare Species benchmark, whose
    values are paths), or a text file with a path a line. Raises RecordError for a file that lists none.
    """
    shown = printable(str(file))
    try:
        text = file.read_text(encoding="utf-8-sig")
        listed = _strings(json.loads(text)) if file.suffix.lower() == ".json" else iter(text.splitlines())
        found = frozenset(_base(name) for line in listed if (name := clean(line)))
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"The list of images {shown} cannot be read ({error}); check it.") from error
    if not found:
        raise RecordError(f"{shown} lists no images; write one file name a line.")
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def _base(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1].lower()
