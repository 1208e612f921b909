"""The card of an exported model: what it is, what it was trained on and how, what was measured and what was not."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bioclip_search.fingerprint import without_place
from bioclip_search.models import architecture
from bioclip_search.text import printable
from training.metrics import read_metrics

__all__ = ["CardWords", "Data", "Origin", "model_card"]

_LAST_STEPS = 50


@dataclass(frozen=True, slots=True)
class CardWords:
    """What a card says that no file knows, in Markdown; without `measured` or `licence` it says what is wanting.

    `pictures` are files that the Markdown shows; they are put beside the card.
    """

    title: str = "A model trained with bioclip-search"
    about: str | None = None
    measured: str | None = None
    licence: str | None = None
    pictures: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Data:
    """One folder of shards: its name, its manifest's SHA-256, and what the manifest says, if it is still there."""

    name: str
    split: str
    digest: str
    source: str | None = None
    samples: int | None = None
    taxa: int | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """How a checkpoint came about; `loss` is the mean of the last steps, None where no metrics are kept."""

    step: int
    samples: int
    recipe: Mapping[str, Any]
    data: tuple[Data, ...]
    loss: float | None

    @classmethod
    def of(cls, state: Mapping[str, Any], checkpoint: Path) -> "Origin":
        """From a checkpoint's state, its run's metrics and its shards' manifests.

        Raises UsageError for metrics that are there and cannot be read.
        """
        recipe = state["recipe"]
        sources = [*recipe["data"]["shards"], *filter(None, [recipe.get("replay")])]
        data = tuple(_data(source, digest) for source, digest in zip(sources, state["shards"], strict=True))
        loss = _last_loss(checkpoint.parent.parent / "metrics.jsonl", int(state["step"]))
        return cls(int(state["step"]), int(state["samples"]), recipe, data, loss)


def _data(source: Mapping[str, Any], digest: str) -> Data:
    folder = Path(str(source["path"]))
    named = Data(folder.name, str(source["split"]), str(digest))
    try:
        text = (folder / "manifest.json").read_bytes()
        if hashlib.sha256(text).hexdigest() != digest:
            return named
        manifest = json.loads(text)
        split = manifest["splits"][named.split]
        return Data(
            named.name, named.split, named.digest, str(manifest["source"]), int(split["samples"]), int(split["taxa"])
        )
    except (OSError, ValueError, LookupError, TypeError):
        return named


def _last_loss(metrics: Path, step: int) -> float | None:
    last = (line.get("loss") for line in read_metrics(metrics).lines if step - _LAST_STEPS < line["step"] <= step)
    losses = [loss for loss in last if isinstance(loss, float) and math.isfinite(loss)]
    return sum(losses) / len(losses) if losses else None


def model_card(
    origin: Origin, config: Mapping[str, Any], dtype: torch.dtype, words: CardWords, *, ema: bool = False
) -> str:
    """The card in Markdown, for weights of some numbers, or (`ema`) for their running mean."""
    preprocess, model = config["preprocess_cfg"], config["model_cfg"]
    numbers = str(dtype).removeprefix("torch.")
    parts = [
        "---\nlibrary_name: open_clip\npipeline_tag: zero-shot-image-classification\n---",
        f"# {words.title}",
        *([words.about.strip()] if words.about else []),
        "## Model",
        f"- Architecture: {architecture(model)}, {model['embed_dim']} dimensions; open_clip format, {numbers} weights"
        f"{' (running mean over the steps)' if ema else ''}.\n"
        f"- Activation: {'QuickGELU' if model.get('quick_gelu') else 'GELU, or what the tower is made of'}.\n"
        f"- Pictures: {_fit(preprocess['resize_mode'])}, {preprocess['interpolation']}; mean {preprocess['mean']}, "
        f"standard deviation {preprocess['std']}.\n"
        f"- Began from: {_beginning(origin.recipe['model'])}.",
        "## Data",
        "\n".join(_data_line(one) for one in origin.data),
        "## Training",
        f"{origin.step:,} steps of {origin.recipe['training']['batch_size']:,} photos, {origin.samples:,} in all. "
        + (
            "The loss of the last steps is not known."
            if origin.loss is None
            else f"Mean loss of the last steps: {origin.loss:.3f}."
        ),
        f"```json\n{_as_json(_public(origin.recipe))}\n```",
        "## Measured",
        words.measured.strip()
        if words.measured
        else "Nothing was measured for this card. `bioclip-search train eval` measures; the loss above is that of "
        "training and tells nothing of other photos.",
        "## Not known",
        "How the model does on other collections, taxa, cameras and languages than those measured above; how its "
        "scores are calibrated there.",
        "## Licence",
        words.licence
        or "Not said. It depends on the photos and on the model it began from; say it before you give this away.",
        "## Use",
        "```\nbioclip-search index PHOTOS --model THIS-FOLDER\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _fit(resize_mode: str) -> str:
    return {"squash": "squashed to the square", "shortest": "cropped to the square"}.get(resize_mode, resize_mode)


def _beginning(part: Mapping[str, Any]) -> str:
    if part.get("init"):
        return f"the model {printable(without_place(str(part['init'])))}"
    if part.get("architecture"):
        return printable(f"{part['architecture']}, {part.get('pretrained') or 'random weights'}")
    return "random weights"


def _data_line(data: Data) -> str:
    counts = (
        f"{data.samples:,} photos of {data.taxa:,} taxa, from {printable(data.source or '')}"
        if data.samples is not None and data.taxa is not None
        else "the manifest is not at hand, so its counts are not known"
    )
    return f"- {printable(data.name)}, split {printable(data.split)}: {counts}. Manifest's SHA-256: `{data.digest}`."


def _public(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe without what it leaves open, and without what tells of somebody's disk."""
    copied: dict[str, Any] = json.loads(json.dumps(recipe))
    for source in (*copied["data"]["shards"], *filter(None, [copied.get("replay")])):
        source["path"] = Path(source["path"]).name
    if init := copied["model"].get("init"):
        copied["model"]["init"] = without_place(init)
    return {
        name: {key: value for key, value in part.items() if value is not None} if isinstance(part, dict) else part
        for name, part in copied.items()
        if part is not None
    }


def _as_json(recipe: Mapping[str, Any]) -> str:
    """One line a section."""
    lines = (f" {json.dumps(name)}: {json.dumps(part, ensure_ascii=False)}" for name, part in recipe.items())
    return "{\n" + ",\n".join(lines) + "\n}"
