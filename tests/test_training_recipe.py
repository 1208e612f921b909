"""The recipe of a run: read, checked, and every fault told by its key."""

import re
from pathlib import Path

import pytest
from helpers import Command

from bioclip_search.errors import UsageError
from training.learning_parts import SchedulePart
from training.run_recipe import load_run_recipe
from training.shipped import SHIPPED

SMALL = """
[model]
architecture = "ViT-B-16"
[optimizer]
lr = 1e-3
[schedule]
steps = 20
[training]
batch_size = 16
"""


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipes_are_found_by_name(name: str) -> None:
    """Each can be read, and leaves the shards to the command line."""
    assert load_run_recipe(name).data.shards == ()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_that_is_printed_is_a_recipe(name: str, run: Command, tmp_path: Path) -> None:
    """As it is written, with its comments; it can be given to `train run` again."""
    printed = run("train", "recipe", name)
    assert (printed.code, printed.out.startswith("# ")) == (0, True)
    (tmp_path / "mine.toml").write_text(printed.out)
    assert load_run_recipe(tmp_path / "mine.toml") == load_run_recipe(name)
    assert run("train", "recipe", name, "--format", "json").json == {"name": name, "toml": printed.out}


def test_shipped_recipes_are_listed(run: Command) -> None:
    """A line each, and an unknown name tells them."""
    listed = run("train", "recipe")
    assert [line.split()[0] for line in listed.out.splitlines()] == list(SHIPPED)
    assert "100 epochs of TreeOfLife-10M." in listed.out.splitlines()[0]
    assert [one["name"] for one in run("train", "recipe", "--format", "json").json] == list(SHIPPED)
    for asked in (("recipe", "nosuch"), ("run", "nosuch", "--out", "run")):
        wrong = run("train", *asked)
        assert (wrong.code, ", ".join(SHIPPED) in wrong.err) == (2, True)


def test_the_recipe_of_the_readme_can_be_used(tmp_path: Path) -> None:
    """What is shown is read as it stands."""
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```toml\n(# mine\.toml.*?)```", readme, re.DOTALL)
    (tmp_path / "mine.toml").write_text(shown)
    assert load_run_recipe(tmp_path / "mine.toml").model.init == "bioclip"


def test_the_recipe_of_bioclip_is_that_of_the_paper() -> None:
    """ViT-B/16 from OpenAI's weights, 32,768 photos, 1e-4, 1,000 steps of warm-up, 100 epochs."""
    recipe = load_run_recipe("bioclip")
    assert (recipe.model.architecture, recipe.model.pretrained) == ("ViT-B-16", "openai")
    assert (recipe.training.batch_size, recipe.optimizer.lr) == (32768, 1e-4)
    assert (recipe.schedule.warmup, recipe.schedule.epochs, recipe.data.text_draw) == (1000, 100, "batch")


def test_shards_lie_relative_to_the_recipe(tmp_path: Path) -> None:
    """Unless the command line names others."""
    path = tmp_path / "recipe.toml"
    path.write_text(SMALL + '[[data.shards]]\npath = "here"\nshare = 3\n[[data.shards]]\npath = "/there"\n')
    recipe = load_run_recipe(path)
    assert [Path(one.path) for one in recipe.data.shards] == [tmp_path / "here", Path("/there")]
    assert [one.share for one in recipe.data.shards] == [3.0, 1.0]
    assert [one.path for one in recipe.on_shards([tmp_path]).data.shards] == [str(tmp_path)]


