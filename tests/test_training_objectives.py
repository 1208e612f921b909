"""The losses, the learning rate, and the gradient by micro-batches."""

import math

import open_clip
import pytest
import torch
from helpers import SMALL_MODEL
from open_clip.loss import SigLipLoss
from torch.nn import functional

from bioclip_search.errors import UsageError
from training.gradient import Features, batch_gradient
from training.layers import layers_above, layers_of
from training.learning_parts import OptimizerPart
from training.objectives import clip_loss, siglip_loss, true_pairs
from training.schedule import adamw, share_of_rate

SCALE, BIAS = torch.tensor(14.0), torch.tensor(-7.0)


def unit(rows: int, seed: int) -> torch.Tensor:
    return functional.normalize(torch.randn(rows, 8, generator=torch.Generator().manual_seed(seed)), dim=1)


def test_without_labels_the_losses_are_those_of_open_clip() -> None:
    """CLIP's and SigLIP's, to rounding."""
    images, texts = unit(6, 0), unit(6, 1)
    ours, theirs = clip_loss(images, texts, SCALE, None, 0), open_clip.ClipLoss()(images, texts, SCALE)
    assert float(ours) == pytest.approx(float(theirs), abs=1e-6)
    ours, theirs = siglip_loss(images, texts, SCALE, BIAS, None, 0), SigLipLoss()(images, texts, SCALE, BIAS)
    assert float(ours) == pytest.approx(float(theirs), abs=1e-5)


def test_every_true_caption_is_a_target() -> None:
    """Photos of one taxon share their captions, and so do taxa with equal captions."""
    labels = torch.tensor([[1, 10], [1, 11], [2, 12], [3, 12]])
    expected = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    assert true_pairs(labels, labels).int().tolist() == expected
    images, texts = unit(4, 0), unit(4, 1)
    logits = (SCALE * images @ texts.T).double()
    rows = [-logits[i].log_softmax(0)[torch.tensor(expected[i]) == 1].mean() for i in range(4)]
    columns = [-logits[:, j].log_softmax(0)[torch.tensor(expected)[:, j] == 1].mean() for j in range(4)]
    plain = (sum(rows) + sum(columns)) / 8
    assert float(clip_loss(images, texts, SCALE, labels, 0)) == pytest.approx(float(plain), abs=1e-6)


@pytest.mark.parametrize("loss", ["clip", "siglip"])
def test_same_taxon_is_pushed_apart_only_as_a_negative(loss: str) -> None:
    """Two photos of one taxon with its one caption: already equal features feel no gradient as positives."""
    features = functional.normalize(torch.tensor([[1.0, 0], [1, 0], [-1, 0]]), dim=1)
    labels = torch.tensor([[1, 1], [1, 1], [2, 2]])

    def pull(wanted: torch.Tensor | None) -> float:
        images = features.clone().requires_grad_()
        texts = functional.normalize(features + torch.tensor([[0.0, 0.01], [0, -0.01], [0, 0]]), dim=1)
        scale = torch.tensor(100.0)
        if loss == "clip":
            value = clip_loss(images, texts, scale, wanted, 0)
        else:
            value = siglip_loss(images, texts, scale, torch.tensor(-50.0), wanted, 0)
        (gradient,) = torch.autograd.grad(value, images)
        return float(gradient[0, 1].abs())

    assert pull(labels) < 1e-3
    assert pull(None) > 0.1


@pytest.mark.parametrize("loss", ["clip", "siglip"])
@pytest.mark.parametrize("micro_batch", [1, 4, 5, 100])
def test_micro_batches_give_the_gradient_of_the_batch(loss: str, micro_batch: int) -> None:
    """Of every parameter, the scale and the bias too; in float64, so that no rounding hides a difference."""
    torch.manual_seed(0)
    model = open_clip.CLIP(**SMALL_MODEL, init_logit_bias=-5.0).double()
    pixels, tokens = torch.randn(12, 3, 32, 32, dtype=torch.float64), torch.randint(1, 400, (12, 77))

    def forward(rows: slice) -> Features:
        images, texts, scale, bias = model(pixels[rows], tokens[rows])
        return Features(images, texts, scale, bias)

    def objective(found: Features) -> torch.Tensor:
        if loss == "clip" or found.bias is None:
            return clip_loss(found.images, found.texts, found.scale, None, 0)
        return siglip_loss(found.images, found.texts, found.scale, found.bias, None, 0)

    gradients = []
    for size in (12, micro_batch):
        model.zero_grad()
        value = batch_gradient(forward, 12, size, objective, torch.autograd.backward, model)
        found = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
        gradients.append((value, found))
    (expected, whole), (value, parts) = gradients
    assert value == pytest.approx(expected, abs=1e-12)
    assert whole.keys() == parts.keys()
    assert ("logit_bias" in parts) == (loss == "siglip")
    for name, gradient in whole.items():
        assert torch.allclose(parts[name], gradient, atol=1e-10), name


def test_dropout_is_the_same_the_second_time() -> None:
    """Micro-batches with a random forward go back through the very forward whose loss was taken."""
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(8, 8))
    rows = torch.randn(6, 8)
    seen: list[torch.Tensor] = []

    def forward(part: slice) -> Features:
        images = functional.normalize(functional.dropout(rows[part] @ weight, 0.5), dim=1)
        seen.append(images.detach())
        return Features(images, functional.normalize(rows[part], dim=1), SCALE, None)

    def objective(found: Features) -> torch.Tensor:
        return clip_loss(found.images, found.texts, found.scale, None, 0)

    batch_gradient(forward, 6, 2, objective, torch.autograd.backward, None)
    assert torch.equal(torch.cat(seen[:3]), torch.cat(seen[3:]))


