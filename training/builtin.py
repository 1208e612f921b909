"""Retrain the built-in model: paint, train, measure, write the folder and its model card.

    python -m training.builtin

The result is for trying the program out, not for science.
"""

import sys
import time
from pathlib import Path

import click
import numpy as np

from bioclip_search.embedder import Embedder, Features
from bioclip_search.taxonomy import TextType
from training.recipe import Recipe, load_recipe

__all__ = ["main"]

_HERE = Path(__file__).parent
_TEST_SEED = 20_000_000
_TEST_SPECIMENS = 1_000


@click.command()
@click.option("--recipe", type=click.Path(path_type=Path), default=_HERE / "recipes" / "builtin.toml")
@click.option("--out", type=click.Path(path_type=Path), default=_HERE.parent / "bioclip_search" / "demo" / "builtin")
@click.option("--workers", default=2, show_default=True, help="Processes that paint.")
def main(recipe: Path, out: Path, workers: int) -> None:
    """Paint specimens, train the built-in model on them, measure it and write it to OUT."""
    import open_clip

    from bioclip_search.demo.specimens import SPECIES
    from training.captions import Captioner
    from training.export import export_model, neutralise_unseen_tokens
    from training.painted import paint_set
    from training.train import train

    started = time.monotonic()
    plan = load_recipe(recipe)
    _say(f"painting {plan.specimens:,} specimens")
    painted = paint_set(
        plan.specimens, plan.first_seed, round(plan.image_size * 8 / 7), scales=plan.scales, workers=workers
    )
    captioner = Captioner(SPECIES, open_clip.OPENAI_IMAGENET_TEMPLATES)
    _say(f"painted in {time.monotonic() - started:.0f} s; training for {plan.steps:,} steps")
    clock = time.monotonic()

    def report(step: int, loss: float) -> None:
        if step % 25 == 0 or step == plan.steps - 1:
            _say(f"step {step:,}: loss {loss:.3f}, {time.monotonic() - clock:.0f} s")

    model = train(plan, painted, captioner, report)
    rng = np.random.default_rng(plan.seed + 1)
    photos = range(len(painted.species))
    texts = [captioner.draw(int(painted.species[i]), painted.styles[i], rng).text for i in photos]
    texts += [template("") for template in open_clip.OPENAI_IMAGENET_TEMPLATES]
    tokenizer = open_clip.SimpleTokenizer(context_length=plan.model["text_cfg"]["context_length"])
    tokens = neutralise_unseen_tokens(model, texts, tokenizer)
    export_model(model, plan.model, out)
    _say("measuring on freshly painted specimens")
    card = _card(plan, _measure(out, workers), tokens, time.monotonic() - started)
    (out / "README.md").write_text(card, encoding="utf-8")
    _say(f"wrote {out} in {time.monotonic() - started:.0f} s")


def _measure(folder: Path, workers: int) -> dict[str, dict[str, float]]:
    """Accuracy of the exported folder, loaded as the indexer loads it, on specimens of unseen seeds."""
    import open_clip

    from bioclip_search.demo.specimens import SPECIES
    from training.evaluate import nearest_neighbour_accuracy, rank_accuracy
    from training.painted import paint_set

    embedder = Embedder.load(str(folder), device="cpu", dtype="float32")
    fresh = paint_set(_TEST_SPECIMENS, _TEST_SEED, embedder.preprocessing.size, workers=workers)
    parts = np.array_split(fresh.pixels, max(1, len(fresh.pixels) // 100))
    images: Features = np.concatenate([embedder.encode_pixels(part) for part in parts])
    taxa = [species.taxon for species in SPECIES]
    templates = open_clip.OPENAI_IMAGENET_TEMPLATES
    measured = {kind.value: rank_accuracy(embedder, images, fresh.species, taxa, kind, templates) for kind in TextType}
    measured["1-NN"] = {"species": nearest_neighbour_accuracy(images, fresh.species)}
    return measured


def _card(recipe: Recipe, measured: dict[str, dict[str, float]], tokens: int, seconds: float) -> str:
    from bioclip_search.demo.specimens import SPECIES

    ranks = list(measured[TextType.TAXONOMIC_COMMON.value])
    header = f"| text | {' | '.join(ranks)} |\n|---|{'---|' * len(ranks)}"
    rows = [
        f"| {kind.value} | " + " | ".join(f"{measured[kind.value][rank]:.3f}" for rank in ranks) + " |"
        for kind in TextType
    ]
    table = "\n".join([header, *rows])
    return f"""# The built-in model

A small CLIP for trying bioclip-search out without a download. **Not for science**: it has never
seen a photograph, only specimens painted by the code in `bioclip_search/demo/`.

- **Architecture**: ResNet {recipe.model["vision_cfg"]["layers"]} of width {recipe.model["vision_cfg"]["width"]} at
  {recipe.image_size} pixels, text transformer of {recipe.model["text_cfg"]["layers"]} layers and width
  {recipe.model["text_cfg"]["width"]}, {recipe.model["embed_dim"]} dimensions; open_clip format, float16 weights.
- **Trained on**: {recipe.specimens:,} painted specimens of {len(SPECIES)} species (seeds from
  {recipe.first_seed:,}), {recipe.steps:,} steps of {recipe.global_batch_size}; captions of the five BioCLIP text
  types, higher taxa, short descriptions and styles of photo. Loss: CLIP with every true caption of a batch as a
  positive.
- **Words**: {tokens:,} tokens occurred in training; all others are given their mean, so that an unknown word says
  nothing.

## Measured

On {_TEST_SPECIMENS:,} freshly painted specimens of all {len(SPECIES)} species (seeds from {_TEST_SEED:,}, none of
them used in training). Zero-shot accuracy with the 80 templates of CLIP, by type of text:

{table}

The most similar other photo shows the same species: {measured["1-NN"]["species"]:.3f}.

## Retrain

```
python -m training.builtin
```

writes this folder anew. It took {seconds / 60:.0f} minutes on two CPU cores, painting and measuring included.
"""


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
