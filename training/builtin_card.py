"""What the card of the built-in model says beside what every exported model's does."""

from collections.abc import Mapping

from bioclip_search.taxonomy import RANKS, TextType
from training.builtin_measure import Measured
from training.evaluation.few_shot import FewShot
from training.model_card import CardWords

__all__ = ["card_words"]


def card_words(measured: Measured, tokens: int, seconds: Mapping[str, float]) -> CardWords:
    """`tokens` occurred in training; `seconds` by stage."""
    minutes = sum(seconds.values()) / 60
    stages = ", ".join(f"{stage} {taken / 60:.0f}" for stage, taken in seconds.items())
    about = f"""A small CLIP for trying bioclip-search out without a download. **Not for science**: it has never
seen a photograph, only specimens painted by the code in `bioclip_search/demo/`.

Retrain it with

```
python -m training.builtin
```

which paints, packs shards, trains by the recipe `builtin`, measures, and writes this folder anew. Stopped anywhere,
it goes on. It took {minutes:.0f} minutes on two CPU cores that other work shared
({stages}).

{tokens:,} tokens occurred in training; all others are given their mean, so that an unknown word says nothing."""
    return CardWords("The built-in model", about, _measured(measured), "MIT, as the program.")


def _measured(measured: Measured) -> str:
    photos, classes = measured.with_unseen.photos, measured.zero_shot[TextType.SCIENTIFIC].classes
    ranks = [rank.value for rank in RANKS]
    rows = [
        f"| {kind.value} | {found.top1:.3f} | {found.top5:.3f} | "
        + " | ".join(f"{measured.by_rank[kind].of_best[rank]:.3f}" for rank in RANKS[:-1])
        + " |"
        for kind, found in measured.zero_shot.items()
    ]
    return f"""On {photos:,} specimens of the {classes} species of the demo, none of them used in training (the split
val). Zero-shot with the 80 templates of CLIP, by type of text; species (first, among the first five), then wider
ranks of the best species:

| text | species | in five | {" | ".join(ranks[:-1])} |
|---|---|---|{"---|" * (len(ranks) - 1)}
{chr(10).join(rows)}

With the scientific names of {measured.with_unseen.classes - classes} more species to choose from, which it has never
seen: {measured.with_unseen.top1:.3f}.

On those {measured.with_unseen.classes - classes} species (`training/unseen_species.py`, the split unseen) SimpleShot
(Wang et al. 2019) as in BioCLIP, mean and standard deviation of five folds, beside the nearest photo:

| photos a species to learn from | SimpleShot | nearest photo | asked |
|---|---|---|---|
{chr(10).join(_few(found) for found in measured.few_shot.values())}

Their own names, which it has never read either, are found for few of them among all {measured.with_unseen.classes}
scientific names: right at family {measured.unseen[RANKS[4]]:.3f}, at order {measured.unseen[RANKS[3]]:.3f}, at class
{measured.unseen[RANKS[2]]:.3f}.

All of these are paintings by the same painters as in training: nothing was measured on photographs for this card."""


def _few(found: FewShot) -> str:
    nearest = sum(found.nearest) / len(found.nearest)
    return f"| {found.shots} | {found.mean:.3f} ± {found.std:.3f} | {nearest:.3f} | {found.queries:.0f} |"
