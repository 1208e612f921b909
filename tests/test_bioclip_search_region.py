"""Regions of a picture: how they are written, and where they lie."""

import contextlib
import math
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bioclip_search.errors import QueryError
from bioclip_search.region import Region

sizes = st.tuples(st.integers(1, 40_000), st.integers(1, 40_000))
numbers = st.floats(-200, 50_000) | st.integers(0, 100).map(float)


def test_pixels_and_percent_name_the_same_box() -> None:
    """Left, top, right, bottom in a picture of 400 × 200 pixels."""
    assert Region.parse("40,40,200,100").box(400, 200) == (40, 40, 240, 140)
    assert Region.parse(" 10% , 20%, 50%,50 %").box(400, 200) == (40, 40, 240, 140)
    assert Region.parse("0%,0%,33.3%,100%").box(400, 200) == (0, 0, 133, 200)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1,2,3", "1,2,3,4,5", "1,2,,4", "a,b,c,d", "1;2;3;4"),
        *("1,2,3,4%", "10%,20%,50,50", "%,%,%,%"),
        *("nan,0,1,1", "inf,0,1,1", "1e3,0,1,1", "1_0,2,3,4", "1,2,3,٤", "0,0,9999999999,1"),
        "\x1b[31m,1,1,1",
    ],
)
def test_what_is_no_region_is_answered_with_the_way_to_write_one(text: str) -> None:
    """One sentence, which repeats nothing that a terminal obeys."""
    with pytest.raises(QueryError, match=r"write x,y,width,height") as raised:
        Region.parse(text)
    assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["0,0,401,200", "0,0,400,201", "-1,0,10,10", "0,-1,10,10", "400,0,1,1", "60%,0%,41%,1%", "399.6,0,0.6,1"]
)
def test_a_region_that_is_not_in_the_picture_is_refused_with_its_size(text: str) -> None:
    """It is not cut to fit: another region would be searched than was asked for."""
    with pytest.raises(QueryError, match="400 × 200 pixels"):
        Region.parse(text).box(400, 200)


@pytest.mark.parametrize("text", ["10,10,0,10", "10,10,10,0", "10,10,-5,10", "10%,10%,0%,10%", "1%,1%,0.01%,50%"])
def test_an_empty_region_is_refused_with_the_size_of_the_picture(text: str) -> None:
    """A width or height of less than a pixel is none."""
    with pytest.raises(QueryError, match=r"empty in this picture of 400 × 200 pixels"):
        Region.parse(text).box(400, 200)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e300])
def test_a_region_made_of_no_numbers_is_refused(number: float) -> None:
    """Programs that make one meet the same error."""
    with pytest.raises(QueryError, match="nine digits"):
        Region(0, 0, 1, number)


@given(st.text() | st.text(alphabet="0123456789.,%- +e") | st.lists(st.floats().map(str)).map(",".join))
def test_any_text_is_a_region_or_a_query_error(text: str) -> None:
    """What is one is written back as one."""
    with contextlib.suppress(QueryError):
        region = Region.parse(text)
        assert Region.parse(str(region)) == region


@given(numbers, numbers, numbers, numbers, st.booleans(), sizes)
def test_a_box_lies_in_the_picture(
    x: float, y: float, width: float, height: float, in_percent: bool, size: tuple[int, int]
) -> None:
    """With at least one pixel, or it is refused."""
    region = Region(x, y, width, height, in_percent)
    with contextlib.suppress(QueryError):
        left, top, right, bottom = region.box(*size)
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]


@given(st.data(), sizes)
def test_every_box_of_whole_pixels_is_itself(data: st.DataObject, size: tuple[int, int]) -> None:
    """What lies in the picture is never refused nor moved."""
    left, top = data.draw(st.integers(0, size[0] - 1)), data.draw(st.integers(0, size[1] - 1))
    width, height = data.draw(st.integers(1, size[0] - left)), data.draw(st.integers(1, size[1] - top))
    assert Region(left, top, width, height).box(*size) == (left, top, left + width, top + height)


@given(st.decimals(0, 99, places=3), sizes)
def test_percentages_that_add_up_to_the_whole_reach_the_edge(start: Decimal, size: tuple[int, int]) -> None:
    """Whatever binary fractions make of them."""
    assume((100 - start) * size[0] >= 100)
    region = Region.parse(f"{start}%,0%,{100 - start}%,100%")
    assert region.box(*size)[2:] == size
