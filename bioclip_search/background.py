"""What unrelated queries reach in a catalogue: below it the best hit is no good match.

Some things that no collection of specimens holds are asked for, as words and as drawn pictures; how near
their best hits come is kept beside the catalogue.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from bioclip_search.atomic import write_json
from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Embedder
from bioclip_search.prompts import caption
from bioclip_search.text_features import TextFeatures, TextKind

__all__ = ["Background", "measure_background", "refresh_background"]

_FILES = {False: "background.json", True: "background_for_text.json"}
_SIDE = 224
# The share of unrelated queries that stay below the limit.
_QUANTILE = 0.95
_CHANGED = 0.1

_UNRELATED = (
    *("a bicycle", "a laptop computer", "a city street at night", "a bowl of soup", "a football match"),
    *("a spreadsheet", "an aeroplane", "a wedding cake", "a coffee machine", "a motorway", "a pair of trousers"),
    *("an electric guitar", "a living room", "a traffic light", "a smartphone", "a railway station", "a bank note"),
    *("a skyscraper", "a washing machine", "a school bus", "a chess board", "a newspaper", "a bridge over a river"),
    *("a refrigerator", "a swimming pool", "a rocket launch", "an office meeting", "a pizza", "a wrist watch"),
    *("a satellite dish", "a shopping trolley", "a violin"),
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Background:
    """The best cosines that unrelated texts and pictures reached, and the number of photos then."""

    texts: tuple[float, ...]
    pictures: tuple[float, ...]
    photos: int

    def reached(self, *, is_text: bool) -> float:
        """The cosine that 95 % of the unrelated queries stay below."""
        return float(np.quantile(self.texts if is_text else self.pictures, _QUANTILE))

    @classmethod
    def read(cls, catalogue: Catalogue, *, for_text: bool = False) -> "Background | None":
        """What was measured for the catalogue's model, or that for texts; None if nothing was."""
        model = catalogue.for_text.fingerprint if for_text else catalogue.fingerprint
        try:
            kept = json.loads((catalogue.folder / _FILES[for_text]).read_text(encoding="utf-8"))
            if model is None or kept["model"] != model.to_json():
                return None
            texts, pictures = (tuple(map(float, kept[name])) for name in ("texts", "pictures"))
            return cls(texts, pictures, int(kept["photos"])) if texts and pictures else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            _log.debug("the background of %s cannot be read", catalogue.folder, exc_info=True)
            return None


def refresh_background(catalogue: Catalogue, embedder: Embedder, *, for_text: bool = False) -> None:
    """Measure the background where there is none, or where a tenth of the photos has come or gone since."""
    known = Background.read(catalogue, for_text=for_text)
    if known is None or abs(_photos(catalogue, for_text=for_text) - known.photos) > _CHANGED * known.photos:
        measure_background(catalogue, embedder, for_text=for_text)


def measure_background(catalogue: Catalogue, embedder: Embedder, *, for_text: bool = False) -> Background | None:
    """Ask a catalogue for what it does not hold, and keep how near the best hits came; None for an empty one.

    `embedder` is the catalogue's model, or with `for_text` that for texts.
    """
    photos = _photos(catalogue, for_text=for_text)
    if not photos:
        return None
    texts = TextFeatures(embedder.fingerprint, lambda: embedder).of(
        [caption(text) for text in _UNRELATED], TextKind.SENTENCE
    )
    pictures = embedder.encode_images(_drawn())
    best = catalogue.best_cosines(np.concatenate([texts, pictures]), for_text=for_text).tolist()
    background = Background(tuple(best[: len(texts)]), tuple(best[len(texts) :]), photos)
    model = catalogue.for_text.require() if for_text else catalogue.fingerprint
    write_json(
        catalogue.folder / _FILES[for_text],
        {
            "model": model.to_json(),
            "texts": background.texts,
            "pictures": background.pictures,
            "photos": photos,
        },
    )
    return background


def _photos(catalogue: Catalogue, *, for_text: bool) -> int:
    return catalogue.for_text.count() if for_text else catalogue.count()


def _drawn() -> Sequence[Image.Image]:
    """Pictures that no camera takes: stripes, boards, gradients, noise and lines of blocks like writing."""
    pictures = [_gradient(turns) for turns in range(4)]
    for number in range(8):
        rng = np.random.default_rng(number)
        pictures.append(Image.fromarray(rng.integers(0, 256, (2 + 6 * number,) * 2 + (3,), dtype=np.uint8)))
        pictures.append(_lines(rng))
    return [picture.resize((_SIDE, _SIDE), Image.Resampling.NEAREST) for picture in pictures]


def _gradient(turns: int) -> Image.Image:
    slope = np.linspace(0, 255, _SIDE, dtype=np.uint8)
    return Image.fromarray(np.rot90(np.tile(slope, (_SIDE, 1)), turns).copy()).convert("RGB")


def _lines(rng: np.random.Generator) -> Image.Image:
    image = Image.new("RGB", (_SIDE, _SIDE), "white")
    draw = ImageDraw.Draw(image)
    for top in range(8, _SIDE - 8, int(rng.integers(10, 24))):
        left = 8
        while left < _SIDE - 20:
            width = int(rng.integers(6, 40))
            draw.rectangle((left, top, min(left + width, _SIDE - 8), top + 5), fill="black")
            left += width + 6
    return image
