"""Join specimen records to photos: by the files that a record names, by its numbers in file names."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote, urlsplit

from bioclip_search.records import Record, Records
from bioclip_search.terms import MEDIA_TERMS
from bioclip_search.text import clean
from indexer.filename import number_key, read_file_name, zeroless_key
from indexer.plan import Place

__all__ = ["Match", "RecordIndex", "Rule"]

Parts = tuple[str, ...]

# Of more photos and files with one name in different folders nobody can tell which belong together.
_MOST_PAIRS = 1_000_000
_MOST_CANDIDATES = 20


class Rule(StrEnum):
    """By what a record was joined to a photo, the surest first."""

    MEDIA = "associatedMedia"
    FILE_NAME = "fileName"
    OCCURRENCE_ID = "occurrenceID"
    CATALOG_NUMBER = "catalogNumber"
    WITH_CODES = "catalogNumber with its codes"
    WITHOUT_ZEROS = "catalogNumber without zeros"


@dataclass(frozen=True, slots=True)
class Match:
    """A record and the rule by which it belongs to a photo; without record, the `candidates` fitted equally well."""

    record: Record | None
    rule: Rule
    candidates: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class _NamedFile:
    """A file that a record names, by which rule; the folders of a `movable` one may differ from the photo's."""

    parts: Parts
    rule: Rule
    movable: bool
    record: Record


class _Several:
    """Two or more different records of one number; of very many, the first."""

    def __init__(self, first: Record) -> None:
        self.records = [first]

    def add(self, record: Record) -> None:
        if len(self.records) < _MOST_CANDIDATES and record not in self.records:
            self.records.append(record)


class RecordIndex:
    """Records by the photos they belong to.

    In this order: the record whose associatedMedia (or fileName) ends like the photo's path; then the
    one whose occurrenceID, catalogNumber, or catalogNumber behind its institution's or collection's code
    is the photo's file name, or the number in it (see `indexer.filename`; `patterns` overrule the habits
    known there); last the same without leading zeros, where that is still one record.

    The folders of a relative path must all be the photo's; those of an address or of an absolute path may
    have changed since. Where two records fit a photo equally well, or two photos a file, none is joined.
    """

    def __init__(
        self, records: Sequence[Record], places: Sequence[Place], patterns: Sequence[re.Pattern[str]] = ()
    ) -> None:
        self.records = records
        columns = records.columns if isinstance(records, Records) else (name for record in records for name in record)
        self.columns = frozenset(columns)
        self._patterns = patterns
        self._by_number: dict[Rule, dict[str, Record | _Several]] = {rule: {} for rule in Rule}
        named: dict[str, list[_NamedFile]] = defaultdict(list)
        for record in records:
            for file in _named_files(record):
                named[file.parts[-1]].append(file)
            for rule, key in _numbers_of(record):
                known = self._by_number[rule].setdefault(key, record)
                if not isinstance(known, _Several) and known != record:
                    known = self._by_number[rule][key] = _Several(known)
                if isinstance(known, _Several):
                    known.add(record)
        photos: dict[str, list[tuple[Place, Parts]]] = defaultdict(list)
        for place in places:
            parts = _parts_of(place)
            if parts[-1] in named:
                photos[parts[-1]].append((place, parts))
        by_file: dict[Place, Match] = {}
        for name, same_name in photos.items():
            for some_photos, some_files in _by_folder(same_name, named[name]):
                by_file.update(_match(some_photos, some_files))
        self.matches: dict[Place, Match] = {}
        for place in places:
            match = by_file.get(place) or self._by_name(place)
            if match is not None:
                self.matches[place] = match

    def find(self, place: Place) -> Record | None:
        """The record of a photo, or None."""
        match = self.matches.get(place)
        return match.record if match else None

    @property
    def joined(self) -> int:
        """The number of photos with a record."""
        return sum(match.record is not None for match in self.matches.values())

    def counts(self) -> dict[str, int]:
        """The number of photos that each rule joined, in the order of rules."""
        found = Counter(match.rule for match in self.matches.values() if match.record is not None)
        return {rule.value: found[rule] for rule in Rule if found[rule]}

    def ambiguous(self) -> dict[Place, Sequence[Record]]:
        """The photos that two or more records fitted equally well, with these records."""
        return {place: match.candidates for place, match in self.matches.items() if match.record is None}

    def without_photo(self) -> list[Record]:
        """The records that belong to none of the photos."""
        used = {_same(match.record) for match in self.matches.values() if match.record is not None}
        return [record for record in self.records if _same(record) not in used]

    def _by_name(self, place: Place) -> Match | None:
        name = place.path.rsplit("/", 1)[-1]
        stem = PurePosixPath(name).stem
        keys = [number_key(number) for number in (*read_file_name(stem, self._patterns).numbers, name) if number]
        for rule in (Rule.OCCURRENCE_ID, Rule.CATALOG_NUMBER, Rule.WITH_CODES):
            for key in keys:
                if found := self._by_number[rule].get(key):
                    return _match_of(found, rule)
        for key in keys:
            if found := self._by_number[Rule.WITHOUT_ZEROS].get(zeroless_key(key)):
                return _match_of(found, Rule.WITHOUT_ZEROS)
        return None


