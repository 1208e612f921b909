"""Models: found by name, loaded once, told apart by fingerprint, never replaced silently."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import SMALL_MODEL, Command, write_model
from PIL import Image

from bioclip_search.embedder import Embedder
from bioclip_search.errors import InvalidModel, ModelUnavailable, UsageError
from bioclip_search.models import locate_model
from bioclip_search.preprocessing import CLIP_MEAN, CLIP_STD, Fit, Preprocessing


@pytest.fixture(scope="module")
def embedder(small_model: Path) -> Embedder:
    """The small model on the CPU in float32."""
    return Embedder.load(str(small_model), device="cpu", dtype="float32")


def test_features_are_unit_length_float32(embedder: Embedder) -> None:
    """Images and texts alike, and none for none."""
    pictures = [Image.new("RGB", size, colour) for size, colour in (((50, 20), "red"), ((9, 90), "blue"))]
    for features in (embedder.encode_images(pictures), embedder.encode_texts(["a wasp", "an oak"])):
        assert (features.shape, features.dtype) == ((2, 32), np.float32)
        assert np.linalg.norm(features, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert embedder.encode_images([]).shape == embedder.encode_texts([]).shape == (0, 32)


def test_features_equal_those_of_open_clip(embedder: Embedder, small_model: Path) -> None:
    """The same weights and pixels through open_clip's own calls give the same features."""
    import open_clip
    import torch

    picture = Image.linear_gradient("L").convert("RGB").resize((32, 32))
    model = open_clip.create_model(f"local-dir:{small_model}").eval()
    scaled = (np.asarray(picture, np.float32) / 255 - np.array(CLIP_MEAN)) / np.array(CLIP_STD)
    batch = torch.from_numpy(scaled.transpose(2, 0, 1)[None].astype(np.float32))
    with torch.no_grad():
        images = model.encode_image(batch, normalize=True).numpy()
        texts = model.encode_text(open_clip.tokenize(["a wasp"]), normalize=True).numpy()
    assert embedder.encode_images([picture]) == pytest.approx(images, abs=1e-5)
    assert embedder.encode_texts(["a wasp"]) == pytest.approx(texts, abs=1e-5)


def test_a_batch_of_many_texts_equals_them_one_by_one(embedder: Embedder) -> None:
    """Cutting texts into batches loses none and keeps their order."""
    texts = [f"specimen {number}" for number in range(300)]
    batch = embedder.encode_texts(texts)
    assert batch[[0, 255, 256, 299]] == pytest.approx(
        np.concatenate([embedder.encode_texts([texts[n]]) for n in (0, 255, 256, 299)]), abs=1e-5
    )


def test_the_fingerprint_follows_weights_and_preprocessing_but_not_the_name(small_model: Path, tmp_path: Path) -> None:
    """A copied folder is the same model; other weights or another fit are not."""
    ours = locate_model(str(small_model)).fingerprint(Fit.SQUASH)
    assert ours.matches(locate_model(str(write_model(tmp_path / "same"))).fingerprint(Fit.SQUASH))
    assert not ours.matches(locate_model(str(write_model(tmp_path / "other", seed=1))).fingerprint(Fit.SQUASH))
    assert not ours.matches(locate_model(str(small_model)).fingerprint(Fit.PAD))
    assert (ours.dim, len(ours.weights_sha256), ours.fit) == (32, 64, Fit.SQUASH)


def test_activation_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    """The same weights with QuickGELU give other features, so it is another model."""
    plain = write_model(tmp_path / "gelu")
    quick = write_model(tmp_path / "quick", config={**SMALL_MODEL, "quick_gelu": True})
    architectures = {locate_model(str(folder)).fingerprint(Fit.SQUASH).architecture for folder in (plain, quick)}
    assert len(architectures) == 2


def test_the_three_fits_keep_squash_crop_and_pad_apart() -> None:
    """Squash keeps both ends, crop loses them, pad puts the mean colour around."""
    picture = Image.new("RGB", (100, 50), (0, 255, 0))
    picture.paste((255, 0, 0), (0, 0, 20, 50))
    squash, crop, pad = (Preprocessing(size=20, fit=fit).apply(picture) for fit in Fit)
    assert squash.shape == crop.shape == pad.shape == (20, 20, 3)
    assert tuple(squash[10, 0]) == (255, 0, 0)
    assert tuple(crop[10, 0]) == (0, 255, 0)
    assert tuple(pad[0, 0]) == tuple(round(255 * mean) for mean in CLIP_MEAN)