@pytest.mark.parametrize(
    ("init", "meant"),
    [
        ("model", "HERE/model"),
        ("../run/checkpoints/step-00000100", "HERE/../run/checkpoints/step-00000100"),
        ("/models/one", "/models/one"),
        ("bioclip", "bioclip"),
        ("builtin", "builtin"),
        ("hf-hub:some/model", "hf-hub:some/model"),
    ],
)
def test_a_model_lies_relative_to_the_recipe(tmp_path: Path, init: str, meant: str) -> None:
    """As shards do; names of models stay what they are."""
    path = tmp_path / "recipe.toml"
    path.write_text(SMALL.replace('architecture = "ViT-B-16"', f'init = "{init}"'))
    assert load_run_recipe(path).model.init == meant.replace("HERE", str(tmp_path))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("", "colour = 1", "colour is not known"),
        ("lr = 1e-3", "lr = 1e-3\ncolour = 1", r"optimizer\.colour is not known"),
        ("lr = 1e-3", "", r"optimizer\.lr is missing"),
        ("lr = 1e-3", 'lr = "fast"', r"optimizer\.lr must be a number"),
        ("lr = 1e-3", "lr = 0", r"optimizer\.lr must be above 0"),
        ("lr = 1e-3", "lr = nan", r"optimizer\.lr must be above 0"),
        ("steps = 20", "steps = 2.5", r"schedule\.steps must be a whole number"),
        ("steps = 20", "steps = true", r"schedule\.steps must be a whole number"),
        ("steps = 20", "steps = 20\nepochs = 2", "schedule needs epochs or steps"),
        ("steps = 20", "steps = 20\nwarmup = 21", r"schedule\.warmup"),
        ("batch_size = 16", "batch_size = 1", r"training\.batch_size must be at least 2"),
        ("batch_size = 16", "batch_size = 16\nmicro_batch = 17", r"training\.micro_batch"),
        ("batch_size = 16", 'batch_size = 16\nprecision = "fp8"', r"training\.precision"),
        ("batch_size = 16", 'batch_size = 16\nprecision = "pure_bf16"\nema_decay = 0.9', r"training\.ema_decay"),
        ('architecture = "ViT-B-16"', 'architecture = "a"\ninit = "bioclip"', "model needs one of"),
        ('architecture = "ViT-B-16"', 'init = "bioclip"\npretrained = "openai"', r"model\.pretrained"),
        ('architecture = "ViT-B-16"', 'init = "bioclip"\nfrozen = ["image", "text"]', r"model\.frozen"),
        ('architecture = "ViT-B-16"', 'architecture = "ViT-B-16"\nfrozen = ["image"]', r"model\.frozen"),
        ("lr = 1e-3", "lr = 1e-3\n[objective]\nsame_taxon = 'maybe'", r"objective\.same_taxon"),
        (
            "lr = 1e-3",
            "lr = 1e-3\n[data]\ntext_types = ['sci']\ntext_draw = 'batch'",
            r"data\.text_draw would be ignored",
        ),
        ("lr = 1e-3", "lr = 1e-3\n[data]\ntext_types = ['latin']", r"data\.text_types has no “latin”"),
        ("lr = 1e-3", "lr = 1e-3\n[data]\ncaption = 'a photo'", r"data\.caption"),
        ("lr = 1e-3", "lr = 1e-3\n[data]\nown_captions = 1.5", r"data\.own_captions"),
        ("lr = 1e-3", "lr = 1e-3\n[data]\ncrop_scale = [0.9, 1.1]", r"data\.crop_scale"),
        ("lr = 1e-3", "lr = 1e-3\n[[data.shards]]\npath = 'a'\nshare = 2", r"data\.shards\.share would be ignored"),
        ("lr = 1e-3", "lr = 1e-3\n[checkpoint]\nkeep = 0", r"checkpoint\.keep"),
        ("lr = 1e-3", "lr = 1e-3\nlayer_decay = 1.0", r"optimizer\.layer_decay"),
        ("steps = 20", 'steps = 20\nkind = "wsd"', r"schedule\.cooldown must be at least 1"),
        ("steps = 20", "steps = 20\ncooldown = 5", r"schedule\.cooldown would be ignored"),
        ("steps = 20", 'steps = 20\nkind = "linear"', r"schedule\.kind"),
        ("batch_size = 16", 'batch_size = 16\nsharding = "zero"', r"training\.sharding"),
        ("batch_size = 16", 'batch_size = 16\nsharding = "fsdp2"\nprecision = "amp"', r"training\.precision"),
        ("batch_size = 16", 'batch_size = 16\nsharding = "fsdp2"\nema_decay = 0.9', r"training\.ema_decay"),
        ("batch_size = 16", 'batch_size = 16\ncompile = "yes"', r"training\.compile must be true or false"),
        ("lr = 1e-3", "lr = 1e-3\n[replay]\nbatch_size = 1", r"replay\.batch_size"),
        ("lr = 1e-3", "lr = 1e-3\n[replay]", r"replay\.batch_size is missing"),
        ("lr = 1e-3", "lr = 1e-3\n[evaluation]", "evaluation needs every"),
        ("lr = 1e-3", "lr = 1e-3\n[evaluation]\nevery = 1\nphotos = 0", r"evaluation\.photos"),
        ("lr = 1e-3", "lr = 1e-3\n[evaluation]\nevery = 1\ntext_type = 'latin'", r"evaluation\.text_type"),
        ("[schedule]", "[schedule", "cannot be read"),
    ],
)
def test_a_wrong_key_is_told(tmp_path: Path, before: str, after: str, told: str) -> None:
    """Unknown, missing, impossible, contradictory and ignored keys, each by its name."""
    path = tmp_path / "recipe.toml"
    path.write_text(SMALL.replace(before, after, 1) if before else after + SMALL)
    with pytest.raises(UsageError, match=told):
        load_run_recipe(path)


def test_a_schedule_must_fit_the_run() -> None:
    """The length of an epoch is known with the shards only."""
    part = SchedulePart(epochs=2, warmup=3, kind="wsd", cooldown=4)
    assert part.steps_in(5) == 10
    with pytest.raises(UsageError, match="warmup and cooldown is longer than the run of 6 steps"):
        part.steps_in(3)
    with pytest.raises(UsageError, match=r"schedule\.warmup is longer than the run of 2 steps"):
        part.steps_in(1)


def test_a_rate_for_a_frozen_tower_would_be_ignored(tmp_path: Path) -> None:
    """So it is an error."""
    path = tmp_path / "recipe.toml"
    frozen = SMALL.replace('architecture = "ViT-B-16"', 'init = "bioclip"\nfrozen = ["image"]')
    path.write_text(frozen.replace("lr = 1e-3", "lr = 1e-3\nimage_lr_factor = 0.1"))
    with pytest.raises(UsageError, match=r"optimizer\.image_lr_factor would be ignored"):
        load_run_recipe(path)
