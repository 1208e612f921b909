"""Cut the text of a condition into words, quoted values and signs."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from bioclip_search.conditions.columns import shown
from bioclip_search.errors import QueryError

__all__ = ["KEYWORDS", "Kind", "Token", "misread", "tokens_of"]

KEYWORDS = frozenset("and or not in like ilike between is null empty".split())

_MOST_CHARACTERS = 200_000
_CURLY = "‘’‚“”„«»"


class Kind(Enum):
    WORD = auto()
    SINGLE = auto()
    DOUBLE = auto()
    SIGN = auto()
    MARK = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text: `text` is without its quotes, `start` the place of its first character from 0."""

    kind: Kind
    text: str
    start: int

    @property
    def keyword(self) -> str | None:
        """The keyword in lower case, if it is one."""
        # Only ASCII: dotless ı and the Kelvin sign have ASCII letters as their other case.
        word = self.text.lower() if self.kind is Kind.WORD and self.text.isascii() else ""
        return word if word in KEYWORDS else None


_PIECES = re.compile(
    r"""(?P<blank>\s+)
    | (?P<SINGLE>'(?:[^']|'')*+')
    | (?P<DOUBLE>"(?:[^"]|"")*+")
    | (?P<SIGN>==|!=|<>|<=|>=|[=<>≤≥≠])
    | (?P<MARK>[(),])
    | (?P<WORD>[^\s'"(),=<>≤≥≠!;`CURLY]+)""".replace("CURLY", _CURLY),
    re.VERBOSE,
)


def tokens_of(text: str) -> list[Token]:
    """The pieces of a condition, in order, and END. Raises QueryError at a character that begins none."""
    if len(text) > _MOST_CHARACTERS:
        raise QueryError(
            f"The condition has {len(text):,} characters; at most {_MOST_CHARACTERS:,} are possible, "
            "so divide it into several searches."
        )
    tokens: list[Token] = []
    start = 0
    while start < len(text):
        piece = _PIECES.match(text, start)
        if piece is None:
            raise _stray(text, start)
        if piece.lastgroup != "blank":
            tokens.append(_token(Kind[str(piece.lastgroup)], piece[0], start))
        start = piece.end()
    return [*tokens, Token(Kind.END, "", len(text))]


def _token(kind: Kind, piece: str, start: int) -> Token:
    if kind in (Kind.SINGLE, Kind.DOUBLE):
        piece = piece[1:-1].replace(piece[0] * 2, piece[0])
    return Token(kind, piece, start)


def _stray(text: str, start: int) -> QueryError:
    character = text[start]
    if character in "'\"":
        why = f"this quote is never closed; close it, and double a {character} that belongs to the value."
    elif character in _CURLY:
        why = "write straight quotes round a value: ' or \"."
    elif character == "!":
        why = "write != for “not equal”, or NOT before a comparison."
    else:
        why = "this sign means nothing here; put quotes round a value that holds it."
    return misread(Token(Kind.MARK, character, start), why)


def misread(token: Token, why: str) -> QueryError:
    """The error at a token; `why` says what to write instead."""
    if token.kind is Kind.END:
        return QueryError(f"The condition ends too early: {why}")
    return QueryError(
        f"The condition cannot be understood at “{shown(token.text)}” (character {token.start + 1}): {why}"
    )
