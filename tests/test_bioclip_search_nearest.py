"""The index of embeddings: codes, the scan, and what a catalogue finds through it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from helpers import some_photo
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bioclip_search import vector_search
from bioclip_search.catalogue import Catalogue
from bioclip_search.filters import Filter
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.history import restore
from bioclip_search.nearest.build import build
from bioclip_search.nearest.codes import Codec
from bioclip_search.nearest.names import Names, read_names, write_names
from bioclip_search.nearest.scan import Coded, best, part_ends
from bioclip_search.specimen import Specimen
from bioclip_search.storage import RowsMoved
from bioclip_search.taxonomy import Taxon

Vectors = npt.NDArray[np.float32]

COUNT = 400
DIM = 300
FINGERPRINT = Fingerprint("test", "ViT", DIM, "squash-32-bicubic", "0" * 64)


@pytest.fixture(autouse=True)
def _index_small_catalogues(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indices are kept from 100 photos on, so that small catalogues show what large ones do."""
    monkeypatch.setattr(vector_search, "INDEX_FROM", 100)
    monkeypatch.setattr(vector_search, "_FEW", 150)


def _clustered(count: int, dim: int, seed: int, clusters: int = 12) -> Vectors:
    """Unit vectors float32 [count, dim] around a few directions, as those of taxa are."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((clusters, dim)) + rng.standard_normal(dim)
    vectors = centres[rng.integers(clusters, size=count)] + 0.4 * rng.standard_normal((count, dim))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


def _coded(codec: Codec, vectors: Vectors) -> Coded:
    codes, lost = codec.encode(vectors)
    ends = part_ends(codec.dim)
    parts = [np.ascontiguousarray(codes[:, start:end]) for start, end in zip((0, *ends[:-1]), ends, strict=True)]
    return Coded(parts, lost)


@example(seed=19490273, dim=300, count=1, share=1.0, is_photo=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    dim=st.sampled_from([3, 32, 130, 300]),
    count=st.integers(1, 30),
    share=st.sampled_from([0.02, 0.3, 1.0]),
    is_photo=st.booleans(),
)
def test_the_scan_finds_what_all_the_codes_say(seed: int, dim: int, count: int, share: float, is_photo: bool) -> None:
    """Passing photos over early changes nothing: the best are those of the whole products of query and codes."""
    vectors = _clustered(600, dim, seed)
    codec = Codec.fit(vectors)
    query = vectors[0] if is_photo else _clustered(1, dim, seed + 1)[0]
    among = np.flatnonzero(np.random.default_rng(seed).random(600) < share)
    asked, coded = codec.ask(query, part_ends(dim)), _coded(codec, vectors)
    whole = coded.lost + sum(
        unit * (part.astype(np.int64) @ weights.astype(np.int64))
        for part, weights, unit in zip(coded.parts, asked.parts, asked.units, strict=True)
    )
    places, scores = best(asked, coded, count, None if share == 1 else among)
    assert set(places) <= set(among)
    assert scores == pytest.approx(np.sort(whole[among])[::-1][:count], abs=1e-6)


@given(
    seed=st.integers(0, 2**32 - 1),
    dim=st.sampled_from([16, 64, 200]),
    fitted=st.integers(1, 500),
    odd=st.integers(0, 50),
)
def test_a_cosine_is_no_larger_than_its_code_allows(seed: int, dim: int, fitted: int, odd: int) -> None:
    """Whatever the components were fitted to: what is stated as lost, and the rounding, bound what a code says."""
    vectors = np.concatenate([_clustered(500, dim, seed), _clustered(odd, dim, seed + 1)])
    codec = Codec.fit(vectors[:fitted])
    coded = _coded(codec, vectors)
    for query in (vectors[7], vectors[-1]):
        asked = codec.ask(query, part_ends(dim))
        places, most = best(asked, coded, len(vectors))
        slack = asked.unseen[-1] + 1e-4
        cosines = vectors[places] @ query - query @ codec.mean
        assert (cosines <= most + slack).all()
        assert (cosines >= most - 2 * coded.lost[places] - slack).all()


def _catalogue(folder: Path, vectors: Vectors, first: int = 0) -> Catalogue:
    catalogue = Catalogue.open(folder) if Catalogue.exists(folder) else Catalogue.create(folder, FINGERPRINT)
    numbers = range(first, first + len(vectors))
    rows = [some_photo(f"{n:04d}", specimen=Specimen(_taxon(n))) for n in numbers]
    catalogue.upsert(rows, vectors, [b""] * len(rows))
    return catalogue


def _taxon(number: int) -> Taxon:
    return Taxon(family=f"Family{number % 3}", genus=None if number % 3 else f"Genus{number % 40}", common_name="bug")


def _found(catalogue: Catalogue, query: Vectors, count: int, filter_: Filter | None = None) -> list[str]:
    return [near.row["path"] for near in catalogue.nearest(query, count, filter_)]


def _true(vectors: Vectors, query: Vectors, count: int, numbers: "range | list[int]") -> list[str]:
    kept = vectors.astype(np.float16).astype(np.float32)
    cosines = kept / np.linalg.norm(kept, axis=1, keepdims=True) @ query
    return [f"{n:04d}" for n in sorted(numbers, key=lambda n: -cosines[n])[:count]]


def test_an_indexed_catalogue_answers_as_a_plain_product_does(tmp_path: Path) -> None:
    """With and without taxa, exclusions and conditions: the same photos in the same order, and never too few."""
    vectors = _clustered(COUNT, DIM, 1)
    catalogue = _catalogue(tmp_path / "c", vectors)
    catalogue.optimize()
    assert catalogue.index_report().state is not None
    everything = range(COUNT)
    filters = [
        (Filter(), list(everything)),
        (Filter(taxa=((("family", "Family1"),),)), [n for n in everything if n % 3 == 1]),
        (
            Filter(taxa=((("genus", "Genus0"), ("genus", "Genus3")),)),
            [n for n in everything if n % 3 == 0 and n % 40 in (0, 3)],
        ),
        (Filter(not_taxa=(("genus", "Genus0"),)), [n for n in everything if n % 3 or n % 40]),
        (Filter(taxa=((("genus", "Nothing"),),)), []),
        (Filter(conditions=("path < '0100'",)), list(range(100))),
        (Filter(taxa=((("family", "Family1"),),), conditions=("path < '0010'",)), [1, 4, 7]),
    ]
    for query in (vectors[5], _clustered(1, DIM, 99)[0]):
        for filter_, numbers in filters:
            assert _found(catalogue, query, 10, filter_) == _true(vectors, query, 10, numbers), filter_
            assert _found(catalogue, query, 10, filter_) == [
                near.row["path"] for near in catalogue.nearest(query, 10, filter_, exact=True)
            ]


def test_what_changed_after_the_index_was_written_is_found_as_well(tmp_path: Path) -> None:
    """New rows are found, replaced rows by their new embedding, removed ones and missing files not at all."""
    vectors = _clustered(COUNT, DIM, 2)
    catalogue = _catalogue(tmp_path / "c", vectors)
    catalogue.optimize()
    more = _clustered(30, DIM, 3)
    _catalogue(tmp_path / "c", more, first=COUNT)
    replaced = _clustered(1, DIM, 4)
    _catalogue(tmp_path / "c", replaced, first=7)
    gone = catalogue.photos("path = '0009'")[0]
    catalogue.remove([key for key, _, path in catalogue.places_below(gone.root) if path == "0009"])
    catalogue.mark_missing([key for key, _, path in catalogue.places_below(gone.root) if path == "0010"], gone.mtime)
    now = np.concatenate([vectors, more])
    now[7] = replaced[0]
    there = [n for n in range(len(now)) if n not in (9, 10)]
    assert catalogue.index_report().unknown == 32
    for query in (more[3], replaced[0], vectors[9], vectors[10]):
        assert _found(catalogue, query, 8) == _true(now, query, 8, there)
    missing_too = Filter(include_missing=True)
    assert _found(catalogue, vectors[10], 1, missing_too) == ["0010"]


def test_a_record_that_is_written_anew_is_shown_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hit has the record of now, whatever the index was written with; many new records have it written again."""
    vectors = _clustered(COUNT, DIM, 17)
    catalogue = _catalogue(tmp_path / "c", vectors)
    catalogue.optimize()
    keys = {path: key for key, _, path in catalogue.places_below("/archive")}
    catalogue.describe({keys[f"{n:04d}"]: Specimen(Taxon(family="New")) for n in range(5)})
    new = Filter(taxa=((("family", "New"),),))
    for again in (catalogue, Catalogue.open(tmp_path / "c")):
        assert again.nearest(vectors[0], 1)[0].row["family"] == "New"
        assert {near.row["family"] for near in again.nearest(vectors[0], 10, new)} == {"New"}
    written = catalogue.index_report().state
    catalogue.optimize()
    assert catalogue.index_report().state == written
    monkeypatch.setattr(vector_search, "_LEAST_CHANGED", 10)
    catalogue.describe({key: Specimen(Taxon(family="Newer")) for key in keys.values()})
    catalogue.optimize()
    assert catalogue.index_report().state != written
    assert catalogue.nearest(vectors[0], 1)[0].row["family"] == "Newer"


