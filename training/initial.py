"""The model that a run begins with, as open_clip makes it, with a configuration that makes it again.

The activation is part of that configuration: weights trained with QuickGELU and loaded into a model
with GELU give other features.
"""

import copy
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bioclip_search.errors import InvalidModel, ModelUnavailable
from bioclip_search.models import TOKENIZER_FILES, locate_model
from bioclip_search.preprocessing import CLIP_MEAN, CLIP_STD, Fit, Preprocessing
from training.batch_norm import freeze
from training.layers import layers_of
from training.run_recipe import RunRecipe
from training.tokenizer import first_line, see_own_texts, see_own_tower, tokenizer_of

__all__ = ["Initial", "initial_model"]


@dataclass(frozen=True, slots=True)
class Initial:
    """`model` float32 on the CPU; `model_cfg` as open_clip takes it; `preprocessing` of its pictures."""

    model: Any
    tokenizer: Any
    model_cfg: dict[str, Any]
    preprocessing: Preprocessing
    extra_files: tuple[Path, ...] = ()

    def config(self, fit: str) -> dict[str, Any]:
        """The `open_clip_config.json` of the trained model; shards of squashed pictures want squashed queries."""
        preprocess = {
            "mean": list(self.preprocessing.mean),
            "std": list(self.preprocessing.std),
            "interpolation": self.preprocessing.interpolation,
            "resize_mode": "squash" if fit == "squash" else "shortest",
        }
        return {"model_cfg": self.model_cfg, "preprocess_cfg": preprocess}


def initial_model(recipe: RunRecipe) -> Initial:
    """Make the recipe's model with its first weights, towers frozen as it says.

    Random weights follow from the recipe's seed. Raises ModelUnavailable, InvalidModel, or UsageError for a recipe
    that does not fit the model.
    """
    torch.manual_seed(recipe.seed)
    part = recipe.model
    if part.init is not None:
        initial = _located(part.init, recipe)
    elif part.architecture is not None:
        initial = _named(part.architecture, part.pretrained, recipe)
    else:
        initial = _configured(part.config or {}, recipe)
    if "image" in part.frozen:
        initial.model.lock_image_tower(unlocked_groups=0, freeze_bn_stats=False)
        freeze(initial.model.visual)
    if "text" in part.frozen:
        initial.model.lock_text_tower(unlocked_layers=0)
    initial.model.set_grad_checkpointing(part.grad_checkpointing)
    if recipe.optimizer.layer_decay is not None:
        layers_of(initial.model)  # a tower without layers is told at once
    if recipe.objective.loss == "clip" and initial.model.logit_bias is not None:
        initial.model.logit_bias.requires_grad_(False)  # a softmax takes no notice of it
    return initial


def _located(name: str, recipe: RunRecipe) -> Initial:
    import open_clip

    files = locate_model(name)
    see_own_tower(name, files.config["model_cfg"])
    model_cfg = _for_loss(files.config["model_cfg"], recipe)
    try:
        model = open_clip.create_model(f"local-dir:{files.folder}", device="cpu", **_loss_keys(model_cfg))
        tokenizer = open_clip.get_tokenizer(f"local-dir:{files.folder}")
    except Exception as error:
        # open_clip, torch and safetensors raise a dozen kinds for a file that is cut off or does not fit.
        raise InvalidModel(
            f"The model in {files.folder} cannot be loaded ({first_line(error)}); copy it again."
        ) from error
    _begin_siglip(model, files.config["model_cfg"], model_cfg)
    extra = tuple(files.folder / one for one in TOKENIZER_FILES if (files.folder / one).is_file())
    return Initial(model, tokenizer, model_cfg, files.preprocessing(Fit.SQUASH), extra)


def _named(architecture: str, tag: str | None, recipe: RunRecipe) -> Initial:
    import open_clip

    found = open_clip.get_model_config(architecture.replace("/", "-"))
    if found is None:
        raise ModelUnavailable(
            f"open_clip knows no architecture “{architecture}”; `python -c 'import open_clip; "
            "print(open_clip.list_models())'` lists those it knows."
        )
    weights = open_clip.get_pretrained_cfg(architecture.replace("/", "-"), tag) if tag else {}
    if tag and not weights:
        known = ", ".join(open_clip.list_pretrained_tags_by_model(architecture.replace("/", "-"))) or "none"
        raise ModelUnavailable(f"The architecture {architecture} has no weights “{tag}”; open_clip knows {known}.")
    see_own_tower(architecture, found)
    tokenizer, extra = tokenizer_of(architecture, found)
    # open_clip itself would load weights of QuickGELU into a model with GELU, and warn.
    quick = bool(weights.get("quick_gelu", found.get("quick_gelu", False)))
    model_cfg = _for_loss(found | {"quick_gelu": quick}, recipe)
    try:
        model = open_clip.create_model(
            architecture, pretrained=tag, force_quick_gelu=quick, device="cpu", **_loss_keys(model_cfg)
        )
    except Exception as error:
        # The hub, the network, the disk and the file may fail, each in its own way.
        raise ModelUnavailable(
            f"The weights “{tag}” of {architecture} cannot be had ({first_line(error)}); "
            "copy the hub's cache from a computer that has them, or name a folder in model.init."
        ) from error
    _begin_siglip(model, found, model_cfg)
    wanted = open_clip.get_model_preprocess_cfg(model)
    preprocessing = Preprocessing.from_open_clip(wanted, _side(model), Fit.SQUASH)
    return Initial(model, tokenizer, model_cfg, preprocessing, extra)


def _configured(config: dict[str, Any], recipe: RunRecipe) -> Initial:
    import open_clip

    see_own_texts(config)
    model_cfg = _for_loss({"quick_gelu": False} | config, recipe)
    try:
        model = open_clip.CLIP(**copy.deepcopy(model_cfg))
        context = int(model_cfg["text_cfg"].get("context_length", 77))
    except (TypeError, KeyError, AttributeError, AssertionError, ValueError, RuntimeError) as error:
        raise InvalidModel(
            f"The recipe's model.config is no configuration of a CLIP model ({first_line(error)})."
        ) from error
    preprocessing = Preprocessing(size=_side(model), mean=CLIP_MEAN, std=CLIP_STD)
    return Initial(model, open_clip.SimpleTokenizer(context_length=context), model_cfg, preprocessing)


def _for_loss(model_cfg: dict[str, Any], recipe: RunRecipe) -> dict[str, Any]:
    """A model for SigLIP has a bias, which begins as in its paper, as does the scale."""
    copied: dict[str, Any] = json.loads(json.dumps(model_cfg))
    if recipe.objective.loss == "siglip" and copied.get("init_logit_bias") is None:
        copied |= {"init_logit_bias": -10.0, "init_logit_scale": math.log(10)}
    return copied


def _begin_siglip(model: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Where the loaded weights know no bias, neither their scale is of use."""
    if after.get("init_logit_bias") is not None and before.get("init_logit_bias") is None:
        with torch.no_grad():
            model.logit_bias.fill_(after["init_logit_bias"])
            model.logit_scale.fill_(after["init_logit_scale"])


def _loss_keys(model_cfg: dict[str, Any]) -> dict[str, Any]:
    return {key: model_cfg[key] for key in ("init_logit_bias", "init_logit_scale") if key in model_cfg}


def _side(model: Any) -> int:
    size = model.visual.image_size
    return int(size[0] if isinstance(size, tuple | list) else size)
