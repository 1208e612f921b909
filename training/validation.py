"""Zero-shot accuracy while a model is trained: cheap enough to be asked often, by all processes together.

Photos of the split for validation are named among the taxa of all of them, each called by one caption, in the
numbers of the training. `train eval` measures more: all photos of the split, with 80 templates, as the indexer sees
them (on many processors in bfloat16), so that its accuracy differs by a few per cent either way.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch

from bioclip_search.errors import UsageError
from bioclip_search.preprocessing import Fit, Preprocessing
from bioclip_search.taxonomy import TextType
from bioclip_search.text import printable
from training.distributed import World, gather_rows
from training.plan import Numbers
from training.reading_parts import EvaluationPart
from training.shard_samples import ShardSamples
from training.shards.reading import picture_of, sample_of
from training.state import TrainerState
from training.step import photo_features, text_features

__all__ = ["Validation"]

_AT_ONCE = 128  # photos or texts through the model
_READERS = 4


@dataclass(frozen=True, slots=True)
class Validation:
    """Which photos are asked: `numbers` int64 [n] of `samples`; `truth` int64 [n] are rows of `texts`."""

    samples: ShardSamples
    preprocessing: Preprocessing
    numbers: Numbers
    truth: Numbers
    texts: tuple[str, ...]
    every: int

    @classmethod
    def of(
        cls, part: EvaluationPart, samples: ShardSamples, state: TrainerState, batches_an_epoch: int
    ) -> "Validation":
        """Draw photos that have a name by the recipe's seed, and read their taxa. Raises UsageError where none has."""
        recipe, total = state.recipe, len(samples.column("scientific"))
        drawn = np.random.default_rng(recipe.seed).permutation(total).tolist()
        named = sorted(islice(_named(samples, drawn, TextType(part.text_type)), part.photos))
        if not named:
            raise UsageError(
                f"No photo of the split “{printable(part.split)}” has a name that could be asked for; name another one "
                "in evaluation.split, or take the part [evaluation] out of the recipe."
            )
        numbers = np.array([number for number, _ in named], dtype=np.int64)
        texts, truth = np.unique([recipe.data.caption.replace("{}", name) for _, name in named], return_inverse=True)
        every = part.every or (part.epochs or 1) * batches_an_epoch
        fit = Fit.SQUASH if state.folders[0].fit == "squash" else Fit.CROP
        mean_std = state.initial.preprocessing
        preprocessing = Preprocessing(mean_std.size, fit, mean_std.interpolation, mean_std.mean, mean_std.std)
        return cls(samples, preprocessing, numbers, truth.astype(np.int64), tuple(texts.tolist()), every)

    def accuracy(self, state: TrainerState) -> float:
        """Share of the photos whose own taxon's text is the nearest; every process must ask for it."""
        state.model.eval()
        # Kernels would be made anew for other shapes.
        with torch.compiler.set_stance("force_eager") if state.recipe.training.compile else nullcontext():
            texts = _shared_out(state.here, len(self.texts), lambda rows: self._texts(state, rows))
            photos = _shared_out(state.here, len(self.numbers), lambda rows: self._photos(state, rows))
        state.model.train()
        starts = list(range(_AT_ONCE, len(photos), _AT_ONCE))
        found = torch.cat([(part @ texts.T).argmax(dim=1) for part in torch.tensor_split(photos, starts)])
        return float((found.cpu().numpy() == self.truth).mean())

    def _texts(self, state: TrainerState, rows: Sequence[int]) -> torch.Tensor:
        return text_features(state, state.initial.tokenizer([self.texts[row] for row in rows]))

    def _photos(self, state: TrainerState, rows: Sequence[int]) -> torch.Tensor:
        with ThreadPoolExecutor(_READERS) as pool:
            pixels = list(pool.map(self._pixels, map(self._jpeg, rows), rows))
        return photo_features(state, torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous())

    def _jpeg(self, row: int) -> bytes:
        number = int(self.numbers[row])
        with self.samples.naming(number):
            return self.samples.read(number)[0]

    def _pixels(self, jpeg: bytes, row: int) -> np.ndarray:
        with self.samples.naming(int(self.numbers[row])):
            return self.preprocessing.apply(picture_of(jpeg))


def _named(samples: ShardSamples, numbers: Iterable[int], kind: TextType) -> Iterator[tuple[int, str]]:
    """Those of some samples that have a name, with it: captions of their own name no class."""
    for number in numbers:
        with samples.naming(number):
            name = sample_of(samples.read(number)[1]).taxon.text(kind)
        if name:
            yield number, name


def _shared_out(here: World, count: int, encode: Callable[[Sequence[int]], torch.Tensor]) -> torch.Tensor:
    """Features [count, dim] of rows that the processes encode in turn.

    Each encodes equally many, some rows twice if need be: a process that came short would leave the others
    waiting for it.
    """
    each = -(-count // here.size)
    mine = [(here.rank + number * here.size) % count for number in range(each)]
    parts = [encode(mine[start : start + _AT_ONCE]) for start in range(0, each, _AT_ONCE)]
    gathered = gather_rows(torch.cat(parts))
    return gathered.view(here.size, each, -1).transpose(0, 1).reshape(here.size * each, -1)[:count]
