"""What the tests share beside fixtures: a small real model, drawn photos, the result of a command."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bioclip_search.specimen import Photo

SMALL_MODEL = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8, "head_width": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Result]


def some_photo(path: str, **changes: object) -> Photo:
    """A photo of which only the path matters, but for what is said."""
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    values = {"size": 1, "mtime": moment, "content_hash": path, "width": 1, "height": 1, "indexed_at": moment}
    return Photo(root="/archive", path=path, **{**values, **changes})  # type: ignore[arg-type]


def write_model(folder: Path, seed: int = 0, config: dict[str, Any] | None = None) -> Path:
    """A CLIP with random weights in open_clip's folder layout."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    config = config or SMALL_MODEL
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = open_clip.CLIP(**config)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    return folder


def draw_photo(path: Path, seed: int, size: tuple[int, int] = (96, 64)) -> Path:
    """A picture of coloured patches that no other seed gives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    patches = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    Image.fromarray(patches).resize(size, Image.Resampling.NEAREST).save(path)
    return path


def write_dng(path: Path, size: tuple[int, int] = (128, 96)) -> Path:
    """A reddish camera RAW file: a Bayer mosaic with the tags that Adobe's DNG 1.4 asks for."""
    import tifffile

    width, height = size
    mosaic = np.full((height, width), 8_000, dtype=np.uint16)
    mosaic[0::2, 0::2] = 60_000
    mosaic[1::2, 1::2] = 4_000
    identity = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)
    tags = [
        (271, "s", 0, "Drawn", True),
        (272, "s", 0, "Drawn", True),
        (274, "H", 1, 1, True),
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, bytes([0, 1, 1, 2]), True),
        (50706, "B", 4, bytes([1, 4, 0, 0]), True),
        (50708, "s", 0, "Drawn", True),
        (50717, "I", 1, 65_535, True),
        (50721, "2i", 9, identity, True),
        (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True),
        (50778, "H", 1, 21, True),
    ]
    tifffile.imwrite(path, mosaic, photometric=32803, extratags=tags, metadata=None)
    return path
