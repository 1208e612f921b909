"""Processes that read photos for a run: what becomes of it when one of them is ended."""

import multiprocessing
import warnings
from pathlib import Path

import pytest
from shard_writer import write_shards
from small_run import changed, small_recipe, train

from bioclip_search.errors import UsageError
from training.readers import readers_watched


def test_a_reader_that_is_killed_is_one_sentence(tmp_path: Path) -> None:
    """Not a traceback out of the middle of the model; the run can go on."""
    recipe = small_recipe(tmp_path, write_shards(tmp_path / "shards"))
    before = multiprocessing.active_children()  # of other tests, which may not have ended yet

    def kill(step: int) -> None:
        if step == 6:
            (reader,) = (child for child in multiprocessing.active_children() if child not in before)
            reader.kill()
            reader.join()

    with pytest.raises(UsageError, match=r"ended from outside.*data\.workers.*--resume"), readers_watched():
        train(changed(recipe, data={"workers": 1}), tmp_path / "run", at=kill)
    assert train(recipe, tmp_path / "run", resume=True).step == 20


def test_other_errors_and_warnings_stay() -> None:
    """Only what is said of the readers is ours."""
    with pytest.raises(RuntimeError, match="something else"), readers_watched():
        raise RuntimeError("something else")
    with pytest.warns(UserWarning, match="mind this") as told, readers_watched():
        warn("This DataLoader will create 9 worker processes in total.", "mind this")
    assert len(told) == 1


def warn(*sentences: str) -> None:
    for sentence in sentences:
        warnings.warn(sentence, stacklevel=1)
