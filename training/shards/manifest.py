"""What a folder of shards holds: manifest.json, written last, so that it stands for a finished folder."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bioclip_search.atomic import replacing
from bioclip_search.errors import ShardError
from bioclip_search.text import printable

__all__ = ["FORMAT", "MANIFEST", "Manifest", "Shard", "Split", "read_manifest", "write_manifest"]

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Shard:
    """One tar: its file name, its number of samples, its size in bytes and its SHA-256."""

    name: str
    samples: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Split:
    """The shards of one split, in order, and the number of distinct taxa in them."""

    samples: int
    shards: tuple[Shard, ...]
    taxa: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in a folder of shards; `image` has the side in pixels (`size`) and the `fit`, squash or keep."""

    created: datetime
    seed: int
    image: Mapping[str, Any]
    source: str
    splits: Mapping[str, Split]

    def to_json(self) -> str:
        document = {
            "format": FORMAT,
            "created": self.created.isoformat(timespec="seconds"),
            "seed": self.seed,
            "image": dict(self.image),
            "source": self.source,
            "splits": {name: asdict(split) for name, split in self.splits.items()},
        }
        return json.dumps(document, ensure_ascii=False, indent=1) + "\n"

    def same_but_for_time(self, other: "Manifest") -> bool:
        """Whether two manifests differ in nothing but when they were written."""
        return {**json.loads(self.to_json()), "created": None} == {**json.loads(other.to_json()), "created": None}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a finished folder: a reader never sees half of it."""
    with replacing(folder / MANIFEST) as stream:
        stream.write(manifest.to_json())


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder of shards. Raises ShardError if there is none that can be used."""
    shown = printable(str(folder))
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ShardError(
            f"{shown} has no {MANIFEST}, so it is no folder of shards that are finished; write them with "
            f"`bioclip-search train shards`, or give the command that began them again."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ShardError(f"The {MANIFEST} of {shown} cannot be read ({error}); write the shards again.") from error
    try:
        return _parsed(json.loads(text), shown)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ShardError(
            f"The {MANIFEST} of {shown} is damaged ({error}) and cannot be read; write the shards again."
        ) from error


def _parsed(document: Any, shown: str) -> Manifest:
    if int(document["format"]) > FORMAT:
        raise ShardError(
            f"The shards in {shown} are of a newer format: they have format {int(document['format'])}, which this "
            "version does not know; update the program, or write them again."
        )
    splits = {str(name): _split(split) for name, split in document["splits"].items()}
    moment = datetime.fromisoformat(document["created"])
    return Manifest(
        created=moment if moment.tzinfo else moment.replace(tzinfo=UTC),
        seed=int(document["seed"]),
        image=dict(document["image"]),
        source=str(document["source"]),
        splits=splits,
    )


def _split(document: Any) -> Split:
    shards = tuple(
        Shard(_file_name(entry["name"]), int(entry["samples"]), int(entry["bytes"]), _digest(entry["sha256"]))
        for entry in document["shards"]
    )
    if sum(shard.samples for shard in shards) != int(document["samples"]):
        raise ValueError("the shards of a split do not have its number of samples")
    return Split(int(document["samples"]), shards, int(document["taxa"]))


def _file_name(name: Any) -> str:
    """A shard lies in its folder, whatever a manifest says."""
    if not isinstance(name, str) or name != Path(name).name or not name.endswith(".tar"):
        raise ValueError(f"{name!r} is no name of a shard")
    return name


def _digest(digits: Any) -> str:
    """Files are called by it."""
    if not isinstance(digits, str) or not re.fullmatch("[0-9a-f]{64}", digits):
        raise ValueError(f"{digits!r} is no SHA-256")
    return digits
