"""Near spellings of a scientific name, found without comparing it with every name.

A misspelt name still has nearly its length, and most often the first letter of its genus or the
whole of its epithet: the words, the species of near genera, and the names of the same epithet are
compared; distances are those of optimal string alignment (a swap of neighbours counts once).
"""

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["allowed_distance", "near_keys"]

_Rows = Callable[..., list[tuple[Any, ...]]]

_NEAR_GENERA = 12
_MOST_NAMES = 20_000
_AFTER_BLANK = "!"
"""The character after the blank: all names of a genus lie between “genus ” and “genus!”."""


def near_keys(rows: _Rows, key: str) -> list[tuple[int, str]]:
    """Keys of near spellings with their distances, nearest first; `rows` asks the index."""
    first, _, rest = key.partition(" ")
    genera = _near_words(rows, first)
    if not rest:
        return genera
    candidates: set[str] = set()
    for _, genus in [(0, first), *genera][:_NEAR_GENERA]:
        candidates.update(
            name
            for (name,) in rows(
                "SELECT key FROM name WHERE key >= ? AND key < ? LIMIT ?",
                f"{genus} ",
                genus + _AFTER_BLANK,
                _MOST_NAMES,
            )
        )
    candidates.update(name for (name,) in rows("SELECT key FROM name WHERE rest = ? LIMIT ?", rest, _MOST_NAMES))
    return _nearest(key, candidates, _cutoff(key))


def allowed_distance(key: str, other: str | None = None) -> int:
    """How far a name may be from another and still be taken for its misspelling.

    Alone: the most for any name. With the other: the words must be as many, and each of them near;
    a single word may differ in one letter, for there are genera of every spelling.
    """
    most = 2 if " " in key else 1
    if other is None:
        return most
    from rapidfuzz.distance import OSA

    words, others = key.split(), other.split()
    if len(words) != len(others):
        return -1
    pairs = zip(words, others, strict=True)
    return most if all(OSA.distance(one, two) <= _allowed_in_word(one) for one, two in pairs) else -1


def _allowed_in_word(word: str) -> int:
    return 0 if len(word) < 4 else 1 if len(word) < 8 else 2


def _cutoff(text: str) -> int:
    return 1 if len(text) < 5 else 2 if len(text) < 12 else 3 if len(text) < 24 else 4


def _near_words(rows: _Rows, word: str) -> list[tuple[int, str]]:
    """First words of names near to a word: those of the same initial, or of any where that finds none."""
    cutoff = _cutoff(word)
    following = chr(ord(word[0]) + 1)
    found: list[str] = []
    for length in range(len(word) - cutoff, len(word) + cutoff + 1):
        found += _texts(
            rows("SELECT word FROM word WHERE length = ? AND word >= ? AND word < ?", length, word[0], following)
        )
    near = _nearest(word, found, cutoff)
    if near:
        return near
    around = rows("SELECT word FROM word WHERE length BETWEEN ? AND ?", len(word) - 1, len(word) + 1)
    return _nearest(word, _texts(around), cutoff)


def _texts(rows: Iterable[tuple[Any, ...]]) -> list[str]:
    return [text for (text,) in rows]


def _nearest(text: str, candidates: Iterable[str], cutoff: int) -> list[tuple[int, str]]:
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    found = extract(text, list(candidates), scorer=OSA.distance, score_cutoff=cutoff, limit=50)
    return sorted((int(distance), key) for key, distance, _ in found)
