"""Temperatures: found where the likelihood is highest, kept by method and model, never blindly sure."""

import math
from pathlib import Path

import numpy as np
import pytest

from bioclip_search.fingerprint import Fingerprint
from bioclip_search.identification.block import Block
from bioclip_search.identification.calibration import Calibration, Judged, calibrate, error, fit, reliability, scored
from bioclip_search.identification.method import ByText, MethodName
from bioclip_search.identification.taxa import TaxonTable
from bioclip_search.identification.temperatures import keep_calibration, kept_temperature
from bioclip_search.identification.zero_shot import TextClasses
from bioclip_search.taxonomy import Taxon


def _drawn(sharpness: float, photos: int = 3_000) -> tuple[ByText, Block]:
    """Photos whose taxa are drawn from softmax(logits × sharpness): the right temperature is 1 / sharpness."""
    rng = np.random.default_rng(0)
    taxa = TaxonTable.of([Taxon(genus=f"G{number}") for number in range(6)])
    vectors = rng.normal(size=(photos, 6)).astype(np.float32)
    chances = np.exp(vectors * sharpness)
    chances /= chances.sum(axis=1, keepdims=True)
    classes = np.array([rng.choice(6, p=row) for row in chances], dtype=np.int32)
    numbers = np.arange(photos)
    block = Block(vectors, classes, numbers.astype(np.uint64), numbers.astype(np.uint64), numbers.astype(np.str_))
    return ByText(taxa, TextClasses(lambda: [np.eye(6, dtype=np.float32)], 6, 1.0)), block


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_of_drawn_photos_is_found_again(sharpness: float) -> None:
    """Where chances are known, the fitted temperature is theirs, and the calibration error falls."""
    method, block = _drawn(sharpness)
    found = calibrate(method, scored(method, [block.take(slice(0, 1_500)), block.take(slice(1_500, None))]))
    assert found.temperature == pytest.approx(1 / sharpness, rel=0.15)
    assert found.photos == 3_000
    assert found.loss_after <= found.loss_before
    assert found.error_after < 0.04


def test_the_fit_finds_the_least_loss() -> None:
    """Over four decades, to a hundredth."""
    for wanted in (0.02, 0.7, 30.0):
        assert fit(lambda value, wanted=wanted: (math.log(value / wanted)) ** 2) == pytest.approx(wanted, rel=0.01)


def test_right_answers_alone_do_not_make_blind_confidence() -> None:
    """Ten right answers of ten speak for less than certainty."""
    told = np.ones((10, 1), dtype=bool)
    losses = {sure: Judged(np.full((10, 1), sure), told, told).loss for sure in (0.5, 0.92, 0.999999)}
    assert losses[0.92] < min(losses[0.5], losses[0.999999])


def test_reliability_counts_what_was_told() -> None:
    """Bins of a tenth; a rank that a determination leaves out does not count."""
    found = Judged(
        np.array([[0.95, 0.35], [0.91, 0.31], [0.05, 0.5]]),
        np.array([[True, False], [False, True], [False, True]]),
        np.array([[True, True], [True, True], [True, False]]),
    )
    bins = reliability(found)
    assert [part.count for part in bins] == [1, 2, 2]
    assert [part.accuracy for part in bins] == [0, 0.5, 0.5]
    assert error(found) == pytest.approx((0.05 + 2 * abs(0.33 - 0.5) + 2 * abs(0.93 - 0.5)) / 5)


def test_temperatures_are_kept_by_method_and_model(tmp_path: Path) -> None:
    """Another method or another model has its own; a damaged file is as good as none."""
    model = Fingerprint("m", "ViT", 4, "squash", "a" * 64)
    other = Fingerprint("m", "ViT", 4, "squash", "b" * 64)
    assert kept_temperature(tmp_path, MethodName.ZERO_SHOT, model) is None
    for temperature, fingerprint in ((0.5, model), (2.0, other)):
        keep_calibration(tmp_path, MethodName.ZERO_SHOT, fingerprint, Calibration(temperature, 9, 1, 1, 0, 0))
    assert kept_temperature(tmp_path, MethodName.ZERO_SHOT, model) == 0.5
    assert kept_temperature(tmp_path, MethodName.ZERO_SHOT, other) == 2.0
    assert kept_temperature(tmp_path, MethodName.NEIGHBOURS, model) is None
    for damage in ("[", "[1]", '{"zero-shot": 3}'):
        (tmp_path / "identification.json").write_text(damage)
        assert kept_temperature(tmp_path, MethodName.ZERO_SHOT, model) is None
    keep_calibration(tmp_path, MethodName.CENTROIDS, model, Calibration(3.0, 9, 1, 1, 0, 0))
    assert kept_temperature(tmp_path, MethodName.CENTROIDS, model) == 3.0
