"""Of which model text embeddings are: FILE.model.json beside FILE.npy and FILE.json.

The published layout has no place for it, so it is a file of its own: who reads the published layout passes it by.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bioclip_search.atomic import write_json
from bioclip_search.errors import RecordError
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.text import printable

__all__ = ["TextOrigin", "origin_file"]


def origin_file(array: Path) -> Path:
    """Where the origin of FILE.npy is kept."""
    return array.with_suffix(".model.json")


@dataclass(frozen=True, slots=True)
class TextOrigin:
    """The model, and the SHA-256 of the JSON file of names that the array was written with."""

    model: Fingerprint
    names_sha256: str

    @classmethod
    def of(cls, model: Fingerprint, names: Path) -> "TextOrigin":
        """With the model's own name, not its place on somebody's disk. Raises OSError."""
        return cls(model.without_place(), _sha256(names))

    @classmethod
    def read(cls, array: Path, names: Path) -> "TextOrigin | None":
        """What is kept beside an array, None where nothing is: published files say nothing of their model.

        Raises RecordError for what cannot be read, or belongs to other names.
        """
        file = origin_file(array)
        if not file.exists():
            return None
        shown = printable(str(file))
        try:
            content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            origin = cls(Fingerprint(**content["model"]), str(content["names_sha256"]))
            same = origin.names_sha256 == _sha256(names)
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise RecordError(
                f"{shown}, which says of which model the text embeddings are, cannot be read; copy it again, or write "
                "all three files anew with `bioclip-search train texts`."
            ) from error
        if not same:
            raise RecordError(
                f"{shown} belongs to another list of taxa than {printable(str(names))}; copy the three files from the "
                "same place, or write them anew with `bioclip-search train texts`."
            )
        return origin

    def write(self, array: Path) -> None:
        """Keep it beside an array. Raises OSError."""
        write_json(origin_file(array), {"model": asdict(self.model), "names_sha256": self.names_sha256}, indent=2)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
