"""The first pass: every row of a taxonomy into scratch tables, its name taken apart, its ranks interned."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from bioclip_search.backbone.formats import USAGE, Source
from bioclip_search.backbone.info import Standing
from bioclip_search.backbone.names import ScientificName, fold, parse_name, rank_of
from bioclip_search.backbone.tables import Row
from bioclip_search.taxonomy import Rank
from bioclip_search.text import clean

__all__ = ["OTHER_LANGUAGE", "Classification", "Staged", "stage"]

Classification = tuple[str | None, ...]
"""The names at the six ranks from kingdom to genus."""

_SCHEMA = (
    "CREATE TABLE stage.usage (id INTEGER PRIMARY KEY, key TEXT, alt TEXT, parent TEXT, accepted TEXT, "
    "standing INTEGER, rank TEXT, name TEXT, written TEXT, authorship TEXT, ranks INTEGER)",
    "CREATE TABLE stage.vernacular (usage INTEGER, owner TEXT, key TEXT, name TEXT, weight INTEGER)",
)
_INDEXES = (
    "CREATE INDEX stage.usage_key ON usage (key)",
    "CREATE INDEX stage.usage_alt ON usage (alt) WHERE alt IS NOT NULL",
)
_INSERT_COMMON = "INSERT INTO stage.vernacular VALUES (?, ?, ?, ?, ?)"
_CommonName = tuple[int | None, str, str, str, int]
_STEP = 10_000
_FIRST_RANK = USAGE.index("kingdom")
_INFRASPECIFIC = frozenset(
    "subspecies variety form subvariety subform infraspecificname infrasubspecificname cultivar strain race morph "
    "aberration pathovar convariety grex natio proles".split()
)
_YES = {"true", "t", "1", "yes", "y", "preferred"}
_WEIGHT_OF_LANGUAGE, _WEIGHT_OF_PREFERENCE = 1 << 41, 1 << 40

OTHER_LANGUAGE = 2 * _WEIGHT_OF_LANGUAGE
"""From this weight on a common name is of a language other than English."""


@dataclass(slots=True)
class Staged:
    """What the first pass leaves beside its tables."""

    usages: int = 0
    classifications: list[Classification] = field(default_factory=list)


def stage(index: sqlite3.Connection, source: Source, progress: Callable[[int], None]) -> Staged:
    """Read a source into the tables `usage` and `vernacular` of the schema `stage`."""
    for statement in _SCHEMA:
        index.execute(statement)
    staged = Staged()

    def keep(row: _CommonName) -> None:
        index.execute(_INSERT_COMMON, row)

    rows = _usages(source, staged, progress, keep)
    index.executemany(f"INSERT INTO stage.usage VALUES ({', '.join('?' * 11)})", rows)  # noqa: S608
    for statement in _INDEXES:
        index.execute(statement)
    index.executemany(_INSERT_COMMON, _common_names(source.common_names))
    return staged


def _usages(
    source: Source,
    staged: Staged,
    progress: Callable[[int], None],
    keep: Callable[[_CommonName], None],
) -> Iterator[tuple[object, ...]]:
    known: dict[Row, int] = {}
    ranks: dict[str, str | None] = {}
    for number, row in enumerate(source.usages, start=1):
        id_, taxon_id, parent, accepted, status, rank_text, *names, common, language = row[:_FIRST_RANK]
        if rank_text not in ranks:
            ranks[rank_text] = rank_of(clean(rank_text))
        rank = ranks[rank_text]
        name, authorship = _name(names, row[-1])
        key = taxon_id or id_ or None
        alt = id_ if taxon_id and id_ != taxon_id else None
        standing = _standing(status)
        if standing is None or (name is None and not any(names)):
            continue
        if source.has_synonyms_below_parents and standing is Standing.SYNONYM:
            parent, accepted = "", accepted or parent
        if accepted and accepted != key:
            standing = Standing.SYNONYM
        columns = row[_FIRST_RANK:]
        ranked = known.get(columns)
        if ranked is None:
            ranked = known[columns] = len(staged.classifications)
            staged.classifications.append(tuple(map(clean, columns)))
        rank = rank or (name.rank if name else None) or _implied_rank(name, staged.classifications[ranked])
        written = name.written if name and not name.is_open and _says_enough(name, rank) else None
        if common:
            keep((number, *_common_name("", common, language, "", number)))
        yield (
            number,
            key,
            alt,
            parent or None,
            accepted or None,
            int(standing),
            rank,
            name.key if name and written else None,
            written or clean(names[0]),
            authorship,
            ranked,
        )
        staged.usages += 1
        if number % _STEP == 0:
            progress(number)
    progress(staged.usages)


def _name(names: list[str], genus: str) -> tuple[ScientificName | None, str | None]:
    """The name of a row from the columns that say it most plainly, and its authorship.

    The column genus is that of the accepted taxon, so it makes a name only where nothing else does.
    """
    scientific, canonical, generic, specific, infraspecific, infrageneric, author = names
    if author and scientific.endswith(author):
        scientific = scientific[: -len(author)]
    if infrageneric and not specific:
        plainest = infrageneric
    elif "×" in scientific:
        plainest = scientific  # only there is a cross of two species told from a trinomial
    elif generic and specific:
        plainest = canonical or f"{generic} {specific} {infraspecific}"
    else:
        plainest = canonical or scientific or f"{generic or genus} {specific} {infraspecific}"
    name = parse_name(plainest)
    return name, clean(author) or (name.authorship if name else None)


def _says_enough(name: ScientificName, rank: str | None) -> bool:
    """False where a part was not understood: “Abies alba 'Pendula'” must not pass for the species."""
    return name.key.count(" ") + 1 >= (2 if rank == Rank.SPECIES else 3 if rank in _INFRASPECIFIC else 1)


def _standing(status: str) -> Standing | None:
    """None for what names no taxon: a misapplied name, or (in ColDP) a bare one."""
    word = status.strip().lower()
    if word in ("", "accepted", "valid"):
        return Standing.ACCEPTED
    if "misapplied" in word or word == "bare name":
        return None
    if "synonym" in word or word in ("unaccepted", "invalid", "not accepted"):
        return Standing.SYNONYM
    return Standing.DOUBTFUL if "provisional" in word or "doubtful" in word else Standing.ACCEPTED


def _implied_rank(name: ScientificName | None, classification: Classification) -> str | None:
    """The rank of a row that states none: by its number of words, or by the column that repeats its name."""
    if name is None:
        return None
    words = name.key.count(" ")
    if words:
        return Rank.SPECIES.value if words == 1 else "subspecies"
    for rank, value in zip(reversed(list(Rank)[:6]), reversed(classification), strict=True):
        if value:
            return rank.value if fold(value) == name.key else None
    return None


def _common_names(rows: Iterable[Row]) -> Iterator[_CommonName]:
    for number, (owner, name, language, preferred) in enumerate(rows):
        if owner and name.strip():
            yield (None, *_common_name(owner, name, language, preferred, number))


def _common_name(owner: str, name: str, language: str, preferred: str, number: int) -> tuple[str, str, str, int]:
    """A row of the table: the weight is least for a preferred English name, then for the first of them."""
    tongue = language.strip().lower().replace("_", "-")
    other = 0 if tongue.partition("-")[0] in ("en", "eng", "english") else 1 if not tongue else 2
    weight = other * _WEIGHT_OF_LANGUAGE + (preferred.strip().lower() not in _YES) * _WEIGHT_OF_PREFERENCE + number
    shown = clean(name) or name
    return owner, fold(shown), shown, weight
