"""What the terminal UI asks of a catalogue, against a real one of drawn photos."""

import csv
import getpass
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers import Command, draw_photo, write_model

from bioclip_search import models
from bioclip_search.catalogue import Catalogue
from bioclip_search.errors import (
    CatalogueDamaged,
    CatalogueError,
    CatalogueNotFound,
    CatalogueTooNew,
    ModelMismatch,
    QueryError,
    UnreadablePhoto,
    UsageError,
    VanishedPhoto,
)
from bioclip_search.identification import Verdict, reviews
from bioclip_search.query import LikePart, PhotoPart, Query, TextPart
from bioclip_search.schema import photo_id
from bioclip_search.taxonomy import Rank, TaxonPath
from tui.browsed import EVERYTHING, UNPLACED, BrowsedCatalogue
from tui.results import Order, Results

NYMPHALIDAE: TaxonPath = ((Rank.KINGDOM, "Animalia"), (Rank.FAMILY, "Nymphalidae"))


@pytest.fixture
def catalogue(indexed: Path, catalogue_folder: Path) -> BrowsedCatalogue:
    """The catalogue of six drawn photos."""
    return BrowsedCatalogue.open(catalogue_folder, device="cpu", dtype="float32")


def _numbers(results: Results) -> list[str | None]:
    results.read(0, results.count)
    hits = [results.at(index) for index in range(results.count)]
    return [hit.specimen.catalog_number if hit else "unread" for hit in hits]


def _key(indexed: Path, number: int) -> str:
    return photo_id(str(indexed), f"drawer{number // 3}/CAT-{number:03d}.jpg")


def test_importing_it_imports_nothing_heavy() -> None:
    """The first screen is painted before any of it is there."""
    script = (
        "import sys, tui.browsed, tui.results\n"
        "print(*(name for name in ('torch', 'open_clip', 'lancedb', 'pyarrow') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == ""


def test_an_open_catalogue_knows_its_size_and_model(
    catalogue: BrowsedCatalogue, small_model: Path, catalogue_folder: Path
) -> None:
    """For the first line of the screen."""
    assert (catalogue.folder, catalogue.photos, catalogue.model) == (catalogue_folder, 6, str(small_model))
    assert catalogue.problem() is None
    assert not catalogue.model_ready()


def test_the_tree_is_opened_branch_by_branch(catalogue: BrowsedCatalogue) -> None:
    """With counts, common names, and whether there is more."""
    (animals,) = catalogue.children()
    assert (animals.name, animals.count, animals.has_children) == ("Animalia", 6, True)
    families = catalogue.children(animals.path)
    assert [(family.name, family.count) for family in families] == [("Nymphalidae", 3), ("Pieridae", 3)]
    assert families[0].path == NYMPHALIDAE
    (found,) = catalogue.find_taxa("small white", 9)
    assert (found.rank, found.name, found.common_name) == (Rank.SPECIES, "Pieris rapae", "small white")


def test_a_list_is_read_by_windows(catalogue: BrowsedCatalogue, indexed: Path) -> None:
    """What has not been read is None; the whole catalogue or a taxon, in the order of places."""
    results = catalogue.ask(EVERYTHING)
    assert (results.count, results.hits, results.at(0)) == (6, None, None)
    results.read(2, 4)
    hit = results.at(3)
    assert hit is not None
    assert (hit.score, hit.specimen.catalog_number) == (None, "CAT-003")
    assert results.at(4) is None
    assert results.at(-1) is results.at(99) is None
    results.read(-5, 99)
    assert _numbers(results) == [f"CAT-{number:03d}" for number in range(6)]
    assert _numbers(catalogue.ask(Query(within=(NYMPHALIDAE,)))) == ["CAT-000", "CAT-002", "CAT-004"]
    assert catalogue.ask(EVERYTHING) is results


def test_photos_like_one_need_no_model(catalogue: BrowsedCatalogue, indexed: Path) -> None:
    """Within a taxon; all hits are there at once."""
    results = catalogue.ask(Query((LikePart("CAT-001"),), within=(NYMPHALIDAE,)))
    assert results.count == 3
    assert results.hits is not None
    assert sorted(str(number) for number in _numbers(results)) == ["CAT-000", "CAT-002", "CAT-004"]
    best = results.hits[0]
    assert results.at(0) is best
    assert not catalogue.model_ready()


def test_words_and_pictures_load_the_model_once(catalogue: BrowsedCatalogue, tmp_path: Path) -> None:
    """In whichever thread they are asked for."""
    pictures = [draw_photo(tmp_path / f"{seed}.png", seed=seed) for seed in (60, 61, 62)]
    queries = [Query((PhotoPart(str(picture)),)) for picture in pictures] + [Query((TextPart("a drawn patch"),))]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(catalogue.ask, queries))
    assert [answer.count for answer in answers] == [6] * 4
    assert catalogue.model_ready()
    loaded = catalogue._models[False]
    catalogue.warm()
    assert catalogue._models[False] is loaded


