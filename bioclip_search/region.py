"""A part of a picture: a rectangle in pixels, or in percent of its width and height."""

import math
import re
from dataclasses import dataclass

from bioclip_search.errors import QueryError
from bioclip_search.text import printable

__all__ = ["Box", "Region"]

Box = tuple[int, int, int, int]

_NUMBER = re.compile(r"\s*([+-]?\d{1,9}(?:\.\d{0,9})?)\s*(%?)\s*", re.ASCII)

_TOO_LARGE = 1e9

# The part of a side that binary fractions may leave over where percentages add up to 100.
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Region:
    """The left upper corner and the size of a rectangle in the upright picture, in pixels or in percent.

    Raises QueryError for what is not a number, or is one of more than nine digits.
    """

    x: float
    y: float
    width: float
    height: float
    in_percent: bool = False

    def __post_init__(self) -> None:
        if not all(abs(number) < _TOO_LARGE for number in self._numbers):
            raise QueryError("A region wants numbers of up to nine digits: x, y, width and height.")

    @classmethod
    def parse(cls, text: str) -> "Region":
        """Read “x,y,width,height” in pixels, or in percent where each number has its %: “10%,20%,50%,50%”.

        Raises QueryError for any other text.
        """
        parts = [_NUMBER.fullmatch(part) for part in text.split(",")]
        found = [(float(part[1]), part[2]) for part in parts if part]
        if len(parts) != 4 or len(found) != 4 or len({unit for _, unit in found}) != 1:
            raise QueryError(
                f"“{printable(text)}” is not a region; write x,y,width,height in pixels (120,80,600,400), "
                "or all four in percent (10%,20%,50%,50%)."
            )
        x, y, width, height = (number for number, _ in found)
        return cls(x, y, width, height, in_percent=found[0][1] == "%")

    def box(self, width: int, height: int) -> Box:
        """Left, top, right and bottom in pixels, in a picture of this size in pixels; at least one pixel.

        Raises QueryError, with the size, for a region that is empty or does not lie in the picture.
        """
        left, right = self._edges(self.x, self.width, width)
        top, bottom = self._edges(self.y, self.height, height)
        if left >= right or top >= bottom:
            raise QueryError(
                f"The region {self} is empty in this picture of {width} × {height} pixels; "
                "give it a width and a height of at least one pixel."
            )
        if left < 0 or top < 0 or right > width or bottom > height:
            raise QueryError(
                f"The region {self} does not lie in the picture, which has {width} × {height} pixels; "
                "give x,y,width,height counted from its left upper corner as it is seen upright."
            )
        return left, top, right, bottom

    def __str__(self) -> str:
        unit = "%" if self.in_percent else ""
        return ",".join(f"{number:.10g}{unit}" for number in self._numbers)

    @property
    def _numbers(self) -> tuple[float, float, float, float]:
        return self.x, self.y, self.width, self.height

    def _edges(self, start: float, length: float, whole: int) -> tuple[int, int]:
        """Where the region begins and ends along one side; outside by a part of a pixel stays outside."""
        scale, slack = (whole / 100, _TOLERANCE * whole) if self.in_percent else (1.0, 0.0)
        first, last = start * scale, (start + length) * scale
        before = math.floor(first) if first < -slack else round(first)
        behind = math.ceil(last) if last > whole + slack else round(last)
        return before, behind
