"""Accuracy of a model: zero-shot, few-shot and by rank, each against a plain computation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioclip_search.taxonomy import Rank, Taxon, TextType
from training.evaluation.by_rank import by_rank, heights, rank_tree
from training.evaluation.few_shot import draw_fold, few_shot, nearest_neighbour, simple_shot
from training.evaluation.trust import trust
from training.evaluation.zero_shot import text_labels, zero_shot

MONARCH = Taxon("Animalia", "Arthropoda", "Insecta", "Lepidoptera", "Nymphalidae", "Danaus", "Danaus plexippus")
QUEEN = Taxon("Animalia", "Arthropoda", "Insecta", "Lepidoptera", "Nymphalidae", "Danaus", "Danaus gilippus")
WHITE = Taxon("Animalia", "Arthropoda", "Insecta", "Lepidoptera", "Pieridae", "Pieris", "Pieris rapae")
OAK = Taxon("Plantae", "Tracheophyta", "Magnoliopsida", "Fagales", "Fagaceae", "Quercus", "Quercus robur")
TAXA = (MONARCH, QUEEN, WHITE, OAK)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def random_photos(count: int, species: int, seed: int, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Unit features around a centre for each species, and their species."""
    rng = np.random.default_rng(seed)
    truth = np.arange(count) % species
    centres = rng.normal(size=(species, 16))
    return unit(centres[truth] + spread * rng.normal(size=(count, 16))), truth


@given(st.integers(0, 1000), st.integers(2, 9), st.integers(1, 40))
def test_zero_shot_equals_a_plain_computation(seed: int, classes: int, photos: int) -> None:
    """First, among the first five, and the mean over classes, counted one photo at a time."""
    rng = np.random.default_rng(seed)
    texts, images = unit(rng.normal(size=(classes, 8))), unit(rng.normal(size=(photos, 8)))
    truth = rng.integers(classes, size=photos)
    first, five, of_class = [], [], {int(name): [] for name in truth}
    for image, own in zip(images, truth, strict=True):
        order = sorted(range(classes), key=lambda name: -float(np.dot(texts[name], image)))
        first.append(order[0] == own)
        five.append(own in order[:5])
        of_class[int(own)].append(order[0] == own)
    found = zero_shot(images, texts, truth)
    assert found.top1 == pytest.approx(np.mean(first))
    assert found.top5 == pytest.approx(np.mean(five))
    assert found.mean_per_class == pytest.approx(np.mean([np.mean(right) for right in of_class.values()]))


def test_equal_texts_are_one_class() -> None:
    """Taxa that a type of text calls the same cannot be told apart by it."""
    taxa = [Taxon(genus="Pieris", species=f"Pieris {epithet}", common_name="white") for epithet in ("rapae", "napi")]
    assert text_labels(taxa, TextType.COMMON).texts == ("white",)
    assert text_labels(taxa, TextType.COMMON).of_taxon.tolist() == [0, 0]
    assert text_labels(taxa, TextType.SCIENTIFIC).of_taxon.tolist() == [0, 1]


@given(st.integers(0, 1000), st.integers(2, 6), st.integers(1, 4))
def test_simple_shot_equals_a_plain_computation(seed: int, species: int, shots: int) -> None:
    """Centred on the support, normalised, nearest mean: step by step, in double precision."""
    support, names = random_photos(species * shots, species, seed)
    queries, _ = random_photos(30, species, seed + 1)
    names = names * 7 + 3
    centre = support.astype(np.float64).mean(axis=0)
    shifted = [(one - centre) / np.linalg.norm(one - centre) for one in support.astype(np.float64)]
    expected = []
    for query in queries.astype(np.float64):
        moved = (query - centre) / np.linalg.norm(query - centre)
        means = {n: np.mean([s for s, own in zip(shifted, names, strict=True) if own == n], axis=0) for n in set(names)}
        expected.append(min(means, key=lambda n: float(np.linalg.norm(moved - means[n]))))
    assert simple_shot(support, names, queries).tolist() == expected


def test_the_nearest_support_photo_decides() -> None:
    """Plain Euclidean nearest neighbour, whatever the lengths."""
    rng = np.random.default_rng(5)
    support, queries = rng.normal(size=(20, 6)).astype(np.float32), rng.normal(size=(50, 6)).astype(np.float32)
    names = rng.integers(4, size=20)
    expected = [names[np.argmin([np.linalg.norm(query - one) for one in support])] for query in queries]
    assert nearest_neighbour(support, names, queries).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8)), min_size=1, max_size=60), st.integers(1, 3))
def test_a_fold_never_asks_for_a_specimen_that_it_learnt_from(photos: list[tuple[int, int]], shots: int) -> None:
    """Each species gives at most one photo of each of `shots` specimens; queries show others."""
    species, specimens = np.array(photos).T
    fold = draw_fold(species, specimens, shots, np.random.default_rng(0))
    assert not set(specimens[fold.support]) & set(specimens[fold.queries])
    assert not set(fold.support) & set(fold.queries)
    for name in set(species):
        own = [int(one) for one in specimens[fold.support[species[fold.support] == name]]]
        assert len(own) == len(set(own)) == min(shots, len(set(specimens[species == name])))


