"""From shards to batches: the index, the plan, crops and captions."""

import io
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from shard_writer import TAXA, write_shards
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

from bioclip_search.errors import RecordError
from bioclip_search.taxonomy import Taxon, TextType
from training.data import Batch, Captions, Draw, SampleReader, random_crop
from training.loading import chunks_ahead, local_batches
from training.plan import FolderPlan, Position, caption_groups, mixed, rows_of
from training.reading_parts import ShardSource
from training.shard_index import index_all, open_folder, text_number
from training.shard_samples import ShardSamples

BEGINNING = Position()


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"))


def indexed(folder: Path, index: Path) -> ShardSamples:
    opened = open_folder(ShardSource(str(folder)))
    index_all(opened.shards, index, lambda _: None)
    return ShardSamples(opened.shards, index)


def taken(plan: FolderPlan, count: int, start: Position = BEGINNING) -> list[tuple[Position, list[int]]]:
    return [(position, batch.tolist()) for position, batch in itertools.islice(plan.batches(start), count)]


def test_any_sample_is_read_from_its_place(shards: Path, tmp_path: Path) -> None:
    """Picture and taxon of samples in every shard; members for other trainers are passed over."""
    samples = indexed(shards, tmp_path)
    for number in (0, 19, 20, 35, 36, 63):
        jpeg, described = samples.read(number)
        assert json.loads(described)["key"] == f"{number:012d}"
        assert Image.open(io.BytesIO(jpeg)).size == (40, 40)
    taxon = Taxon.from_ranks(TAXA[5])
    assert samples.column("scientific")[5] == text_number(taxon.text(TextType.SCIENTIFIC) or "")
    assert samples.column("common")[5] == text_number("white 5")


def damaged(folder: Path, what: str) -> None:
    """One thing is wrong with the folder."""
    shard, manifest = folder / "train-000001.tar", folder / "manifest.json"
    described = json.loads(manifest.read_text())
    entry = described["splits"]["train"]["shards"][1]
    match what:
        case "missing":
            shard.unlink()
        case "cut off":
            shard.write_bytes(shard.read_bytes()[:5000])
        case "changed":
            content = bytearray(shard.read_bytes())
            content[600] ^= 1
            shard.write_bytes(content)
        case "counted wrongly":
            entry["samples"] += 1
            described["splits"]["train"]["samples"] += 1
        case "outside":
            entry["name"] = "../train-000001.tar"
        case "format":
            described["format"] = 2
    manifest.write_text("{" if what == "no JSON" else json.dumps(described))
    if what == "no manifest":
        manifest.unlink()


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("missing", "train-000001.tar is missing"),
        ("cut off", "is truncated"),
        ("changed", "not the one its manifest describes"),
        ("counted wrongly", "holds 16 samples, not 17"),
        ("outside", "no name of a shard"),
        ("format", "newer format"),
        ("no JSON", "cannot be read"),
        ("no manifest", "no folder of shards"),
    ],
)
def test_damaged_shards_are_told_before_training(tmp_path: Path, what: str, told: str) -> None:
    """A missing shard is an error, not a silent wait."""
    folder = write_shards(tmp_path / "shards")
    damaged(folder, what)
    with pytest.raises(RecordError, match=told):
        indexed(folder, tmp_path / "index")


def test_a_split_that_is_not_there_is_told(shards: Path) -> None:
    """With those that are."""
    with pytest.raises(RecordError, match="no split “val”; they have train"):
        open_folder(ShardSource(str(shards), split="val"))


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    rows=st.integers(1, 12),
    mixed_shards=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
def test_an_epoch_takes_samples_once(sizes: list[int], rows: int, mixed_shards: int, seed: int) -> None:
    """In whole batches; every sample has its turn at most once, and the next epoch is another order."""
    if rows > sum(sizes):
        return
    plan = FolderPlan(tuple(sizes), rows, (seed,), mixed_shards)
    count = plan.batches_an_epoch
    batches = taken(plan, count + 1)
    seen = [sample for _, batch in batches[:count] for sample in batch]
    assert all(len(batch) == rows for _, batch in batches)
    assert len(set(seen)) == len(seen) == count * rows
    assert set(seen) <= set(range(sum(sizes)))
    assert batches[count][0] == Position(1, 1)


