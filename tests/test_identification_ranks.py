"""Behaviour of probabilities summed up the ranks, and of answers that go no further than they are sure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioclip_search.identification.ranks import RankTree
from bioclip_search.identification.taxa import TaxonTable
from bioclip_search.taxonomy import RANKS, Rank, Taxon

_NAME = st.sampled_from(["A", "B", "C"])
_LINEAGE = st.lists(st.none() | _NAME, min_size=7, max_size=7)


def _taxon(names: list[str | None], common: str | None = None) -> Taxon:
    return Taxon(*names, common_name=common)  # type: ignore[misc]


@st.composite
def _taxa_with_probabilities(draw: st.DrawFn) -> tuple[list[Taxon], np.ndarray]:
    taxa = [_taxon(names) for names in draw(st.lists(_LINEAGE, min_size=1, max_size=12))]
    weights = draw(st.lists(st.floats(0.01, 1), min_size=len(taxa), max_size=len(taxa)))
    return taxa, np.asarray([weights], dtype=np.float32) / np.sum(weights)


@given(_taxa_with_probabilities())
def test_children_sum_to_their_parent(drawn: tuple[list[Taxon], np.ndarray]) -> None:
    """At every rank the groups below a group, with what is known no further, have its probability."""
    taxa, probabilities = drawn
    tree = RankTree(TaxonTable.of(taxa))
    sums = tree.sums(probabilities)
    for place, rank in enumerate(RANKS):
        assert sums[place].sum() == pytest.approx(1, abs=1e-5)
        if place:
            parents = np.zeros(sums[place - 1].shape[1])
            groups, wider = tree.groups(rank), tree.groups(RANKS[place - 1])
            for group in range(sums[place].shape[1]):
                parents[wider[np.flatnonzero(groups == group)[0]]] += sums[place][0, group]
            assert np.allclose(parents, sums[place - 1][0], atol=1e-6)


@given(_taxa_with_probabilities())
def test_a_group_is_what_shares_a_lineage(drawn: tuple[list[Taxon], np.ndarray]) -> None:
    """The sum of a group is that of the taxa with the same names down to the rank, missing ones included."""
    taxa, probabilities = drawn
    tree = RankTree(TaxonTable.of(taxa))
    sums = tree.sums(probabilities)
    for place, rank in enumerate(RANKS):
        for row, taxon in enumerate(taxa):
            lineage = [taxon.name_at(wider) for wider in RANKS[: place + 1]]
            same = [[other.name_at(wider) for wider in RANKS[: place + 1]] == lineage for other in taxa]
            assert sums[place][0, tree.groups(rank)[row]] == pytest.approx(probabilities[0, same].sum(), abs=1e-5)


@given(_taxa_with_probabilities(), st.floats(0.05, 1))
def test_no_answer_goes_deeper_than_the_confidence_allows(
    drawn: tuple[list[Taxon], np.ndarray], confidence: float
) -> None:
    """The answer has the confidence, and no name at a narrower rank has it."""
    taxa, probabilities = drawn
    tree = RankTree(TaxonTable.of(taxa))
    sums = tree.sums(probabilities)
    answer = tree.answer(sums, 0, confidence)
    certain = {best.rank for best in tree.best(sums, 0) if best.score >= confidence}
    if answer is None:
        assert not certain
    else:
        assert answer.score >= confidence - 1e-6
        assert answer.rank is not None
        deeper = RANKS[RANKS.index(answer.rank) + 1 :]
        assert not certain & set(deeper)


@given(_taxa_with_probabilities())
def test_names_never_move_into_another_rank(drawn: tuple[list[Taxon], np.ndarray]) -> None:
    """Every name that is shown at a rank is one that a taxon has at that very rank."""
    taxa, probabilities = drawn
    tree = RankTree(TaxonTable.of(taxa))
    sums = tree.sums(probabilities)
    shown = [*tree.best(sums, 0), *(choice for rank in RANKS for choice in tree.ranked(sums, 0, rank, 20))]
    for choice in shown:
        for rank, name in choice.taxon.lineage:
            assert name in {taxon.name_at(rank) for taxon in taxa}


def test_a_taxon_known_only_to_genus_can_win() -> None:
    """It is the answer at genus, and stands among the candidates as a genus."""
    wide = ["Animalia", "Arthropoda", "Insecta", "Coleoptera", "Carabidae"]
    taxa = [_taxon([*wide, "Carabus", None]), _taxon([*wide, "Cicindela", "Cicindela campestris"])]
    tree = RankTree(TaxonTable.of(taxa))
    sums = tree.sums(np.array([[0.9, 0.1]], dtype=np.float32))
    answer = tree.answer(sums, 0, 0.8)
    assert answer is not None
    assert (answer.rank, answer.name) == (Rank.GENUS, "Carabus")
    first, second = tree.ranked(sums, 0, Rank.SPECIES, 5)
    assert (first.rank, first.name) == (Rank.GENUS, "Carabus")
    assert (second.rank, second.name) == (Rank.SPECIES, "Cicindela campestris")


def test_an_answer_goes_no_further_than_the_rank_asked_for() -> None:
    """With --rank family a certain species is answered with its family."""
    tree = RankTree(TaxonTable.of([_taxon(["A", "B", "C", "D", "E", "F", "F g"], "common")]))
    sums = tree.sums(np.ones((1, 1), dtype=np.float32))
    answer = tree.answer(sums, 0, 0.8, Rank.FAMILY)
    assert answer is not None
    assert (answer.rank, answer.taxon.genus, answer.taxon.common_name) == (Rank.FAMILY, None, None)
    whole = tree.answer(sums, 0, 0.8)
    assert whole is not None
    assert whole.taxon.common_name == "common"


def test_ranks_left_out_are_completed_where_nothing_contradicts() -> None:
    """A family's order is told to its other members; a homonym in two kingdoms is left alone."""
    table = TaxonTable.of(
        [
            _taxon(["Animalia", None, None, "Lepidoptera", "Nymphalidae", "Danaus", None]),
            _taxon([None, None, None, None, "Nymphalidae", "Vanessa", None]),
            _taxon([None, None, None, None, None, "Vanessa", "Vanessa atalanta"]),
            _taxon(["Animalia", None, None, None, None, "Morus", None]),
            _taxon(["Plantae", None, None, None, None, "Morus", None]),
            _taxon([None, None, None, None, None, "Morus", None]),
        ]
    ).completed()
    assert [name for _, name in table[2].lineage] == [
        *("Animalia", "Lepidoptera", "Nymphalidae", "Vanessa", "Vanessa atalanta")
    ]
    assert table[5] == Taxon(genus="Morus")


