"""Pictures in a terminal: what the blocks look like, what is kept, what is drawn first, what a terminal is asked."""

import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.color import Color
from rich.segment import Segment

from bioclip_search.errors import UsageError
from tui.images import DrawQueue, Mode, TileCache, blocks, detect, fitted, two_tone
from tui.images.blocks import GLYPHS
from tui.images.protocol import has_placeholders

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (40, 40, 40)


def cells(line: Sequence[Segment]) -> list[tuple[str, Color | None, Color | None]]:
    """Glyph, colour and background of each cell of a line."""
    return [(glyph, s.style and s.style.color, s.style and s.style.bgcolor) for s in line for glyph in s.text]


def seen(rows: Sequence[Sequence[Segment]]) -> np.ndarray:
    """The quarter cells as they look in a terminal, uint8 [2 × height, 2 × width, 3]."""
    height, width = len(rows), sum(len(segment.text) for segment in rows[0])
    picture = np.zeros((2 * height, 2 * width, 3), dtype=np.uint8)
    for y, row in enumerate(rows):
        for x, (glyph, color, paper) in enumerate(cells(row)):
            for quarter in range(4):
                shown = color if GLYPHS.index(glyph) >> quarter & 1 else paper
                assert shown is not None
                assert shown.triplet is not None
                picture[2 * y + quarter // 2, 2 * x + quarter % 2] = shown.triplet
    return picture


@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    width=st.integers(1, 30),
    height=st.integers(1, 12),
)
def test_a_picture_of_any_shape_fills_the_room_it_is_given(size: tuple[int, int], width: int, height: int) -> None:
    """There are as many rows as asked for, each as wide as asked for."""
    rows = blocks(Image.new("RGB", size, RED), width, height, GREY)
    assert len(rows) == height
    assert {sum(len(segment.text) for segment in row) for row in rows} == {width}


@pytest.mark.parametrize("size", [(1, 1), (10_000, 1), (1, 10_000), (1, 2), (5_000, 3_000)])
def test_a_picture_of_a_hostile_shape_is_still_seen(size: tuple[int, int]) -> None:
    """However thin, it takes at least a quarter of a cell; nothing is divided by nothing."""
    assert (seen(blocks(Image.new("RGB", size, RED), 14, 6, GREY)) == RED).all(axis=2).any()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I", "F"])
def test_a_picture_in_any_mode_of_colour_is_drawn(mode: str) -> None:
    """Thumbnails are RGB, but whoever draws need not know."""
    assert len(blocks(Image.new("RGB", (30, 20), RED).convert(mode), 14, 6, GREY)) == 6


def test_the_whole_picture_is_shown_in_the_middle_of_the_background() -> None:
    """A square stands between two bars of background, as wide as it is high: a cell is twice as high as wide."""
    picture = seen(blocks(Image.new("RGB", (50, 50), RED), 14, 6, GREY))
    is_red = (picture == RED).all(axis=2)
    assert is_red.all(axis=0).sum() == 24
    assert np.abs(picture[~is_red].astype(int) - GREY).max() <= 2
    assert (is_red == is_red[:, ::-1]).all()


def test_the_colours_of_a_two_coloured_picture_are_kept() -> None:
    """The left half is red and the right one blue, to the quarter of a cell."""
    image = Image.new("RGB", (28, 24), RED)
    image.paste(BLUE, (14, 0, 28, 24))
    picture = seen(blocks(image.resize((280, 240), Image.Resampling.NEAREST), 14, 6, GREY))
    assert (picture[:, 2:13] == RED).all()
    assert (picture[:, 15:26] == BLUE).all()


def test_a_line_thinner_than_a_cell_is_seen() -> None:
    """Two colours in a cell show what a mean of the cell would hide."""
    image = Image.new("RGB", (28, 24), (255, 255, 255))
    image.paste((0, 0, 0), (9, 0, 10, 24))
    dark = seen(blocks(image, 14, 12, (255, 255, 255))).mean(axis=2) < 100
    assert dark[6:18, 9].all()
    assert dark.sum() == dark[:, 9].sum()


@given(st.integers(0, 2**32 - 1))
def test_cells_are_as_near_to_the_picture_as_two_colours_can_be(seed: int) -> None:
    """No cell is farther from its four pixels than with one colour, but for what merging may cost."""
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    image = Image.fromarray(pixels).resize((60, 80), Image.Resampling.NEAREST)
    wanted = np.asarray(image.resize((6, 4), Image.Resampling.LANCZOS, reducing_gap=2.0), dtype=float)
    drawn = seen(blocks(image, 3, 2, GREY)).astype(float)
    for y in range(0, 4, 2):
        for x in range(0, 6, 2):
            cell = wanted[y : y + 2, x : x + 2].reshape(4, 3)
            one_colour = np.square(cell - cell.mean(axis=0)).sum()
            error = np.square(cell - drawn[y : y + 2, x : x + 2].reshape(4, 3)).sum()
            assert np.sqrt(error) <= np.sqrt(one_colour) + np.sqrt(12) * 11


