"""Lists of photos read by windows, and the tree of taxa, against what brute force over the photos gives."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import some_photo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioclip_search import vector_search
from bioclip_search.branches import UNPLACED, Branch, BranchCounts, Branches
from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Embedder
from bioclip_search.errors import CatalogueError
from bioclip_search.filters import Filter
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.nearest import build
from bioclip_search.nearest.names import Names
from bioclip_search.query import Query, Searcher
from bioclip_search.query.choose import one_a_specimen
from bioclip_search.query.siblings import siblings
from bioclip_search.schema import photo_id
from bioclip_search.specimen import Photo, Specimen
from bioclip_search.taxonomy import RANKS, Rank, Taxon, TaxonPath

DIM = 8
COUNT = 240


def _taxon(number: int) -> Taxon:
    """Homonyms, left out ranks, common names, and nothing at all."""
    match number % 8:
        case 0:
            return Taxon(kingdom="Animalia", family="Nymphalidae", genus="Danaus", species="Danaus plexippus")
        case 1:
            names = {"family": "Nymphalidae", "genus": "Danaus", "species": "Danaus plexippus"}
            return Taxon(kingdom="Animalia", common_name="monarch", **names)
        case 2:
            return Taxon(kingdom="Plantae", family="Ericaceae", genus="Oenanthe")
        case 3:
            return Taxon(kingdom="Animalia", phylum="Chordata", genus="Oenanthe", species="Oenanthe oenanthe")
        case 4:
            return Taxon(kingdom="Animalia", genus=f"Genus{number % 5}")
        case 5:
            return Taxon(common_name="something")
        case 6:
            return Taxon()
        case _:
            return Taxon(family="Orphanidae")


def _photos(count: int = COUNT) -> list[Photo]:
    numbers = np.random.default_rng(1).permutation(count)
    moment = some_photo("x").indexed_at
    photos = [
        some_photo(
            f"drawer{number // 50}/{number:04d}.jpg",
            content_hash=f"{number // 2:064d}",
            missing_since=moment if number % 30 == 7 else None,
            indexed_at=moment.replace(year=2000 + int(number) % 20),
            specimen=Specimen(
                _taxon(int(number)),
                {"catalogNumber": f"N{number // 3:03d}", "year": str(1900 + number % 9)} if number % 5 else {},
            ),
        )
        for number in numbers
    ]
    return [replace(photo, root=f"/archive{at % 2}") for at, photo in enumerate(photos)]


def _catalogue(folder: Path, photos: Sequence[Photo]) -> Catalogue:
    made = Catalogue.create(folder, Fingerprint("none", "none", DIM, "squash-1", "0"))
    vectors = np.random.default_rng(2).standard_normal((len(photos), DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for start in range(0, len(photos), 100):
        part = slice(start, start + 100)
        thumbnails = [photo.path.encode() for photo in photos[part]]
        made.upsert(photos[part], vectors[part], thumbnails)
    return made


@pytest.fixture(scope="module", params=["from the table", "from the index"])
def catalogue(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The same photos without an index, and with one of batches of a few rows."""
    made = _catalogue(tmp_path_factory.mktemp("listing") / "c", _photos())
    if request.param == "from the index":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(vector_search, "INDEX_FROM", 10)
            made.optimize()
            assert made.index_report().state is not None
    return made


def _expected(photos: Sequence[Photo], filter_: Filter, *, missing: bool = False) -> list[Photo]:
    """Brute force."""

    def meets(photo: Photo) -> bool:
        taxon = photo.specimen.taxon
        names = {(rank.value, taxon.name_at(rank)) for rank in RANKS} | {("vernacularName", taxon.common_name)}
        return (
            (missing or photo.missing_since is None)
            and all(names.intersection(wanted) for wanted in filter_.taxa)
            and not names.intersection(filter_.not_taxa)
            and (not filter_.within or any(_is_on(taxon, path) for path in filter_.within))
        )

    return sorted(filter(meets, photos), key=lambda photo: (photo.root, photo.path))


def _is_on(taxon: Taxon, path: TaxonPath) -> bool:
    lineage = tuple(taxon.lineage)
    if path and not path[-1][1]:
        return lineage == path[:-1]
    return lineage[: len(path)] == path


