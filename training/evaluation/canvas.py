"""A chart of one plane: a frame, ticks, a title, points, lines and bars, drawn with Pillow."""

from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw, ImageFont

__all__ = ["COLOURS", "GREY", "Plane", "beside"]

# Okabe and Ito 2008: colours that people with any colour vision tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8B4513", "#000000")
GREY = "#999999"

_MARGIN = {"left": 64, "right": 16, "top": 40, "bottom": 52}
_LINE = 17


class Plane:
    """A picture whose inner part goes from `x` to `y`, both (lowest, highest), in the values' own measure."""

    def __init__(self, title: str, size: tuple[int, int], x: tuple[float, float], y: tuple[float, float]) -> None:
        self.picture = Image.new("RGB", size, "white")
        self._pen = ImageDraw.Draw(self.picture)
        self._font = ImageFont.load_default(13)
        self._x, self._y = x, y
        self._left, self._top = _MARGIN["left"], _MARGIN["top"]
        self._right, self._bottom = size[0] - _MARGIN["right"], size[1] - _MARGIN["bottom"]
        self._pen.rectangle((self._left, self._top, self._right, self._bottom), outline=GREY)
        self._pen.text((size[0] / 2, _MARGIN["top"] / 2), title, "black", ImageFont.load_default(15), anchor="mm")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a place."""
        across = (x - self._x[0]) / ((self._x[1] - self._x[0]) or 1)
        up = (y - self._y[0]) / ((self._y[1] - self._y[0]) or 1)
        return self._left + across * (self._right - self._left), self._bottom - up * (self._bottom - self._top)

    def ticks_x(self, ticks: Iterable[tuple[float, str]], name: str = "") -> None:
        for value, text in ticks:
            self._pen.text((self.at(value, 0)[0], self._bottom + 6), text, "black", self._font, anchor="ma")
        middle = (self._left + self._right) / 2
        self._pen.text((middle, self.picture.size[1] - 8), name, "black", self._font, anchor="md")

    def ticks_y(self, ticks: Iterable[tuple[float, str]]) -> None:
        for value, text in ticks:
            across = self.at(0, value)[1]
            self._pen.line((self._left, across, self._right, across), "#e5e5e5")
            self._pen.text((self._left - 6, across), text, "black", self._font, anchor="rm")

    def line(self, places: Sequence[tuple[float, float]], colour: str, width: int = 2) -> None:
        self._pen.line([self.at(*place) for place in places], colour, width, joint="curve")

    def point(self, x: float, y: float, colour: str, radius: float = 4) -> None:
        across, down = self.at(x, y)
        self._pen.ellipse((across - radius, down - radius, across + radius, down + radius), colour, "white")

    def bar(self, left: float, right: float, height: float, colour: str) -> None:
        corner, foot = self.at(left, height), self.at(right, self._y[0])
        self._pen.rectangle((*corner, *foot), colour)

    def words(self, x: float, y: float, text: str) -> None:
        """Small text above a place."""
        across, down = self.at(x, y)
        self._pen.text((across, down - 3), text, "black", ImageFont.load_default(11), anchor="md")

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """Colours and names, at the upper right, over what is there."""
        if not entries:
            return
        width = max(self._pen.textlength(name, self._font) for _, name in entries) + 34
        left, top = self._right - width - 6, self._top + 6
        self._pen.rectangle((left, top, self._right - 6, top + _LINE * len(entries) + 8), "white", "#cccccc")
        for place, (colour, name) in enumerate(entries):
            middle = top + 4 + _LINE * (place + 0.5)
            self._pen.rectangle((left + 8, middle - 5, left + 18, middle + 5), colour)
            self._pen.text((left + 26, middle), name, "black", self._font, anchor="lm")


def beside(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one height side by side."""
    whole = Image.new("RGB", (sum(one.size[0] for one in pictures), max(one.size[1] for one in pictures)), "white")
    left = 0
    for one in pictures:
        whole.paste(one, (left, 0))
        left += one.size[0]
    return whole
