"""The figures of an evaluation as tables: titles, and rows of cells as text, for terminals and Markdown alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bioclip_search.taxonomy import RANKS, Rank
from training.evaluation.few_shot import FewShot
from training.evaluation.paper import CAUTION, PaperTable, paper_tables
from training.evaluation.retrieval import Retrieval
from training.evaluation.run import Evaluation
from training.shards.source import WITHOUT_FILE, WITHOUT_NAME

__all__ = ["Table", "own_tables", "published_tables", "summary"]

NONE = "–"


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; the first of the `columns` names the rows. `note` says what the figures are."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def summary(found: Evaluation) -> list[str]:
    """What was measured, and what was left out, in sentences."""
    sentences = [
        f"{found.photos:,} photos of {found.species:,} species, from {found.source}; by {found.model} "
        f"in {found.numbers}; in per cent."
    ]
    if found.without_species:
        sentences.append(
            f"{_counted(found.without_species, 'photo has', 'photos have')} no species and can only answer queries."
        )
    if found.unreadable:
        sentences.append(f"{_counted(found.unreadable, 'photo', 'photos')} cannot be read.")
    if count := found.left_out.get(WITHOUT_NAME):
        sentences.append(f"{_counted(count, 'photo has', 'photos have')} no name.")
    if count := found.left_out.get(WITHOUT_FILE):
        sentences.append(f"{_counted(count, 'record names', 'records name')} no file that is there.")
    return sentences


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def own_tables(found: Evaluation) -> list[Table]:
    """What was measured, in per cent but for correlations, heights and temperatures."""
    tables = [_zero_shot(found), _few_shot(found), _by_rank(found), _retrieval(found), _hierarchy(found)]
    return [table for table in tables if table.rows]


def published_tables(found: Evaluation) -> list[Table]:
    """The tables of the papers; where rows are comparable in kind, with our own below, marked as other photos."""
    return [_published(table, found) for table in paper_tables()]


def _zero_shot(found: Evaluation) -> Table:
    trust = found.texts.trust
    rows = tuple(
        (kind.value, f"{one.classes:,}", _percent(one.top1), _percent(one.top5), _percent(one.mean_per_class))
        for kind, one in found.texts.zero_shot.items()
    )
    mended = ""
    if trust.temperature is not None:
        mended = (
            f" With the temperature {trust.temperature:.2f}, fitted on half of the specimens, it is "
            f"{_percent(trust.error_fitted)} on the others, before {_percent(trust.error_before)}."
        )
    note = (
        f"80 templates. Calibration error (ECE, 10 bins): {_percent(trust.error)} over all ranks, "
        f"{_percent(trust.error_at_species)} at species.{mended}"
    )
    return Table("Zero-shot", ("text", "classes", "top-1", "top-5", "mean per class"), rows, note)


def _few_shot(found: Evaluation) -> Table:
    rows = tuple(
        (name, f"{shots}", *_shot_cells(one))
        for name, images in found.images.items()
        for shots, one in images.few_shot.items()
    )
    note = (
        f"Top-1, mean ± standard deviation of {found.options.folds} folds (seed {found.options.seed}), on species with "
        "more specimens than shots. Nearest: the most similar support photo."
    )
    return Table("Few-shot", ("features", "shots", "species", "photos asked", "SimpleShot", "nearest"), rows, note)


def _shot_cells(one: FewShot | None) -> tuple[str, ...]:
    if one is None:
        return ("0", "0", NONE, NONE)
    nearest = f"{_percent(sum(one.nearest) / len(one.nearest))}"
    return (f"{one.species:,}", f"{one.queries:,.0f}", f"{_percent(one.mean)} ± {_percent(one.std)}", nearest)


def _by_rank(found: Evaluation) -> Table:
    by_rank = found.texts.by_rank
    rows = [
        ("zero-shot, summed", *_ranks(by_rank.summed)),
        ("zero-shot, of the best species", *_ranks(by_rank.of_best)),
    ]
    rows += [(f"most similar photo, {name}", *_ranks(images.neighbours)) for name, images in found.images.items()]
    distance = NONE if by_rank.distance is None else f"{by_rank.distance:.2f}"
    note = (
        f"{by_rank.errors:,} of {by_rank.photos:,} zero-shot answers are wrong, at a mean distance of {distance} "
        "(1: another species of the genus, 7: nothing shared). The most similar photo is of another specimen, and "
        "asked of photos only whose taxon another specimen has."
    )
    return Table("Accuracy at every rank", ("answer", *(rank.value for rank in RANKS)), tuple(rows), note)


def _ranks(shares: Mapping[Rank, float]) -> Iterator[str]:
    return (_percent(shares.get(rank)) for rank in RANKS)


def _retrieval(found: Evaluation) -> Table:
    asked = [(f"photo → photos, {name}", images.retrieval) for name, images in found.images.items()]
    asked.append(("name → photos", found.texts.retrieval))
    asked += [(f"queries, {name}", one) for name, one in found.queries.items()]
    rows = tuple((name, *_retrieval_cells(one)) for name, one in asked if one is not None)
    note = "Recall@k: a relevant photo is among the first k. AP, nDCG and MRR as INQUIRE defines them."
    if found.unanswered:
        note += f" {found.unanswered:,} queries have no photo here and are left out."
    columns = ("query", "queries", "recall@1", "recall@5", "recall@10", "AP@50", "nDCG@50", "MRR")
    return Table("Retrieval", columns, rows, note)


def _retrieval_cells(one: Retrieval) -> tuple[str, ...]:
    shares = (*one.recall.values(), one.average_precision, one.ndcg, one.reciprocal_rank)
    return (f"{one.queries:,}", *map(_percent, shares))


def _hierarchy(found: Evaluation) -> Table:
    asked = [(f"photos, {name}", images.hierarchy) for name, images in found.images.items()]
    asked.append((f"texts, {next(iter(found.images))}", found.texts.hierarchy))
    rows = tuple(
        (name, f"{one.species:,}", f"{one.pairs:,}", NONE if one.spearman is None else f"{one.spearman:.3f}")
        for name, one in asked
    )
    note = "Spearman's correlation of 1 − cosine with the height of the lowest common ancestor, over pairs of species."
    return Table("Agreement with the tree of life", ("features", "species", "pairs", "correlation"), rows, note)


def _published(table: PaperTable, found: Evaluation) -> Table:
    rows = [(model, *(f"{figure:.1f}" for figure in row)) for model, row in table.rows.items()]
    ours = _ours(table.name, found)
    if ours is not None:
        rows.append(("this model, on other photos", *ours))
    return Table(f"Published: {table.title}", ("model", *table.columns), tuple(rows), f"{table.source}. {CAUTION}")


def _ours(name: str, found: Evaluation) -> Sequence[str] | None:
    if name == "rare-species":
        shots = [next(iter(found.images.values())).few_shot.get(k) for k in (1, 5)]
        top1 = next(iter(found.texts.zero_shot.values())).top1
        return (_percent(top1), *(_percent(one.mean if one else None) for one in shots))
    if name == "inquire-fullrank" and found.queries:
        groups = {group.lower(): one.average_precision for group, one in found.queries.items()}
        return tuple(_percent(groups.get(group)) for group in ("all", "species"))
    return None


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.1f}"
