"""Full-text search in the records of specimens, by LanceDB's index of their words."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bioclip_search.errors import QueryError
from bioclip_search.filters import Filter
from bioclip_search.schema import EMBEDDING, EMBEDDING_FOR_TEXT, IS_FOR_TEXT, PHOTO_COLUMNS, RECORD_TEXT
from bioclip_search.vectors import unit

__all__ = ["RecordMatch", "RecordSearch"]

_SCORE = "_score"


@dataclass(frozen=True, slots=True)
class RecordMatch:
    """A row without its thumbnail, its unit-length embedding float32 [dim], and how well it matches (BM25)."""

    row: dict[str, Any]
    embedding: npt.NDArray[np.float32]
    relevance: float


class RecordSearch:
    """Searches the words of the records in a catalogue's table."""

    def __init__(self, table: Any, *, is_past: bool = False) -> None:
        self._table = table
        self._is_past = is_past

    def matches(self, words: str, limit: int, filter_: Filter, column: str = EMBEDDING) -> list[RecordMatch]:
        """The photos whose records say all of the words, in any order and letter case, best first.

        Their embeddings are those of `column`; photos that have none there are left out.
        """
        from lancedb.query import FullTextOperator, MatchQuery

        if not self._is_indexed():
            return []
        asked = MatchQuery(words, RECORD_TEXT, operator=FullTextOperator.AND)
        query = self._table.search(asked, query_type="fts").select([*PHOTO_COLUMNS, column, _SCORE])
        conditions = [filter_.sql] if filter_.sql else []
        if column == EMBEDDING_FOR_TEXT:
            conditions.append(IS_FOR_TEXT)
        if conditions:
            query = query.where(" AND ".join(conditions), prefilter=True)
        return [_match(row, column) for row in query.limit(limit).to_list()]

    def _is_indexed(self) -> bool:
        """Whether the words are indexed; False where there are none. Raises QueryError where they should be."""
        if any(RECORD_TEXT in index.columns for index in self._table.list_indices()):
            return True
        if self._is_past:
            raise QueryError("The words of the records were not indexed at that version; search the latest version.")
        if self._table.count_rows(f"{RECORD_TEXT} IS NOT NULL"):
            raise QueryError("The words of the records are not indexed yet; run `bioclip-search optimize`.")
        return False


def _match(row: dict[str, Any], column: str) -> RecordMatch:
    embedding = np.asarray(row.pop(column), dtype=np.float32)
    return RecordMatch(row, unit(embedding), float(row.pop(_SCORE)))
