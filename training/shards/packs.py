"""Photos inside a zip, without unpacking it: such a file is named “PACK.zip::MEMBER”."""

import zipfile
from functools import lru_cache

from bioclip_search.errors import UnreadablePhoto
from bioclip_search.photo import MAX_FILE_BYTES

__all__ = ["SEPARATOR", "packed_name", "packed_size", "read_packed"]

SEPARATOR = "::"
_OPEN_PACKS = 4


def packed_name(pack: str, member: str) -> str:
    """The name of a photo that lies in a pack."""
    return f"{pack}{SEPARATOR}{member}"


def read_packed(name: str) -> bytes | None:
    """The bytes of a photo in a pack; None for the name of an ordinary file. Raises UnreadablePhoto."""
    pack, separator, member = name.partition(f".zip{SEPARATOR}")
    if not separator:
        return None
    try:
        archive = _pack(f"{pack}.zip")
        if archive.getinfo(member).file_size > MAX_FILE_BYTES:
            raise UnreadablePhoto("the file in the pack is too large to be a photo")
        return archive.read(member)
    except (OSError, KeyError, RuntimeError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise UnreadablePhoto(f"it cannot be read from its pack ({error})") from error
    except EOFError as error:
        raise UnreadablePhoto("its pack is truncated") from error


def packed_size(name: str) -> int | None:
    """The size in bytes of a photo in a pack; None for the name of an ordinary file, or where it is not there."""
    pack, separator, member = name.partition(f".zip{SEPARATOR}")
    try:
        return _pack(f"{pack}.zip").getinfo(member).file_size if separator else None
    except (OSError, KeyError, zipfile.BadZipFile):
        return None


@lru_cache(maxsize=_OPEN_PACKS)
def _pack(path: str) -> zipfile.ZipFile:
    """An open pack, shared by all threads (ZipFile itself lets them read in turn); its directory is large."""
    return zipfile.ZipFile(path)
