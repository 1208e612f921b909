"""The picture of a run, and its figures in TensorBoard."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from bioclip_search.cli.train_plot import command
from bioclip_search.errors import UsageError
from training.board import Board
from training.metrics import read_metrics
from training.plot import Plotted, loss_plot, ticks, write_plot

BLUE, ORANGE, GREEN = (np.array(ImageColor.getrgb(one)) for one in ("#1f5fa8", "#d98a1f", "#2f8a4c"))


def told(steps: int) -> list[dict[str, float]]:
    """A loss that falls and is rough, a rate that warms up and falls, an accuracy every tenth of the way."""
    rough = np.random.default_rng(0).normal(0, 0.15, steps)
    lines: list[dict[str, float]] = []
    for step in range(steps):
        loss = 0.6 + 3 * math.exp(-4 * step / steps) + rough[step]
        rate = 1e-4 * min(1, (step + 1) * 10 / steps) * 0.5 * (1 + math.cos(math.pi * step / steps))
        lines.append({"step": step + 1, "loss": loss, "lr": rate})
        if (step + 1) % max(1, steps // 10) == 0:
            lines[-1]["zero_shot"] = 0.8 * (step + 1) / steps
    return lines


def places(picture: Image.Image, colour: np.ndarray) -> np.ndarray:
    """Rows and columns within the axes that have a colour: [n, 2]."""
    pixels = np.asarray(picture).astype(int)[60:640, 92:1088]
    return np.argwhere(np.abs(pixels - colour).sum(axis=2) < 30)


@pytest.mark.parametrize("steps", [1, 2, 50, 20_000])
def test_the_curves_are_where_their_values_are(steps: int) -> None:
    """The loss falls from left to right over the whole width, whatever the number of steps."""
    picture = loss_plot(told(steps))
    assert picture.size == (1200, 720)
    loss = places(picture, BLUE)
    assert len(loss) > 0
    assert len(places(picture, GREEN)) > 0
    if steps >= 50:
        first, last = loss[loss[:, 1] < 100], loss[loss[:, 1] > 890]
        assert first[:, 0].mean() + 200 < last[:, 0].mean()  # rows are counted from above
        rate = places(picture, ORANGE)
        assert abs(rate[rate[:, 0].argmin(), 1] - 100) < 60  # the summit is at the end of the warm-up


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_few_and_round(low: float, width: float) -> None:
    """Between the ends, evenly spaced, at least one."""
    if low + width <= low or width < abs(low) * 1e-6:
        return
    found = ticks(low, low + width)
    assert 1 <= len(found) <= 8
    slack = 1e-6 * (width + abs(low))
    assert all(low - slack <= one <= low + width + slack for one in found)


def test_a_run_under_way_is_drawn(tmp_path: Path) -> None:
    """From whole lines, though the last was cut off; a folder without metrics is told."""
    text = "".join(json.dumps(line) + "\n" for line in told(30))
    (tmp_path / "metrics.jsonl").write_text(text + '{"step": 31, "lo')
    read = read_metrics(tmp_path / "metrics.jsonl")
    assert (len(read.lines), read.skipped) == (30, 0)
    done = CliRunner().invoke(command, [str(tmp_path), "--format", "json"], catch_exceptions=False)
    with Image.open(json.loads(done.stdout)["plot"]) as picture:
        assert picture.size == (1200, 720)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["loss.png", "metrics.jsonl"]
    assert write_plot(tmp_path / "nowhere") == Plotted(None, 0)
    with pytest.raises(UsageError, match=r"no metrics\.jsonl"):
        CliRunner().invoke(command, [str(tmp_path / "nowhere")], catch_exceptions=False, standalone_mode=False)


_STEP = b'{"step": 1, "loss": 2.5, "lr": 0.1}\n'


@pytest.mark.parametrize(
    ("odd", "skipped"),
    [
        (b'{"step": 2, "loss": NaN, "lr": null, "zero_shot": NaN}\n', 0),
        (b'{"step": 2, "loss": "low", "lr": [1], "zero_shot": {}}\n{"step": 3, "loss": 1e999}\n', 0),
        (b'[1, 2]\n"step"\n17\nnull\n', 4),
        (b'{"loss": 1.0}\n{"step": "two"}\n{"step": -1}\n', 3),
        (b'{"step": 2, "loss": "\xff\xfe"}\n\xff\xfe\n', 2),
        (b"\n \n\r\n", 0),
        (b'{"step": 2, "lo', 0),
    ],
)
def test_lines_that_are_no_steps_are_skipped_and_counted(tmp_path: Path, odd: bytes, skipped: int) -> None:
    """The others are drawn; values that are no numbers are left out of the curves."""
    (tmp_path / "metrics.jsonl").write_bytes(_STEP + odd)
    done = CliRunner().invoke(command, [str(tmp_path), "--format", "json"], catch_exceptions=False)
    assert json.loads(done.stdout)["skipped"] == skipped
    assert (f"no steps of a run: {skipped}" in done.stderr) == bool(skipped)
    assert (tmp_path / "loss.png").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "tells of no step yet"),
        (b'{"step": 1, "lo', "tells of no step yet"),
        (b"[]\n", "tells of no step yet"),
        (b'{"step": 1, "loss": NaN}\n', "no loss that is a number"),
    ],
)
def test_metrics_without_a_loss_are_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    """And nothing is drawn."""
    (tmp_path / "metrics.jsonl").write_bytes(content)
    with pytest.raises(UsageError, match=sentence):
        CliRunner().invoke(command, [str(tmp_path)], catch_exceptions=False, standalone_mode=False)
    assert [one.name for one in tmp_path.iterdir()] == ["metrics.jsonl"]


_VALUES = st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)


@given(st.lists(st.dictionaries(st.sampled_from(["loss", "lr", "zero_shot", "replay_loss"]), _VALUES), max_size=4))
def test_whatever_metrics_hold_is_drawn(columns: list[dict[str, object]]) -> None:
    """No value breaks the picture of the others."""
    lines = [{"step": number, **values} for number, values in enumerate(columns, start=1)]
    assert loss_plot([*lines, {"step": 9, "loss": 1.0, "lr": 0.1}]).size == (1200, 720)


def test_tensorboard_has_the_same_figures(tmp_path: Path) -> None:
    """Each by its step; later ones of a run that was killed are taken back."""
    pytest.importorskip("tensorboard", reason="the extra `train` is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for first, values in ((0, [3.0, 2.0, 9.0]), (2, [1.0])):
        with Board(tmp_path, first) as board:
            for number, value in enumerate(values, start=first + 1):
                board.write({"step": number, "loss": value, "lr": 0.5})
    found = EventAccumulator(str(tmp_path))
    found.Reload()
    assert [(one.step, one.value) for one in found.Scalars("loss")] == [(1, 3.0), (2, 2.0), (3, 1.0)]
    assert found.Tags()["scalars"] == ["loss", "lr"]


def test_without_tensorboard_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence with both ways out; without a folder nothing is wanted."""
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    with pytest.raises(UsageError, match=r"bioclip-search\[train\]"):
        Board(tmp_path, 0)
    Board(None, 0).write({"step": 1, "loss": 2.0})
