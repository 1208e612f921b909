"""The second pass: find the place of every accepted taxon, and write taxa and names."""

import sqlite3
from array import array
from collections.abc import Iterator

from bioclip_search.backbone.info import Standing, hidden_key, is_hidden_rank
from bioclip_search.backbone.names import parse_name
from bioclip_search.backbone.staging import Classification, Staged
from bioclip_search.taxonomy import RANKS

__all__ = ["Placer"]

_LINKS = (
    "CREATE TABLE stage.link AS SELECT u.id AS id, "
    "(SELECT p.id FROM stage.usage p WHERE p.key = u.parent LIMIT 1) AS parent, "
    "(SELECT a.id FROM stage.usage a WHERE a.key = u.accepted LIMIT 1) AS accepted "
    "FROM stage.usage u WHERE u.parent IS NOT NULL OR u.accepted IS NOT NULL"
)
_USAGES = (
    "SELECT u.id, u.key, u.standing, u.rank, u.name, u.written, u.authorship, u.ranks, l.parent "
    "FROM stage.usage u LEFT JOIN stage.link l ON l.id = u.id"
)
_PARENTS = (
    "SELECT u.id, l.parent, u.rank, CASE WHEN u.name IS NULL THEN NULL ELSE u.written END, u.ranks "
    "FROM stage.usage u LEFT JOIN stage.link l ON l.id = u.id "
    "WHERE u.id IN (SELECT parent FROM stage.link) AND u.standing < 2"
)
_MOST_HOPS = 10
_WIDER = tuple(rank.value for rank in RANKS[:-1])
_NOWHERE: Classification = (None,) * len(_WIDER)

_Place = tuple[Classification, str | None]
"""The six wider ranks and the species."""