def test_folds_are_independent_and_follow_from_the_seed() -> None:
    """The same seed, the same accuracies; a fold does not depend on how many there are; another seed differs."""
    images, species = random_photos(60, 6, 1, spread=3.0)
    five = few_shot(images, species, 2, folds=5, seed=4)
    assert five == few_shot(images, species, 2, folds=5, seed=4)
    three, other = few_shot(images, species, 2, folds=3, seed=4), few_shot(images, species, 2, folds=5, seed=5)
    assert five is not None
    assert three is not None
    assert other is not None
    assert five.simple_shot[:3] == three.simple_shot
    assert five.simple_shot != other.simple_shot
    assert five.mean == pytest.approx(sum(five.simple_shot) / 5)
    assert five.std == pytest.approx(np.std(five.simple_shot) * (5 / 4) ** 0.5)
    assert (five.species, five.queries) == (6, 60 - 12)


def test_species_with_too_few_specimens_take_no_part() -> None:
    """Two photos of one specimen are no two shots; without two species there is nothing to tell apart."""
    images, _ = random_photos(6, 2, 2)
    species, specimens = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 2, 3, 4, 4])
    found = few_shot(images, species, 1, specimens=specimens)
    assert found is not None
    assert found.species == 2
    assert few_shot(images, species, 2, specimens=specimens) is None


def test_the_distance_of_two_taxa_is_the_height_of_their_ancestor() -> None:
    """0 for the same, 1 within a genus, 3 within an order, 7 with nothing in common."""
    found = heights(rank_tree(TAXA), np.array([0, 0, 0, 0]), np.array([0, 1, 2, 3]))
    assert found.tolist() == [0, 1, 3, 7]


def test_accuracy_at_a_rank_sums_probabilities() -> None:
    """Two species of one genus together outweigh the best single species of another."""
    images = np.array([[1.0, 0.0, 0.0]], dtype=np.float32)
    classes = unit(np.array([[0.8, 0.6, 0.0], [0.8, 0.0, 0.6], [0.81, 0.5, 0.3], [0.0, 1.0, 0.0]]))
    found = by_rank(rank_tree(TAXA), images, classes, np.array([0]), logit_scale=1.0)
    assert found.of_best[Rank.GENUS] == 0.0
    assert found.summed[Rank.GENUS] == 1.0
    assert found.of_best[Rank.ORDER] == 1.0
    assert found.errors == 1
    assert found.distance == 3


@given(st.integers(0, 200))
def test_accuracy_at_every_rank_equals_a_plain_computation(seed: int) -> None:
    """Softmax, sums by name and the best of them, one photo at a time."""
    rng = np.random.default_rng(seed)
    images, classes = unit(rng.normal(size=(12, 5))), unit(rng.normal(size=(4, 5)))
    truth = rng.integers(4, size=12)
    found = by_rank(rank_tree(TAXA), images, classes, truth, logit_scale=4.0)
    for rank in Rank:
        of_best, summed = [], []
        for image, own in zip(images, truth, strict=True):
            odds = np.exp(4.0 * classes.astype(np.float64) @ image)
            sums: dict[str, float] = {}
            for taxon, share in zip(TAXA, odds / odds.sum(), strict=True):
                name = taxon.name_at(rank) or ""
                sums[name] = sums.get(name, 0.0) + float(share)
            wanted = TAXA[own].name_at(rank)
            of_best.append(TAXA[int(odds.argmax())].name_at(rank) == wanted)
            summed.append(max(sums, key=lambda name: sums[name]) == wanted)
        assert found.of_best[rank] == pytest.approx(np.mean(of_best))
        assert found.summed[rank] == pytest.approx(np.mean(summed))


def test_a_rank_that_a_taxon_leaves_out_does_not_count() -> None:
    """Photos are asked only for the ranks that their own taxon has."""
    taxa = [Taxon(genus="Danaus", species="Danaus plexippus"), WHITE]
    classes = np.eye(2, dtype=np.float32)
    found = by_rank(rank_tree(taxa), classes[[1, 0]], classes, np.array([0, 0]), logit_scale=10.0)
    assert set(found.summed) == {Rank.GENUS, Rank.SPECIES}
    assert found.summed[Rank.SPECIES] == 0.5


def test_calibration_equals_a_plain_computation_and_a_temperature_mends_it() -> None:
    """ECE in ten bins, counted answer by answer; probabilities that are too sure are cooled on the other specimens."""
    rng = np.random.default_rng(2)
    classes = unit(rng.normal(size=(4, 6)))
    truth = np.arange(400) % 4
    images = unit(classes[truth] + rng.normal(size=(400, 6)))
    found = trust(rank_tree(TAXA), images, classes, truth, 60.0, np.arange(400))
    bins: dict[int, list[tuple[float, bool]]] = {}
    for image, own in zip(images, truth, strict=True):
        logits = 60.0 * classes.astype(np.float64) @ image
        odds = np.exp(logits - logits.max())
        sure = float(odds.max() / odds.sum())
        bins.setdefault(min(int(sure * 10), 9), []).append((sure, bool(odds.argmax() == own)))
    gaps = [len(part) * abs(np.mean([s for s, _ in part]) - np.mean([r for _, r in part])) for part in bins.values()]
    assert found.error_at_species == pytest.approx(sum(gaps) / 400, abs=1e-3)
    assert found.temperature is not None
    assert found.error_before is not None
    assert found.error_fitted is not None
    assert found.temperature > 2
    assert found.error_fitted < found.error_before / 2


def test_one_specimen_alone_fits_no_temperature() -> None:
    """There is no other half to measure on."""
    classes = np.eye(4, dtype=np.float32)
    found = trust(rank_tree(TAXA), classes[:2], classes, np.array([0, 1]), 10.0, np.array([5, 5]))
    assert (found.temperature, found.error_before, found.error_fitted) == (None, None, None)