ANIMALS: TaxonPath = ((Rank.KINGDOM, "Animalia"),)
WHEATEARS: TaxonPath = (*ANIMALS, (Rank.PHYLUM, "Chordata"), (Rank.GENUS, "Oenanthe"))
FILTERS = [
    Filter(),
    Filter(include_missing=True),
    Filter(taxa=((("genus", "Oenanthe"),),)),
    Filter(taxa=((("vernacularName", "monarch"), ("genus", "Genus4")),), not_taxa=(("kingdom", "Plantae"),)),
    Filter(within=(ANIMALS,)),
    Filter(within=(WHEATEARS,)),
    Filter(within=(WHEATEARS, ((Rank.FAMILY, "Orphanidae"),))),
    Filter(within=((),)),
    Filter(within=(UNPLACED,)),
    Filter(within=(((Rank.KINGDOM, "Animalia"), (Rank.PHYLUM, "")),)),
    Filter(within=(((Rank.KINGDOM, "Nowhere"),),)),
]


@pytest.mark.parametrize("filter_", FILTERS)
def test_a_list_is_what_the_filter_leaves_in_the_order_of_places(catalogue: Catalogue, filter_: Filter) -> None:
    """Whether taxa are known from the index or the table, and as the filter's SQL says it too."""
    expected = _expected(_photos(), filter_, missing=filter_.include_missing)
    listing = catalogue.listing(filter_)
    assert len(listing) == len(expected) == catalogue.count(filter_.sql)
    assert listing.photos(0, len(expected)) == expected
    assert listing.photos(5, 9) == expected[5:9]
    assert listing.photos(len(expected), len(expected) + 5) == []
    assert listing.photos(-3, 2) == expected[:2]


def test_a_list_meets_conditions(catalogue: Catalogue) -> None:
    """SQL is asked of the table."""
    listing = catalogue.listing(Filter(conditions=("year = 1903",), within=(ANIMALS,)))
    expected = _expected(_photos(), Filter(within=(ANIMALS,)))
    expected = [photo for photo in expected if photo.specimen.terms.get("year") == "1903"]
    assert listing.photos(0, 100) == expected
    assert expected


def test_thumbnails_are_read_by_place(catalogue: Catalogue) -> None:
    """In the order that is asked for."""
    listing = catalogue.listing()
    photos = listing.photos(0, COUNT)
    assert listing.thumbnails([7, 3, 3]) == [photos[at].path.encode() for at in (7, 3, 3)]
    keys = [photo_id(photo.root, photo.path) for photo in photos[:2]]
    assert catalogue.thumbnails([*keys, "0" * 32]) == {
        key: photo.path.encode() for key, photo in zip(keys, photos, strict=False)
    }


def test_a_list_can_be_put_in_another_order(catalogue: Catalogue) -> None:
    """By the first column that says anything, what says nothing last, equal ones as they stood."""
    listing = catalogue.listing()
    photos = listing.photos(0, COUNT)

    def number(photo: Photo) -> tuple[bool, str]:
        value = photo.specimen.catalog_number
        return value is None, value or ""

    by_number = listing.sorted_by(["catalogNumber"]).photos(0, COUNT)
    assert by_number == sorted(photos, key=number)
    latest = listing.sorted_by(["indexed_at"], descending=True).photos(0, COUNT)
    assert [photo.indexed_at for photo in latest] == sorted((photo.indexed_at for photo in photos), reverse=True)
    names = [photo.specimen.taxon.species or photo.specimen.taxon.genus or "~" for photo in photos]
    by_name = listing.sorted_by(["species", "genus"]).photos(0, COUNT)
    assert [photo.specimen.taxon.species or photo.specimen.taxon.genus or "~" for photo in by_name] == sorted(names)


def test_one_photo_a_specimen_is_the_first_of_each(catalogue: Catalogue) -> None:
    """As the search chooses them."""
    listing = catalogue.listing(Filter(within=(ANIMALS,)))
    expected = one_a_specimen(listing.photos(0, COUNT), lambda photo: photo)
    assert 0 < len(expected) < len(listing)
    assert listing.one_a_specimen().photos(0, COUNT) == expected


def test_the_pages_of_a_search_for_a_taxon_are_those_of_the_list(catalogue: Catalogue) -> None:
    """Offset and limit, also by specimen."""

    def load() -> Embedder:
        raise AssertionError("no model is needed")

    searcher = Searcher(catalogue, load)
    expected = _expected(_photos(), Filter(taxa=((("kingdom", "Animalia"),),)))
    found = searcher.search(Query(taxa=("animalia",), offset=20, limit=15))
    assert [hit.photo for hit in found] == expected[20:35]
    assert all(hit.score is None for hit in found)
    single = one_a_specimen(expected, lambda photo: photo)
    found = searcher.search(Query(taxa=("animalia",), offset=3, limit=4, by_specimen=True))
    assert [hit.photo for hit in found] == single[3:7]
    assert [hit.photo for hit in searcher.search(Query(within=(WHEATEARS,), limit=500))] == _expected(
        _photos(), Filter(within=(WHEATEARS,))
    )


