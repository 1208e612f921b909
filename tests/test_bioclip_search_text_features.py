"""Behaviour of the cache of text features."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bioclip_search.embedder import Embedder
from bioclip_search.text_features import TextFeatures, TextKind


@pytest.fixture(scope="module")
def embedder(small_model: Path) -> Embedder:
    """A small real model on the CPU."""
    return Embedder.load(str(small_model), device="cpu", dtype="float32")


def _never() -> Embedder:
    raise AssertionError("the model was asked for")


def _kept(embedder: Embedder, folder: Path, load: Callable[[], Embedder] | None = None) -> TextFeatures:
    return TextFeatures(embedder.fingerprint, load or (lambda: embedder), folder)


def test_a_sentence_has_the_features_that_the_model_gives(embedder: Embedder, tmp_path: Path) -> None:
    """A sentence is embedded as it is."""
    features = _kept(embedder, tmp_path).of(["a moth", "a leaf"], TextKind.SENTENCE)
    assert np.allclose(features, embedder.encode_texts(["a moth", "a leaf"]), atol=1e-6)


def test_a_name_is_the_mean_of_eighty_templates(embedder: Embedder, tmp_path: Path) -> None:
    """A name's features are the unit-length mean of those of 80 sentences, each unit length."""
    import open_clip

    single = embedder.encode_texts([template("Pica pica") for template in open_clip.OPENAI_IMAGENET_TEMPLATES])
    assert len(single) == 80
    mean = single.mean(axis=0)
    features = _kept(embedder, tmp_path).of(["Pica pica"], TextKind.NAME)
    assert np.allclose(features[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_what_is_kept_needs_no_model(embedder: Embedder, tmp_path: Path) -> None:
    """The second time the same features come without the model, in the order and number asked for."""
    first = _kept(embedder, tmp_path).of(["a", "b"], TextKind.SENTENCE)
    again = _kept(embedder, tmp_path, _never).of(["b", "a", "b"], TextKind.SENTENCE)
    assert np.array_equal(again, first[[1, 0, 1]])


def test_a_name_and_a_sentence_of_the_same_words_are_kept_apart(embedder: Embedder, tmp_path: Path) -> None:
    """The way of asking belongs to what is kept."""
    features = _kept(embedder, tmp_path)
    name, sentence = (features.of(["Pica"], kind)[0] for kind in (TextKind.NAME, TextKind.SENTENCE))
    assert not np.allclose(name, sentence, atol=1e-3)


@pytest.mark.parametrize("content", [b"this is no database", b"SQLite format 3\0" + b"\xff" * 200])
def test_a_damaged_cache_is_done_without(embedder: Embedder, tmp_path: Path, content: bytes) -> None:
    """A file that is no database costs the speed, not the answer, and is made anew."""
    (tmp_path / "text-features-2.sqlite").write_bytes(content)
    for _ in range(2):
        assert _kept(embedder, tmp_path).of(["a moth"], TextKind.SENTENCE).shape == (1, embedder.dim)
    assert _kept(embedder, tmp_path, _never).of(["a moth"], TextKind.SENTENCE).shape == (1, embedder.dim)


def test_a_folder_that_cannot_be_written_is_done_without(embedder: Embedder, tmp_path: Path) -> None:
    """Where a file stands in the cache's place the features are still given."""
    (tmp_path / "file").write_text("in the way")
    assert _kept(embedder, tmp_path / "file").of(["a moth"], TextKind.NAME).shape == (1, embedder.dim)


def test_progress_counts_every_text_once(embedder: Embedder, tmp_path: Path) -> None:
    """Texts that are kept already count as done at once."""
    done: list[int] = []
    features = _kept(embedder, tmp_path)
    features.of(["a"], TextKind.SENTENCE)
    features.of(["a", "b", "b", "c"], TextKind.SENTENCE, done.append)
    assert done == [1, 2]