def test_many_threads_may_ask_at_once(catalogue: BrowsedCatalogue, indexed: Path) -> None:
    """Tree, windows, thumbnails and searches do not disturb each other."""
    keys = [_key(indexed, number) for number in range(6)]

    def ask(turn: int) -> object:
        match turn % 4:
            case 0:
                return catalogue.children(NYMPHALIDAE)[0].count
            case 1:
                return _numbers(catalogue.ask(EVERYTHING))[5]
            case 2:
                return len(catalogue.thumbnails(keys))
            case _:
                return catalogue.ask(Query((LikePart(f"CAT-00{turn % 6}"),))).count

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(80))) == [3, "CAT-005", 6, 5] * 20


def test_thumbnails_are_jpeg_whether_listed_or_not(catalogue: BrowsedCatalogue, indexed: Path) -> None:
    """What is not in the catalogue is left out."""
    keys = [_key(indexed, number) for number in range(6)]
    before = catalogue.thumbnails([*keys, "0" * 32])
    assert set(before) == set(keys)
    assert all(image.startswith(b"\xff\xd8") for image in before.values())
    catalogue.ask(EVERYTHING).read(0, 4)
    assert catalogue.thumbnails([*keys, "0" * 32]) == before


def test_results_can_be_put_in_another_order(catalogue: BrowsedCatalogue) -> None:
    """A list and the hits of a search alike."""
    names = ["CAT-000", "CAT-002", "CAT-004", "CAT-001", "CAT-003", "CAT-005"]
    for results in (catalogue.ask(EVERYTHING), catalogue.ask(Query((TextPart("monarch"),)))):
        assert _numbers(catalogue.sorted(results, Order.NUMBER)) == sorted(names)
        assert _numbers(catalogue.sorted(results, Order.PLACE)) == sorted(names)
        by_name = _numbers(catalogue.sorted(results, Order.NAME))
        assert {*by_name[:3]} == {*names[:3]}
        assert catalogue.sorted(results, Order.INDEXED).count == 6
        assert _numbers(catalogue.sorted(results, Order.SIMILARITY)) == _numbers(results)


def test_counts_are_those_of_the_hits(catalogue: BrowsedCatalogue) -> None:
    """Of a search, or of a list by a condition; the whole tree's are with the tree."""
    assert catalogue.counts(EVERYTHING) is None
    assert catalogue.counts(Query(within=(NYMPHALIDAE,))) is None
    listed = catalogue.counts(Query(where="catalogNumber = 'CAT-000'", within=((),)))
    assert listed is not None
    assert (listed[()], listed[NYMPHALIDAE]) == (1, 1)
    found = catalogue.counts(Query((LikePart("CAT-000"),), limit=5))
    assert found is not None
    assert (found[()], found[NYMPHALIDAE], found[UNPLACED]) == (5, 2, 0)


def test_a_specimen_has_siblings(catalogue: BrowsedCatalogue, indexed: Path, run: Command) -> None:
    """The other photos of its number, not itself."""
    table = indexed / "occurrence.csv"
    draw_photo(indexed / "drawer0" / "back.jpg", 77)
    row = "CAT-000,Danaus plexippus,Animalia,Nymphalidae,Danaus,plexippus,monarch,drawer0/back.jpg\n"
    table.write_text(table.read_text(encoding="utf-8") + row, encoding="utf-8")
    assert run("index", indexed, "--metadata", table).code == 0
    catalogue.reload()
    assert catalogue.photos == 7
    assert [other.path for other in catalogue.siblings(catalogue.photo(_key(indexed, 0)))] == ["drawer0/back.jpg"]
    assert catalogue.siblings(catalogue.photo(_key(indexed, 1))) == []


