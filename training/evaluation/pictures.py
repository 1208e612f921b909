"""The pictures of an evaluation: reliability, accuracy at every rank, and the hierarchy in two dimensions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from PIL import Image

from bioclip_search.taxonomy import RANKS, Rank, Taxon
from bioclip_search.text import printable
from training.evaluation.canvas import COLOURS, GREY, Plane, beside
from training.evaluation.hierarchy import Projection
from training.evaluation.run import Evaluation

__all__ = ["accuracy_picture", "hierarchy_picture", "reliability_picture"]

_TENTHS = [(number / 10, f"{number * 10}") for number in range(0, 11, 2)]
_GROUPS = len(COLOURS)
_OTHERS = "others"
_ROOM_A_NAME = 0.05


def reliability_picture(found: Evaluation) -> Image.Image:
    """Accuracy of answers against their confidence, in bins; honest probabilities lie on the diagonal."""
    plane = Plane("Zero-shot: how often a confident answer is right (%)", (560, 480), (0, 1), (0, 1))
    plane.ticks_y(_TENTHS)
    plane.ticks_x(_TENTHS, "confidence (%); figures: number of answers at all ranks")
    plane.line([(0, 0), (1, 1)], GREY, 1)
    bins = found.texts.trust.bins
    plane.line([(one.confidence, one.accuracy) for one in bins], COLOURS[0])
    for one in bins:
        plane.point(one.confidence, one.accuracy, COLOURS[0])
        plane.words(one.confidence, min(one.accuracy + 0.015, 0.98), f"{one.count:,}")
    return plane.picture


def accuracy_picture(found: Evaluation) -> Image.Image:
    """A bar for each way to answer, by rank."""
    ways: dict[str, Mapping[Rank, float]] = {"zero-shot, summed": found.texts.by_rank.summed}
    ways |= {f"most similar photo, {name}": images.neighbours for name, images in found.images.items()}
    plane = Plane("Accuracy at every rank (%)", (900, 480), (0, len(RANKS)), (0, 1.3))
    plane.ticks_y(_TENTHS)
    plane.ticks_x([(place + 0.5, rank.value) for place, rank in enumerate(RANKS)])
    width = 0.8 / len(ways)
    for number, shares in enumerate(ways.values()):
        for place, rank in enumerate(RANKS):
            left = place + 0.1 + number * width
            plane.bar(left, left + width * 0.92, shares.get(rank, 0.0), COLOURS[number % len(COLOURS)])
    plane.legend([(COLOURS[number % len(COLOURS)], name) for number, name in enumerate(ways)])
    return plane.picture


def hierarchy_picture(found: Evaluation) -> Image.Image:
    """Species' photos and taxa's texts, coloured at the widest rank that divides them; texts also by rank."""
    picture = found.picture
    rank = _dividing_rank(picture.image_taxa)
    groups = _largest(taxon.name_at(rank) or _OTHERS for taxon in picture.image_taxa)
    by_group = {name: COLOURS[place] for place, name in enumerate(groups)}
    by_rank = {one.value: COLOURS[place] for place, one in enumerate(RANKS)}

    def group_of(taxon: Taxon) -> str:
        return taxon.name_at(rank) or _OTHERS

    def rank_of(taxon: Taxon) -> str:
        return taxon.rank.value if taxon.rank else _OTHERS

    return beside(
        [
            _cloud(f"Photos of species, by {rank}", picture.images, [*map(group_of, picture.image_taxa)], by_group),
            _cloud(f"Texts of taxa, by {rank}", picture.texts, [*map(group_of, picture.text_taxa)], by_group),
            _cloud("Texts of taxa, by their rank", picture.texts, [*map(rank_of, picture.text_taxa)], by_rank),
        ]
    )


def _cloud(title: str, projection: Projection, names: Sequence[str], colours: Mapping[str, str]) -> Image.Image:
    points = projection.points
    across, up = _range(points[:, 0].tolist()), _range(points[:, 1].tolist())
    room = _ROOM_A_NAME * (len(colours) + 1)  # above the points, for the legend
    plane = Plane(title, (560, 620), across, (up[0], up[1] + room * (up[1] - up[0])))
    plane.ticks_x([], f"PCA, {100 * projection.explained:.0f} % of the variance")
    # The many are drawn first, so that what is rare lies on top.
    for place in sorted(range(len(names)), key=lambda row: names[row] in colours):
        x, y = points[place].tolist()
        plane.point(x, y, colours.get(names[place], GREY))
    shown = [(colour, printable(name)) for name, colour in colours.items() if name in names]
    hidden = [(GREY, _OTHERS)] if any(name not in colours for name in names) else []
    plane.legend([*shown, *hidden])
    return plane.picture


def _dividing_rank(taxa: Sequence[Taxon]) -> Rank:
    """The widest rank at which no name is that of more than two thirds of the taxa."""
    for rank in RANKS:
        named = Counter(taxon.name_at(rank) for taxon in taxa)
        if max(named.values()) * 3 <= len(taxa) * 2:
            return rank
    return Rank.SPECIES


def _largest(names: Iterable[str]) -> list[str]:
    """The commonest names, as many as there are colours."""
    return [name for name, _ in Counter(name for name in names if name != _OTHERS).most_common(_GROUPS)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    margin = 0.06 * (max(values) - min(values)) or 1.0
    return min(values) - margin, max(values) + margin
