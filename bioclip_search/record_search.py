"""Full-text search in the records of specimens, by LanceDB's index of their words."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bioclip_search.errors import QueryError
from bioclip_search.filters import Filter
from bioclip_search.schema import EMBEDDING, EMBEDDING_FOR_TEXT, IS_FOR_TEXT, PHOTO_COLUMNS, RECORD_TEXT

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

    def __init__(self, table: Any) -> None:
        self._table = table

    def matches(self, words: str, limit: int, filter_: Filter, column: str = EMBEDDING) -> list[RecordMatch]:
        """The photos whose records say all of the words, in any order and letter case, best first.

        Their embeddings are those of `column`; photos that have none there are left out.
        """
        from lancedb.query import FullTextOperator, MatchQuery

        if not any(RECORD_TEXT in index.columns for index in self._table.list_indices()):
            if not self._table.count_rows(f"{RECORD_TEXT} IS NOT NULL"):
                return []
            raise QueryError("The words of the records are not indexed yet; run `bioclip-search optimize`.")
        asked = MatchQuery(words, RECORD_TEXT, operator=FullTextOperator.AND)
        query = self._table.search(asked, query_type="fts").select([*PHOTO_COLUMNS, column, _SCORE])
        conditions = [filter_.sql] if filter_.sql else []
        if column == EMBEDDING_FOR_TEXT:
            conditions.append(IS_FOR_TEXT)
        if conditions:
            query = query.where(" AND ".join(conditions), prefilter=True)
        return [_match(row, column) for row in query.limit(limit).to_list()]


def _match(row: dict[str, Any], column: str) -> RecordMatch:
    embedding = np.asarray(row.pop(column), dtype=np.float32)
    return RecordMatch(row, embedding / np.linalg.norm(embedding), float(row.pop(_SCORE)))
