"""Neighbours and centroids, block by block, are what plain numpy finds; texts are compared in blocks too."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioclip_search.identification.block import Block
from bioclip_search.identification.centroids import CENTROID_SHARPNESS, Centroids
from bioclip_search.identification.neighbours import VOTE_SHARPNESS, nearest
from bioclip_search.identification.softmax import softmax
from bioclip_search.identification.taxa import MISSING
from bioclip_search.identification.zero_shot import TextClasses
from bioclip_search.vectors import unit

_DIM = 8


def _photos(count: int, classes: int, seed: int) -> Block:
    """Photos of which some are copies of a file, and some show the same specimen."""
    rng = np.random.default_rng(seed)
    return Block(
        unit(rng.normal(size=(count, _DIM)).astype(np.float32)),
        rng.integers(0, classes, count).astype(np.int32),
        rng.integers(1, max(2, count - 2), count).astype(np.uint64),
        rng.integers(0, max(2, count // 2), count).astype(np.uint64),
        np.asarray([f"{seed}-{number}" for number in range(count)]),
    )


def _cut(photos: Block, size: int) -> Iterator[Block]:
    for start in range(0, len(photos), size):
        yield photos.take(slice(start, start + size))


def _is_kin(one: Block, row: int, other: Block, column: int) -> bool:
    specimen = one.specimens[row]
    return bool(one.contents[row] == other.contents[column] or (specimen and specimen == other.specimens[column]))


_shapes = (st.integers(1, 30), st.integers(1, 6), st.integers(1, 40), st.integers(0, 1000))


@given(*_shapes, st.integers(1, 8))
def test_neighbours_are_those_of_brute_force(count: int, size: int, k: int, seed: int, classes: int) -> None:
    """Whatever the blocks: the same cosines and taxa, and never a copy or the same specimen."""
    photos = _photos(count, classes, seed)
    found = nearest(_cut(photos, size), photos, k)
    for row in range(count):
        others = [column for column in range(count) if not _is_kin(photos, row, photos, column)]
        cosines = photos.vectors[others] @ photos.vectors[row]
        order = np.argsort(-cosines)[:k]
        there = found.classes[row] != MISSING
        assert there.sum() == len(order)
        assert np.allclose(found.scores[row][there], cosines[order], atol=1e-6)
        assert found.classes[row][there].tolist() == photos.classes[others][order].tolist()
        assert found.photos[row][there].tolist() == photos.photos[others][order].tolist()


@given(*_shapes, st.floats(0.1, 10))
def test_votes_are_weighted_by_cosine(count: int, size: int, k: int, seed: int, temperature: float) -> None:
    """A taxon's share is that of exp(cosine × sharpness / temperature) among its neighbours."""
    photos = _photos(count, 4, seed)
    found = nearest(_cut(photos, size), photos, k)
    votes = found.votes(4, temperature)
    for row in range(count):
        there = found.classes[row] != MISSING
        weights = np.exp(found.scores[row][there].astype(float) * VOTE_SHARPNESS / temperature)
        for taxon in range(4):
            mine = weights[found.classes[row][there] == taxon].sum()
            assert votes[row, taxon] == pytest.approx(mine / weights.sum() if there.any() else 0, abs=1e-4)


@given(st.integers(2, 30), st.integers(1, 6), st.integers(0, 1000), st.integers(1, 6))
def test_centroids_are_those_of_brute_force(count: int, size: int, seed: int, classes: int) -> None:
    """Centred, made unit length, averaged without the photo's own kin: the distances of plain numpy."""
    photos = _photos(count, classes, seed)
    logits = Centroids(lambda: _cut(photos, size), classes).logits(photos)
    mean = photos.vectors.astype(np.float64).mean(axis=0)
    normalised = photos.vectors - mean
    normalised /= np.maximum(np.linalg.norm(normalised, axis=1, keepdims=True), 1e-12)
    for row in range(count):
        for taxon in range(classes):
            others = [
                column
                for column in range(count)
                if photos.classes[column] == taxon and not _is_kin(photos, row, photos, column)
            ]
            if not others:
                assert logits[row, taxon] == -np.inf
            else:
                distance = ((normalised[others].mean(axis=0) - normalised[row]) ** 2).sum()
                assert logits[row, taxon] == pytest.approx(-distance / 2 * CENTROID_SHARPNESS, abs=1e-3)


def test_a_stranger_is_compared_with_every_photo() -> None:
    """Without copies and without specimen number nothing is left out."""
    photos = _photos(12, 3, 0)
    stranger = Block(
        photos.vectors[:1],
        *(np.array([value]) for value in (MISSING, 2**60, 0)),
        np.array([""]),  # type: ignore[arg-type]
    )
    assert nearest([photos], stranger, 1).scores[0, 0] == pytest.approx(1)


@given(st.integers(1, 20), st.integers(1, 7), st.data())
def test_texts_are_compared_block_by_block(count: int, size: int, data: st.DataObject) -> None:
    """Only the wanted columns, whatever the blocks; a column of zeros is no text."""
    rng = np.random.default_rng(count)
    columns = rng.normal(size=(_DIM, count)).astype(np.float32)
    columns[:, ::5] = 0
    wanted = np.asarray(sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1))))
    texts = TextClasses(lambda: (columns[:, at : at + size] for at in range(0, count, size)), count, 10.0, wanted)
    queries = rng.normal(size=(3, _DIM)).astype(np.float32)
    expected = np.where(columns.any(axis=0), 10 * queries @ columns, -np.inf)[:, wanted]
    assert np.allclose(texts.logits(queries), expected, atol=1e-4)


def test_a_softmax_of_nothing_is_nothing() -> None:
    """A row that was compared with nothing has no probability at all, and no warning."""
    logits = np.array([[-np.inf, -np.inf], [0, -np.inf], [1000, 1000]], dtype=np.float32)
    assert softmax(logits).tolist() == [[0, 0], [1, 0], [0.5, 0.5]]
