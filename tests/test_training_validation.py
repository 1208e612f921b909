"""Evaluation while training: what is told, which checkpoint stays, and that the training does not feel it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shard_writer import write_shards
from small_run import changed, lines, losses, small_recipe, train

from bioclip_search.embedder import Embedder
from bioclip_search.errors import RecordError, ShardError, UsageError
from bioclip_search.taxonomy import Taxon, TextType
from training.checkpoint import written_checkpoints
from training.loop import run_training
from training.metrics import Silence
from training.reading_parts import ShardSource
from training.run_recipe import RunRecipe
from training.shard_index import open_folder
from training.shard_samples import ShardSamples

EVALUATION = """
[evaluation]
every = 4
photos = 20
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> RunRecipe:
    folder = tmp_path_factory.mktemp("validation")
    shards = write_shards(folder / "shards", (20, 28), taxa=6, val=(12, 9))
    recipe = small_recipe(folder, shards, EVALUATION)
    return changed(recipe, schedule={"steps": 10}, checkpoint={"every": 3, "keep": 1})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, recipe: RunRecipe) -> Path:
    out = tmp_path_factory.mktemp("run")
    report = train(recipe, out)
    measured = {line["step"]: line["zero_shot"] for line in lines(out) if "zero_shot" in line}
    assert list(measured) == [4, 8, 10]
    best = max(measured.values())
    assert report.best == (min(step for step, accuracy in measured.items() if accuracy == best), best)
    return out


def test_the_best_checkpoint_stays(run: Path) -> None:
    """Beside the last one; best.json names it."""
    best = json.loads((run / "best.json").read_text())
    names = {path.name for path in written_checkpoints(run / "checkpoints")}
    assert names == {"step-00000010", f"step-{best['step']:08d}"}
    assert (run / best["checkpoint"]).is_dir()


def test_the_accuracy_is_that_of_the_checkpoint(run: Path, recipe: RunRecipe) -> None:
    """Loaded as any model, with the same photos put to it one by one."""
    folder = open_folder(ShardSource(recipe.data.shards[0].path, split="val"))
    samples = ShardSamples(folder.shards, run / "index")
    asked = np.sort(np.random.default_rng(0).permutation(21)[:20])
    pictures, names = [], []
    for number in asked.tolist():
        jpeg, described = samples.read(number)
        path = run / f"{number}.jpg"
        path.write_bytes(jpeg)
        pictures.append(Image.open(path).convert("RGB"))
        names.append(f"a photo of {Taxon.from_ranks(json.loads(described)).text(TextType.TAXONOMIC_COMMON)}.")
    samples.close()
    embedder = Embedder.load(str(run / "checkpoints" / "step-00000010"), device="cpu", dtype="float32")
    classes = sorted(set(names))
    found = (embedder.encode_images(pictures) @ embedder.encode_texts(classes).T).argmax(axis=1)
    expected = np.mean([classes[one] == name for one, name in zip(found, names, strict=True)])
    assert lines(run)[-1]["zero_shot"] == pytest.approx(expected)


def test_training_does_not_feel_it(tmp_path: Path, run: Path, recipe: RunRecipe) -> None:
    """The losses are those without evaluation; a run may be evaluated more often, and remembers the best."""
    train(replace(recipe, evaluation=None), tmp_path / "without")
    assert losses(tmp_path / "without") == losses(run)
    train(changed(recipe, schedule={"steps": 10}), tmp_path / "run")
    before = json.loads((tmp_path / "run" / "best.json").read_text())
    report = train(changed(recipe, evaluation={"every": 1}), tmp_path / "run", resume=True)
    assert report.best == (before["step"], before["zero_shot"])


def test_an_accuracy_on_other_photos_is_no_best(run: Path, recipe: RunRecipe) -> None:
    """A run that goes on with another evaluation has no best until it is measured again."""
    assert train(changed(recipe, evaluation={"photos": 3}), run, resume=True).best is None


def test_epochs_are_counted_in_batches(tmp_path: Path, recipe: RunRecipe) -> None:
    """48 photos are three batches of 16."""
    short = changed(recipe, evaluation={"every": None, "epochs": 1}, schedule={"steps": 7})
    train(short, tmp_path)
    assert [line["step"] for line in lines(tmp_path) if "zero_shot" in line] == [3, 6, 7]


def test_a_split_must_be_there(tmp_path: Path, recipe: RunRecipe) -> None:
    """Said before the training begins."""
    with pytest.raises(RecordError, match="no split “test”; they have train, val"):
        train(changed(recipe, evaluation={"split": "test"}), tmp_path)


def test_a_shard_that_vanishes_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its sample and its shard, as for those that are trained on."""
    monkeypatch.setattr("training.shard_samples._OPEN_SHARDS", 1)
    shards = write_shards(tmp_path / "shards", val=(4, 4))
    recipe = small_recipe(tmp_path, shards, EVALUATION)

    def vanish(step: int) -> None:
        (shards / "val-000000.tar").unlink(missing_ok=step > 1)

    with pytest.raises(ShardError, match=r"^The sample \d of .*val-000000.tar cannot be read \(No such file"):
        train(recipe, tmp_path / "run", at=vanish)


def test_photos_without_a_name_are_not_asked(tmp_path: Path) -> None:
    """They are of no taxon; where all are so it is said before the training begins."""
    unnamed = dict.fromkeys(range(64, 67), b'{"captions": ["a drawing"]}')  # the first three that are not for training
    some = write_shards(tmp_path / "some", val=(8,), described=unnamed)
    none = write_shards(tmp_path / "none", val=(3,), described=unnamed)
    said: list[str] = []

    class Saying(Silence):
        def say(self, line: str) -> None:
            said.append(line)

    recipe = changed(small_recipe(tmp_path, some, EVALUATION), schedule={"steps": 4})
    run_training(recipe, tmp_path / "run", Saying(), device="cpu")
    assert [line for line in said if "of 5 photos named rightly" in line]
    with pytest.raises(UsageError, match=r"No photo of the split “val” has a name.*evaluation\.split"):
        train(recipe.on_shards([none]), tmp_path / "refused")
    assert not (tmp_path / "refused" / "metrics.jsonl").exists()
