"""What a run reads: its folders of shards, checked and indexed, and the batches that are drawn from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bioclip_search.errors import UsageError
from training.data import Batch, Captions, SampleReader
from training.distributed import World
from training.initial import Initial
from training.loading import local_batches
from training.metrics import Progress
from training.plan import FolderPlan, Position, caption_groups, rows_of
from training.reading_parts import ShardSource
from training.replay import ReplayReader
from training.run_recipe import RunRecipe
from training.shard_index import ShardFolder, index_all, open_folder
from training.shard_samples import ShardSamples

__all__ = ["Feed", "open_feed"]


@dataclass(frozen=True, slots=True)
class Feed:
    """The folders of a run, the replayed one last if there is one, with a plan for each; `val` is for evaluation."""

    recipe: RunRecipe
    folders: tuple[ShardFolder, ...]
    samples: tuple[ShardSamples, ...]
    plans: tuple[FolderPlan, ...]
    val: ShardSamples | None

    @property
    def batches_an_epoch(self) -> int:
        return self.plans[0].batches_an_epoch

    def batches(
        self, initial: Initial, positions: Sequence[Position], step: int, here: World
    ) -> Iterator[tuple[Batch, Batch | None, list[Position]]]:
        """Without end: this process's rows of a batch, of the replayed one, and the positions after them."""
        recipe, own = self.recipe, len(self.recipe.data.shards)
        captions, seen, pin = Captions.of(recipe.data, recipe.seed), initial.preprocessing, _pins(here)
        made = (captions, initial.tokenizer, seen.size, recipe.data.crop_scale, seen.resampling)
        reader = SampleReader(self.samples[:own], *made)
        part, workers = here.part(recipe.training.batch_size), recipe.data.workers
        batches = local_batches(reader, self.plans[:own], positions[:own], step, part, workers=workers, pin=pin)
        if recipe.replay is None:
            yield from ((batch, None, list(batch.positions)) for batch in batches)
            return
        replayer = ReplayReader(self.samples[own:], *made)
        part = here.part(recipe.replay.batch_size)
        replayed = local_batches(
            replayer, self.plans[own:], positions[own:], step, part, workers=min(workers, 2), pin=pin
        )
        for one, other in zip(batches, replayed, strict=True):
            yield one, other, [*one.positions, *other.positions]

    def close(self) -> None:
        for one in (*self.samples, *([self.val] if self.val else [])):
            one.close()


def _pins(here: World) -> bool:
    return here.device.type == "cuda"


def open_feed(recipe: RunRecipe, index: Path, here: World, progress: Progress) -> Feed:
    """Preflight: every shard is read through and checked once, shared out among the machine's processes.

    Raises UsageError for a recipe that names too few folders, RecordError for shards that cannot be used.
    """
    folders = [open_folder(source) for source in _sources(recipe)]
    val = None
    if recipe.evaluation is not None:
        val = open_folder(replace(recipe.data.shards[0], split=recipe.evaluation.split))
    shards = [shard for folder in (*folders, *([val] if val else [])) for shard in folder.shards]
    index_all(shards[here.local_rank :: here.local_size], index, progress.say)
    here.wait()
    samples = [ShardSamples(folder.shards, index) for folder in folders]
    return Feed(
        recipe,
        tuple(folders),
        tuple(samples),
        tuple(_plans(recipe, folders, samples)),
        ShardSamples(val.shards, index) if val else None,
    )


def _sources(recipe: RunRecipe) -> list[ShardSource]:
    if not recipe.data.shards:
        raise UsageError("The recipe names no folder of shards; give one with --shards.")
    if recipe.replay is None:
        return list(recipe.data.shards)
    if recipe.replay.path is None:
        raise UsageError(
            "The recipe replays photos of another kind, and names no shards of them; give some with --replay, or take "
            "the part [replay] out of the recipe."
        )
    return [*recipe.data.shards, ShardSource(recipe.replay.path, split=recipe.replay.split)]


def _plans(recipe: RunRecipe, folders: Sequence[ShardFolder], samples: Sequence[ShardSamples]) -> list[FolderPlan]:
    rows = rows_of(recipe.training.batch_size, [source.share for source in recipe.data.shards])
    rows += [recipe.replay.batch_size] if recipe.replay else []
    unique = recipe.objective.same_taxon == "unique"
    groups = caption_groups(samples[0].column("scientific"), samples[0].column("common")) if unique else None
    return [
        FolderPlan(
            tuple(shard.samples for shard in folder.shards),
            rows[number],
            (recipe.seed, number),
            recipe.data.mixed_shards,
            groups if number == 0 else None,  # batches are unique with one folder only
        )
        for number, folder in enumerate(folders)
    ]