def test_the_rate_warms_up_and_falls_to_nothing() -> None:
    """Linear up to all of it, then half a cosine; without a warm-up it begins with all."""
    shares = [share_of_rate(step, 100, 10) for step in range(100)]
    assert shares[:2] == pytest.approx([0.1, 0.2])
    assert shares[9] == shares[10] == 1
    assert shares[55] == pytest.approx(0.5)
    assert shares[99] == pytest.approx(0.5 * (1 + math.cos(math.pi * 89 / 90)))
    assert share_of_rate(0, 5, 0) == 1


def test_the_rate_may_stay_and_fall_at_the_end() -> None:
    """All of it from the warm-up to the cooldown, then as one less the root of what is gone, never nothing."""
    shares = [share_of_rate(step, 100, 10, cooldown=20) for step in range(100)]
    assert shares[0] == pytest.approx(0.1)
    assert shares[9:80] == [1] * 71
    assert shares[80:] == pytest.approx([1 - math.sqrt((gone + 1) / 21) for gone in range(20)])
    assert shares[99] > 0


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["visual.conv1.weight", "visual.class_embedding", "visual.transformer.resblocks.0.ln_1.weight"],
            [3, 3, 2],
        ),
        (["visual.ln_post.weight", "visual.proj", "logit_scale"], [0, 0, None]),
        (["token_embedding.weight", "transformer.resblocks.1.mlp.c_fc.weight", "text_projection"], [3, 1, 0]),
    ],
)
def test_lower_layers_learn_less(names: list[str], expected: list[int | None]) -> None:
    """Each layer's rate is a decay of that above; norms and projections at the top have the tower's own."""
    model = open_clip.CLIP(**SMALL_MODEL | {"text_cfg": SMALL_MODEL["text_cfg"] | {"layers": 2}})
    above = layers_above(name for name, _ in model.named_parameters())
    assert [above.get(name) for name in names] == expected
    optimizer = adamw(model, OptimizerPart(lr=1e-3, layer_decay=0.5, image_lr_factor=0.1))
    named = {parameter: name for name, parameter in model.named_parameters()}
    rates = {named[one]: group["full_lr"] for group in optimizer.param_groups for one in group["params"]}
    for name, layers in zip(names, expected, strict=True):
        tower = 0.1 if name.startswith("visual.") else 1
        assert rates[name] == pytest.approx(1e-3 * tower * 0.5 ** (layers or 0)), name


def test_layers_of_a_resnet_are_numbered() -> None:
    """From its stem up to the pooling."""
    names = ["visual.conv1.weight", "visual.bn3.bias", "visual.layer1.0.conv1.weight", "visual.layer2.0.bn1.weight"]
    above = layers_above([*names, "visual.attnpool.c_proj.weight"])
    assert list(above.values()) == [3, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("tower", "expected"),
    [
        (
            "vit_tiny_patch16_224",
            {"patch_embed.proj.weight": 13, "blocks.0.norm1.weight": 12, "blocks.11.norm1.bias": 1},
        ),
        (
            "convnext_atto",
            {"stem.0.weight": 13, "stages.0.blocks.1.norm.weight": 11, "stages.3.blocks.1.norm.weight": 1},
        ),
        ("resnet18", {"conv1.weight": 9, "layer1.1.conv1.weight": 7, "layer4.1.conv1.weight": 1}),
    ],
)
def test_layers_of_timm_lie_as_timm_says(tower: str, expected: dict[str, int]) -> None:
    """Blocks of later stages above those of earlier ones; the projection has the tower's own rate."""
    vision = {"image_size": 224, "timm_model_name": tower, "timm_pool": "avg", "timm_proj": "linear"}
    above = layers_of(open_clip.CLIP(**SMALL_MODEL | {"vision_cfg": vision}))
    assert {name: above[f"visual.trunk.{name}"] for name in expected} == expected
    assert (above["visual.head.proj.weight"], above["transformer.resblocks.0.ln_1.weight"]) == (0, 1)
    assert min(above.values()) == 0


def test_a_tower_without_groups_has_no_layer_decay() -> None:
    """So it is told."""
    model = open_clip.CLIP(**SMALL_MODEL)
    model.visual.trunk = torch.nn.Linear(2, 2)
    with pytest.raises(UsageError, match=r"optimizer\.layer_decay cannot be used: the image tower Linear"):
        adamw(model, OptimizerPart(lr=1e-3, layer_decay=0.5))


def test_groups_of_parameters_have_their_rates_and_decays() -> None:
    """Only matrices decay; a tower's factor is for that tower; what is frozen is in no group."""
    model = open_clip.CLIP(**SMALL_MODEL)
    model.visual.conv1.weight.requires_grad_(False)
    optimizer = adamw(model, OptimizerPart(lr=1e-3, wd=0.1, image_lr_factor=0.1, text_lr_factor=0.5))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = {
        names[id(parameter)]: (group["full_lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert found["logit_scale"] == (1e-3, 0)
    assert found["visual.proj"] == (pytest.approx(1e-4), 0.1)
    assert found["visual.ln_pre.weight"] == (pytest.approx(1e-4), 0)
    assert found["text_projection"] == (5e-4, 0.1)
    assert found.keys() == set(names.values()) - {"visual.conv1.weight"}
