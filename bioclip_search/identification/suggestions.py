"""What the program takes photos for, kept apart from what curators determined.

A table beside the photos: one row a photo, method and model, replaced when the photo is identified so
again. A suggestion never touches the photo's own record.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioclip_search.fingerprint import Fingerprint
from bioclip_search.identification.identify import Identification
from bioclip_search.identification.method import MethodName
from bioclip_search.identification.ranks import Choice
from bioclip_search.identification.temperatures import model_key
from bioclip_search.storage import connect, lance_errors, quoted, writing
from bioclip_search.taxonomy import RANKS, Taxon

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Run", "Suggestion", "keep", "keep_suggestions", "suggested", "suggestions"]

_TABLE = "suggestions"
_KEY = "suggestion_id"
_AS_THEY_ARE = (
    *(_KEY, "photo_id", "content_hash", "score", "method", "model", "fingerprint"),
    *("temperature", "created", "run"),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One call that identifies photos: its own identifier, how, with which model, at which moment (UTC)."""

    identifier: str
    method: MethodName
    fingerprint: Fingerprint
    temperature: float
    created: datetime


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A kept suggestion. `taxon` has no name where no rank was certain enough; then `score` is None.

    `suggestion_id` stays the same when the photo is identified again by the same method and model; `run`
    and `created` tell which time it was. `candidates` are (rank, name, probability), best first; `evidence`
    are photo_ids with cosines.
    """

    suggestion_id: str
    photo_id: str
    content_hash: str
    taxon: Taxon
    score: float | None
    candidates: tuple[tuple[str | None, str | None, float], ...]
    evidence: tuple[tuple[str, float], ...]
    method: str
    model: str
    fingerprint: str
    temperature: float
    created: datetime
    run: str


def suggested(run: Run, found: Identification) -> Suggestion:
    """What a photo of the catalogue was identified as, as it can be kept."""
    answer = found.answer
    model = model_key(run.fingerprint)
    photo = found.subject.photo_id or ""
    parts = (photo, run.method.value, model)
    return Suggestion(
        suggestion_id=hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32],
        photo_id=photo,
        content_hash=found.subject.content_hash or "",
        taxon=answer.taxon if answer else Taxon(),
        score=answer.score if answer else None,
        candidates=tuple(_shown(choice) for choice in found.candidates),
        evidence=tuple((one.photo_id, round(one.score, 6)) for one in found.evidence),
        method=run.method.value,
        model=run.fingerprint.model,
        fingerprint=model,
        temperature=run.temperature,
        created=run.created,
        run=run.identifier,
    )


def keep_suggestions(folder: Path, run: Run, found: Sequence[Identification]) -> int:
    """Keep what photos of the catalogue were identified as; returns how many of the photos are in it.

    One commit. A photo that occurs several times is kept as it was found last.
    """
    known = [suggested(run, one) for one in found if one.subject.photo_id]
    keep(folder, known)
    return len(known)


def keep(folder: Path, known: Sequence[Suggestion]) -> None:
    """Keep suggestions, each in the place of an earlier one of its photo, method and model: one commit."""
    rows = {one.suggestion_id: _row(one) for one in known}
    if rows:
        import pyarrow as pa

        table = pa.Table.from_pylist(list(rows.values()), schema=_schema())
        with writing(folder):
            kept = connect(folder).create_table(_TABLE, schema=table.schema, exist_ok=True)
            kept.merge_insert(_KEY).when_matched_update_all().when_not_matched_insert_all().execute(table)


def suggestions(folder: Path, photo: tuple[str, str] | None = None) -> list[Suggestion]:
    """All kept suggestions, or those of one `photo` by its photo_id or its content_hash, the latest first.

    Raises CatalogueDamaged.
    """
    with lance_errors(folder):
        connection = connect(folder)
        if _TABLE not in connection.list_tables().tables:
            return []
        query = connection.open_table(_TABLE).search()
        if photo is not None:
            query = query.where(f"photo_id = {quoted(photo[0])} OR content_hash = {quoted(photo[1])}")
        rows = query.limit(None).to_list()
    found = [_suggestion(row) for row in rows]
    return sorted(found, key=lambda one: (-one.created.timestamp(), one.photo_id, one.method, one.fingerprint))


def _row(one: Suggestion) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in _AS_THEY_ARE},
        **{rank.value: one.taxon.name_at(rank) for rank in RANKS},
        "vernacularName": one.taxon.common_name,
        "rank": one.taxon.rank.value if one.taxon.rank else None,
        "candidates": json.dumps(one.candidates, ensure_ascii=False),
        "evidence": json.dumps(one.evidence),
    }


def _shown(choice: Choice) -> tuple[str | None, str | None, float]:
    return (choice.rank.value if choice.rank else None, choice.name, round(choice.score, 6))


def _suggestion(row: dict[str, Any]) -> Suggestion:
    return Suggestion(
        taxon=Taxon.from_ranks({name: row[name] for name in (*(rank.value for rank in RANKS), "vernacularName")}),
        candidates=tuple(tuple(choice) for choice in json.loads(row["candidates"])),
        evidence=tuple((photo, score) for photo, score in json.loads(row["evidence"])),
        **{name: row[name] for name in _AS_THEY_ARE},
    )


def _schema() -> "pa.Schema":
    import pyarrow as pa

    texts = (_KEY, "photo_id", "content_hash", *(rank.value for rank in RANKS), "vernacularName", "rank")
    texts += ("candidates", "evidence", "method", "model", "fingerprint", "run")
    fields = {name: pa.string() for name in texts} | {"score": pa.float64(), "temperature": pa.float64()}
    return pa.schema({**fields, "created": pa.timestamp("us", tz="UTC")})
