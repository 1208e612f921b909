"""Features of many photos: on the disk, in memory only in parts, and the same as plain arrays."""

import tracemalloc
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shard_writer import write_shards

from bioclip_search.embedder import Features
from bioclip_search.errors import ShardError, UnreadablePhoto, UsageError
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.taxonomy import Taxon
from bioclip_search.vectors import unit
from training.evaluation import arrays
from training.evaluation.arrays import directions, row_slices, selected
from training.evaluation.features import features_of, is_readable
from training.evaluation.few_shot import few_shot
from training.evaluation.photos import Photo, Photos, of_shards
from training.metrics import Silence

DIM = 256


class Numbered:
    """Gives a photo whose file is a number the vector of that number; “bad” cannot be read."""

    name = identity = "numbered"
    dim = DIM
    fingerprint: Fingerprint | None = None

    def prepare(self, data: bytes, name: str) -> npt.NDArray[np.uint8]:
        if data == b"bad":
            raise UnreadablePhoto(f"{name} is bad")
        return np.frombuffer(data.rjust(8, b"0"), dtype=np.uint8)

    def encode(self, pixels: npt.NDArray[np.uint8]) -> Features:
        numbers = [int(bytes(row)) for row in pixels]
        return np.asarray(numbers, dtype=np.float32)[:, None] + np.arange(DIM, dtype=np.float32)


def photos(count: int, bad: int | None = None) -> Photos:
    def read(place: int) -> bytes:
        return b"bad" if place == bad else str(place).encode()

    taxon = Taxon(genus="Danaus", species="Danaus plexippus")
    return Photos("made", tuple(Photo(str(n), taxon, str(n), "", read, n) for n in range(count)))


def test_features_of_many_photos_do_not_fill_the_memory(tmp_path: Path) -> None:
    """Their array grows in a file; a second time it is read from there."""
    many = photos(20_000)
    tracemalloc.start()
    found = features_of(Numbered(), many, tmp_path, Silence())
    again = features_of(Numbered(), many, tmp_path, Silence())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < found.nbytes / 3
    assert found.shape == (20_000, DIM)
    assert found[12_345].tolist() == list(range(12_345, 12_345 + DIM))
    assert np.array_equal(found, again)
    assert [file.suffix for file in tmp_path.iterdir()] == [".npy"]


def test_a_photo_that_was_unreadable_is_read_again(tmp_path: Path) -> None:
    """The others have their features all the same."""
    found = features_of(Numbered(), photos(100, bad=7), tmp_path, Silence())
    assert np.flatnonzero(~is_readable(found)).tolist() == [7]
    assert is_readable(features_of(Numbered(), photos(100), tmp_path, Silence())).all()


def test_an_interruption_leaves_no_half_file(tmp_path: Path) -> None:
    """Nothing has the name before it is whole."""

    class Stopping(Silence):
        def advance(self, photos: int) -> None:  # noqa: ARG002
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        features_of(Numbered(), photos(100), tmp_path, Stopping())
    assert list(tmp_path.iterdir()) == []


def test_features_that_cannot_be_kept_are_one_sentence(tmp_path: Path) -> None:
    """Where a file has the folder's name."""
    (tmp_path / "features").touch()
    with pytest.raises(UsageError, match="name another --output"):
        features_of(Numbered(), photos(3), tmp_path / "features", Silence())


def test_a_shard_that_vanished_is_not_blamed_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read is told, by its sample and its shard."""
    monkeypatch.setattr("training.shard_samples._OPEN_SHARDS", 1)
    shards = write_shards(tmp_path / "shards", (2, 2))
    found = of_shards(shards, "train", tmp_path / "index", lambda _: None)
    (shards / "train-000000.tar").unlink()
    with pytest.raises(ShardError, match=r"^The sample 0 of .*train-000000.tar cannot be read \(No such file"):
        features_of(Numbered(), found, tmp_path / "features", Silence())
    assert list((tmp_path / "features").iterdir()) == []


@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_parts_are_those_of_plain_arrays(count: int, seed: int, is_unit: bool) -> None:
    """Selected rows and directions, whatever the number of rows; what is whole or of unit length is not copied."""
    import tempfile

    rng = np.random.default_rng(seed)
    some = rng.normal(size=(count, 5)).astype(np.float32)
    some = unit(some) if is_unit else some
    rows = np.flatnonzero(rng.random(count) < 0.5)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "_ROWS", 7)
        assert np.concatenate([np.arange(count)[part] for part in row_slices(count)]).tolist() == list(range(count))
        if len(rows):
            assert np.array_equal(selected(some, rows, Path(folder)), some[rows])
        assert selected(some, np.arange(count), Path(folder)) is some
        assert np.allclose(directions(some, Path(folder)), unit(some), atol=1e-5)
        assert (directions(some, Path(folder)) is some) == is_unit
        assert list(Path(folder).iterdir()) == []


def test_few_shot_is_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many photos are asked for at a time."""
    rng = np.random.default_rng(0)
    images, species = rng.normal(size=(90, 8)).astype(np.float32), rng.integers(0, 6, 90)
    whole = few_shot(images, species, 3)
    monkeypatch.setattr("training.evaluation.few_shot._ASKED_AT_ONCE", 5)
    assert few_shot(images, species, 3) == whole
