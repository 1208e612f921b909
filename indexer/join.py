"""Join specimen records to photos, by the file that a record names or by its catalogue number."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from bioclip_search.darwin_core import Record

__all__ = ["RecordIndex"]

_FILE_TERMS = ("associatedmedia", "filename", "file", "identifier")


class RecordIndex:
    """Records by the photos they belong to.

    In this order: the record whose associatedMedia (or fileName) has most of its path in common
    with the photo's, then the one whose catalogNumber is the photo's name without suffix. Where
    two different records fit equally well, none is taken.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self._by_file: dict[str, list[tuple[tuple[str, ...], Record]]] = defaultdict(list)
        self._by_number: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            for parts in _named_files(record):
                self._by_file[parts[-1]].append((parts, record))
            if number := record.get("catalognumber"):
                self._by_number[number.casefold()].append(record)

    def find(self, path: str) -> Record | None:
        """The record of the photo at a path (with slashes), or None."""
        parts = tuple(part.casefold() for part in PurePosixPath(path).parts)
        named = self._by_file.get(parts[-1])
        if named:
            return _only(_longest_match(parts, named))
        name = PurePosixPath(parts[-1])
        return _only(self._by_number.get(name.stem) or self._by_number.get(name.name, []))


def _named_files(record: Record) -> Iterable[tuple[str, ...]]:
    """The path parts, case folded, of every file or address that a record names."""
    for term in _FILE_TERMS:
        for entry in re.split(r"\s*[|;]\s*", record.get(term, "")):
            address = urlsplit(entry) if "://" in entry else None
            path = unquote(address.path) if address else entry.replace("\\", "/")
            parts = tuple(part.casefold() for part in path.split("/") if part not in ("", ".", ".."))
            if parts and "." in parts[-1]:
                yield parts


def _longest_match(parts: tuple[str, ...], named: Sequence[tuple[tuple[str, ...], Record]]) -> list[Record]:
    lengths = [_common_ending(parts, other) for other, _ in named]
    return [record for length, (_, record) in zip(lengths, named, strict=True) if length == max(lengths)]


def _common_ending(a: Sequence[str], b: Sequence[str]) -> int:
    pairs = zip(reversed(a), reversed(b), strict=False)
    return next((place for place, (x, y) in enumerate(pairs) if x != y), min(len(a), len(b)))


def _only(records: Sequence[Record]) -> Record | None:
    return records[0] if records and all(record == records[0] for record in records) else None
