"""What happened to a catalogue: the commands that changed it, and the files that could not be indexed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioclip_search.paths import is_below
from bioclip_search.storage import among, chunks, lance_errors, writing
from bioclip_search.text import printable

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["COUNTS", "Journal", "Problem", "Run"]

COUNTS = ("new", "changed", "moved", "unchanged", "missing", "failed")
"""What a run of the indexer counts, in photos."""

_RUNS = "runs"
_PROBLEMS = "problems"


@dataclass(frozen=True, slots=True)
class Run:
    """One command that filled or changed the catalogue; `fingerprint` is the model's as JSON.

    `counts` are photos: by the names of COUNTS, and by words of other commands (“forgotten”, “pruned”).
    """

    started: datetime
    finished: datetime
    command: str
    version: str
    fingerprint: str
    counts: Mapping[str, int]

    @property
    def seconds(self) -> float:
        """How long it took, to a tenth of a second."""
        return round((self.finished - self.started).total_seconds(), 1)


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder that could not be indexed, and why; `path` is absolute and safe to print."""

    path: str
    reason: str


class Journal:
    """The tables of runs and problems beside a catalogue's photos."""

    def __init__(self, folder: Path, connection: Any) -> None:
        self._folder = folder
        self._connection = connection

    def record_run(self, run: Run) -> None:
        """Append a run."""
        row = {name: getattr(run, name) for name in ("started", "finished", "command", "version", "fingerprint")}
        self._append(_RUNS, [{**row, "counts": json.dumps(dict(run.counts))}])

    def runs(self) -> list[Run]:
        """All runs, the last one first."""
        runs = [Run(**{**row, "counts": json.loads(row["counts"])}) for row in self._rows(_RUNS)]
        return sorted(runs, key=lambda run: run.finished, reverse=True)

    def settle_problems(self, settled: Sequence[str], problems: Sequence[Problem]) -> None:
        """Forget the problems of the settled paths, and remember these in their place."""
        outdated = sorted({*settled, *(problem.path for problem in problems)} & {p.path for p in self.problems()})
        for chunk in chunks(outdated):
            with writing(self._folder):
                self._connection.open_table(_PROBLEMS).delete(among("path", chunk))
        self._append(_PROBLEMS, [{"path": problem.path, "reason": problem.reason} for problem in problems])

    def forget_problems_below(self, folder: str) -> None:
        """Forget the problems of files at or below an absolute folder."""
        bound = [printable(folder)]
        self.settle_problems([problem.path for problem in self.problems() if is_below(problem.path, bound)], [])

    def problems(self) -> list[Problem]:
        """What could not be indexed when it was last tried, in the order of paths."""
        return sorted((Problem(**row) for row in self._rows(_PROBLEMS)), key=lambda problem: problem.path)

    def _append(self, name: str, rows: list[dict[str, Any]]) -> None:
        import pyarrow as pa

        if not rows:
            return
        table = pa.Table.from_pylist(rows, schema=_schema(name))
        with writing(self._folder):
            self._connection.create_table(name, schema=table.schema, exist_ok=True).add(table)

    def _rows(self, name: str) -> list[dict[str, Any]]:
        with lance_errors(self._folder):
            if name not in self._connection.list_tables().tables:
                return []
            rows: list[dict[str, Any]] = self._connection.open_table(name).search().limit(None).to_list()
            return rows


def _schema(name: str) -> "pa.Schema":
    import pyarrow as pa

    if name == _PROBLEMS:
        return pa.schema({"path": pa.string(), "reason": pa.string()})
    moment = pa.timestamp("us", tz="UTC")
    texts = {column: pa.string() for column in ("command", "version", "fingerprint", "counts")}
    return pa.schema({"started": moment, "finished": moment, **texts})
