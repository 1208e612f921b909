"""A stage: order kept, a bounded number ahead, stopping and errors."""

import threading
from collections.abc import Iterator

import pytest

from indexer.stage import Stage


def test_results_keep_their_order_whatever_takes_longest() -> None:
    """A slow first item does not let the second overtake it."""
    second_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert second_done.wait(30)
        if number == 1:
            second_done.set()
        return number * 10

    assert list(Stage(threads=2, ahead=4).run(work, range(6))) == [0, 10, 20, 30, 40, 50]


def test_no_more_items_are_taken_than_may_be_ahead() -> None:
    """Memory is bounded by `ahead`, not by the number of items."""
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(1_000):
            taken += 1
            yield number

    results = Stage(threads=2, ahead=5).run(lambda number: number, items())
    for result in range(100):
        assert next(results) == result
        assert taken <= result + 5
    results.close()
    assert taken <= 105


def test_a_wish_to_stop_ends_with_what_is_worked_on() -> None:
    """What has begun is delivered, what waits is not begun."""
    started: list[int] = []
    stop = threading.Event()

    def work(number: int) -> int:
        started.append(number)
        if number == 1:
            stop.set()
        return number

    results = list(Stage(threads=1, ahead=8).run(work, range(1_000), stop.is_set))
    assert results == started
    assert 2 <= len(started) < 20


def test_an_error_in_the_work_is_raised_to_the_taker() -> None:
    """A full disk in the last stage ends the run."""
    with pytest.raises(OSError, match="full"):
        list(Stage(threads=2, ahead=3).run(_fail, range(10)))


def _fail(number: int) -> int:
    if number == 4:
        raise OSError("full")
    return number


def test_a_stage_tells_how_long_it_worked_and_was_waited_for() -> None:
    """A stage that does nothing was not busy for long."""
    stage = Stage(threads=1, ahead=1)
    assert list(stage.run(lambda number: sum(range(200_000)) + number, range(20)))
    assert stage.busy.seconds > 0
    assert stage.waited > 0
