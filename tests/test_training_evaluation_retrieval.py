"""Retrieval: the figures of INQUIRE against hand and brute force, its tables, and the order of the tree."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioclip_search.errors import RecordError
from bioclip_search.taxonomy import Taxon
from training.evaluation.by_rank import neighbours_by_rank, rank_tree
from training.evaluation.hierarchy import agreement, centroids_of, project, spearman
from training.evaluation.inquire import read_queries, relevant_photos
from training.evaluation.paper import paper_tables
from training.evaluation.retrieval import (
    Found,
    average_precision,
    found_by_photos,
    found_by_texts,
    ndcg,
    nearest_others,
    reciprocal_rank,
    retrieval,
)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def found(hits: list[int], relevant: int) -> Found:
    return Found(np.array([hits], dtype=bool), np.array([relevant]))


def test_a_ranking_worked_out_by_hand() -> None:
    """Relevant at places 1 and 3 of four, three relevant in all."""
    one = found([1, 0, 1, 0], 3)
    assert average_precision(one, 4)[0] == pytest.approx((1 / 1 + 2 / 3) / 3)
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(one, 4)[0] == pytest.approx((1 + 1 / math.log2(4)) / ideal)
    assert reciprocal_rank(one, 4)[0] == 1
    assert reciprocal_rank(found([0, 0, 1], 1))[0] == pytest.approx(1 / 3)
    assert reciprocal_rank(found([0, 0, 1], 1), 2)[0] == 0


def test_more_relevant_photos_than_places_can_still_be_perfect() -> None:
    """With 80 relevant photos, 50 of them in the first 50 places are the best there is."""
    best = found([1] * 50, 80)
    assert average_precision(best)[0] == pytest.approx(1)
    assert ndcg(best)[0] == pytest.approx(1)


@given(st.lists(st.booleans(), min_size=1, max_size=70), st.integers(0, 30))
def test_figures_equal_brute_force(hits: list[bool], missed: int) -> None:
    """AP, nDCG and the reciprocal rank at 50, counted place by place."""
    relevant = sum(hits) + missed
    first = hits[:50]
    one = found([*hits], relevant)
    precisions = [sum(first[: place + 1]) / (place + 1) for place, hit in enumerate(first) if hit]
    gains = sum(1 / math.log2(place + 2) for place, hit in enumerate(first) if hit)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(relevant, 50)))
    assert average_precision(one)[0] == pytest.approx(sum(precisions) / min(relevant, 50) if relevant else 0)
    assert ndcg(one)[0] == pytest.approx(gains / ideal if relevant else 0)
    assert reciprocal_rank(one)[0] == pytest.approx(1 / (first.index(True) + 1) if any(first) else 0)


@given(st.integers(0, 300))
def test_photos_find_their_species_among_other_specimens(seed: int) -> None:
    """Every photo's ranking, sorted anew: its own specimen is neither found nor looked for."""
    rng = np.random.default_rng(seed)
    images, species, specimens = unit(rng.normal(size=(18, 5))), rng.integers(4, size=18), rng.integers(12, size=18)
    result = found_by_photos(images, species, specimens)
    nearest = nearest_others(images, specimens)
    for row in range(18):
        others = [n for n in range(18) if specimens[n] != specimens[row]]
        others.sort(key=lambda n: -float(images[n] @ images[row]))
        wanted = [bool(species[n] == species[row]) for n in others]
        assert result.hits[row, : len(others)].tolist() == wanted
        assert not result.hits[row, len(others) :].any()
        assert result.relevant[row] == sum(wanted)
        assert nearest[row] == others[0]


