"""Understand the text of a condition: a parser by recursive descent, one function a rule of the language.

    either   = all {OR all}
    all      = part {AND part}
    part     = {NOT} ( "(" either ")" | test )
    test     = column ( sign value | [NOT] LIKE value | [NOT] ILIKE value | [NOT] IN "(" value {"," value} ")"
                      | [NOT] BETWEEN value AND value | IS [NOT] (NULL | EMPTY) )

Depth, comparisons and values are bounded by what LanceDB takes without fail: its parser gives up at
about sixteen nested levels of AND in OR, and a pattern becomes a regular expression of limited size.
"""

from bioclip_search.conditions.columns import Column, Holds, Value, column_named, find_column, value_for
from bioclip_search.conditions.tokens import Kind, Token, misread, tokens_of
from bioclip_search.conditions.tree import All, Compare, Empty, Like, Node, Not, OneOf, Sign, Some
from bioclip_search.errors import QueryError

__all__ = ["parse"]

_DEEPEST = 8
_MOST_COMPARISONS = 500
_MOST_VALUES = 10_000
_LONGEST_PATTERN = 1_000

_SIGNS = {"==": "=", "≤": "<=", "≥": ">="}
_UNEQUAL = ("!=", "<>", "≠")
_TESTS = "= != < <= > >= LIKE IN BETWEEN or IS"


def parse(text: str) -> Node:
    """The tree of a condition. Raises QueryError."""
    tokens = tokens_of(text)
    if len(tokens) == 1:
        raise QueryError("The condition is empty; write one such as year < 1900.")
    parser = _Parser(tokens)
    node = parser.either()
    parser.finish()
    return node


class _Parser:
    """A place in a list of tokens; each rule takes its own and leaves the place behind them."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self._comparisons = 0
        self._values = 0

    # Rules

    def either(self) -> Node:
        parts = [self._all()]
        while self._took("or"):
            parts.append(self._all())
        return Some(tuple(parts)) if len(parts) > 1 else parts[0]

    def finish(self) -> None:
        if self._next.text == ")" and self._next.kind is Kind.MARK:
            raise misread(self._next, "there is no “(” that it closes; leave it out.")
        if self._next.kind is not Kind.END:
            raise misread(self._next, "AND or OR is expected here; put quotes round a value of several words.")

    def _all(self) -> Node:
        parts = [self._part()]
        while self._took("and"):
            parts.append(self._part())
        return All(tuple(parts)) if len(parts) > 1 else parts[0]

    def _part(self) -> Node:
        negated = False
        while self._took("not"):
            negated = not negated
        node = self._group() if self._at_mark("(") else self._test()
        return Not(node) if negated else node

    def _group(self) -> Node:
        opening = self._take()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise misread(opening, f"parentheses stand in each other {_DEEPEST} deep at most; leave some out.")
        node = self.either()
        if not self._at_mark(")"):
            raise misread(self._next, "AND, OR or “)” is expected here; put quotes round a value of several words.")
        self._take()
        self._depth -= 1
        return node

    def _test(self) -> Node:
        self._comparisons += 1
        if self._comparisons > _MOST_COMPARISONS:
            raise misread(
                self._next, f"there are more than {_MOST_COMPARISONS} comparisons; write column IN (…) for many values."
            )
        column = self._column()
        if self._next.kind is Kind.SIGN:
            return self._compared(column)
        if self._took("is"):
            return self._emptiness(column)
        negated = self._took("not")
        node = self._named_test(column)
        return Not(node) if negated else node

    def _compared(self, column: Column) -> Node:
        sign = self._take().text
        value = self._value(column)
        if sign in _UNEQUAL:
            return Not(Compare(column, Sign.EQUAL, value))
        return Compare(column, Sign(_SIGNS.get(sign, sign)), value)

    def _emptiness(self, column: Column) -> Node:
        negated = self._took("not")
        if not (self._took("empty") or self._took("null")):
            raise misread(
                self._next, f"after IS comes EMPTY, NOT EMPTY, NULL or NOT NULL; write {column.name} = value."
            )
        return Not(Empty(column)) if negated else Empty(column)

    def _named_test(self, column: Column) -> Node:
        if self._took("in"):
            return OneOf(column, self._list(column))
        if self._took("between"):
            low = self._value(column)
            if not self._took("and"):
                raise misread(self._next, f"write {column.name} BETWEEN the lowest AND the highest value.")
            return All((Compare(column, Sign.AT_LEAST, low), Compare(column, Sign.AT_MOST, self._value(column))))
        if self._next.keyword in ("like", "ilike"):
            return self._likeness(column, either_case=self._take().keyword == "ilike")
        raise misread(self._next, f"after the column {column.name} comes {_TESTS}.")

    def _likeness(self, column: Column, *, either_case: bool) -> Node:
        if column.holds is not Holds.TEXT:
            name = column.name
            raise QueryError(f"{name} holds numbers, which have no pattern; write {name} BETWEEN one AND another.")
        token = self._next
        pattern = str(self._value(column))
        if len(pattern) > _LONGEST_PATTERN:
            raise misread(token, f"a pattern has at most {_LONGEST_PATTERN:,} characters; write a shorter one.")
        return Like(column, pattern, either_case)

    def _list(self, column: Column) -> tuple[Value, ...]:
        if not self._at_mark("("):
            raise misread(self._next, f"write {column.name} IN ('one', 'another').")
        self._take()
        values = [self._value(column)]
        while self._at_mark(","):
            self._take()
            values.append(self._value(column))
        if not self._at_mark(")"):
            raise misread(self._next, "“,” or “)” is expected here; put quotes round a value of several words.")
        self._take()
        return tuple(values)

    # Words

    def _column(self) -> Column:
        token = self._next
        if token.kind is Kind.DOUBLE or (token.kind is Kind.WORD and token.keyword is None):
            return column_named(self._take().text)
        raise misread(token, "a comparison begins with a column; write one such as typeStatus = 'holotype'.")

    def _value(self, column: Column) -> Value:
        token = self._take()
        self._values += 1
        if self._values > _MOST_VALUES:
            raise misread(token, f"there are more than {_MOST_VALUES:,} values; divide them into several searches.")
        if token.kind is Kind.WORD:
            _require_plain(column, token)
        elif token.kind not in (Kind.SINGLE, Kind.DOUBLE):
            raise misread(token, f"a value for {column.name} is expected here; write it in quotes.")
        return value_for(column, token.text)

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        if token.kind is not Kind.END:
            self._place += 1
        return token

    def _took(self, keyword: str) -> bool:
        return self._next.keyword == keyword and bool(self._take())

    def _at_mark(self, mark: str) -> bool:
        return self._next.kind is Kind.MARK and self._next.text == mark


def _require_plain(column: Column, token: Token) -> None:
    """Raise QueryError for a word without quotes that may be meant as something else than a value."""
    if token.keyword == "null":
        raise misread(token, f"write {column.name} IS EMPTY or {column.name} IS NOT EMPTY.")
    if token.keyword:
        raise misread(token, "a value is expected here; put quotes round the word if it is one.")
    if find_column(token.text):
        raise misread(token, "columns are compared with values only; put quotes round the word if it is one.")
