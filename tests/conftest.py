"""Fixtures: a small real model, drawn photos, and the command line run in this process."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bioclip_search.cli import main

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


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small model with random weights."""
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def catalogue_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The catalogue that commands use by default in this test."""
    folder = tmp_path / "catalogue"
    monkeypatch.setenv("BIOCLIP_SEARCH_CATALOGUE", str(folder))
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], catalogue_folder: Path) -> Command:  # noqa: ARG001
    """Run `bioclip-search` with arguments, in this process, on this test's own catalogue."""

    def command(*arguments: object) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(int(stopped.value.code or 0), captured.out, captured.err)

    return command


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of six drawn photos in two sub-folders, with a Darwin Core table beside them."""
    folder = tmp_path / "photos"
    rows = ["catalogNumber,scientificName,kingdom,family,genus,specificEpithet,vernacularName,associatedMedia"]
    species = [("Nymphalidae", "Danaus", "plexippus", "monarch"), ("Pieridae", "Pieris", "rapae", "small white")]
    for number in range(6):
        family, genus, epithet, common = species[number % 2]
        path = f"drawer{number // 3}/CAT-{number:03d}.jpg"
        draw_photo(folder / path, seed=number)
        rows.append(f"CAT-{number:03d},{genus} {epithet},Animalia,{family},{genus},{epithet},{common},{path}")
    (folder / "occurrence.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def indexed(photos: Path, run: Command, small_model: Path) -> Path:
    """The folder of photos, indexed with its records."""
    result = run("index", photos, "--metadata", photos / "occurrence.csv", "--model", small_model)
    assert result.code == 0, result.err
    return photos


@pytest.fixture(scope="session")
def real_archive() -> Path:
    """The archive named by BIOCLIP_SEARCH_ARCHIVE; the test is skipped when there is none."""
    named = os.environ.get("BIOCLIP_SEARCH_ARCHIVE")
    if not named:
        pytest.skip("BIOCLIP_SEARCH_ARCHIVE names no archive")
    return Path(named)
