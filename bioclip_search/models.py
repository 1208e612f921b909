"""Where a model's files are: by short name, hub name, local folder, or the one that is built in.

A model is a folder with `open_clip_config.json` and its weights. What the hub's cache on this
computer holds is used without asking the hub; only what is missing is downloaded.
"""

import errno
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bioclip_search.digest import file_sha256
from bioclip_search.errors import InvalidModel, ModelUnavailable
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.paths import absolute
from bioclip_search.preprocessing import Fit, Preprocessing

__all__ = [
    "BUILTIN",
    "DEFAULT_MODEL",
    "SHORT_NAMES",
    "TOKENIZER_FILES",
    "ModelFiles",
    "architecture",
    "is_on_hub",
    "locate_model",
    "weights_digest",
]

BUILTIN = "builtin"
DEFAULT_MODEL = "bioclip"
SHORT_NAMES = {
    "bioclip": "imageomics/bioclip",
    "bioclip-2": "imageomics/bioclip-2",
    "bioclip-2.5": "imageomics/bioclip-2.5-vith14",
}

_CONFIG = "open_clip_config.json"
# open_clip's own order of preference: the file whose digest is taken must be the file that it loads.
# What is not safetensors is a pickle, and is loaded as weights only.
_WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "spiece.model",
)
"""Files that a tokenizer of Hugging Face may consist of; no model has all of them."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model found on this computer; `name` finds it again."""

    name: str
    folder: Path
    weights: Path
    config: dict[str, Any]

    def preprocessing(self, fit: Fit) -> Preprocessing:
        """The preprocessing that the model's configuration asks for, with the given fit."""
        size = self.config["model_cfg"]["vision_cfg"].get("image_size", 224)
        side = int(size[0] if isinstance(size, list) else size)
        return Preprocessing.from_open_clip(self.config.get("preprocess_cfg") or {}, side, fit)

    def fingerprint(self, fit: Fit) -> Fingerprint:
        """The identity of the model, read from its files alone: nothing is loaded."""
        return Fingerprint(
            model=self.name,
            architecture=architecture(self.config["model_cfg"]),
            dim=int(self.config["model_cfg"]["embed_dim"]),
            preprocessing=self.preprocessing(fit).id,
            weights_sha256=weights_digest(self.weights),
        )


def locate_model(name: str) -> ModelFiles:
    """Find a model's files, downloading them when they are on the hub and not yet cached.

    `name` is a short name (`bioclip`, `bioclip-2`, `bioclip-2.5`), `hf-hub:org/name`, a folder,
    or `builtin`. Raises ModelUnavailable, InvalidModel, or UsageError for what cannot be a path.
    """
    if name == BUILTIN:
        return _from_folder(name, Path(__file__).parent / "demo" / "builtin")
    if repository := SHORT_NAMES.get(name) or _hub_repository(name):
        return _from_folder(name, _from_hub(name, repository))
    folder = absolute(Path(name))
    if os.path.isdir(folder):
        return _from_folder(str(folder.resolve()), folder.resolve())
    known = ", ".join([*SHORT_NAMES, BUILTIN])
    raise ModelUnavailable(
        f"There is no model “{name}”. Use one of {known}, hf-hub:ORGANISATION/NAME, "
        f"or the folder of a model ({_CONFIG} and its weights)."
    )


def is_on_hub(name: str) -> bool:
    """Whether a name is that of a model on the hub, which may have to be downloaded."""
    return name in SHORT_NAMES or _hub_repository(name) is not None


def _hub_repository(name: str) -> str | None:
    return name.removeprefix("hf-hub:") if name.startswith("hf-hub:") else None


def _from_folder(name: str, folder: Path) -> ModelFiles:
    try:
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        checkpoints = sorted(folder.glob(f"checkpoints/*/{_CONFIG}"))  # of a run of the trainer
        such_as = f", such as {checkpoints[-1].parent}" if checkpoints else ""
        raise InvalidModel(
            f"The folder {folder} holds no {_CONFIG}; `--model` wants the folder that does{such_as}."
        ) from error
    except (OSError, ValueError) as error:
        raise InvalidModel(f"{folder / _CONFIG} cannot be read as JSON ({error}); copy the model again.") from error
    if not _is_open_clip_config(config):
        raise InvalidModel(f"{folder / _CONFIG} is not the configuration of an open_clip model; copy the model again.")
    for file_name in _WEIGHTS:
        if (folder / file_name).is_file():
            return ModelFiles(name, folder, folder / file_name, config)
    raise InvalidModel(f"The folder {folder} holds no weights; expected one of {', '.join(_WEIGHTS)}.")


