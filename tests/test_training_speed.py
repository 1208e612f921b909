"""How fast a training is: operations by formula, the clock, and the kernels that are made for it."""

import time
from pathlib import Path

import open_clip
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from shard_writer import write_shards
from small_run import changed, lines, small_recipe, train
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from training.clock import Clock, duration
from training.distributed import world
from training.flops import peak_flops, training_flops
from training.initial import initial_model
from training.state import first_state

B_16 = {
    "embed_dim": 512,
    "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12},
}
TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8, "head_width": 32},
    "text_cfg": {"context_length": 24, "vocab_size": 100, "width": 16, "heads": 2, "layers": 3},
}


def test_the_operations_of_vit_b_16_are_known() -> None:
    """41.1 GFLOP forward a pair (35.2 for the photo, 5.96 for the text), thrice that with the way back."""
    whole = training_flops(B_16)
    assert whole == pytest.approx(3 * 41.1e9, rel=0.005)
    assert training_flops(B_16, ["text"]) == pytest.approx(3 * 35.2e9 + 5.96e9, rel=0.005)
    assert training_flops(B_16, ["image"]) == pytest.approx(35.2e9 + 3 * 5.96e9, rel=0.005)


def test_the_formula_counts_what_torch_counts() -> None:
    """On the way that training takes; to a hundredth, for the way back to the pixels is not gone."""
    model = open_clip.CLIP(**TINY).train()
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(torch.randn(2, 3, 32, 32), torch.randint(1, 100, (2, 24)))
    expected = training_flops(TINY)
    assert expected is not None
    assert counter.get_total_flops() / 2 * 3 == pytest.approx(expected, rel=0.01)


def test_what_is_not_known_has_no_figure() -> None:
    """Rather than a wrong one: other towers, other devices, parts of devices."""
    assert training_flops(TINY | {"vision_cfg": {"layers": [1, 1, 1, 1], "width": 24, "image_size": 112}}) is None
    assert training_flops(TINY | {"vision_cfg": {"timm_model_name": "resnet18"}}) is None
    assert training_flops(TINY | {"text_cfg": {"hf_model_name": "roberta-base"}}) is None
    assert peak_flops("NVIDIA H200") == 989.4e12
    assert peak_flops("NVIDIA H100 80GB HBM3 MIG 1g.10gb") is None


def test_the_clock_tells_speed_wait_and_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the step for the speed, by the last steps for the rest; pauses are no wait for data."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Clock(64, step_share=0.5)
    now[0] += 1
    clock.data_came()
    now[0] += 1
    expected = {"samples_per_second": 32, "data_wait": 0.5, "mfu": 0.25, "seconds_left": 20}
    assert clock.step_done(left=10) == expected
    now[0] += 6  # an evaluation
    clock.go_on()
    clock.data_came()
    now[0] += 2
    assert clock.step_done(left=10) == {"samples_per_second": 32, "data_wait": 0, "mfu": 0.25, "seconds_left": 50}
    assert clock.sentence_due() is False
    assert "mfu" not in Clock(64).step_done(left=1)


@given(st.floats(0, 1e7))
def test_a_duration_is_told_in_two_words_at_most(seconds: float) -> None:
    """With units that people use."""
    words = duration(seconds).split()
    assert len(words) in (2, 4)
    assert float(words[0]) < 365


@pytest.mark.parametrize(
    ("seconds", "told"), [(45, "45 s"), (720, "12 min"), (3599, "1 h 0 min"), (11100, "3 h 5 min"), (187200, "2 d 4 h")]
)
def test_durations(seconds: float, told: str) -> None:
    """Seconds, minutes, hours, days."""
    assert duration(seconds) == told


def test_the_metrics_tell_the_time_left(tmp_path: Path) -> None:
    """None at the last step; no MFU on a device that has no figure."""
    recipe = changed(small_recipe(tmp_path, write_shards(tmp_path / "shards")), schedule={"steps": 4})
    train(recipe, tmp_path / "run")
    told = lines(tmp_path / "run")
    assert told[0]["seconds_left"] > told[-1]["seconds_left"] == 0
    assert "mfu" not in told[0]


def test_kernels_are_made_when_the_recipe_says_so(tmp_path: Path) -> None:
    """The model keeps the names of its weights; the kernels themselves take a minute, so none are made here."""
    recipe = small_recipe(tmp_path, write_shards(tmp_path / "shards"))
    compiled = changed(recipe, training={"compile": True})
    with world("cpu") as here:
        plain, made = (first_state(one, initial_model(one), (), here).model for one in (recipe, compiled))
    assert (plain._compiled_call_impl, made._compiled_call_impl is None) == (None, False)
    assert plain.state_dict().keys() == made.state_dict().keys()