def test_a_picture_is_the_original_reduced(catalogue: BrowsedCatalogue, indexed: Path) -> None:
    """Never larger than asked for; a file that is gone or damaged is one sentence."""
    photo = catalogue.photo(_key(indexed, 0))
    assert catalogue.picture(photo, 48).size == (48, 32)
    assert catalogue.picture(photo, 1000).size == (96, 64)
    photo.file.write_bytes(photo.file.read_bytes()[:300])
    with pytest.raises(UnreadablePhoto, match=r"CAT-000.jpg cannot be shown: .*\.$"):
        catalogue.picture(photo, 48)
    photo.file.unlink()
    with pytest.raises(VanishedPhoto, match=r"CAT-000.jpg is not there; .*relocate"):
        catalogue.picture(photo, 48)
    assert catalogue.thumbnails([_key(indexed, 0)])


def test_a_photo_that_is_not_there_is_one_sentence(catalogue: BrowsedCatalogue) -> None:
    """As when another program forgot it meanwhile."""
    with pytest.raises(CatalogueError, match="not in the catalogue any more"):
        catalogue.photo("0" * 32)
    with pytest.raises(QueryError, match="LIKE-NONE"):
        catalogue.ask(Query((LikePart("LIKE-NONE"),)))


# Suggestions


def test_a_photo_is_identified_as_the_command_does_it(catalogue: BrowsedCatalogue, indexed: Path, run: Command) -> None:
    """By the same neighbours, with the same probabilities; nothing is kept."""
    key = _key(indexed, 0)
    found = catalogue.identify(key).suggestion
    photo = indexed / "drawer0" / "CAT-000.jpg"
    (expected,) = run("identify", photo, "--method", "neighbours", "--format", "json").json
    assert [name for _, name, _ in found.candidates] == [row["scientificName"] for row in expected["candidates"]]
    scores = [row["score"] for row in expected["candidates"]]
    assert [score for _, _, score in found.candidates] == pytest.approx(scores, abs=1e-4)
    answer = expected["answer"]
    assert (found.taxon.scientific_name, found.method) == (answer["scientificName"], "neighbours")
    assert catalogue.suggestions(key) == []


def test_a_review_is_kept_beside_the_suggestion(catalogue: BrowsedCatalogue, indexed: Path, run: Command) -> None:
    """With who said it; the last one counts; the determination stays, and the command shows it."""
    key = _key(indexed, 0)
    before = catalogue.photo(key)
    suggestion = catalogue.identify(key).suggestion
    catalogue.review(key, suggestion, "rejected")
    made = catalogue.review(key, suggestion, Verdict.ACCEPTED)
    assert (made.verdict, made.reviewer, made.catalog_number) == (Verdict.ACCEPTED, getpass.getuser(), "CAT-000")
    (shown,) = catalogue.suggestions(key)
    assert shown.suggestion.taxon == suggestion.taxon
    assert shown.review == made
    assert catalogue.identify(key).review == made
    assert [one.verdict for one in reviews(catalogue.folder)] == [Verdict.ACCEPTED, Verdict.REJECTED]
    assert catalogue.photo(key) == before
    (row,) = run("suggestions", "--format", "json").json
    assert (row["verdict"], row["reviewer"], row["catalogNumber"]) == ("accepted", getpass.getuser(), "CAT-000")


def test_there_is_nothing_to_compare_with_in_an_archive_without_names(tmp_path: Path, run: Command) -> None:
    """One sentence."""
    draw_photo(tmp_path / "plain" / "a.jpg", 1)
    assert (
        run("index", tmp_path / "plain", "--model", write_model(tmp_path / "m"), "--catalogue", tmp_path / "c").code
        == 0
    )
    catalogue = BrowsedCatalogue.open(tmp_path / "c")
    (nameless,) = catalogue.children()
    assert (nameless.path, nameless.rank, nameless.name, nameless.count) == (UNPLACED, None, None, 1)
    results = catalogue.ask(Query(within=(nameless.path,)))
    results.read(0, 1)
    hit = results.at(0)
    assert hit is not None
    with pytest.raises(QueryError, match="No other specimen"):
        catalogue.identify(photo_id(hit.photo.root, hit.photo.path))


# Writing out