def _is_open_clip_config(config: Any) -> bool:
    """Whether the parts are there that the fingerprint is made of."""
    model = config.get("model_cfg") if isinstance(config, dict) else None
    if not isinstance(model, dict) or not isinstance(model.get("embed_dim"), int):
        return False
    return all(isinstance(model.get(tower), dict) for tower in ("vision_cfg", "text_cfg"))


def _from_hub(name: str, repository: str) -> Path:
    """The snapshot folder in the hub's cache, completed by download where something is missing."""
    config = _hub_file(name, repository, _CONFIG)
    if config is None:
        raise InvalidModel(f"The hub's {repository} has no {_CONFIG}; it is not an open_clip model.")
    folder = config.parent
    if not any((folder / file_name).is_file() for file_name in _WEIGHTS):
        any(_hub_file(name, repository, file_name) for file_name in _WEIGHTS)  # the first that is there
    if "hf_tokenizer_name" in config.read_text(encoding="utf-8"):
        _complete_tokenizer(name, repository, folder)
    return folder


def _complete_tokenizer(name: str, repository: str, folder: Path) -> None:
    """Fetch the files of a tokenizer, no repository having all of them; what is cached must do without the hub."""
    try:
        for file_name in TOKENIZER_FILES:
            _hub_file(name, repository, file_name)
    except ModelUnavailable:
        if not any((folder / file_name).is_file() for file_name in TOKENIZER_FILES):
            raise


def _hub_file(name: str, repository: str, file_name: str) -> Path | None:
    """One file of a repository, from the cache or else the hub; None if the repository has no such file."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError, HFValidationError, LocalEntryNotFoundError

    try:
        try:
            return Path(hf_hub_download(repository, file_name, local_files_only=True))
        except LocalEntryNotFoundError:
            # Asked first because the download itself would retry for half a minute where there is no network.
            get_hf_file_metadata(hf_hub_url(repository, file_name))
            return Path(hf_hub_download(repository, file_name))
    except HFValidationError as error:
        raise ModelUnavailable(f"“{repository}” is not the name of a model on the hub (ORGANISATION/NAME).") from error
    except LocalEntryNotFoundError as error:
        raise _unavailable(name, repository) from error
    except EntryNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ModelUnavailable(
                f"The disk is full: {repository} cannot be downloaded; free some space and give the command again."
            ) from error
        raise _unavailable(name, repository) from error
    except Exception as error:
        # Connection, proxy, certificate, authorisation, unknown repository: the remedies are the same.
        raise _unavailable(name, repository) from error


def _unavailable(name: str, repository: str) -> ModelUnavailable:
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    return ModelUnavailable(
        f"The model “{name}” ({repository}) is not on this computer and the hub cannot be reached. "
        f"Either copy the folder {folder} from a computer that has it, "
        "or name a model folder with --model PATH, "
        "or try the program with --model builtin (a small model for painted specimens, not for science)."
    )


@lru_cache(maxsize=8)
def weights_digest(path: Path) -> str:
    """SHA-256 of a weights file, as hexadecimal digits."""
    return file_sha256(path)


def architecture(model_cfg: dict[str, Any]) -> str:
    """A short readable name of the two towers, with the activation, which changes the features."""
    vision, text = model_cfg["vision_cfg"], model_cfg["text_cfg"]
    if "timm_model_name" in vision:
        tower = str(vision["timm_model_name"])
    elif isinstance(vision.get("layers"), list):
        tower = f"ResNet{'-'.join(map(str, vision['layers']))}x{vision.get('width', 64)}"
    else:
        tower = f"ViT{vision.get('layers', 12)}x{vision.get('width', 768)}/{vision.get('patch_size', 16)}"
    words = text.get("hf_model_name") or f"text{text.get('layers', 12)}x{text.get('width', 512)}"
    activation = "-quickgelu" if model_cfg.get("quick_gelu") else ""
    return f"{tower}@{vision.get('image_size', 224)}-{words}-{model_cfg['embed_dim']}d{activation}"
