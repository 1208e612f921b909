"""Where each sample of a shard folder lies, so that any sample can be read by itself.

A shard is a tar of `KEY.jpg` and `KEY.json` (see the manifest beside it). It is read through once, its
digest checked on the way, and the places of its samples are kept in a small array; a batch can then be
drawn from many shards at once, whatever the number of processes that read.
"""

import hashlib
import os
import platform
import tarfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bioclip_search.digest import file_sha256
from bioclip_search.errors import RecordError, ShardError, UsageError
from bioclip_search.taxonomy import TextType
from bioclip_search.text import printable
from training.reading_parts import ShardSource
from training.shards.manifest import MANIFEST, read_manifest
from training.shards.preflight import check_shard
from training.shards.reading import picture_of, sample_of

__all__ = ["COLUMNS", "Shard", "ShardFolder", "index_all", "index_shard", "open_folder", "text_number"]

Places = npt.NDArray[np.int64]

COLUMNS = ("jpeg_start", "jpeg_size", "json_start", "json_size", "scientific", "common")
"""Columns of a shard's index: places in bytes, and the numbers of two of the taxon's texts."""

_REMEDY = "write the shards again with `bioclip-search train shards`"


@dataclass(frozen=True, slots=True)
class Shard:
    """One tar as the manifest describes it."""

    path: Path
    samples: int
    size: int
    sha256: str

    def index_path(self, folder: Path) -> Path:
        """Where the index is kept; the name holds what the shard holds."""
        return folder / f"{self.sha256[:32]}.npy"


@dataclass(frozen=True, slots=True)
class ShardFolder:
    """A split of a folder of shards; `fit` says whether its pictures were squashed to the square."""

    path: Path
    shards: tuple[Shard, ...]
    fit: str
    digest: str

    @property
    def samples(self) -> int:
        return sum(shard.samples for shard in self.shards)


def open_folder(source: ShardSource) -> ShardFolder:
    """Read a manifest and see that every shard of the split is there and closed. Raises ShardError."""
    folder = Path(source.path)
    manifest = read_manifest(folder)
    shown = printable(str(folder))
    if source.split not in manifest.splits:
        known = ", ".join(map(printable, manifest.splits))
        raise ShardError(f"The shards in {shown} have no split “{source.split}”; they have {known}.")
    split = manifest.splits[source.split]
    if not split.samples:
        raise ShardError(f"The split “{source.split}” of {shown} has no samples; {_REMEDY}.")
    for shard in split.shards:
        check_shard(folder / shard.name, shard)
    shards = tuple(Shard(folder / one.name, one.samples, one.bytes, one.sha256) for one in split.shards)
    return ShardFolder(folder, shards, str(manifest.image.get("fit")), file_sha256(folder / MANIFEST))


def index_shard(shard: Shard, folder: Path) -> None:
    """Read a shard through, check it against the manifest and keep the places of its samples in `folder`.

    What has been indexed before is not read again. Raises RecordError for a shard that is not what the
    manifest says, or that holds a sample without a picture, a taxon or a readable first picture; UsageError
    where `folder` cannot be written.
    """
    path = shard.index_path(folder)
    if path.exists():
        return
    try:
        places = _places(shard.path) if file_sha256(shard.path) == shard.sha256 else None
    except (OSError, ValueError, LookupError, tarfile.TarError) as error:
        raise RecordError(f"The shard {shard.path} cannot be read ({printable(str(error))}); {_REMEDY}.") from error
    if places is None:
        raise RecordError(f"The shard {shard.path} is not the one its manifest describes; copy it again.")
    if len(places) != shard.samples:
        raise RecordError(f"The shard {shard.path} holds {len(places):,} samples, not {shard.samples:,}; {_REMEDY}.")
    _keep(places, path)


def _keep(places: Places, path: Path) -> None:
    # One process a shard, but several machines may share the folder.
    part = path.with_name(f"{path.stem}.{platform.node()}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as written:
            np.save(written, places)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise UsageError(
            f"The index of shards in {path.parent} cannot be written ({error.strerror or error}); mend that and give "
            "the command again."
        ) from error


def _places(path: Path) -> Places:
    """int64 [samples, len(COLUMNS)], in the order of the shard."""
    found: dict[str, dict[str, int]] = {}
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            key, _, kind = member.name.partition(".")
            if kind not in ("jpg", "json"):
                continue  # the text members are for other trainers
            sample = found.setdefault(key, {})
            name = "jpeg" if kind == "jpg" else "json"
            sample |= {f"{name}_start": member.offset_data, f"{name}_size": member.size}
            content = tar.extractfile(member)
            try:
                if kind == "json" and content is not None:
                    sample |= _text_numbers(content.read())
                elif len(found) == 1 and content is not None:
                    picture_of(content.read())
            except ValueError as error:
                raise ValueError(f"sample {key}: {error}") from error
    for key, sample in found.items():
        if missing := [kind for kind in ("jpeg", "json") if f"{kind}_start" not in sample]:
            raise ValueError(f"sample {key} has no {missing[0]}")
    return np.array([[sample[name] for name in COLUMNS] for sample in found.values()], dtype=np.int64)


def _text_numbers(content: bytes) -> dict[str, int]:
    sample = sample_of(content)
    own = next(iter(sample.captions), None)  # photos to replay need no name
    texts = {
        "scientific": sample.taxon.text(TextType.SCIENTIFIC) or own,
        "common": sample.taxon.text(TextType.COMMON) or own,
    }
    numbers = {name: text_number(text) for name, text in texts.items() if text}
    if len(numbers) < len(texts):
        raise ValueError("it has no name at all")
    return numbers


def text_number(text: str) -> int:
    """A number of 63 bits for a text, whatever its capitals."""
    return int.from_bytes(hashlib.blake2b(text.lower().encode(), digest_size=8).digest(), "big") >> 1


def index_all(shards: Sequence[Shard], folder: Path, told: Callable[[str], None]) -> None:
    """Index shards that are not indexed yet."""
    todo = [shard for shard in shards if not shard.index_path(folder).exists()]
    for number, shard in enumerate(todo, start=1):
        told(f"checking shard {number:,} of {len(todo):,}: {shard.path.name}")
        index_shard(shard, folder)