def hub_cache(folder: Path, repository: str, files: Path) -> None:
    """Lay files out as the hub's cache does."""
    place = folder / f"models--{repository.replace('/', '--')}"
    revision = "0123456789abcdef0123456789abcdef01234567"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(revision)
    (place / "snapshots").mkdir()
    files.rename(place / "snapshots" / revision)


@pytest.fixture
def offline_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, with the hub switched off."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def test_bioclip_is_loaded_from_the_hub_cache_without_the_hub(offline_hub: Path, tmp_path: Path) -> None:
    """The default name finds pickled weights in the cache layout and loads them as weights only."""
    import torch
    from safetensors.torch import load_file

    folder = write_model(tmp_path / "files")
    weights = load_file(folder / "open_clip_model.safetensors")
    torch.save(weights, folder / "open_clip_pytorch_model.bin")
    (folder / "open_clip_model.safetensors").unlink()
    hub_cache(offline_hub, "imageomics/bioclip", folder)
    model = Embedder.load(device="cpu", dtype="float32")
    assert (model.fingerprint.model, model.dim) == ("bioclip", 32)


def test_an_offline_hub_is_answered_with_three_remedies(offline_hub: Path, photos: Path, run: Command) -> None:
    """No other model is taken instead, and no catalogue is made."""
    result = run("index", photos)
    assert result.code == 2
    assert str(offline_hub / "models--imageomics--bioclip") in result.err
    assert "--model PATH" in result.err
    assert "--model builtin" in result.err
    assert run("info").code == 2


def test_folders_that_are_no_models_are_refused_with_the_reason(small_model: Path, tmp_path: Path) -> None:
    """Unknown name, no configuration, wrong configuration, no weights, cut-off weights."""
    with pytest.raises(ModelUnavailable, match="There is no model"):
        locate_model("bioclop")
    folder = tmp_path / "model"
    folder.mkdir()
    with pytest.raises(InvalidModel, match="holds no open_clip_config"):
        locate_model(str(folder))
    config = folder / "open_clip_config.json"
    for text, reason in (("{", "cannot be read as JSON"), ("[]", "not the configuration")):
        config.write_text(text)
        with pytest.raises(InvalidModel, match=reason):
            locate_model(str(folder))
    config.write_text(json.dumps({"model_cfg": SMALL_MODEL}))
    with pytest.raises(InvalidModel, match="holds no weights"):
        locate_model(str(folder))
    whole = (small_model / "open_clip_model.safetensors").read_bytes()
    (folder / "open_clip_model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidModel, match="cannot be loaded"):
        Embedder.load(str(folder), device="cpu")


def test_the_file_that_is_fingerprinted_is_the_file_that_is_loaded(tmp_path: Path) -> None:
    """With several weights in a folder, digest and features belong to the same file."""
    import torch
    from safetensors.torch import load_file

    folder = write_model(tmp_path / "model", seed=1)
    expected = Embedder.load(str(folder), device="cpu", dtype="float32").encode_texts(["a wasp"])
    torch.save(load_file(folder / "open_clip_model.safetensors"), folder / "open_clip_pytorch_model.bin")
    (write_model(tmp_path / "other", seed=2) / "open_clip_model.safetensors").rename(folder / "model.safetensors")
    (folder / "open_clip_model.safetensors").unlink()
    assert locate_model(str(folder)).weights.name == "open_clip_pytorch_model.bin"
    assert Embedder.load(str(folder), device="cpu", dtype="float32").encode_texts(["a wasp"]) == pytest.approx(expected)


def test_a_pickle_that_would_run_code_is_not_loaded(tmp_path: Path) -> None:
    """Weights are data: a pickle with a function call in it is refused, and the call is not made."""
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": SMALL_MODEL}))
    (folder / "open_clip_pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InvalidModel):
        Embedder.load(str(folder), device="cpu")
    assert not (tmp_path / "ran").exists()


def test_a_device_that_is_not_there_is_refused(small_model: Path) -> None:
    """The sentence names those that are."""
    import torch

    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(UsageError, match="cpu"):
        Embedder.load(str(small_model), device=absent)


def test_half_precision_changes_features_only_a_little(embedder: Embedder, small_model: Path) -> None:
    """bfloat16 is as good as float32 for ranking: cosine above 0.99."""
    half = Embedder.load(str(small_model), device="cpu", dtype="bfloat16")
    picture = Image.linear_gradient("L").convert("RGB")
    cosine = float(embedder.encode_images([picture])[0] @ half.encode_images([picture])[0])
    assert cosine > 0.99
