"""The model that a run begins with: what cannot be trained, or not to the same result, is told at the start."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from helpers import SMALL_MODEL, write_model
from PIL import Image
from shard_writer import write_shards
from small_run import changed, small_recipe, train

from bioclip_search.embedder import Embedder
from bioclip_search.errors import InvalidModel, ModelUnavailable, UsageError
from training.batch_norm import freeze, see_whole_batches, synchronised
from training.data import Captions, Draw, SampleReader
from training.distributed import World, world
from training.feed import open_feed
from training.initial import initial_model
from training.metrics import Silence
from training.plan import Position
from training.run_recipe import RunRecipe
from training.tokenizer import cached_files


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> RunRecipe:
    folder = tmp_path_factory.mktemp("recipe")
    return small_recipe(folder, write_shards(folder / "shards"))


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the hub that holds nothing."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_a_tokenizer_that_lies_on_the_hub_is_told_before_shards_are_read(
    tmp_path: Path, recipe: RunRecipe, empty_cache: Path
) -> None:
    """With how to fetch it; nothing has been indexed."""
    siglip = changed(recipe, model={"config": None, "architecture": "ViT-B-16-SigLIP"})
    with pytest.raises(ModelUnavailable, match=r"hf download timm/ViT-B-16-SigLIP"):
        train(siglip, tmp_path / "run")
    assert not (tmp_path / "run" / "index").exists()
    assert not empty_cache.exists()


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"architecture": "roberta-ViT-B-32"}, "text tower of roberta-ViT-B-32 is Hugging Face's roberta-base"),
        ({"config": {"text_cfg": {"hf_tokenizer_name": "gpt2"}}}, r"text_cfg\.hf_tokenizer_name"),
    ],
)
@pytest.mark.usefixtures("empty_cache")
def test_texts_that_only_the_hub_can_read_are_told(recipe: RunRecipe, model: dict[str, Any], told: str) -> None:
    """Such a model could not be loaded from its own folder."""
    config = {**(recipe.model.config or {}), **model.pop("config", {})} if "config" in model else None
    with pytest.raises(InvalidModel, match=told):
        initial_model(changed(recipe, model={"config": config} | model))


def test_files_of_a_tokenizer_are_found_in_the_cache(tmp_path: Path) -> None:
    """As the hub's client lays them out."""
    snapshot = tmp_path / "models--some--one" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (tmp_path / "models--some--one" / "refs").mkdir()
    (tmp_path / "models--some--one" / "refs" / "main").write_text("abc")
    for name in ("tokenizer.json", "README.md"):
        (snapshot / name).write_text("{}")
    assert cached_files("some/one", tmp_path) == (snapshot / "tokenizer.json",)
    assert cached_files("some/other", tmp_path) == ()


RESNET = SMALL_MODEL | {"vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 8}}


def test_batch_norm_sees_whole_batches_or_is_told(tmp_path: Path, recipe: RunRecipe) -> None:
    """Not parts of them, unless its tower is frozen; several processes share it, on GPUs."""
    write_model(tmp_path / "resnet", config=RESNET)
    resnet = changed(recipe, model={"config": None, "init": str(tmp_path / "resnet")}, schedule={"steps": 3})
    parts = changed(resnet, training={"micro_batch": 8})
    with pytest.raises(UsageError, match=r"training\.micro_batch would change the result"):
        train(parts, tmp_path / "parts")
    frozen = train(changed(parts, model={"frozen": ("image",)}), tmp_path / "frozen")
    assert frozen.step == train(changed(resnet, training={"micro_batch": 16}), tmp_path / "whole").step == 3
    assert Embedder.load(str(frozen.checkpoint), device="cpu").dim == 32
    model = open_clip.CLIP(**RESNET)
    one, two = (World(0, size, 0, size, torch.device("cpu")) for size in (1, 2))
    see_whole_batches(model, resnet, one)
    with pytest.raises(UsageError, match="BatchNorm, which several processes can share on GPUs only"):
        see_whole_batches(model, resnet, two)
    see_whole_batches(model, changed(parts, training={"batch_size": 16}), World(0, 2, 0, 2, torch.device("cuda")))
    names = set(synchronised(model, one).state_dict())
    assert not isinstance(model.visual.bn1, torch.nn.SyncBatchNorm)
    assert set(synchronised(model, two).state_dict()) == names
    assert isinstance(model.visual.bn1, torch.nn.SyncBatchNorm)


def test_layers_of_timm_keep_their_activations() -> None:
    """Shared by processes or frozen, a tower gives the features that it gave."""
    torch.manual_seed(0)
    vision = {"image_size": 64, "timm_model_name": "efficientnet_b0", "timm_pool": "avg", "timm_proj": "linear"}
    model = open_clip.CLIP(**SMALL_MODEL | {"vision_cfg": vision}).eval()
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        before = model.encode_image(pixels)
        synchronised(model, World(0, 2, 0, 2, torch.device("cuda")))
        assert isinstance(model.visual.trunk.bn1, torch.nn.SyncBatchNorm)
        assert torch.allclose(model.encode_image(pixels), before, atol=1e-5)
        freeze(model.visual)
        assert not any(isinstance(one, torch.nn.modules.batchnorm._BatchNorm) for one in model.modules())
        assert torch.allclose(model.encode_image(pixels), before, atol=1e-5)


def test_pictures_are_resized_as_the_model_wants_them(tmp_path: Path, recipe: RunRecipe) -> None:
    """By the interpolation of its configuration, as its queries will be."""
    seen = {}
    for name in ("bicubic", "bilinear"):
        folder = write_model(tmp_path / name)
        config = json.loads((folder / "open_clip_config.json").read_text())
        (folder / "open_clip_config.json").write_text(json.dumps(config | {"preprocess_cfg": {"interpolation": name}}))
        initial = initial_model(changed(recipe, model={"config": None, "init": str(folder)}))
        with world("cpu") as here, closing(open_feed(recipe, tmp_path / "index", here, Silence())) as feed:
            batch = next(feed.batches(initial, [Position()], 0, here))[0]
            size, crop, resampling = 32, recipe.data.crop_scale, Image.Resampling[name.upper()]
            captions = Captions.of(recipe.data, recipe.seed)
            reader = SampleReader(feed.samples, captions, initial.tokenizer, size, crop, resampling)
            rows = next(feed.plans[0].batches(Position()))[1].tolist()
            part = reader.__getitems__([Draw(0, row, 0, sample) for row, sample in enumerate(rows)])
        assert torch.equal(batch.pixels, part[0])
        seen[name] = batch.pixels
    assert not torch.equal(seen["bicubic"], seen["bilinear"])


def test_a_run_goes_on_where_its_folders_were_moved(tmp_path: Path, recipe: RunRecipe) -> None:
    """The model that it began with among them; not with another one."""
    write_model(tmp_path / "before" / "model")
    begun = changed(recipe, model={"config": None, "init": str(tmp_path / "before" / "model")}, schedule={"steps": 3})
    train(begun, tmp_path / "before" / "run")
    (tmp_path / "before").rename(tmp_path / "after")
    moved = changed(begun, model={"init": str(tmp_path / "after" / "model")})
    assert train(moved, tmp_path / "after" / "run", resume=True).step == 3
    write_model(tmp_path / "after" / "other")
    with pytest.raises(UsageError, match=r"another recipe \(model\.init\)"):
        train(
            changed(moved, model={"init": str(tmp_path / "after" / "other")}), tmp_path / "after" / "run", resume=True
        )