def test_a_list_stays_as_it_was_while_the_catalogue_changes(tmp_path: Path) -> None:
    """Windows of one list fit together; a new list has what was written."""
    photos = _photos(60)
    catalogue = _catalogue(tmp_path / "c", photos[:50])
    before = catalogue.listing()
    expected = before.photos(0, 50)
    _catalogue_more = Catalogue.open(tmp_path / "c")
    _catalogue_more.remove([photo_id(photos[0].root, photos[0].path)])
    _catalogue_more.upsert(photos[50:], np.eye(10, DIM, dtype=np.float32) + 0.1, [b""] * 10)
    _catalogue_more.compact()
    assert before.photos(0, 50) == expected
    assert len(catalogue.listing(Filter(include_missing=True))) == 59
    assert catalogue.branches(include_missing=True).count(()) == 59


def test_an_empty_catalogue_has_an_empty_list(tmp_path: Path) -> None:
    """And a tree without taxa."""
    catalogue = _catalogue(tmp_path / "c", [])
    listing = catalogue.listing()
    assert (len(listing), listing.photos(0, 10)) == (0, [])
    assert len(listing.one_a_specimen()) == len(listing.sorted_by(["catalogNumber", "species"])) == 0
    branches = catalogue.branches()
    assert (branches.children(()), branches.branch(()), branches.find("a"), branches.count(())) == ([], None, [], 0)


# The tree


def _counted(photos: Sequence[Photo]) -> Counter[TaxonPath]:
    counts: Counter[TaxonPath] = Counter()
    for photo in photos:
        path = tuple(photo.specimen.taxon.lineage)
        counts.update(path[:depth] for depth in range(len(path) + 1))
    return counts


def _walked(branches: Branches, path: TaxonPath = ()) -> dict[TaxonPath, Branch]:
    found = {}
    for branch in branches.children(path):
        found[branch.path] = branch
        below = _walked(branches, branch.path)
        assert branch.has_children is bool(below)
        found.update(below)
    return found


@pytest.mark.parametrize("missing", [False, True])
def test_every_taxon_has_the_photos_that_carry_it(catalogue: Catalogue, *, missing: bool) -> None:
    """Homonyms apart; photos without any name stand together, last; those whose files are missing count only where
    they are asked for."""
    photos = _expected(_photos(), Filter(), missing=missing)
    branches = catalogue.branches(include_missing=missing)
    found = _walked(branches)
    nameless = found.pop(UNPLACED)
    counts = _counted(photos)
    assert {path: branch.count for path, branch in found.items()} == {p: n for p, n in counts.items() if p}
    assert nameless.count == sum(1 for photo in photos if photo.specimen.taxon.rank is None)
    assert all((branch.rank, branch.name) == path[-1] for path, branch in found.items())
    assert branches.count(()) == len(photos)
    root = branches.children(())
    assert root[-1].path == UNPLACED
    assert [branch.count for branch in root[:-1]] == sorted((b.count for b in root[:-1]), reverse=True)
    assert branches.children(UNPLACED) == []
    assert branches.branch(WHEATEARS) == found[WHEATEARS]
    assert branches.branch(UNPLACED) == nameless
    assert branches.branch(((Rank.KINGDOM, "Nowhere"),)) is None


def test_a_taxon_has_its_commonest_common_name(catalogue: Catalogue) -> None:
    """And not that of a narrower one."""
    path = (*ANIMALS, (Rank.FAMILY, "Nymphalidae"), (Rank.GENUS, "Danaus"))
    (species,) = catalogue.branches().children(path)
    assert species.common_name == "monarch"
    genus = catalogue.branches().branch(path)
    assert genus is not None
    assert genus.common_name is None


