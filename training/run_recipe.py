"""The recipe of a training run on shards: one TOML file, read into one frozen, validated value.

Every section of the file is a dataclass (`reading_parts`, `learning_parts`), every key a field. A key that
is unknown, that cannot work, or that would be ignored beside the others is an error which names it.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bioclip_search.errors import UsageError
from bioclip_search.models import BUILTIN, is_on_hub
from bioclip_search.text import printable
from training.learning_parts import CheckpointPart, ModelPart, ObjectivePart, OptimizerPart, SchedulePart, TrainingPart
from training.reading_parts import DataPart, EvaluationPart, ReplayPart, ShardSource
from training.shipped import SHIPPED, recipe_file
from training.tables import built, fault

__all__ = ["RunRecipe", "load_run_recipe"]


@dataclass(frozen=True, slots=True)
class RunRecipe:
    """A whole run. Raises UsageError for values that cannot work, alone or together."""

    model: ModelPart
    optimizer: OptimizerPart
    schedule: SchedulePart
    training: TrainingPart
    data: DataPart = field(default_factory=DataPart)
    objective: ObjectivePart = field(default_factory=ObjectivePart)
    checkpoint: CheckpointPart = field(default_factory=CheckpointPart)
    replay: ReplayPart | None = None
    evaluation: EvaluationPart | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise fault("seed", "must not be below 0")
        for tower in self.model.frozen:
            if getattr(self.optimizer, f"{tower}_lr_factor") != 1:
                raise fault(f"optimizer.{tower}_lr_factor", f"would be ignored: model.frozen holds “{tower}”")
        if self.training.ema_decay is not None and self.training.precision == "pure_bf16":
            raise fault("training.ema_decay", "would be lost in the rounding of pure_bf16; use amp_bf16")
        if len(self.data.shards) == 1 and self.data.shards[0].share != 1:
            raise fault("data.shards.share", "would be ignored: there is one folder only")
        if self.objective.same_taxon == "unique" and len(self.data.shards) > 1:
            raise fault("objective.same_taxon", "can be unique with one folder of shards only")
        if self.replay is not None and "image" in self.model.frozen:
            raise fault("replay", "would be ignored: model.frozen holds “image”")

    def on_shards(self, folders: Sequence[Path]) -> "RunRecipe":
        """The same recipe on other folders of shards, in equal shares."""
        shards = tuple(ShardSource(str(folder)) for folder in folders)
        return replace(self, data=replace(self.data, shards=shards))

    def replaying(self, folder: Path) -> "RunRecipe":
        """The same with another folder of shards to replay. Raises UsageError if the recipe does not replay."""
        if self.replay is None:
            raise UsageError("The recipe has no part [replay]; leave --replay out, or give replay.batch_size.")
        return replace(self, replay=replace(self.replay, path=str(folder)))

    @property
    def photos_a_step(self) -> int:
        return self.training.batch_size + (self.replay.batch_size if self.replay else 0)

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the checkpoint."""
        return asdict(self)


def load_run_recipe(name: str | Path) -> RunRecipe:
    """Read a recipe from a file, or one that is shipped by its name. Raises UsageError.

    Folders, of shards and of the model that is begun with, are relative to the recipe's own.
    """
    path = recipe_file(str(name)) if str(name) in SHIPPED else Path(name)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no recipe {printable(str(name))}; name one that is shipped ({', '.join(SHIPPED)}; see "
            "`bioclip-search train recipe`), or a TOML file of your own."
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(f"The recipe {path} cannot be read ({error}).") from error
    recipe: RunRecipe = built(RunRecipe, values, "")
    folder = path.parent.absolute()
    shards = tuple(replace(one, path=str(folder / one.path)) for one in recipe.data.shards)
    recipe = replace(recipe, data=replace(recipe.data, shards=shards))
    if (init := recipe.model.init) is not None and init != BUILTIN and not is_on_hub(init):
        recipe = replace(recipe, model=replace(recipe.model, init=str(folder / init)))
    if recipe.replay is None or recipe.replay.path is None:
        return recipe
    return recipe.replaying(folder / recipe.replay.path)
