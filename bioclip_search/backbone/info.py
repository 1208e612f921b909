"""What is known about an index, and the words that its builder and its reader share."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "BackboneInfo", "Standing", "hidden_key", "is_hidden_rank"]

APPLICATION_ID = 0x42434242
SCHEMA_VERSION = 1

_HIDDEN_RANKS = frozenset(
    "subgenus section subsection series subseries supersection superseries infragenericname infrageneric complex "
    "aggregate speciesaggregate".split()
)


class Standing(IntEnum):
    """How a name stands in its taxonomy, best first."""

    ACCEPTED = 0
    DOUBTFUL = 1
    SYNONYM = 2


@dataclass(frozen=True, slots=True)
class BackboneInfo:
    """A taxonomic backbone: its name and version, how many taxa and names it knows, when it was built (UTC)."""

    name: str
    version: str | None
    taxa: int
    synonyms: int
    common_names: int
    built: datetime


def is_hidden_rank(rank: str | None) -> bool:
    """Ranks whose names repeat that of a genus or species (subgenus Carabus, the complex of a species).

    They are found only when their rank is asked for, else every such genus would be a homonym.
    """
    return (rank or "").replace(" ", "").replace("_", "") in _HIDDEN_RANKS


def hidden_key(key: str) -> str:
    return f"({key})"