@given(skipped=st.integers(0, 20), unique=st.booleans())
def test_a_plan_goes_on_from_any_position(skipped: int, unique: bool) -> None:
    """As if it had not been left."""
    groups = np.arange(31) % 7 if unique else None
    plan = FolderPlan((10, 21), 6, (3,), 1, groups)
    batches = taken(plan, skipped + 8)
    start = batches[skipped - 1][0] if skipped else Position()
    assert taken(plan, 8, start) == batches[skipped:]


def test_samples_of_the_shards_read_together_are_mixed() -> None:
    """With one shard at a time batches keep to it; with two they do not."""
    alone = taken(FolderPlan((50, 50), 25, (0,), 1), 4)
    together = taken(FolderPlan((50, 50), 25, (0,), 2), 4)
    assert all(len({sample < 50 for sample in batch}) == 1 for _, batch in alone)
    assert all(len({sample < 50 for sample in batch}) == 2 for _, batch in together)


@given(st.lists(st.integers(0, 9), min_size=8, max_size=60), st.integers(1, 5), st.integers(0, 99))
def test_unique_batches_hold_a_group_once(groups: list[int], rows: int, seed: int) -> None:
    """And no sample twice an epoch, which has as many batches as it says, and as can be: no sample fits into more."""
    numbers = np.array(groups)
    rows = min(rows, len(set(groups)))
    plan = FolderPlan((len(groups),), rows, (seed,), 1, numbers)
    count = plan.batches_an_epoch
    batches = taken(plan, count + 1)
    assert [position.epoch for position, _ in batches] == [0] * count + [1]
    epoch = [batch for _, batch in batches[:count]]
    assert all(len(set(numbers[batch])) == rows for batch in epoch)
    seen = [sample for batch in epoch for sample in batch]
    assert len(set(seen)) == len(seen)
    sizes = Counter(groups).values()
    assert sum(min(size, count + 1) for size in sizes) < (count + 1) * rows


def test_unique_batches_mix_all_groups() -> None:
    """Any two small groups meet, and an epoch is another than the one before."""
    groups = np.repeat(np.arange(12), 6)
    plan = FolderPlan((72,), 4, (0,), 16, groups)
    epochs = [[batch for _, batch in taken(plan, 18, Position(epoch))] for epoch in range(8)]
    met = {frozenset(pair) for epoch in epochs for batch in epoch for pair in itertools.combinations(groups[batch], 2)}
    assert len(met) == 12 * 11 // 2
    assert epochs[0] != epochs[1]


def test_unique_batches_need_as_many_taxa() -> None:
    """Else it is told, with two ways out; so is a batch larger than all."""
    with pytest.raises(RecordError, match="same_taxon"):
        FolderPlan((40,), 8, (0,), 1, np.arange(40) % 7)
    with pytest.raises(RecordError, match="batch_size"):
        FolderPlan((4, 3), 8, (0,))


def test_groups_join_all_that_could_be_called_alike() -> None:
    """By scientific or common name, and so on from each to the next."""
    groups = caption_groups(np.array([1, 1, 2, 3, 4]), np.array([10, 11, 11, 12, 13]))
    assert len({groups[0], groups[1], groups[2]}) == 1
    assert len(set(groups.tolist())) == 3


