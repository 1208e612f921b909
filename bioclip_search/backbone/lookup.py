"""Ask the index of a taxonomy: names, near spellings, common names."""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from bioclip_search.backbone.info import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    BackboneInfo,
    Standing,
    hidden_key,
    is_hidden_rank,
)
from bioclip_search.backbone.names import ScientificName, fold, parse_name, parse_with_epithet, rank_of
from bioclip_search.backbone.spelling import allowed_distance, near_keys
from bioclip_search.errors import RecordError
from bioclip_search.taxonomy import Taxon
from bioclip_search.text import clean

__all__ = ["Backbone", "BackboneMatch", "MatchType"]


class MatchType(StrEnum):
    """How a name was found."""

    EXACT = "exact"
    SYNONYM = "synonym"
    FUZZY = "fuzzy"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class BackboneMatch:
    """The accepted taxon that a name belongs to.

    `taxon_id` is the accepted taxon's; `matched_name` is the name that was found, as the taxonomy
    writes it, and `authorship` is that name's. A genus that a list of species names only in a
    column has the identifier “”.
    """

    taxon: Taxon
    taxon_id: str
    matched_name: str
    match_type: MatchType
    authorship: str | None


@dataclass(frozen=True, slots=True)
class _Reading:
    """One usage of a name."""

    match: BackboneMatch
    standing: Standing
    rank: str | None


_COLUMNS = 't.taxon_id, t.species, t.common_name, l.kingdom, l.phylum, l.class, l."order", l.family, l.genus'
_NAMED = (
    f"SELECT {_COLUMNS}, n.written, n.authorship, n.standing, n.rank FROM name n "  # noqa: S608 (our own words)
    "JOIN taxon t ON t.id = n.taxon LEFT JOIN lineage l ON l.id = t.lineage WHERE n.key = ? LIMIT 1000"
)
_COMMONLY_NAMED = (
    f"SELECT {_COLUMNS}, c.name FROM common c "  # noqa: S608 (our own words)
    "JOIN taxon t ON t.id = c.taxon LEFT JOIN lineage l ON l.id = t.lineage WHERE c.key = ? "
    "ORDER BY c.weight LIMIT 1000"
)
_KINGDOMS = {"metazoa": "animalia", "viridiplantae": "plantae", "archaeplastida": "plantae", "eubacteria": "bacteria"}


class Backbone:
    """An index that `build_backbone` has written, open for reading; a context manager.

    Every method raises RecordError where the index is damaged.
    """

    def __init__(self, path: Path, index: sqlite3.Connection, info: BackboneInfo) -> None:
        self._path = path
        self._index = index
        self.info = info

    @classmethod
    def open(cls, path: Path) -> "Backbone":
        """Open an index. Raises RecordError where there is none, or one that cannot be read."""
        if not os.path.isfile(path):
            raise RecordError(
                f"There is no taxonomic backbone at {path}; make one with `bioclip-search taxonomy use FILE`."
            )
        try:
            index = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            try:
                return cls(path, index, _read_info(path, index))
            except BaseException:
                index.close()
                raise
        except (sqlite3.Error, KeyError, ValueError) as error:
            raise _damaged(path, error) from error

    def __enter__(self) -> "Backbone":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._index.close()

    def match(
        self, name: str, *, kingdom: str | None = None, rank: str | None = None, fuzzy: bool = False
    ) -> BackboneMatch | None:
        """The taxon of a name: found as it is, else in a near spelling if `fuzzy`, else by a wider name.

        Names are compared without authorship, case and hybrid sign. `kingdom` and `rank` (as in
        Darwin Core) restrict where the name itself is looked for. A name of several taxa is
        answered with None unless the kingdom, or an authorship given with the name, decides; an
        accepted name goes before a synonym of the same spelling in its kingdom. HIGHER is the
        species of an unknown trinomial or the genus of an unknown binomial, where they are
        accepted names; and a name that says itself that it goes no further (“Carabus sp.”), or behind
        which a word in capitals is left over that is not its author.
        """
        parsed = self._parsed(name)
        if parsed is None:
            return None
        wanted_rank = rank_of(rank) or parsed.rank
        readings = self._readings(parsed.key, kingdom, wanted_rank)
        if readings:
            found = _decided(readings, parsed.authorship)
            is_part = found is not None and (parsed.is_open or _leaves_out(parsed, found))
            return replace(found, match_type=MatchType.HIGHER) if found and is_part else found
        if fuzzy:
            near = self._corrected(parsed, kingdom, wanted_rank)
            if near:
                found = _decided(near, None)
                return replace(found, match_type=MatchType.FUZZY) if found else None
        return self._wider(parsed, kingdom)

    def readings(self, name: str, *, kingdom: str | None = None) -> list[BackboneMatch]:
        """All taxa that a name can mean: what `match` has to decide between."""
        parsed = self._parsed(name)
        found = self._readings(parsed.key, kingdom, parsed.rank) if parsed else []
        return list({(reading.match.taxon_id, reading.match.taxon): reading.match for reading in found}.values())

    def near(self, name: str, limit: int = 3) -> list[str]:
        """Names of nearly the same spelling, the nearest first, as the taxonomy writes them."""
        parsed = parse_name(name)
        if parsed is None or limit < 1:
            return []
        found: dict[str, None] = {}
        for _, key in near_keys(self._rows, parsed.key):
            if key != parsed.key:
                found.update(
                    (written, None) for (written,) in self._rows("SELECT written FROM name WHERE key = ?", key)
                )
            if len(found) >= limit:
                break
        return list(found)[:limit]

    def by_common_name(self, name: str) -> list[BackboneMatch]:
        """The taxa of a common name in any language, those first that bear it as their preferred English name."""
        rows = self._rows(_COMMONLY_NAMED, fold(clean(name) or ""))
        taxa: dict[tuple[str, Taxon], BackboneMatch] = {}
        for row in rows:
            taxon_id, taxon = row[0] or "", _taxon(row)
            taxa.setdefault((taxon_id, taxon), BackboneMatch(taxon, taxon_id, row[9], MatchType.EXACT, None))
        return list(taxa.values())

    def _parsed(self, name: str) -> ScientificName | None:
        """The name taken apart; what stands where an author may is an epithet if there is such a species."""
        parsed = parse_name(name)
        if parsed is None or " " in parsed.key or not parsed.authorship:
            return parsed
        other = parse_with_epithet(name)
        is_species = other and self._rows("SELECT 1 FROM name WHERE key = ? LIMIT 1", other.key)
        return other if is_species else parsed

    def _readings(self, key: str, kingdom: str | None, rank: str | None) -> list[_Reading]:
        """The usages of a name within a kingdom and rank; one that does not state them is not excluded by them."""
        rows = self._rows(_NAMED, hidden_key(key) if is_hidden_rank(rank) else key)
        found = [_reading(row) for row in rows]
        if rank is not None:
            found = [reading for reading in found if reading.rank in (rank, None)]
        if kingdom is None:
            return found
        there = [reading for reading in found if _kingdom(reading.match.taxon.kingdom) == _kingdom(kingdom)]
        return there or [reading for reading in found if reading.match.taxon.kingdom is None]

    def _corrected(self, name: ScientificName, kingdom: str | None, rank: str | None) -> list[_Reading]:
        """The usages of the one nearest spelling; those of all where several are equally near."""
        nearest: list[_Reading] = []
        least = allowed_distance(name.key)
        for distance, key in near_keys(self._rows, name.key):
            if distance > least:
                break
            if key != name.key and allowed_distance(name.key, key) >= distance:
                found = self._readings(key, kingdom, rank)
                if found:
                    nearest, least = nearest + found, distance
        return nearest

    def _wider(self, name: ScientificName, kingdom: str | None) -> BackboneMatch | None:
        words = name.key.split()
        for count, rank in ((2, "species"), (1, "genus")):
            if len(words) <= count:
                continue
            found = self._readings(" ".join(words[:count]), kingdom, rank)
            if not found:
                continue
            match = _decided(found, None)
            # What a synonym's narrower names became is not known from the synonym.
            is_accepted = match is not None and match.match_type is MatchType.EXACT
            return replace(match, match_type=MatchType.HIGHER) if match and is_accepted else None
        return None

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._index.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise _damaged(self._path, error) from error


