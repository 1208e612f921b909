"""The tokenizer of an architecture that open_clip knows: CLIP's own, or one of Hugging Face from the hub's cache.

The hub is never asked: a run would have to wait for it, and the model that is trained takes its tokenizer along.
"""

from pathlib import Path
from typing import Any

from bioclip_search.errors import InvalidModel, ModelUnavailable
from bioclip_search.models import TOKENIZER_FILES

__all__ = ["cached_files", "first_line", "see_own_texts", "see_own_tower", "tokenizer_of"]


def see_own_tower(name: str, model_cfg: dict[str, Any]) -> None:
    """Raise InvalidModel for a text tower of Hugging Face's, whose configuration lies on the hub alone."""
    if tower := model_cfg["text_cfg"].get("hf_model_name"):
        raise InvalidModel(
            f"The text tower of {name} is Hugging Face's {tower}, which no trained model could take along; take one "
            "with a text tower of open_clip's own, such as ViT-B-16."
        )


def see_own_texts(model_cfg: dict[str, Any]) -> None:
    """Raise InvalidModel for a recipe's own configuration that wants anything of Hugging Face's for its texts."""
    text_cfg = model_cfg.get("text_cfg")
    foreign = ("hf_model_name", "hf_tokenizer_name")
    if isinstance(text_cfg, dict) and (wrong := [key for key in foreign if text_cfg.get(key)]):
        raise InvalidModel(
            f"The recipe's model.config.text_cfg.{wrong[0]} wants what lies on the hub; leave it out: texts are read "
            "by CLIP's own tokenizer."
        )


def tokenizer_of(architecture: str, model_cfg: dict[str, Any]) -> tuple[Any, tuple[Path, ...]]:
    """The tokenizer, and the files that it consists of where it is Hugging Face's. Raises ModelUnavailable."""
    import open_clip

    repository = model_cfg["text_cfg"].get("hf_tokenizer_name")
    if not repository:
        return open_clip.get_tokenizer(architecture), ()
    files = cached_files(repository)
    if not files:
        raise ModelUnavailable(
            f"The tokenizer of {architecture} ({repository}) is not in the hub's cache on this computer; fetch it "
            f"first with `hf download {repository}`, or take an architecture with CLIP's own, such as ViT-B-16."
        )
    return _from_files(architecture, files[0].parent, model_cfg["text_cfg"]), files


def cached_files(repository: str, cache: Path | None = None) -> tuple[Path, ...]:
    """Which files of a tokenizer the hub's cache on this computer holds."""
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(repository, name, cache_dir=cache) for name in TOKENIZER_FILES)
    return tuple(Path(file) for file in found if isinstance(file, str))


def _from_files(architecture: str, folder: Path, text_cfg: dict[str, Any]) -> Any:
    from open_clip.tokenizer import HFTokenizer

    try:
        return HFTokenizer(
            str(folder),
            context_length=text_cfg.get("context_length", 77),
            tokenizer_mode=text_cfg.get("tokenizer_mode"),
            **text_cfg.get("tokenizer_kwargs", {}),
        )
    except ImportError as error:
        raise ModelUnavailable(
            f"The tokenizer of {architecture} needs the package transformers; install it with "
            "`pip install transformers`, or take an architecture with CLIP's own tokenizer, such as ViT-B-16."
        ) from error
    except Exception as error:
        # transformers, tokenizers and sentencepiece fail each in its own way on a file that is cut off.
        raise ModelUnavailable(
            f"The tokenizer of {architecture} in {folder} cannot be loaded ({first_line(error)}); delete that "
            "folder and fetch it again."
        ) from error


def first_line(error: Exception) -> str:
    """What an error of a library says, without what it goes on to say."""
    return str(error).strip().split("\n", 1)[0] or type(error).__name__