def test_marked_photos_are_exported_in_their_order(catalogue: BrowsedCatalogue, indexed: Path, tmp_path: Path) -> None:
    """As CSV through the export of the command; an existing file is not replaced unasked."""
    file = tmp_path / "marked.csv"
    assert catalogue.export([_key(indexed, 4), _key(indexed, 1)], file) == 2
    with file.open(encoding="utf-8", newline="") as stream:
        assert [row["catalogNumber"] for row in csv.DictReader(stream)] == ["CAT-004", "CAT-001"]
    with pytest.raises(UsageError, match="there already"):
        catalogue.export([_key(indexed, 4)], file)
    assert catalogue.export([_key(indexed, 4)], file, force=True) == 1
    assert catalogue.export([_key(indexed, 4)], tmp_path / "marked") == 1
    with pytest.raises(UsageError, match="Which format"):
        catalogue.export([_key(indexed, 4)], tmp_path / "marked.xlsx")


# Catalogues that cannot be used


def test_an_absent_catalogue_is_one_sentence(tmp_path: Path) -> None:
    """With the command that makes one."""
    with pytest.raises(CatalogueNotFound, match="bioclip-search index"):
        BrowsedCatalogue.open(tmp_path / "nowhere")


def test_an_empty_catalogue_can_be_walked(tmp_path: Path, small_model: Path) -> None:
    """There is nothing in it, and nothing fails."""
    fingerprint = models.locate_model(str(small_model)).fingerprint(models.Fit.SQUASH)
    Catalogue.create(tmp_path / "c", fingerprint)
    catalogue = BrowsedCatalogue.open(tmp_path / "c")
    assert (catalogue.photos, catalogue.children(), catalogue.find_taxa("a", 9)) == (0, [], [])
    results = catalogue.ask(EVERYTHING)
    results.read(0, 60)
    assert results.count == catalogue.sorted(results, Order.NAME).count == 0
    assert catalogue.thumbnails([]) == {}


def test_a_catalogue_of_a_newer_program_is_one_sentence(
    indexed: Path, catalogue_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do."""
    monkeypatch.setattr("bioclip_search.catalogue.SCHEMA_VERSION", 0)
    with pytest.raises(CatalogueTooNew, match="Update the program"):
        BrowsedCatalogue.open(catalogue_folder)


def test_a_damaged_catalogue_is_one_sentence(catalogue: BrowsedCatalogue, catalogue_folder: Path) -> None:
    """Also where it is damaged while it is open."""
    for file in (catalogue_folder / "photos.lance" / "data").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(CatalogueDamaged, match="Restore the folder"):
        BrowsedCatalogue.open(catalogue_folder).ask(EVERYTHING).read(0, 6)


def test_a_mismatched_model_is_told_before_it_is_needed(indexed: Path, catalogue_folder: Path, tmp_path: Path) -> None:
    """Browsing goes on."""
    catalogue = BrowsedCatalogue.open(catalogue_folder, model=str(write_model(tmp_path / "other", seed=5)))
    assert "was built with the model" in (catalogue.problem() or "")
    with pytest.raises(ModelMismatch):
        catalogue.warm()
    assert catalogue.ask(EVERYTHING).count == 6
    gone = BrowsedCatalogue.open(catalogue_folder, model=str(tmp_path / "nothing"))
    assert "There is no model" in (gone.problem() or "")


def test_a_list_holds_what_is_near_a_large_screen(catalogue: BrowsedCatalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages before and after the one on the screen are never let go for it."""
    monkeypatch.setattr("tui.results._HELD", 1)
    results = catalogue.ask(EVERYTHING)
    for start in (0, 2, 4):
        results.read(start, start + 2)
    assert all(results.at(index) is not None for index in range(6))


def test_a_large_list_holds_what_was_read_last(catalogue: BrowsedCatalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read long ago is let go, and can be read again."""
    monkeypatch.setattr("tui.results._HELD", 2)
    monkeypatch.setattr("tui.results._PAGES", 1)
    results = catalogue.ask(EVERYTHING)
    for start in range(6):
        results.read(start, start + 1)
    assert [results.at(index) is not None for index in range(6)] == [False] * 4 + [True] * 2
    results.read(0, 1)
    hit = results.at(0)
    assert hit is not None
    assert hit.photo.path == "drawer0/CAT-000.jpg"