def _match_of(found: Record | _Several, rule: Rule) -> Match:
    return Match(None, rule, tuple(found.records)) if isinstance(found, _Several) else Match(found, rule)


def _same(record: Record) -> frozenset[tuple[str, str]]:
    return frozenset(record.items())


def _numbers_of(record: Record) -> Iterator[tuple[Rule, str]]:
    """Every key under which a record may be found, each once, with the rule that it stands for."""
    if identity := record.get("occurrenceID"):
        yield Rule.OCCURRENCE_ID, number_key(identity)
        last = re.split(r"[/:#]", identity)[-1]
        if len(last) >= 8:  # shorter endings are numbers within something, not identifiers
            yield Rule.OCCURRENCE_ID, number_key(last)
    numbers = [record.get("catalogNumber", ""), *re.split(r"\s*[|;]\s*", record.get("otherCatalogNumbers", ""))]
    own = {number_key(number) for number in numbers if number}
    codes = [record.get(name, "") for name in ("institutionCode", "collectionCode")]
    prefixes = {number_key(prefix) for prefix in (*codes, "".join(codes)) if prefix}
    coded = {_behind(prefix, key) for prefix in prefixes for key in own if not key.startswith(prefix)} - own
    yield from ((Rule.CATALOG_NUMBER, key) for key in own)
    yield from ((Rule.WITH_CODES, key) for key in coded)
    yield from ((Rule.WITHOUT_ZEROS, key) for key in {zeroless_key(key) for key in own | coded})


def _by_folder(
    photos: Sequence[tuple[Place, Parts]], named: Sequence[_NamedFile]
) -> Iterator[tuple[Sequence[tuple[Place, Parts]], Sequence[_NamedFile]]]:
    """Photos and files of one name, first those of one folder's name each, then the others together.

    Thousands of photos may be called `original.jpg`; two of one folder always have more in common than
    two of different ones.
    """
    photos_in: dict[Parts, list[tuple[Place, Parts]]] = defaultdict(list)
    for photo in photos:
        photos_in[photo[1][-2:-1]].append(photo)
    files_in: dict[Parts, list[_NamedFile]] = defaultdict(list)
    for file in named:
        files_in[file.parts[-2:-1]].append(file)
    both = photos_in.keys() & files_in.keys()
    for folder in both:
        yield photos_in[folder], files_in[folder]
    other_photos = [photo for folder in photos_in.keys() - both for photo in photos_in[folder]]
    other_files = [file for folder in files_in.keys() - both for file in files_in[folder]]
    if other_photos and other_files and len(other_photos) * len(other_files) <= _MOST_PAIRS:
        yield other_photos, other_files


def _behind(prefix: str, key: str) -> str:
    """A key behind a code; two numbers that meet stay two."""
    return f"{prefix}~{key}" if prefix[-1].isdigit() and key[:1].isdigit() else prefix + key


def _match(photos: Sequence[tuple[Place, Parts]], named: Sequence[_NamedFile]) -> Iterator[tuple[Place, Match]]:
    """Photos and files of one name: a pair is joined when each is the other's best."""
    best_of_file = [_best([_ending(parts, file) for _, parts in photos]) for file in named]
    for number, (place, parts) in enumerate(photos):
        lengths = [_ending(parts, file) for file in named]
        best = max(lengths)
        fitting = [at for at, length in enumerate(lengths) if length == best > 0]
        record = _only([named[at].record for at in fitting])
        mutual = [named[at].rule for at in fitting if best_of_file[at] == number]
        if record is not None and mutual:
            yield place, Match(record, mutual[0])


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
    for term in MEDIA_TERMS:
        rule = Rule.FILE_NAME if term in ("fileName", "file") else Rule.MEDIA
        for entry in re.split(r"\s*[|;]\s*", record.get(term, "")):
            is_address = "://" in entry
            path = _path_of_address(entry) if is_address else entry.replace("\\", "/")
            parts = tuple(_folded(part) for part in path.split("/") if part not in ("", ".", ".."))
            movable = is_address or PurePosixPath(path).is_absolute() or bool(PureWindowsPath(path).drive)
            if parts and "." in parts[-1]:
                yield _NamedFile(parts, rule, movable, record)


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