def test_folders_share_a_batch() -> None:
    """By their shares, each with a place in its own epoch."""
    assert rows_of(10, [1.0]) == [10]
    assert rows_of(16, [3.0, 1.0]) == [12, 4]
    assert rows_of(10, [1.0, 1.0, 1.0]) == [4, 3, 3]
    assert rows_of(4, [1000.0, 1.0]) == [3, 1]
    plans = [FolderPlan((9,), 3, (0, 0)), FolderPlan((4,), 2, (0, 1))]
    batches = list(itertools.islice(mixed(plans, [Position(), Position()]), 4))
    assert [positions for positions, _ in batches][-1] == [Position(1, 1), Position(1, 2)]
    assert Counter(len(part) for _, parts in batches for part in parts) == {3: 4, 2: 4}


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 99))
def test_a_crop_lies_within_the_picture(width: int, height: int, seed: int) -> None:
    """Whatever the picture's shape."""
    left, top, w, h = random_crop(width, height, (0.9, 1.0), np.random.default_rng(seed))
    assert 0 <= left < left + w <= width
    assert 0 <= top < top + h <= height


@pytest.mark.parametrize("mode", ["BICUBIC", "BILINEAR"])
def test_pictures_are_cropped_and_resized_as_in_open_clip(shards: Path, tmp_path: Path, mode: str) -> None:
    """The same box through torchvision gives the same pixels; the boxes vary."""
    samples = indexed(shards, tmp_path)
    tokenizer, resampling = open_clip.SimpleTokenizer(), Image.Resampling[mode]
    reader = SampleReader([samples], captions(), tokenizer, 32, (0.5, 1.0), resampling)
    boxes = set()
    for row in range(8):
        pixels, _, _ = reader.__getitems__([Draw(3, row, 0, 7)])
        rng = np.random.default_rng((0, 2, 3, row))
        left, top, width, height = random_crop(40, 40, (0.5, 1.0), rng)
        picture = Image.open(io.BytesIO(samples.read(7)[0])).convert("RGB")
        expected = transforms.resized_crop(picture, top, left, height, width, [32, 32], InterpolationMode[mode])
        assert np.array_equal(pixels[0].permute(1, 2, 0).numpy(), np.asarray(expected))
        boxes.add((left, top, width, height))
    assert len(boxes) > 4


def captions(*, each_sample: bool = False, text_types: tuple[TextType, ...] = tuple(TextType)) -> Captions:
    return Captions(text_types, each_sample, "a photo of {}.", 0)


def test_the_text_type_is_drawn_once_a_batch_or_once_a_sample() -> None:
    """And every type has its turn; the global generators are left alone."""
    taxon = Taxon.from_ranks(TAXA[5])
    before = torch.get_rng_state()
    batch = [{captions().of_taxon(taxon, step, row) for row in range(8)} for step in range(60)]
    assert all(len(texts) == 1 for texts in batch)
    every = {f"a photo of {taxon.text(kind)}." for kind in TextType}
    assert set().union(*batch) == every
    assert {captions(each_sample=True).of_taxon(taxon, 0, row) for row in range(60)} == every
    assert torch.equal(before, torch.get_rng_state())


def test_missing_names_fall_back() -> None:
    """A taxon without a common name is called by its scientific one."""
    taxon = Taxon.from_ranks(TAXA[4])
    assert captions(text_types=(TextType.COMMON,)).of_taxon(taxon, 0, 0) == "a photo of Genus4 albus."


def test_a_share_of_samples_has_a_caption_of_its_own() -> None:
    """Drawn by step and row; a sample without any has its taxon's text."""
    taxon, drawn = Taxon.from_ranks(TAXA[5]), replace(captions(), own=0.5)
    texts = [drawn.of_sample(taxon, ["one", "other"], step, row) for step in range(20) for row in range(20)]
    assert texts == [drawn.of_sample(taxon, ["one", "other"], step, row) for step in range(20) for row in range(20)]
    counts = Counter(texts)
    assert 160 < counts["one"] + counts["other"] < 240
    assert min(counts["one"], counts["other"]) > 70
    assert drawn.of_sample(taxon, [], 3, 4) == drawn.of_taxon(taxon, 3, 4)
    assert captions().of_sample(taxon, ["one"], 3, 4) == captions().of_taxon(taxon, 3, 4)