@given(st.lists(_LINEAGE, max_size=12))
def test_completing_keeps_every_name(lineages: list[list[str | None]]) -> None:
    """What a taxon says of a rank it says afterwards too, and distinct taxa keep their first order."""
    taxa = [_taxon(names) for names in lineages]
    table = TaxonTable.of(taxa)
    completed = table.completed()
    for row, taxon in enumerate(taxa):
        assert set(taxon.lineage) <= set(completed[row].lineage)
    distinct, rows = table.distinct()
    assert [distinct[int(row)] for row in rows] == taxa
    assert [distinct[row] for row in range(len(distinct))] == list(dict.fromkeys(taxa))


def test_a_name_selects_taxa_at_any_rank_in_any_case() -> None:
    """Scientific and common names; the narrowest rank of a taxon selects what belongs to it."""
    table = TaxonTable.of(
        [
            _taxon(["Animalia", None, None, None, "Nymphalidae", "Danaus", "Danaus plexippus"], "monarch"),
            _taxon(["Animalia", None, None, None, "Pieridae", "Pieris", "Pieris rapae"]),
            Taxon(),
        ]
    )
    assert table.named(["nymphalidae"]).tolist() == [True, False, False]
    assert table.named(["Monarch", "PIERIS"]).tolist() == [True, True, False]
    assert table.within(Taxon(kingdom="Animalia", family="Pieridae")).tolist() == [False, True, False]
    assert table.named(["nothing"]).any() == np.False_