def test_taxa_are_found_by_a_part_of_their_names(catalogue: Catalogue) -> None:
    """Equal names first, homonyms each for itself; common names too."""
    branches = catalogue.branches()
    plants = ((Rank.KINGDOM, "Plantae"), (Rank.FAMILY, "Ericaceae"), (Rank.GENUS, "Oenanthe"))
    assert {branch.path for branch in branches.find("OENANTHE")[:2]} == {WHEATEARS, plants}
    names = [branch.name for branch in branches.find("oenanthe")]
    assert names == ["Oenanthe", "Oenanthe", "Oenanthe oenanthe"]
    assert [branch.name for branch in branches.find("monar")] == ["Danaus plexippus"]
    assert len(branches.find("genus", limit=2)) == 2
    assert branches.find("zzz") == branches.find("  ") == []
    assert [branch.name for branch in branches.like("Danuas", 9)] == ["Danaus"]
    assert branches.like("zzzzz", 9) == []


def test_counts_of_a_list_are_read_as_a_mapping(catalogue: Catalogue) -> None:
    """Each when it is asked for, and all."""
    listing = catalogue.listing(Filter(conditions=("year = 1903",)))
    counts = BranchCounts(listing.branches)
    expected = _counted(listing.photos(0, COUNT))
    assert counts[ANIMALS] == expected[ANIMALS]
    assert counts[((Rank.KINGDOM, "Nowhere"),)] == 0
    found = {path: count for path, count in counts.items() if path != UNPLACED}
    assert found == dict(expected)


_NAMES = st.sampled_from([None, "A", "B", "C"])


@given(rows=st.lists(st.tuples(*[_NAMES] * 8), max_size=40))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_any_table_of_names_is_counted_as_by_hand(rows: list[tuple[str | None, ...]]) -> None:
    """Runs of rows are the same as counting each."""
    known = ["A", "B", "C"]
    columns = [np.array([-1 if row[at] is None else known.index(row[at]) for row in rows], np.int32) for at in range(8)]
    branches, row_of = Branches.of([Names.of(known)] * 8, columns.__getitem__)
    expected: Counter[TaxonPath] = Counter()
    for row in rows:
        path = tuple((rank, name) for rank, name in zip(RANKS, row, strict=False) if name)
        expected.update(path[:depth] for depth in range(len(path) + 1))
    found = {branch.path: branch.count for branch in _walked(branches).values() if branch.path != UNPLACED}
    assert found == {path: count for path, count in expected.items() if path}
    assert len(row_of) == len(rows)
    for path in expected:
        span = branches.span(path)
        assert int(((row_of >= span.start) & (row_of < span.stop)).sum()) == expected[path]


# The photos of a specimen


def test_siblings_are_the_other_photos_of_the_specimen(catalogue: Catalogue) -> None:
    """By number, or where there is none by content; missing files too."""
    photos = sorted(_photos(), key=lambda photo: (photo.root, photo.path))
    for photo in photos[:20]:
        same = [other for other in one_photo_groups(photos, photo) if other != photo]
        assert siblings(catalogue, photo) == same


def one_photo_groups(photos: Sequence[Photo], photo: Photo) -> list[Photo]:
    """Those that `one_a_specimen` takes for one with a photo."""
    return [other for other in photos if len(one_a_specimen([photo, other], lambda one: one)) == 1]


def test_small_batches_of_the_file_of_rows_are_read_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos that are far apart in the file come in the order that is asked for."""
    monkeypatch.setattr(build, "_ROWS_AT_ONCE", 16)
    monkeypatch.setattr(vector_search, "INDEX_FROM", 10)
    photos = _photos()
    catalogue = _catalogue(tmp_path / "c", photos)
    catalogue.optimize()
    assert catalogue.index_report().state is not None
    expected = sorted((replace(photo) for photo in photos), key=lambda photo: (photo.root, photo.path))
    listing = catalogue.listing(Filter(include_missing=True))
    assert listing.photos(0, 5) == expected[:5]
    assert listing.photos(0, COUNT) == expected
    assert (
        listing.sorted_by(["catalogNumber"]).photos(0, 3)
        == sorted(
            expected, key=lambda photo: (photo.specimen.catalog_number is None, photo.specimen.catalog_number or "")
        )[:3]
    )


def test_a_version_that_is_gone_is_told_in_a_sentence(drawer: Path, tmp_path: Path) -> None:
    """Where another process has removed the files of a list's version, reading it says that the catalogue changed."""
    folder = tmp_path / "copy"
    shutil.copytree(drawer, folder)
    listing = Catalogue.open(folder).listing(Filter())
    for file in (folder / "photos.lance" / "data").iterdir():
        file.unlink()
    with pytest.raises(CatalogueError, match="changed while it was being read"):
        listing.thumbnails([0, 1])
    with pytest.raises(CatalogueError, match="read it again"):
        listing.sorted_by(["catalogNumber"])