def test_the_most_similar_photo_is_found_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are compared at a time; where all photos are of one specimen there is none."""
    rng = np.random.default_rng(0)
    images, specimens = unit(rng.normal(size=(70, 4)).astype(np.float32)), rng.integers(0, 30, 70)
    cosines = images @ images.T
    cosines[specimens[:, None] == specimens[None]] = -np.inf
    monkeypatch.setattr("training.evaluation.retrieval._AT_ONCE", 8)
    monkeypatch.setattr("training.evaluation.retrieval._MOST_CELLS", 8 * 9)
    assert np.array_equal(nearest_others(images, specimens), cosines.argmax(axis=1))
    assert set(nearest_others(images, np.zeros(70, dtype=np.int64)).tolist()) == {-1}


def test_queries_that_nothing_answers_are_left_out() -> None:
    """Means are over the others; without any there is no figure."""
    texts, images = np.eye(2, 4, dtype=np.float32), np.eye(4, dtype=np.float32)
    meant = np.array([[True, False, False, False], [False] * 4])
    result = found_by_texts(texts, images, iter(meant))
    figures = retrieval(result)
    assert figures is not None
    assert figures.queries == 1
    assert figures.recall == {1: 1.0, 5: 1.0, 10: 1.0}
    assert retrieval(result.take(result.relevant == 0)) is None


def test_inquires_two_tables_are_read(tmp_path: Path) -> None:
    """Queries and annotations are joined by query_id; paths may begin in another folder."""
    (tmp_path / "queries.csv").write_text(
        ",query_id,query_text,supercategory\n0,7,a wasp on a leaf,Context\n1,9,an oak,Species\n2,11,a gall,Context\n"
    )
    (tmp_path / "annotations.csv").write_text("query_id,image_path\n7,train/a/1.jpg\n7,a/2.jpg\n9,b/1.jpg\n99,x.jpg\n")
    queries = read_queries(tmp_path / "queries.csv", tmp_path / "annotations.csv")
    assert [query.text for query in queries] == ["a wasp on a leaf", "an oak", "a gall"]
    assert [query.group for query in queries] == ["Context", "Species", "Context"]
    meant = list(relevant_photos(queries, ["a/1.jpg", "a/2.jpg", "photos/b/1.jpg", "1.jpg"]))
    assert [row.tolist() for row in meant] == [[True, True, False, False], [False, False, True, False], [False] * 4]


def test_one_table_with_relevance_does_as_well(tmp_path: Path) -> None:
    """A row a photo; those of relevance 0 do not answer."""
    table = tmp_path / "queries.csv"
    table.write_text("query,image_path,relevance\nan oak,1.jpg,1\nan oak,2.jpg,0\na wasp,2.jpg,1\n")
    queries = read_queries(table)
    assert [(query.text, query.images) for query in queries] == [("an oak", {"1.jpg"}), ("a wasp", {"2.jpg"})]


@pytest.mark.parametrize(
    ("content", "reason"),
    [("name\nx\n", "no column of the text"), ("query_text\nan oak\n", "no photo that answers")],
)
def test_tables_that_are_no_queries_are_refused(tmp_path: Path, content: str, reason: str) -> None:
    """One sentence says what is missing."""
    (tmp_path / "queries.csv").write_text(content)
    with pytest.raises(RecordError, match=reason):
        read_queries(tmp_path / "queries.csv")


def test_spearman_by_hand() -> None:
    """Equal values share their rank: 1, 2.5, 2.5, 4 against 1, 2, 3, 4."""
    assert spearman(np.array([1.0, 5.0, 5.0, 9.0]), np.array([1, 2, 3, 4])) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert spearman(np.array([3.0, 2.0, 1.0]), np.array([1, 2, 3])) == pytest.approx(-1)
    assert spearman(np.array([1.0, 1.0]), np.array([1, 2])) is None


def test_features_laid_out_as_the_tree_agree_with_it() -> None:
    """Axes for family, genus and species, each weaker than the one before: every order of distances is right."""
    taxa, vectors = [], []
    for number in range(8):
        family, genus = number // 4, number // 2
        taxa.append(Taxon("Animalia", "A", "B", "C", f"F{family}idae", f"G{genus}", f"G{genus} s{number}"))
        vector = np.zeros(14)
        vector[family], vector[2 + genus], vector[6 + number] = 4, 2, 1
        vectors.append(vector)
    features = unit(np.array(vectors))
    right = agreement(rank_tree(taxa), features, np.arange(8))
    assert (right.species, right.pairs) == (8, 28)
    assert right.spearman == pytest.approx(1)
    shuffled = agreement(rank_tree(taxa), features[[0, 2, 4, 6, 1, 3, 5, 7]], np.arange(8))
    assert shuffled.spearman is not None
    assert shuffled.spearman < 0.5


def test_the_projection_keeps_what_lies_in_a_plane() -> None:
    """Distances in a plane survive, all variance is explained, and the result is the same again."""
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(20, 2))
    features = (plane @ np.linalg.qr(rng.normal(size=(6, 2)))[0].T + 3).astype(np.float32)
    found_plane = project(features)
    assert found_plane.explained == pytest.approx(1, abs=1e-5)
    distances = np.linalg.norm(plane[:, None] - plane[None], axis=-1)
    again = np.linalg.norm(found_plane.points[:, None] - found_plane.points[None], axis=-1)
    assert again == pytest.approx(distances, abs=1e-4)


def test_a_centroid_is_the_direction_of_the_mean() -> None:
    """Species without photos have none."""
    images = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    centroids, species = centroids_of(images, np.array([0, 0, 2]), 3)
    assert species.tolist() == [0, 2]
    assert centroids == pytest.approx(np.array([[math.sqrt(0.5), math.sqrt(0.5)], [1, 0]]), abs=1e-6)


def test_the_most_similar_photo_is_asked_only_where_it_can_be_right() -> None:
    """A species of one specimen counts at its genus, not at species."""
    taxa = [Taxon(genus="Pieris", species="Pieris rapae"), Taxon(genus="Pieris", species="Pieris napi")]
    images = unit(np.array([[1.0, 0.0], [1.0, 0.1], [0.9, 0.2]]))
    shares, counts = neighbours_by_rank(rank_tree(taxa), images, np.array([0, 0, 1]), np.array([0, 1, 2]))
    assert {rank.value: count for rank, count in counts.items()} == {"genus": 3, "species": 2}
    assert {rank.value: share for rank, share in shares.items()} == {"genus": 1.0, "species": 1.0}


def test_the_published_tables_are_whole() -> None:
    """Every model has a figure for every column, and every table says where it is from."""
    for table in paper_tables():
        assert table.source
        for row in table.rows.values():
            assert len(row) == len(table.columns)
            assert all(0 <= figure <= 100 for figure in row)
