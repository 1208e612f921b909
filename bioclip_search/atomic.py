"""Files that are written whole or not at all."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

__all__ = ["replacing", "write_json"]


@contextmanager
def replacing(file: Path) -> Iterator[TextIO]:
    """UTF-8 text that is written aside, and put in the file's place when the block is done and it is on the disk.

    Nothing stays of it where the block fails. Raises OSError.
    """
    aside = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        with aside.open("w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)


def write_json(file: Path, content: object, *, indent: int | None = None) -> None:
    """Write a JSON file, as `replacing` does; with `indent` it is to be read by people too. Raises OSError."""
    with replacing(file) as stream:
        json.dump(content, stream, indent=indent)
        stream.write("\n")
