"""The trainer: true captions, the right loss, and a model that survives being written."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from helpers import SMALL_MODEL

from bioclip_search.demo.species import Style
from bioclip_search.demo.specimens import SPECIES
from bioclip_search.embedder import Embedder
from bioclip_search.errors import UsageError
from bioclip_search.taxonomy import TextType
from training.captions import Caption, Captioner
from training.evaluate import class_features, nearest_neighbour_accuracy, rank_accuracy
from training.export import export_model, neutralise_unseen_tokens
from training.loss import multi_positive_loss
from training.painted import PaintedSet, paint_set
from training.recipe import Recipe, load_recipe
from training.train import learning_rate, parameter_groups, train, truth_matrix

TEMPLATES = open_clip.OPENAI_IMAGENET_TEMPLATES


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    """The shipped recipe with a very small model and few steps."""
    shipped = load_recipe(Path(__file__).parent.parent / "training" / "recipes" / "builtin.toml")
    return replace(shipped, model=SMALL_MODEL, specimens=126, steps=6, warmup=2, global_batch_size=32, precision="fp32")


@pytest.fixture(scope="module")
def painted() -> PaintedSet:
    """Two painted specimens of every species."""
    return paint_set(126, 7, 40, scales=(0.3,), workers=1)


def test_every_caption_is_true_of_the_photo_it_is_drawn_for() -> None:
    """The species is among those a caption holds for, and a style is only claimed of its own photos."""
    captioner, rng = Captioner(SPECIES, TEMPLATES), np.random.default_rng(0)
    texts = set()
    for number in range(len(SPECIES)):
        for style in SPECIES[number].plan.styles:
            for _ in range(20):
                caption = captioner.draw(number, style, rng)
                assert number in caption.species
                assert caption.style in (None, style)
                texts.add(caption.text)
    assert any("Danaus plexippus with common name monarch" in text for text in texts)
    assert any("Lepidoptera" in text and "Danaus" not in text for text in texts)
    assert len(texts) > 1000


def test_captions_follow_from_the_generator() -> None:
    """The same state of the generator draws the same caption."""
    captioner = Captioner(SPECIES, TEMPLATES)
    draws = [captioner.draw(5, Style.PINNED, np.random.default_rng(3)) for _ in range(2)]
    assert draws[0] == draws[1]


def test_a_caption_is_a_positive_for_every_photo_it_describes(painted: PaintedSet) -> None:
    """Truth goes by species and, where a caption names one, by style."""
    batch = np.array([0, 63, 1])
    style = painted.styles[0]
    captions = [Caption("a", frozenset({0})), Caption("b", frozenset({0, 1}), style), Caption("c", frozenset({1}))]
    expected = [
        [True, True, False],
        [True, painted.styles[63] is style, False],
        [False, painted.styles[1] is style, True],
    ]
    assert truth_matrix(painted, batch, captions).tolist() == expected


def test_with_one_positive_a_row_the_loss_is_that_of_open_clip() -> None:
    """A diagonal truth gives ClipLoss; more positives give the mean over them."""
    generator = torch.Generator().manual_seed(0)
    images, texts = (torch.nn.functional.normalize(torch.randn(6, 8, generator=generator), dim=1) for _ in range(2))
    scale = torch.tensor(14.0)
    ours = multi_positive_loss(images, texts, scale, torch.eye(6, dtype=torch.bool))
    assert float(ours) == pytest.approx(float(open_clip.ClipLoss()(images, texts, scale)), abs=1e-5)
    truth = torch.eye(6, dtype=torch.bool)
    truth[0, 1] = True
    logits = (scale * images @ texts.T).double()
    rows = [-(logits[i].log_softmax(0)[truth[i]]).mean() for i in range(6)]
    columns = [-(logits[:, j].log_softmax(0)[truth[:, j]]).mean() for j in range(6)]
    expected = (sum(rows) / 6 + sum(columns) / 6) / 2
    assert float(multi_positive_loss(images, texts, scale, truth)) == pytest.approx(float(expected), abs=1e-5)


def test_the_learning_rate_warms_up_and_falls_to_nothing(recipe: Recipe) -> None:
    """Linear up to lr, then half a cosine."""
    long = replace(recipe, steps=100, warmup=10)
    rates = [learning_rate(long, step) for step in range(100)]
    assert rates[0] == pytest.approx(long.lr / 10)
    assert max(rates) == rates[9] == pytest.approx(long.lr)
    assert rates[55] == pytest.approx(long.lr / 2)
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] < long.lr / 1000


def test_gains_biases_and_the_scale_are_not_decayed() -> None:
    """Weight decay is for matrices only."""
    model = open_clip.CLIP(**SMALL_MODEL)
    decayed, free = parameter_groups(model, 0.2)
    assert {parameter.ndim for parameter in free["params"]} <= {0, 1}
    assert any(parameter is model.logit_scale for parameter in free["params"])
    assert free["weight_decay"] == 0
    assert len(decayed["params"]) + len(free["params"]) == len(list(model.parameters()))


def test_training_learns_repeats_and_keeps_the_scale_in_bounds(recipe: Recipe, painted: PaintedSet) -> None:
    """The same recipe gives the same losses, and they fall."""
    captioner = Captioner(SPECIES, TEMPLATES)
    runs: list[list[float]] = []
    for _ in range(2):
        losses: list[float] = []
        model = train(replace(recipe, steps=14), painted, captioner, lambda _, loss, kept=losses: kept.append(loss))
        runs.append(losses)
    assert runs[0] == pytest.approx(runs[1], abs=1e-4)
    assert np.mean(runs[0][-3:]) < np.mean(runs[0][:3])
    assert 0 <= float(model.logit_scale.detach()) <= math.log(100)


def test_an_exported_model_gives_the_features_it_had(tmp_path: Path) -> None:
    """Features before and after are equal up to half precision, activation included."""
    torch.manual_seed(3)
    model_cfg = {**SMALL_MODEL, "quick_gelu": True}
    model = open_clip.CLIP(**model_cfg).eval()
    tokenizer = open_clip.SimpleTokenizer(context_length=77)
    with torch.no_grad():
        before = model.encode_text(tokenizer(["an oak", "a wasp"]), normalize=True).numpy()
    export_model(model, model_cfg, tmp_path / "model")
    after = Embedder.load(str(tmp_path / "model"), device="cpu", dtype="float32").encode_texts(["an oak", "a wasp"])
    assert after == pytest.approx(before, abs=5e-3)
    assert (before * after).sum(axis=1) == pytest.approx([1, 1], abs=1e-4)


def test_words_that_were_never_trained_say_nothing() -> None:
    """All unseen tokens share one embedding: the mean of the seen."""
    model, tokenizer = open_clip.CLIP(**SMALL_MODEL), open_clip.SimpleTokenizer(context_length=77)
    seen = neutralise_unseen_tokens(model, ["oak", "wasp"], tokenizer)
    weights = model.token_embedding.weight.detach()
    kept = torch.unique(tokenizer(["oak", "wasp"]))
    assert seen == len(kept)
    unknown = tokenizer(["zebra"])[0, 1]
    assert torch.allclose(weights[unknown], weights[kept].mean(dim=0), atol=1e-6)


def test_zero_shot_equals_a_plain_computation(small_model: Path) -> None:
    """Averaged templates and accuracy at every rank, computed again step by step."""
    embedder = Embedder.load(str(small_model), device="cpu", dtype="float32")
    taxa = [species.taxon for species in SPECIES[:5]]
    names = [taxon.text(TextType.SCIENTIFIC) or "" for taxon in taxa]
    classes = class_features(embedder, names, TEMPLATES[:3])
    for name, vector in zip(names, classes, strict=True):
        mean = np.mean([embedder.encode_texts([template(name)])[0] for template in TEMPLATES[:3]], axis=0)
        assert vector == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
    images, truth = classes[[0, 1, 2, 2]], np.array([0, 1, 2, 3])
    accuracy = rank_accuracy(embedder, images, truth, taxa, TextType.SCIENTIFIC, TEMPLATES[:3])
    assert (accuracy["species"], accuracy["order"]) == (0.75, 1.0)


def test_the_nearest_neighbour_is_never_the_photo_itself() -> None:
    """Two photos of one species find each other; one of a kind finds none of its own."""
    images = np.eye(4, dtype=np.float32)[[0, 0, 1, 2]]
    assert nearest_neighbour_accuracy(images, np.array([7, 7, 8, 9])) == 0.5
    assert nearest_neighbour_accuracy(images[:2], np.array([1, 2])) == 0


@pytest.mark.parametrize(
    ("line", "reason"),
    [("colour = 1", "unknown names: colour"), ("steps = -1", "steps must be above 0"), ("warmup = 9999", "warmup")],
)
def test_a_wrong_recipe_is_refused_with_the_name(tmp_path: Path, line: str, reason: str) -> None:
    """Unknown, impossible and missing names are told before anything runs."""
    shipped = (Path(__file__).parent.parent / "training" / "recipes" / "builtin.toml").read_text()
    name = line.split()[0]
    kept = [row for row in shipped.splitlines() if not row.startswith(f"{name} ")]
    path = tmp_path / "recipe.toml"
    path.write_text("\n".join([line, *kept]))
    with pytest.raises(UsageError, match=reason):
        load_recipe(path)
    path.write_text("steps = 1")
    with pytest.raises(UsageError, match="lacks"):
        load_recipe(path)