def test_the_index_is_written_again_when_much_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the next optimize it knows every photo; below the size it is dropped."""
    vectors = _clustered(COUNT, DIM, 5)
    catalogue = _catalogue(tmp_path / "c", vectors)
    catalogue.optimize()
    _catalogue(tmp_path / "c", _clustered(1_100, DIM, 6), first=COUNT)
    catalogue.optimize()
    report = catalogue.index_report()
    assert report.state is not None
    assert (report.state.rows, report.unknown) == (COUNT + 1_100, 0)
    assert len(list((tmp_path / "c" / "nearest").glob("*/row_ids.npy"))) == 1
    monkeypatch.setattr(vector_search, "INDEX_FROM", 10_000)
    catalogue.optimize()
    assert catalogue.index_report().state is None
    assert not (tmp_path / "c" / "nearest").exists()


def test_a_damaged_index_is_done_without(tmp_path: Path) -> None:
    """The answer then comes from the embeddings themselves, and the next optimize mends it."""
    vectors = _clustered(COUNT, DIM, 7)
    _catalogue(tmp_path / "c", vectors).optimize()
    for file, content in (
        ("codes_0.npy", b""),
        ("names.json", b"{"),
        ("names.json", b'{"kingdom": [{}]}'),
        ("names.json", b'{"kingdom": [null]}'),
        ("rows.arrow", b"no"),
    ):
        (path,) = (tmp_path / "c" / "nearest").glob(f"*/{file}")
        path.unlink()
        path.write_bytes(content)
        catalogue = Catalogue.open(tmp_path / "c")
        assert _found(catalogue, vectors[3], 5) == _true(vectors, vectors[3], 5, range(COUNT))
        catalogue.optimize()
        assert catalogue.index_report().state is not None


def test_a_restored_catalogue_does_not_trust_the_index(tmp_path: Path) -> None:
    """Row ids are given again after a restore; photos are still found by their own embeddings."""
    vectors = _clustered(COUNT, DIM, 8)
    catalogue = _catalogue(tmp_path / "c", vectors)
    before = int(catalogue._photos.version)
    _catalogue(tmp_path / "c", _clustered(50, DIM, 9), first=COUNT)
    catalogue.optimize()
    restore(tmp_path / "c", before)
    other = _clustered(50, DIM, 10)
    again = _catalogue(tmp_path / "c", other, first=COUNT)
    now = np.concatenate([vectors, other])
    for query in (other[0], vectors[0]):
        assert _found(again, query, 5) == _true(now, query, 5, range(len(now)))


def test_the_past_is_read_without_the_index_of_today(tmp_path: Path) -> None:
    """A catalogue as of a version finds what was there then."""
    vectors = _clustered(COUNT, DIM, 11)
    catalogue = _catalogue(tmp_path / "c", vectors)
    before = int(catalogue._photos.version)
    extra = _clustered(20, DIM, 12)
    _catalogue(tmp_path / "c", extra, first=COUNT).optimize()
    past = Catalogue.open(tmp_path / "c", as_of=before)
    assert _found(past, extra[0], 5) == _true(vectors, extra[0], 5, range(COUNT))


def test_measured_recall_is_of_the_photos_themselves(tmp_path: Path) -> None:
    """Fifty photos are asked for when the index is written; all their nearest are found."""
    catalogue = _catalogue(tmp_path / "c", _clustered(COUNT, DIM, 13))
    catalogue.optimize()
    state = catalogue.index_report().state
    assert state is not None
    assert (state.recall, state.queries) == (1.0, 50)


def test_photos_unlike_all_others_are_found(tmp_path: Path) -> None:
    """A handful that lie where codes do not reach are neither missed nor misjudged."""
    vectors = _clustered(COUNT, DIM, 16, clusters=1)
    odd = np.eye(DIM, dtype=np.float32)[:5]
    catalogue = _catalogue(tmp_path / "c", np.concatenate([vectors, odd]))
    catalogue.optimize()
    for number, query in enumerate(odd):
        (near,) = catalogue.nearest(query, 1)
        assert near.row["path"] == f"{COUNT + number:04d}"
        assert near.cosine == pytest.approx(1, abs=2e-3)


def test_components_of_other_photos_lose_no_hit(tmp_path: Path) -> None:
    """After many photos of another kind have come, the hits are still those of a comparison with all."""
    narrow = _clustered(COUNT, DIM, 17, clusters=1)
    catalogue = _catalogue(tmp_path / "c", narrow)
    catalogue.optimize()
    wide = _clustered(COUNT - 1, DIM, 18)
    _catalogue(tmp_path / "c", wide, first=COUNT)
    catalogue.optimize(anew=False)
    now = np.concatenate([narrow, wide])
    for query in (*narrow[:5], *wide[:20]):
        assert _found(catalogue, query, 10) == _true(now, query, 10, range(len(now)))


def test_equally_near_photos_come_in_the_same_order_on_every_page(tmp_path: Path) -> None:
    """Copies of one photo are as near as each other: the first ten of them begin the first hundred."""
    vectors = np.tile(_clustered(1, DIM, 19), (COUNT, 1))
    catalogue = _catalogue(tmp_path / "c", vectors)
    plain = [near.row["path"] for near in catalogue.nearest(vectors[0], 100, exact=True)]
    catalogue.optimize()
    for count in (10, 50, 100):
        assert _found(catalogue, vectors[0], count) == plain[:count]


def test_a_table_that_is_compacted_meanwhile_is_searched_again(tmp_path: Path) -> None:
    """Row ids that no longer lead anywhere are read anew."""
    vectors = _clustered(COUNT, DIM, 20)
    catalogue = _catalogue(tmp_path / "c", vectors)
    catalogue.optimize()
    search = catalogue._vectors
    view = search._view()
    assert view is not None
    stale = view.index.row_ids + np.uint64(1 << 40)
    with pytest.raises(RowsMoved):
        search._embeddings(stale[:5])
    _catalogue(tmp_path / "c", _clustered(20, DIM, 21), first=COUNT).compact()
    assert _found(catalogue, vectors[0], 5)[0] == "0000"


def test_a_build_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    """Neither half a generation nor a name of one."""
    catalogue = _catalogue(tmp_path / "c", _clustered(COUNT, DIM, 22))

    def stopped() -> Iterator[object]:
        yield from ()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "home", 1, COUNT, stopped(), _clustered(50, DIM, 1), ())  # type: ignore[arg-type]
    assert not list((tmp_path / "home").iterdir())
    assert catalogue.index_report().state is None


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@example(names=["2020-01-01"], other="1")
@given(names=st.lists(_TEXT, unique=True, max_size=30), other=_TEXT)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_names_are_found_by_their_numbers_and_numbers_by_their_names(
    tmp_path: Path, names: list[str], other: str
) -> None:
    """As in a list, also after they were written and read."""
    write_names(tmp_path / "names.json", {"genus": names, "species": [], "family": [other]})
    read = read_names(tmp_path / "names.json", ["genus", "species", "family"])
    assert {column: list(some) for column, some in read.items()} == {"genus": names, "species": [], "family": [other]}
    for held in (Names.of(names), read["genus"]):
        assert len(held) == len(names)
        assert [held[number] for number in range(len(names))] == list(held) == names
        assert list(held[1:3]) == names[1:3]
        assert [held.number(name) for name in names] == list(range(len(names)))
        assert held.number(other) == (names.index(other) if other in names else None)


def test_names_come_from_the_index_as_from_the_rows(tmp_path: Path) -> None:
    """The names that photos carry, without those that only missing photos carry."""
    vectors = _clustered(COUNT, DIM, 14)
    catalogue = _catalogue(tmp_path / "c", vectors)
    rare = [key for key, _, path in catalogue.places_below("/archive") if int(path) % 40 == 39]
    catalogue.mark_missing(rare, catalogue.photos(limit=1)[0].mtime)
    plain = catalogue.names(), catalogue.names(include_missing=True)
    catalogue.optimize()
    again = Catalogue.open(tmp_path / "c")
    assert again.index_report().unknown == 0
    assert (again.names(), again.names(include_missing=True)) == plain
    assert "Genus39" not in plain[0]["genus"]
    assert "Genus39" in plain[1]["genus"]


@pytest.mark.parametrize("limit", ["_MOST_BY_CODES", "_MOST_LOOKED_AT"])
def test_many_hits_are_compared_by_their_embeddings(
    limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where codes are no gain all embeddings are compared; the order is the same."""
    vectors = _clustered(COUNT, DIM, 15)
    catalogue = _catalogue(tmp_path / "c", vectors)
    catalogue.optimize()
    few = _found(catalogue, vectors[0], 300)
    monkeypatch.setattr(vector_search, limit, 10)
    assert _found(catalogue, vectors[0], 300) == few == _true(vectors, vectors[0], 300, range(COUNT))