def begun(
    samples: ShardSamples,
    part: slice,
    first_step: int = 0,
    start: Position = BEGINNING,
    workers: int = 0,
    pin: bool = False,
) -> Iterator[Batch]:
    reader = SampleReader([samples], captions(each_sample=True), open_clip.SimpleTokenizer(), 32, (0.9, 1.0))
    plan = FolderPlan((20, 16, 28), 12, (0, 0), 2)
    return local_batches(reader, [plan], [start], first_step, part, workers=workers, pin=pin)


def some(
    samples: ShardSamples, part: slice, first_step: int = 0, start: Position = BEGINNING, workers: int = 0
) -> list[Batch]:
    return list(itertools.islice(begun(samples, part, first_step, start, workers), 6))


def test_a_sample_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    """With its shard, by the process that reads as by its workers."""
    folder = write_shards(tmp_path / "shards")
    samples = indexed(folder, tmp_path / "index")
    shard = folder / "train-000001.tar"
    content = bytearray(shard.read_bytes())
    content[2048 : len(content) // 2] = bytes(len(content) // 2 - 2048)  # damaged after it was checked
    shard.write_bytes(content)
    for workers in (0, 1):
        with pytest.raises(RecordError, match=r"^The sample \d+ .*of .*train-000001.tar cannot be read [^\n]*$"):
            some(samples, slice(0, 12), workers=workers)


def same(one: Batch, other: Batch) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in ("pixels", "tokens", "labels"))


def test_processes_together_see_the_batches_of_one(shards: Path, tmp_path: Path) -> None:
    """Row for row, whatever their number; worker processes and a new beginning change nothing."""
    samples = indexed(shards, tmp_path)
    whole = some(samples, slice(0, 12))
    halves = [some(samples, slice(0, 6)), some(samples, slice(6, 12))]
    for number, batch in enumerate(whole):
        first, second = (half[number] for half in halves)
        joined = (torch.cat([getattr(first, name), getattr(second, name)]) for name in ("pixels", "tokens", "labels"))
        assert same(batch, Batch(*joined, batch.positions))
    later = some(samples, slice(0, 12), 4, whole[3].positions[0])
    assert same(later[0], whole[4])
    assert later[1].positions == whole[5].positions
    by_worker = some(samples, slice(0, 12), workers=1)
    assert all(same(one, other) for one, other in zip(by_worker, whole, strict=True))


def test_workers_make_the_next_batch_while_one_is_learnt_from() -> None:
    """All of it together, but no more than fits into shared memory; without workers nothing is made ahead."""
    assert chunks_ahead(4096, 4) == 8
    assert chunks_ahead(4096, 5) == 7
    assert chunks_ahead(64, 4) == 2
    assert chunks_ahead(32768, 8) == 16
    assert chunks_ahead(64, 0) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="only CUDA copies from pinned memory")
def test_a_whole_batch_is_pinned(shards: Path, tmp_path: Path) -> None:
    """Joined chunks, not only each of them."""
    samples = indexed(shards, tmp_path)
    plain = next(begun(samples, slice(0, 12)))
    pinned = next(begun(samples, slice(0, 12), pin=True))
    assert same(plain, pinned)
    assert all(one.is_pinned() for one in (pinned.pixels, pinned.tokens, pinned.labels))


LEFT_SUSPENDED = """
import sys
from pathlib import Path
from test_training_data import begun, indexed
if __name__ == "__main__":
    batches = begun(indexed(Path(sys.argv[1]), Path(sys.argv[2])), slice(0, 12), workers=1)
    print(len(next(batches).pixels))
"""


def test_a_program_ends_though_its_workers_still_read(tmp_path: Path) -> None:
    """They ignore SIGTERM, by which Python would end them."""
    script = tmp_path / "leaves.py"
    script.write_text(LEFT_SUSPENDED, encoding="utf-8")
    folder = write_shards(tmp_path / "shards")
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(tmp_path / "index")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "12\n"), done.stderr