def _damaged(path: Path, error: Exception) -> RecordError:
    return RecordError(
        f"The taxonomic backbone {path} is damaged ({error}); make it again with `bioclip-search taxonomy use FILE`."
    )


def _read_info(path: Path, index: sqlite3.Connection) -> BackboneInfo:
    (application,) = index.execute("PRAGMA application_id").fetchone()
    (version,) = index.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise ValueError("it is another program's file")
    if version != SCHEMA_VERSION:
        raise RecordError(
            f"The taxonomic backbone {path} was made by another version of this program; make it again with "
            "`bioclip-search taxonomy use FILE`."
        )
    facts = dict(index.execute("SELECT key, value FROM meta").fetchall())
    return BackboneInfo(
        name=str(facts["name"]),
        version=facts["version"],
        taxa=int(facts["taxa"]),
        synonyms=int(facts["synonyms"]),
        common_names=int(facts["common_names"]),
        built=datetime.fromisoformat(facts["built"]),
    )


def _taxon(row: Sequence[Any]) -> Taxon:
    species, common_name, kingdom, phylum, class_, order, family, genus = row[1:9]
    return Taxon(kingdom, phylum, class_, order, family, genus, species, common_name)


def _reading(row: Sequence[Any]) -> _Reading:
    written, authorship, standing, rank = row[9:13]
    kind = MatchType.SYNONYM if standing == Standing.SYNONYM else MatchType.EXACT
    return _Reading(BackboneMatch(_taxon(row), row[0] or "", written, kind, authorship), Standing(standing), rank)


def _kingdom(name: str | None) -> str:
    folded = fold(clean(name) or "")
    return _KINGDOMS.get(folded, folded)


def _decided(readings: Iterable[_Reading], authorship: str | None) -> BackboneMatch | None:
    """The one accepted taxon that all usages lead to, or None."""
    found = list(readings)
    if authorship and len(found) > 1:
        author = _letters(authorship)
        found = [reading for reading in found if _letters(reading.match.authorship) == author] or found
    if len({_kingdom(reading.match.taxon.kingdom) for reading in found}) > 1:
        return None
    best = min(reading.standing for reading in found)
    taxa = {
        (reading.match.taxon_id, reading.match.taxon): reading.match for reading in found if reading.standing == best
    }
    return next(iter(taxa.values())) if len(taxa) == 1 else None


def _leaves_out(name: ScientificName, found: BackboneMatch) -> bool:
    """Whether a word in capitals behind a single name was passed over, and is not the author that is known of it."""
    word = (name.authorship or "").split(" ")[0]
    is_in_capitals = len(word) > 3 and word.isalpha() and word.isupper()
    return " " not in name.key and is_in_capitals and not _letters(found.authorship).startswith(_letters(word))


def _letters(authorship: str | None) -> str:
    return "".join(letter for letter in fold(authorship or "") if letter.isalnum())
