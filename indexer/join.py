"""Join specimen records to photos, by the file that a record names or by its catalogue number."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote, urlsplit

from bioclip_search.darwin_core import FILE_TERMS, Record
from bioclip_search.text import clean
from indexer.plan import Place

__all__ = ["RecordIndex"]

Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _NamedFile:
    """A file that a record names; the folders of a `movable` one may differ from the photo's."""

    parts: Parts
    movable: bool
    record: Record


class RecordIndex:
    """Records by the photos they belong to.

    In this order: the record whose associatedMedia (or fileName) ends like the photo's path, then
    the one whose catalogNumber is the photo's name without suffix. The folders of a relative path
    must all be the photo's; those of an address or of an absolute path may have changed since.
    Where two records fit a photo equally well, or two photos a record, none is joined.
    """

    def __init__(self, records: Iterable[Record], places: Iterable[Place]) -> None:
        named: dict[str, list[_NamedFile]] = defaultdict(list)
        self._by_number: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            for file in _named_files(record):
                named[file.parts[-1]].append(file)
            if number := record.get("catalognumber"):
                self._by_number[_folded(number)].append(record)
        photos: dict[str, list[tuple[Place, Parts]]] = defaultdict(list)
        for place in places:
            parts = _parts_of(place)
            if parts[-1] in named:
                photos[parts[-1]].append((place, parts))
        self._by_place: dict[Place, Record] = {}
        for name, same_name in photos.items():
            self._by_place.update(_match(same_name, named[name]))

    def find(self, place: Place) -> Record | None:
        """The record of a photo, or None."""
        if found := self._by_place.get(place):
            return found
        name = PurePosixPath(_folded(place.path.rsplit("/", 1)[-1]))
        return _only(self._by_number.get(name.stem) or self._by_number.get(name.name, []))


def _match(photos: Sequence[tuple[Place, Parts]], named: Sequence[_NamedFile]) -> Iterator[tuple[Place, Record]]:
    """Photos and files of one name: a pair is joined when each is the other's best."""
    best_of_file = [_best([_ending(parts, file) for _, parts in photos]) for file in named]
    for number, (place, parts) in enumerate(photos):
        lengths = [_ending(parts, file) for file in named]
        best = max(lengths)
        fitting = [at for at, length in enumerate(lengths) if length == best > 0]
        record = _only([named[at].record for at in fitting])
        if record is not None and any(best_of_file[at] == number for at in fitting):
            yield place, record


def _best(lengths: Sequence[int]) -> int | None:
    """Where the greatest length is, if it is there once."""
    best = max(lengths)
    return lengths.index(best) if best > 0 and lengths.count(best) == 1 else None


def _ending(parts: Parts, file: _NamedFile) -> int:
    """How many parts, from the last, photo and file have in common; 0 if their folders contradict."""
    pairs = zip(reversed(parts), reversed(file.parts), strict=False)
    shorter = min(len(parts), len(file.parts))
    common = next((count for count, (a, b) in enumerate(pairs) if a != b), shorter)
    return common if file.movable or common == len(file.parts) else 0


def _named_files(record: Record) -> Iterator[_NamedFile]:
    """Every file or address that a record names."""
    for term in FILE_TERMS:
        for entry in re.split(r"\s*[|;]\s*", record.get(term, "")):
            is_address = "://" in entry
            path = _path_of_address(entry) if is_address else entry.replace("\\", "/")
            parts = tuple(_folded(part) for part in path.split("/") if part not in ("", ".", ".."))
            movable = is_address or PurePosixPath(path).is_absolute() or bool(PureWindowsPath(path).drive)
            if parts and "." in parts[-1]:
                yield _NamedFile(parts, movable, record)


def _path_of_address(address: str) -> str:
    try:
        return unquote(urlsplit(address).path)
    except ValueError:
        return ""  # no address after all, such as “https://[a.jpg”


def _parts_of(place: Place) -> Parts:
    return tuple(_folded(part) for part in place.file.parts)


def _folded(name: str) -> str:
    """A name as it is compared: case, surplus blanks and the two ways to write accents make no difference."""
    return unicodedata.normalize("NFC", clean(name) or "").casefold()


def _only(records: Sequence[Record]) -> Record | None:
    return records[0] if records and all(record == records[0] for record in records) else None
