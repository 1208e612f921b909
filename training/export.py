"""A trained model as a folder that open_clip and `--model` load: weights, configuration, card.

The configuration says all that decides about the features: activation, mean and standard deviation,
interpolation, and that pictures are squashed. The folder is written aside, tried out, and renamed.
"""

import json
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from bioclip_search.embedder import Embedder
from bioclip_search.errors import BioclipSearchError, UsageError
from bioclip_search.models import TOKENIZER_FILES
from bioclip_search.text import printable
from training.checkpoint import written_checkpoints
from training.model_card import CardWords, Origin, model_card

__all__ = ["NUMBERS", "Exported", "best_checkpoint", "export_model", "newest_checkpoint", "read_origin"]

NUMBERS = ("as-trained", "float32", "bfloat16", "float16")

_MODEL, _CONFIG, _CARD = "open_clip_model.safetensors", "open_clip_config.json", "README.md"
_STATE = "state.json"
_NO_WORDS = CardWords()


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the folder, the step of the run, and bytes of all files."""

    folder: Path
    step: int
    bytes: int


def newest_checkpoint(source: Path) -> Path:
    """A checkpoint as it is, or the last of a run. Raises UsageError for what is neither."""
    if (source / _STATE).is_file():
        return source
    if written := written_checkpoints(source / "checkpoints"):
        return written[-1]
    raise UsageError(
        f"{printable(str(source))} is neither a run with checkpoints nor a checkpoint; name the folder that "
        "`train run --out` was given, or one below its checkpoints/."
    )


def best_checkpoint(run: Path) -> Path:
    """The checkpoint that named most photos of its validation. Raises UsageError where a run had none."""
    try:
        best = json.loads((run / "best.json").read_text(encoding="utf-8"))
        checkpoint = run / "checkpoints" / f"step-{int(best['step']):08d}"
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"{printable(str(run))} is no run whose recipe evaluates ([evaluation]), so none of its checkpoints is "
            "known to be the best; leave --best out, or name a checkpoint."
        ) from error
    return newest_checkpoint(checkpoint)


def read_origin(checkpoint: Path) -> Origin:
    """What is known of how a checkpoint came about. Raises UsageError when it cannot be read."""
    try:
        state = json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
        if state["format"] != 1:
            raise UsageError(f"The checkpoint {printable(str(checkpoint))} is of a newer version; update this program.")
        return Origin.of(state, checkpoint)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _unreadable(checkpoint, error) from error


def export_model(
    checkpoint: Path,
    folder: Path,
    *,
    ema: bool = False,
    numbers: str = "as-trained",
    force: bool = False,
    words: CardWords = _NO_WORDS,
    weights: Mapping[str, torch.Tensor] | None = None,
) -> Exported:
    """Write the model of a checkpoint into `folder`, which must be new, empty, or (with `force`) a model.

    `ema` takes the running mean of the weights; `numbers` is one of NUMBERS; `words` are for the card;
    `weights` stand in for the checkpoint's own. Raises UsageError, InvalidModel for weights that do not
    fit their configuration.
    """
    origin = read_origin(checkpoint)
    _check_free(folder, force)
    tensors = dict(weights) if weights is not None else _weights(checkpoint, ema)
    if numbers != "as-trained":
        tensors = {name: _as_number(tensor, getattr(torch, numbers)) for name, tensor in tensors.items()}
    config = _config(checkpoint)
    card = model_card(origin, config, _number_of_most(tensors), words, ema=ema)
    aside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    try:
        _write(aside, tensors, config, card, [*_tokenizer_files(checkpoint), *words.pictures])
        _try_out(aside, checkpoint)
        size = sum(file.stat().st_size for file in aside.iterdir())
        _put_in_place(aside, folder)
    except (OSError, SafetensorError) as error:
        raise UsageError(f"The model cannot be written to {printable(str(folder))} ({error}).") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Exported(folder, origin.step, size)


def _check_free(folder: Path, force: bool) -> None:
    """Only what is plainly a model is ever replaced."""
    if not folder.exists() and not folder.is_symlink():
        return
    shown = printable(str(folder))
    if not folder.is_dir() or folder.is_symlink():
        raise UsageError(f"{shown} is no folder; name a new one.")
    if not any(folder.iterdir()):
        return
    if not (folder / _CONFIG).is_file() or (folder / _STATE).is_file():
        raise UsageError(f"The folder {shown} holds other things than an exported model; name a new one.")
    if not force:
        raise UsageError(f"The folder {shown} holds a model already; name a new one, or give --force to replace it.")


def _weights(checkpoint: Path, ema: bool) -> dict[str, torch.Tensor]:
    file = checkpoint / "ema" / _MODEL if ema else checkpoint / _MODEL
    if ema and not file.parent.is_dir():
        raise UsageError(
            f"The checkpoint {printable(str(checkpoint))} has no mean of the weights (the recipe's "
            "training.ema_decay makes one); leave --ema out."
        )
    try:
        tensors: dict[str, torch.Tensor] = load_file(file)
    except (OSError, SafetensorError) as error:
        raise _unreadable(checkpoint, error) from error
    return tensors


def _as_number(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _number_of_most(tensors: Mapping[str, torch.Tensor]) -> torch.dtype:
    """The kind of number of most of the weights; a few scales may be of another."""
    held: Counter[torch.dtype] = Counter()
    for tensor in tensors.values():
        held[tensor.dtype] += tensor.numel()
    return held.most_common(1)[0][0]


def _config(checkpoint: Path) -> dict[str, Any]:
    """The checkpoint's configuration, with the activation said even where it is open_clip's usual one."""
    try:
        config = json.loads((checkpoint / _CONFIG).read_text(encoding="utf-8"))
        model, preprocess = config["model_cfg"], config["preprocess_cfg"]
        said = {name: preprocess[name] for name in ("mean", "std", "interpolation", "resize_mode")}
        return {"model_cfg": {"quick_gelu": False} | model, "preprocess_cfg": said}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise _unreadable(checkpoint, error) from error


def _tokenizer_files(checkpoint: Path) -> list[Path]:
    """Only these: whatever else lies in the folder is no part of the model."""
    named = (checkpoint / name for name in TOKENIZER_FILES)
    return [file for file in named if file.is_file() and not file.is_symlink()]


def _unreadable(checkpoint: Path, error: Exception) -> UsageError:
    reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
    return UsageError(
        f"The checkpoint {printable(str(checkpoint))} cannot be read ({printable(reason)}); name one before it."
    )


def _write(
    folder: Path, tensors: Mapping[str, torch.Tensor], config: Mapping[str, Any], card: str, more: list[Path]
) -> None:
    folder.mkdir(parents=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / _MODEL)
    (folder / _CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / _CARD).write_text(card, encoding="utf-8")
    for file in more:
        shutil.copyfile(file, folder / file.name)
    for file in folder.iterdir():
        file.chmod(0o644)  # safetensors writes for the owner alone; the folder is made to be copied
        with file.open("rb") as stream:
            os.fsync(stream.fileno())


def _try_out(folder: Path, checkpoint: Path) -> None:
    """Load the folder as `--model` does, and see that it gives numbers."""
    try:
        embedder = Embedder.load(str(folder), device="cpu", dtype="float32")
    except BioclipSearchError as error:
        reason = str(error).replace(str(folder), str(checkpoint))
        raise type(error)(reason) from error
    grey = np.full((1, embedder.preprocessing.size, embedder.preprocessing.size, 3), 128, dtype=np.uint8)
    features = np.concatenate([embedder.encode_texts(["a photo of a specimen."]), embedder.encode_pixels(grey)])
    if not np.isfinite(features).all():
        raise UsageError(
            f"The weights of {printable(str(checkpoint))} give no numbers: its training had gone astray; "
            "export a checkpoint before it."
        )


def _put_in_place(aside: Path, folder: Path) -> None:
    """What was there stays until the new folder can take its name."""
    old = aside.with_name(f"{aside.name}.old")
    if folder.exists():
        folder.rename(old)
    try:
        aside.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
