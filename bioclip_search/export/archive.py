"""A Darwin Core Archive: a row a specimen in occurrence.txt, a row a photo in multimedia.txt.

Darwin Core text guide, https://dwc.tdwg.org/text/ (2023). Cells are separated by tabs and nothing is
quoted, so that quotes in values are only quotes.
"""

import hashlib
import re
import shutil
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bioclip_search.export.descriptor import MEDIA_TYPES, audiovisual, eml, meta, occurrence
from bioclip_search.export.layout import FILE_COLUMNS, STORED_COLUMNS, Layout, Survey, specimen_ids
from bioclip_search.export.scratch import Scratch
from bioclip_search.export.selection import SCORE, Selection
from bioclip_search.terms import SPECIMEN_TERMS
from bioclip_search.text import clean

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["write_archive"]

_BREAKS = re.compile(r"[\t\r\n]")
# What readers of associatedMedia take for the end of a name, or for a folder's.
_NOT_PLAIN = re.compile(r"[|;\\\x00-\x1f\x7f-\x9f]|://")
_ORIENTATIONS = frozenset({"dorsal", "ventral", "lateral", "frontal", "verso"})


def write_archive(path: Path, selection: Selection, scratch: Scratch, found: Survey) -> tuple[int, int]:
    """Write the zip; returns the number of specimens, and of photos whose record is not their specimen's.

    The photos of a specimen share a row. One whose record differs from the first one's has a row of its own,
    for nothing is to be lost.
    """
    layout = Layout(found.terms, typed=False, ranked=selection.ranked)
    addresses = _Addresses(selection, scratch, found)
    core = occurrence([*SPECIMEN_TERMS, *(term for term, _ in layout.others())])
    media = audiovisual(ranked=selection.ranked)
    specimens = differing = 0
    with (
        tempfile.TemporaryFile("w+b", dir=path.parent) as photos,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr("meta.xml", meta(core, media))
        archive.writestr("eml.xml", eml(found.photos))
        photos.write(_line(["coreid", *(field.name for field in media)]))
        with archive.open("occurrence.txt", "w", force_zip64=True) as specimens_file:
            specimens_file.write(_line(["id", *(field.name for field in core)]))
            for rows in selection.batches(STORED_COLUMNS):
                table = layout.arrange(rows)
                for identity, record, photo in zip(
                    specimen_ids(rows), _records(table, layout), _files(table), strict=True
                ):
                    row, is_new, differs = _row_of(identity, record, scratch)
                    if is_new:
                        specimens_file.write(_line([row, *record]))
                    specimens += is_new and not differs
                    differing += differs
                    photos.write(_line([row, *_photo_cells(photo, addresses.of(photo))]))
        photos.seek(0)
        with archive.open("multimedia.txt", "w", force_zip64=True) as media_file:
            shutil.copyfileobj(photos, media_file)
    return specimens, differing


def _records(table: "pa.Table", layout: Layout) -> Iterator[tuple[str | None, ...]]:
    columns = [*SPECIMEN_TERMS, *(column for _, column in layout.others())]
    return zip(*(table[name].to_pylist() for name in columns), strict=True)


def _files(table: "pa.Table") -> Iterator[dict[str, Any]]:
    names = [name for name in (*FILE_COLUMNS, SCORE) if name in table.column_names]
    for values in zip(*(table[name].to_pylist() for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


def _row_of(identity: str, record: Sequence[str | None], scratch: Scratch) -> tuple[str, bool, bool]:
    """The id of the row for a record, whether it is to be written now, and whether it is one of its own."""
    digest = hashlib.blake2b("\t".join(value or "" for value in record).encode(), digest_size=16).digest()
    is_new, is_same = scratch.meet(identity, digest)
    if is_same:
        return identity, is_new, False
    own = f"{identity}#{digest.hex()}"
    return own, scratch.meet(own, digest)[0], True


def _photo_cells(photo: Mapping[str, Any], address: str) -> list[Any]:
    """The cells of a photo, in the order of `audiovisual`."""
    path, view = photo["path"], photo["view"]
    name = PurePosixPath(path)
    kind = MEDIA_TYPES.get(name.suffix.lower())
    orientation, part = (view, None) if view in _ORIENTATIONS else (None, view)
    size = (photo["width"], photo["height"])
    content = photo["content_hash"]
    score = [photo[SCORE]] if SCORE in photo else []
    return [address, path, kind, name.name, orientation, part, *size, "SHA-256", content, photo["missingSince"], *score]


def _line(cells: Sequence[Any]) -> bytes:
    # Terms are cleaned of breaks when they are read; the names of files are not.
    texts = ("" if cell is None else _BREAKS.sub(" ", str(cell)) for cell in cells)
    return ("\t".join(texts) + "\n").encode()


class _Addresses:
    """How the archive names files: by the path relative to the root, if that is clear to one who joins by it.

    It is not where other paths end like it, as in several roots with the same names, or where it holds
    what separates names. Then the address is that of the file as it was indexed (RFC 8089).
    """

    def __init__(self, selection: Selection, scratch: Scratch, found: Survey) -> None:
        self._scratch = scratch
        # Paths of one length below one root cannot be the end of each other.
        self._may_clash = len(found.roots) > 1 or len(found.depths) > 1
        if self._may_clash:
            for rows in selection.batches(["root", "path"]):
                places = zip(rows["root"].to_pylist(), rows["path"].to_pylist(), strict=True)
                scratch.add_endings(number for place in places for number in _endings(*place, found.depths))

    def of(self, photo: Mapping[str, Any]) -> str:
        root, path = photo["root"], photo["path"]
        is_plain = not _NOT_PLAIN.search(path) and clean(path) == path
        if is_plain and not (self._may_clash and not self._scratch.ends_once(_hash(_folded(path.split("/"))))):
            return str(path)
        absolute = f"{root.replace(chr(92), '/').rstrip('/')}/{path}" if PurePath(root).drive else f"{root}/{path}"
        return "file:///" + quote(absolute.lstrip("/"))


def _endings(root: str, path: str, depths: frozenset[int]) -> Iterator[int]:
    """The hash of every end of a photo's whole path that is as long as some photo's relative path."""
    parts = _folded([*root.replace("\\", "/").split("/"), *path.split("/")])
    return (_hash(parts[-depth:]) for depth in depths)


def _folded(parts: Sequence[str]) -> list[str]:
    """Case, surplus blanks and the two ways to write accents make no difference to one who joins."""
    return [unicodedata.normalize("NFC", clean(part) or "").casefold() for part in parts]


def _hash(parts: Sequence[str]) -> int:
    return int.from_bytes(hashlib.blake2b("/".join(parts).encode(), digest_size=8).digest()) >> 1
