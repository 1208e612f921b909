"""A JSON document of a gigabyte, element by element: an object whose values are long arrays."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

__all__ = ["stream_arrays"]

_CHARACTERS_AT_ONCE = 1 << 20
_LONGEST = 16 << 20
_BLANK = " \t\r\n"


def stream_arrays(path: Path) -> Iterator[tuple[str, Any]]:
    """The elements of the arrays of a document's outermost object, each with the key of its array.

    Other values are passed over. Raises ValueError for what is no such document.
    """
    with path.open(encoding="utf-8") as stream:
        text = _Text(stream)
        text.expect("{")
        while text.peek() != "}":
            key = text.value()
            text.expect(":")
            if text.peek() == "[":
                for element in text.elements():
                    yield str(key), element
            else:
                text.value()
            if text.peek() == ",":
                text.expect(",")


class _Text:
    """What is left of a text, of which a part at a time is in memory."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._decoder = json.JSONDecoder()
        self._held, self._at = "", 0

    def peek(self) -> str:
        """The next character that is not blank."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._refill():
                raise ValueError("it ends too early")

    def expect(self, character: str) -> None:
        if self.peek() != character:
            raise ValueError(f"{character!r} is missing")
        self._at += 1

    def elements(self) -> Iterator[Any]:
        """The elements of an array."""
        self.expect("[")
        while self.peek() != "]":
            yield self.value()
            if self.peek() == ",":
                self.expect(",")
        self.expect("]")

    def value(self) -> Any:
        """The next value, whole."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._held, self._at)
            except json.JSONDecodeError:
                # It may only be cut off here; what is damaged must not be sought to the end of a gigabyte.
                if len(self._held) - self._at > _LONGEST or not self._refill():
                    raise
                continue
            # A number at the end of what is held may go on.
            if end < len(self._held) or not self._refill():
                self._at = end
                return value

    def _refill(self) -> bool:
        more = self._stream.read(_CHARACTERS_AT_ONCE)
        self._held, self._at = self._held[self._at :] + more, 0
        return bool(more)