def test_a_plain_picture_is_few_segments() -> None:
    """What is alike is sent together: a plain row is the background, the picture, the background at most."""
    assert max(len(row) for row in blocks(Image.new("RGB", (50, 50), RED), 14, 6, GREY)) <= 3


@given(st.tuples(st.integers(1, 10_000), st.integers(1, 10_000)), st.integers(1, 200), st.integers(1, 80))
def test_a_fitted_picture_keeps_its_shape(size: tuple[int, int], width: int, height: int) -> None:
    """It touches two sides of its room, and the others are as far as its shape asks, to a quarter of a cell."""
    columns, rows = fitted(size, width, height)
    assert 1 <= columns <= 2 * width
    assert 1 <= rows <= 2 * height
    assert columns == 2 * width or rows == 2 * height
    if columns > 1 and rows > 1:
        assert (columns - 1) / 2 / (rows + 0.5) <= size[0] / size[1] <= (columns + 1) / 2 / (rows - 0.5)


def test_without_colours_the_outline_is_shown() -> None:
    """A dark disc on pale paper, and a pale one on black, are filled; what is behind them is blank."""
    for paper, ink in ((240, 20), (10, 200)):
        values = np.full((60, 60), paper, dtype=np.uint8)
        values[20:40, 20:40] = ink
        lines = two_tone(Image.fromarray(values), 12, 6)
        assert [len(line) for line in lines] == [12] * 6
        assert lines[0].isspace()
        assert lines[3][5:7] == "██"


def test_without_colours_a_plain_picture_is_blank() -> None:
    """There is nothing to see on it."""
    assert "".join(two_tone(Image.new("RGB", (1, 1), RED), 4, 2)).isspace()


def test_the_cache_forgets_what_was_not_used_for_longest() -> None:
    """Looking at a tile counts as using it."""
    cache: TileCache[str] = TileCache(capacity=2)
    cache.put("a", "1")
    cache.put("b", "2")
    assert cache.get("a") == "1"
    cache.put("c", "3")
    assert ("a" in cache, "b" in cache, "c" in cache, len(cache)) == (True, False, True, 2)
    cache.clear()
    assert len(cache) == 0
    assert cache.get("a") is None


def test_what_is_on_the_screen_is_drawn_first_and_what_scrolled_away_never() -> None:
    """The page that was left is dropped; the visible ones come before those that were read ahead."""
    queue = DrawQueue()
    assert queue.put({index: (str(index), b"") for index in range(10)})
    assert not queue.put({20: ("20", b""), 30: ("30", b"")})
    queue.keep(range(5, 25), range(20, 25))
    assert [item.index for item in queue.take(2)] == [20, 5]
    assert 5 in queue
    queue.done([5, 20])
    assert 5 not in queue
    assert [item.index for item in queue.take(9)] == [6, 7, 8, 9]
    assert queue.take(1) == []
    assert queue.put({1: ("1", b"")})


@pytest.mark.parametrize(
    ("terminal", "is_able"),
    [
        ("kitty(0.26.5)", False),
        ("kitty(0.28.0)", True),
        ("kitty(0.42.1)", True),
        ("kitty(1.0)", True),
        ("ghostty 1.1.3", True),
        ("WezTerm 20240203-110809-5046fc22", False),
        ("Konsole 23.08.1", False),
        ("", False),
    ],
)
def test_placeholders_are_for_terminals_that_know_them(terminal: str, is_able: bool) -> None:
    """Others answer that they know Kitty graphics, and would show a screen full of unknown letters."""
    assert has_placeholders(terminal) is is_able


def test_a_graphics_protocol_without_its_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for Kitty graphics by name is told what is missing."""
    monkeypatch.setitem(sys.modules, "textual_image", None)
    monkeypatch.setitem(sys.modules, "textual_image.renderable", None)
    with pytest.raises(UsageError, match="--images kitty needs the package textual-image"):
        detect(Mode.KITTY)
    assert detect(Mode.AUTO) is Mode.BLOCKS


@pytest.mark.parametrize("mode", [Mode.BLOCKS, Mode.NONE])
def test_a_mode_that_needs_no_terminal_asks_none(mode: Mode) -> None:
    """The package of the protocols is not even imported."""
    code = (
        "import sys; from tui.images import Mode, detect; "
        f"detect(Mode('{mode}')); print('textual_image' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
