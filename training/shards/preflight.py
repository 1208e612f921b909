"""Before a training begins: every shard that the manifest names is there, whole, and what it was.

A missing shard must be an error in the first second, not a trainer that waits for samples for ever.
"""

from pathlib import Path

from bioclip_search.digest import file_sha256
from bioclip_search.errors import ShardError
from bioclip_search.text import printable
from training.shards.manifest import Manifest, Shard, read_manifest

__all__ = ["check_shard", "check_shards"]

_TAR_MAGIC = (257, b"ustar")
_TAR_END = bytes(1024)  # two blocks of zeros (POSIX.1-1988, ustar)
_REMEDY = "give the command that wrote the shards again: it writes what is missing"


def check_shards(folder: Path, *, deep: bool = False) -> Manifest:
    """The manifest of a folder of shards, once every shard is found to be as it says.

    Presence, size, and beginning and end of each tar; with `deep` the SHA-256 of every byte. Raises
    ShardError with the first thing that is wrong.
    """
    manifest = read_manifest(folder)
    if not manifest.splits.get("train") or not manifest.splits["train"].samples:
        raise ShardError(f"The shards in {printable(str(folder))} hold no sample to train on; write them again.")
    for split in manifest.splits.values():
        for shard in split.shards:
            check_shard(folder / shard.name, shard, deep=deep)
    return manifest


def check_shard(path: Path, shard: Shard, *, deep: bool = False) -> None:
    """See that one shard is as its manifest says. Raises ShardError."""
    shown = printable(str(path))
    try:
        size = path.stat().st_size
        if size != shard.bytes:
            fault = "is truncated" if size < shard.bytes else "is too long"
            raise ShardError(
                f"The shard {shown} {fault}: it has {size:,} of {shard.bytes:,} bytes. Delete it and {_REMEDY}."
            )
        if not _is_closed_tar(path, size):
            raise ShardError(f"The shard {shown} is damaged: it is no complete tar. Delete it and {_REMEDY}.")
        if deep and file_sha256(path) != shard.sha256:
            raise ShardError(
                f"The shard {shown} is damaged: its SHA-256 is not the manifest's. Delete it and {_REMEDY}."
            )
    except FileNotFoundError as error:
        raise ShardError(f"The shard {shown} is missing; {_REMEDY}.") from error
    except OSError as error:
        raise ShardError(f"The shard {shown} cannot be read ({error.strerror}); check its permissions.") from error


def _is_closed_tar(path: Path, size: int) -> bool:
    at, magic = _TAR_MAGIC
    with path.open("rb") as stream:
        stream.seek(at)
        begins = stream.read(len(magic)) == magic
        stream.seek(max(0, size - len(_TAR_END)))
        return begins and stream.read() == _TAR_END