class Placer:
    """Places the taxa of one staged taxonomy."""

    def __init__(self, index: sqlite3.Connection, staged: Staged) -> None:
        self._index = index
        self._columns = staged.classifications
        self._lineages: dict[Classification, int] = {}
        self._places: dict[int, _Place] = {}
        self._parents: dict[int, tuple[int | None, str | None, str | None, int]] = {}

    def place(self) -> None:
        """Fill `lineage`, `taxon` and `name`, and `stage.place`: the accepted taxon of every usage."""
        index = self._index
        index.execute(_LINKS)
        index.execute("CREATE UNIQUE INDEX stage.link_id ON link (id)")
        for id_, *parent in index.execute(_PARENTS):
            self._parents[id_] = (parent[0], parent[1], parent[2], parent[3])
        self._write_places()
        self._write_taxa()
        self._write_names()
        self._write_genera()
        index.executemany(
            "INSERT INTO lineage VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((number, *names) for names, number in self._lineages.items()),
        )

    def _write_places(self) -> None:
        """The accepted taxon of each usage; a synonym whose taxon is not there has none."""
        index = self._index
        (most,) = index.execute("SELECT max(id) FROM stage.usage").fetchone()
        accepted = array("q", bytes(8 * (most + 1)))
        for (id_,) in index.execute("SELECT id FROM stage.usage WHERE standing < 2"):
            accepted[id_] = id_
        for id_, other in index.execute(
            "SELECT l.id, l.accepted FROM stage.link l JOIN stage.usage u ON u.id = l.id "
            "WHERE u.standing = 2 AND l.accepted IS NOT NULL"
        ):
            accepted[id_] = other
        for id_ in range(most + 1):
            taxon, hops = accepted[id_], 0
            while taxon and accepted[taxon] != taxon and hops < _MOST_HOPS:
                taxon, hops = accepted[taxon], hops + 1
            accepted[id_] = taxon if taxon and accepted[taxon] == taxon else 0
        index.execute("CREATE TABLE stage.place (id INTEGER PRIMARY KEY, taxon INTEGER)")
        index.executemany(
            "INSERT INTO stage.place VALUES (?, ?)", ((id_, taxon) for id_, taxon in enumerate(accepted) if taxon)
        )

    def _write_taxa(self) -> None:
        self._index.executemany("INSERT INTO taxon VALUES (?, ?, ?, ?, ?, NULL)", self._taxa())

    def _taxa(self) -> Iterator[tuple[object, ...]]:
        cursor = self._index.cursor()
        for id_, key, _, rank, name, written, _, ranks, parent in cursor.execute(
            f"{_USAGES} WHERE u.standing < {Standing.SYNONYM:d} ORDER BY u.id"
        ):
            wider, species = self._completed(rank, written if name else None, ranks, self._place_of(parent))
            yield id_, key or written, rank, species, self._lineage(wider)

    def _lineage(self, wider: Classification) -> int:
        return self._lineages.setdefault(wider, len(self._lineages) + 1)

    def _place_of(self, id_: int | None) -> _Place:
        """The place of a parent, its own parents first; a circle of parents ends where it closes."""
        path: list[int] = []
        seen: set[int] = set()
        while id_ is not None and id_ in self._parents and id_ not in self._places and id_ not in seen:
            path.append(id_)
            seen.add(id_)
            id_ = self._parents[id_][0]
        place = self._places.get(id_, (_NOWHERE, None)) if id_ is not None else (_NOWHERE, None)
        for node in reversed(path):
            _, rank, written, ranks = self._parents[node]
            place = self._places[node] = self._completed(rank, written, ranks, place)
        return place

    def _completed(self, rank: str | None, written: str | None, ranks: int, parent: _Place) -> _Place:
        """The row's own columns, what they leave out from its parent, and its own name at its rank."""
        own = self._columns[ranks]
        wider = own if None not in own else tuple(mine or theirs for mine, theirs in zip(own, parent[0], strict=True))
        if written is None:
            return wider, parent[1]
        if rank in _WIDER:
            at = _WIDER.index(rank)
            return (*wider[:at], wider[at] or written, *(None,) * (len(_WIDER) - at - 1)), None
        if " " not in written or is_hidden_rank(rank):
            return wider, parent[1]
        species = written if rank == "species" else parent[1] or _binomial(written)
        if wider[-1] is None:
            wider = (*wider[:-1], species.split(" ", 1)[0])
        return wider, species

    def _write_names(self) -> None:
        self._index.executemany("INSERT INTO name VALUES (?, ?, ?, ?, ?, ?, ?)", self._names())

    def _names(self) -> Iterator[tuple[object, ...]]:
        cursor = self._index.cursor()
        for name, taxon, standing, rank, written, authorship in cursor.execute(
            "SELECT u.name, p.taxon, u.standing, u.rank, u.written, u.authorship FROM stage.usage u "
            "JOIN stage.place p ON p.id = u.id WHERE u.name IS NOT NULL ORDER BY u.name, u.id"
        ):
            hidden = is_hidden_rank(rank)
            rest = None if hidden else name.partition(" ")[2] or None
            yield hidden_key(name) if hidden else name, rest, taxon, standing, rank, written, authorship

    def _write_genera(self) -> None:
        """Genera that a list of species names in a column only: they are taxa too, without an identifier."""
        index = self._index
        index.execute("CREATE TABLE stage.genus (key TEXT, written TEXT, lineage INTEGER)")
        index.executemany(
            "INSERT INTO stage.genus VALUES (?, ?, ?)",
            (
                (parsed.key, names[-1], number)
                for names, number in self._lineages.items()
                if names[-1] and (parsed := parse_name(names[-1])) and " " not in parsed.key
            ),
        )
        index.execute("DELETE FROM stage.genus WHERE key IN (SELECT name FROM stage.usage WHERE name IS NOT NULL)")
        (most,) = index.execute("SELECT max(id) FROM stage.usage").fetchone()
        index.execute(
            "INSERT INTO taxon SELECT ? + rowid, NULL, 'genus', NULL, lineage, NULL FROM stage.genus", (most,)
        )
        index.execute(
            "INSERT INTO name SELECT key, NULL, ? + rowid, 0, 'genus', written, NULL FROM stage.genus", (most,)
        )


def _binomial(written: str) -> str:
    words = written.split()
    return " ".join(words[: 3 if words[1] == "×" else 2])
