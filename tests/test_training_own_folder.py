"""Where `train run` writes: a new folder or its own, and nothing among other things."""

from pathlib import Path

import pytest
from helpers import Command, draw_photo
from shard_writer import write_shards
from small_run import MODEL, REST

from bioclip_search.errors import UsageError
from training.own_folder import require_results_folder, require_run_folder


def test_a_run_is_not_put_among_other_things(tmp_path: Path, run: Command) -> None:
    """Into shards or photos nothing is written; beside a recipe it may be."""
    shards = write_shards(tmp_path / "shards")
    recipe = tmp_path / "run" / "recipe.toml"
    recipe.parent.mkdir()
    recipe.write_text(MODEL + REST)
    draw_photo(tmp_path / "photos" / "a.jpg", seed=1)
    asked = ("train", "run", recipe, "--shards", shards, "--device", "cpu", "--out")
    for place, sentence in ((shards, "is a folder of training shards"), (tmp_path / "photos", "holds other things")):
        before = sorted(place.iterdir())
        refused = run(*asked, place)
        assert (refused.code, sentence in refused.err, "--out" in refused.err) == (2, True, True)
        assert sorted(place.iterdir()) == before
    done = run(*asked, recipe.parent)
    assert done.code == 0, done.err
    assert "holds a run already" in run(*asked, recipe.parent).err


@pytest.mark.parametrize("names", [[], [".DS_Store"], ["index"], ["checkpoints", "notes.txt"], ["metrics.jsonl", "b"]])
def test_a_runs_own_folder_may_hold_more(tmp_path: Path, names: list[str]) -> None:
    """What was begun goes on, and notes of one's own do no harm."""
    for name in names:
        (tmp_path / name).touch()
    require_run_folder(tmp_path)
    require_run_folder(tmp_path / "new" / "one")


def test_a_run_is_no_place_for_results(tmp_path: Path) -> None:
    """Nor results for a run."""
    (tmp_path / "metrics.jsonl").touch()
    with pytest.raises(UsageError, match=r"other things than results of `train eval` \(metrics\.jsonl\)"):
        require_results_folder(tmp_path)
