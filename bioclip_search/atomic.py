"""Files that are written whole or not at all."""

import json
import os
import uuid
from pathlib import Path

__all__ = ["write_json"]


def write_json(file: Path, content: object) -> None:
    """Write a JSON file aside, and put it in its place when it is on the disk. Raises OSError."""
    aside = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        with aside.open("w", encoding="utf-8") as stream:
            json.dump(content, stream)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
