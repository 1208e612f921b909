"""A second model for texts: its own column, index and fingerprint, filled bit by bit, never stale."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from helpers import SMALL_MODEL, Command, draw_photo, some_photo, write_model
from PIL import Image

import bioclip_search
from bioclip_search import vector_search
from bioclip_search.background import Background
from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Embedder
from bioclip_search.errors import ModelMismatch, QueryError
from bioclip_search.filters import Filter
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.history import restore
from bioclip_search.prompts import caption
from bioclip_search.query import LikePart, PhotoPart, Query, Searcher, TextPart
from bioclip_search.schema import EMBEDDING_FOR_TEXT, photo_id
from bioclip_search.specimen import Specimen
from bioclip_search.taxonomy import Taxon
from indexer.report import Quiet
from indexer.run import IndexOptions, index

Vectors = npt.NDArray[np.float32]

COUNT = 300
FIRST = Fingerprint("first", "ViT", 8, "squash-32-bicubic", "0" * 64)
SECOND = Fingerprint("second", "ViT", 24, "squash-32-bicubic", "1" * 64)


def _unit(count: int, dim: int, seed: int) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _key(number: int) -> str:
    return photo_id("/archive", f"{number:03d}")


def _upsert(catalogue: Catalogue, numbers: Sequence[int], **changes: object) -> None:
    photos = [
        some_photo(
            f"{n:03d}", **{"specimen": Specimen(Taxon(genus="AB"[n % 2])), "content_hash": f"{n:064x}", **changes}
        )
        for n in numbers
    ]
    catalogue.upsert(photos, _unit(COUNT, FIRST.dim, 1)[list(numbers)], [b""] * len(photos))


def _fill(catalogue: Catalogue, numbers: Sequence[int]) -> int:
    contents = {_key(n): f"{n:064x}" for n in numbers}
    return catalogue.for_text.fill(SECOND, contents, _unit(COUNT, SECOND.dim, 2)[list(numbers)])


def _filled(catalogue: Catalogue) -> set[int]:
    keys = {_key(n): n for n in range(COUNT)}
    return {keys[key] for key in catalogue.embeddings("true", for_text=True)}


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """Three hundred photos, of which every seventh has no second embedding."""
    made = Catalogue.create(tmp_path / "c", FIRST)
    _upsert(made, range(COUNT))
    made.for_text.add(SECOND)
    assert _fill(made, [n for n in range(COUNT) if n % 7]) == COUNT - 43
    return made


def _found(catalogue: Catalogue, query: Vectors, filter_: Filter, *, exact: bool = False) -> list[int]:
    found = catalogue.nearest(query, 12, filter_, exact=exact, for_text=True)
    return [int(near.row["path"]) for near in found]


def _true(query: Vectors, numbers: Sequence[int]) -> list[int]:
    cosines = _unit(COUNT, SECOND.dim, 2) @ query
    return sorted(numbers, key=lambda n: -cosines[n])[:12]


@pytest.mark.parametrize("is_indexed", [False, True])
def test_the_second_column_answers_as_a_plain_product_does(
    catalogue: Catalogue, is_indexed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With taxa and conditions, with an index of its own and without; photos that lack it are not found."""
    if is_indexed:
        monkeypatch.setattr(vector_search, "INDEX_FROM", 100)
        catalogue.optimize()
    state = catalogue.index_report(for_text=True).state
    assert (state is not None) is is_indexed
    assert state is None or (state.rows, state.recall) == (COUNT - 43, 1.0)
    there = [n for n in range(COUNT) if n % 7]
    filters = {
        Filter(): there,
        Filter(taxa=((("genus", "B"),),)): [n for n in there if n % 2],
        Filter(not_taxa=(("genus", "B"),)): [n for n in there if not n % 2],
        Filter(conditions=("path < '050' OR path = '060'",)): [n for n in there if n < 50 or n == 60],
        Filter(conditions=("path IN ('000', '007')",)): [],
    }
    for query in _unit(3, SECOND.dim, 9):
        for filter_, numbers in filters.items():
            assert _found(catalogue, query, filter_) == _true(query, numbers)
            assert _found(catalogue, query, filter_, exact=True) == _true(query, numbers)
    query = _unit(1, FIRST.dim, 3)[0]
    cosines = _unit(COUNT, FIRST.dim, 1) @ query
    assert [int(near.row["path"]) for near in catalogue.nearest(query, 5)] == np.argsort(-cosines)[:5].tolist()


def test_what_is_filled_after_the_index_was_written_is_found(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New embeddings at once; those of photos that changed not any more."""
    monkeypatch.setattr(vector_search, "INDEX_FROM", 100)
    catalogue.optimize()
    _fill(catalogue, [0, 7, 14])
    _upsert(catalogue, [1, 2], content_hash="f" * 64)
    there = [n for n in range(COUNT) if (n % 7 or n in (0, 7, 14)) and n not in (1, 2)]
    again = Catalogue.open(catalogue.folder)
    assert again.index_report(for_text=True).unknown == 3
    vectors = _unit(COUNT, SECOND.dim, 2)
    for query in (vectors[7], vectors[1], vectors[100]):
        for searched in (catalogue, again):
            assert _found(searched, query, Filter()) == _true(query, there)


def test_a_column_with_nothing_in_it_finds_nothing(tmp_path: Path) -> None:
    """Neither the nearest nor records nor the best cosines fail where no photo was embedded yet."""
    made = Catalogue.create(tmp_path / "c", FIRST)
    _upsert(made, range(5), specimen=Specimen(Taxon(genus="Danaus")))
    made.for_text.add(SECOND)
    made.optimize()
    query = _unit(1, SECOND.dim, 1)
    assert made.nearest(query[0], 3, for_text=True) == []
    assert made.best_cosines(query, for_text=True).tolist() == [-1.0]
    assert made.in_records("Danaus", 5, Filter(), for_text=True) == []
    assert len(made.in_records("Danaus", 5, Filter())) == 5
    assert (made.for_text.count(), made.for_text.lacking()) == (0, 5)


def test_a_changed_photo_loses_its_second_embedding(catalogue: Catalogue) -> None:
    """Other content never keeps what was embedded of the content before, also in a catalogue opened earlier."""
    _upsert(catalogue, [1, 2], content_hash="f" * 64)
    assert not _filled(catalogue) & {1, 2}
    assert len(_filled(catalogue)) == COUNT - 45


def test_a_catalogue_opened_before_there_was_a_second_model_empties_too(tmp_path: Path) -> None:
    """What one process writes cannot leave a stale embedding of a model that another process brought."""
    earlier = Catalogue.create(tmp_path / "c", FIRST)
    _upsert(earlier, range(4))
    later = Catalogue.open(tmp_path / "c")
    later.for_text.add(SECOND)
    _fill(later, range(4))
    _upsert(earlier, [2], content_hash="f" * 64)
    assert _filled(later) == _filled(earlier) == {0, 1, 3}


def test_records_places_and_copies_keep_the_second_embedding(catalogue: Catalogue) -> None:
    """Describing, marking and moving a row leave it; a copy of a file gets it without the model."""
    before = catalogue.embeddings(f"photo_id = '{_key(5)}'", for_text=True)[_key(5)]
    catalogue.describe({_key(5): Specimen(Taxon(genus="New"))})
    catalogue.mark_missing([_key(5)], datetime(2024, 1, 1, tzinfo=UTC))
    catalogue.move({_key(5): ("/other", "5.jpg"), _key(7): ("/other", "7.jpg")})
    moved, unfilled = photo_id("/other", "5.jpg"), photo_id("/other", "7.jpg")
    found = catalogue.embeddings("root = '/other'", for_text=True)
    assert (list(found), unfilled in found) == ([moved], False)
    assert np.array_equal(found[moved], before)
    assert catalogue.photos("root = '/other' AND path = '5.jpg'")[0].specimen.taxon.genus == "New"
    copies = [some_photo("copy5", content_hash=f"{5:064x}"), some_photo("copy7", content_hash=f"{7:064x}")]
    assert catalogue.copy(copies) == []
    found = catalogue.embeddings("path IN ('copy5', 'copy7')", for_text=True)
    assert list(found) == [photo_id("/archive", "copy5")]
    assert np.array_equal(found[photo_id("/archive", "copy5")], before)


def test_a_row_is_filled_only_with_what_its_content_gave(catalogue: Catalogue) -> None:
    """Rows that changed or went while they were embedded are left out; the others are whole afterwards."""
    _upsert(catalogue, [0], content_hash="f" * 64)
    catalogue.remove([_key(7)])
    assert _fill(catalogue, [0, 7, 14, 21]) == 2
    assert {0, 7, 14, 21} & _filled(catalogue) == {14, 21}
    again = {photo.path: photo for photo in Catalogue.open(catalogue.folder).photos()}
    assert again["014"] == some_photo("014", specimen=Specimen(Taxon(genus="A")), content_hash=f"{14:064x}")
    assert catalogue.nearest(_unit(COUNT, FIRST.dim, 1)[14], 1)[0].row["path"] == "014"


def test_versions_have_the_second_model_or_not(tmp_path: Path) -> None:
    """A version from before it has none; bringing that back and undoing it loses nothing."""
    made = Catalogue.create(tmp_path / "c", FIRST)
    _upsert(made, range(10))
    before = int(made._photos.version)
    made.for_text.add(SECOND)
    _fill(made, range(5))
    after = int(made._photos.version)
    _fill(made, range(5, 10))
    assert Catalogue.open(tmp_path / "c", as_of=before).for_text.fingerprint is None
    past = Catalogue.open(tmp_path / "c", as_of=after)
    assert (past.for_text.fingerprint, past.for_text.lacking()) == (SECOND, 5)
    assert len(past.nearest(_unit(1, SECOND.dim, 1)[0], 10, for_text=True)) == 5
    restore(tmp_path / "c", before)
    restored = Catalogue.open(tmp_path / "c")
    with pytest.raises(QueryError, match="--model-for-text NAME"):
        restored.nearest(_unit(1, SECOND.dim, 1)[0], 10, for_text=True)
    _upsert(restored, range(3))
    restore(tmp_path / "c", after)
    assert made.for_text.fingerprint == SECOND
    assert _filled(made) == set(range(5))


def test_another_model_for_texts_is_refused_until_the_first_is_taken_out(catalogue: Catalogue) -> None:
    """The sentence says how; afterwards the column is the other model's, and empty."""
    other = replace(SECOND, weights_sha256="2" * 64, dim=5)
    with pytest.raises(ModelMismatch, match="--model-for-text none"):
        catalogue.for_text.add(other)
    catalogue.for_text.drop()
    assert catalogue.for_text.fingerprint is None
    catalogue.for_text.add(other)
    assert (catalogue.for_text.fingerprint, catalogue.for_text.count()) == (other, 0)
    with pytest.raises(ModelMismatch, match="Another run"):
        _fill(catalogue, [1])


# With models


@pytest.fixture(scope="module")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second small model, of other weights and another dimension."""
    return write_model(tmp_path_factory.mktemp("second"), seed=5, config={**SMALL_MODEL, "embed_dim": 24})


@pytest.fixture
def both(indexed: Path, run: Command, text_model: Path) -> Path:
    """The folder of photos, in a catalogue with both models."""
    result = run("index", indexed, "--model-for-text", text_model, "--format", "json")
    assert (result.code, result.json["forText"], result.json["unchanged"]) == (0, 6, 6), result.err
    return indexed


def _scores(model: Path, texts: Sequence[str], files: Sequence[Path]) -> Vectors:
    """Cosines of texts, put to the model as captions, and photos: float32 [texts, files]."""
    embedder = Embedder.load(str(model), device="cpu")
    pictures = [Image.open(file).convert("RGB") for file in files]
    scores: Vectors = embedder.encode_texts([caption(text) for text in texts]) @ embedder.encode_images(pictures).T
    return scores


def test_a_search_asks_the_model_that_it_names(both: Path, run: Command, text_model: Path, small_model: Path) -> None:
    """Hits, order and scores are those of the second model with the option, of the first without."""
    files = sorted(both.rglob("*.jpg"))
    for model, option in ((text_model, ["--model-for-text"]), (small_model, [])):
        hits = run("search", "a wing with eyespots", *option, "--format", "json").json
        (scores,) = _scores(model, ["a wing with eyespots"], files)
        order = np.argsort(-scores)
        assert [hit["path"] for hit in hits] == [files[at].relative_to(both).as_posix() for at in order]
        assert [hit["score"] for hit in hits] == pytest.approx(scores[order].tolist(), abs=5e-3)


def test_texts_photos_and_specimens_are_all_asked_of_it(both: Path, catalogue_folder: Path, text_model: Path) -> None:
    """A query of several parts is the weighted sum in the second column; names are words like others there."""
    opened = Catalogue.open(catalogue_folder)
    files = sorted(both.rglob("*.jpg"))
    new = draw_photo(both.parent / "new.png", seed=77)
    embedder = Embedder.load(str(text_model), device="cpu")
    pictures = embedder.encode_images([Image.open(file).convert("RGB") for file in [*files, new]])
    monarch = embedder.encode_texts([caption("monarch")])[0]
    parts = (TextPart("monarch"), PhotoPart(str(new), 0.5), PhotoPart(str(files[1]), 0.7), LikePart("CAT-002", -1.0))
    sums = pictures[:6] @ (monarch + 0.5 * pictures[6] + 0.7 * pictures[1] - pictures[2])
    hits = Searcher(opened, lambda: embedder, lambda: embedder).search(Query(parts, for_text=True))
    assert [hit.photo.path.rsplit("/", 1)[-1] for hit in hits] == [
        files[at].name for at in np.argsort(-sums).tolist() if at != 2
    ]
    assert [one.name for one in hits.determined] == ["monarch"]
    assert not hits.has_prose
    by_api = bioclip_search.open(catalogue_folder).search("monarch", for_text=True, limit=2)
    assert [hit.photo.path for hit in by_api] == [
        hit.photo.path for hit in Searcher(opened, lambda: embedder).search(Query(parts[:1], limit=2, for_text=True))
    ]


def test_another_model_for_texts_is_refused_from_python(both: Path, catalogue_folder: Path, small_model: Path) -> None:
    """A model that is named for texts is compared with that of the catalogue when it is opened."""
    with pytest.raises(ModelMismatch, match="has the model for texts"):
        bioclip_search.open(catalogue_folder, model_for_text=str(small_model))


def test_a_description_is_told_of_the_model_for_texts(both: Path, run: Command) -> None:
    """Only as a remark beside the table, only for what is no name, and only where there is such a model."""
    hint = "add --model-for-text"
    assert hint in run("search", "a wing with eyespots").err
    assert hint not in run("search", "a wing with eyespots", "--model-for-text").err
    assert hint not in run("search", "a wing with eyespots", "--format", "json").err
    assert hint not in run("search", "monarch").err
    assert hint not in run("search", "Vanessa atalanta").err


def test_without_a_second_model_everything_is_as_before(indexed: Path, run: Command, catalogue_folder: Path) -> None:
    """There is no column, no remark, nothing in `info`; asking for it is an error with the remedy."""
    assert "model" not in run("search", "a wing with eyespots").err
    assert run("info", "--format", "json").json["forText"] is None
    assert "for text" not in run("info").out
    assert EMBEDDING_FOR_TEXT not in Catalogue.open(catalogue_folder)._photos.schema.names
    queries = indexed.parent / "queries.txt"
    queries.write_text("wing\n")
    for arguments in (["wing"], ["--like", "CAT-001"], ["--batch", queries]):
        result = run("search", *arguments, "--model-for-text")
        assert (result.code, "has no second model" in result.err) == (2, True)
    assert run("search", "--taxon", "Danaus", "--model-for-text").code == 2


def test_info_shows_both_models_and_what_is_lacking(
    both: Path, run: Command, catalogue_folder: Path, text_model: Path
) -> None:
    """Also where the index stands and what unrelated queries reach by it; a search says what it could not compare."""
    facts = run("info", "--format", "json").json["forText"]
    assert (facts["model"], facts["dim"], facts["lacking"], facts["index"]) == (str(text_model), 24, 0, None)
    assert set(facts["background"]) == {"texts", "pictures"}
    opened = Catalogue.open(catalogue_folder)
    (photo,) = opened.photos("path = 'drawer0/CAT-000.jpg'")
    opened.upsert([photo], _unit(1, 32, 0), [b""])
    assert "1 photos lack it" in run("info").out
    assert "1 photo was not compared" in run("search", "wing", "--model-for-text").err
    assert "has not embedded CAT-000 yet" in run("search", "--like", "CAT-000", "--model-for-text").err
    assert run("optimize", "--format", "json").json["forText"]["lacking"] == 1


def test_what_unrelated_queries_reach_is_measured_for_each_model(
    both: Path, catalogue_folder: Path, text_model: Path
) -> None:
    """The sign for no good match goes by the background of the model that was asked."""
    opened = Catalogue.open(catalogue_folder)
    embedder = Embedder.load(str(text_model), device="cpu")
    background = Background.read(opened, for_text=True)
    assert background is not None
    assert background != Background.read(opened)
    limit = background.reached(is_text=True)
    for words in ("wing", "a red moth", "soup", "fern"):
        hits = Searcher(opened, lambda: embedder).search(Query((TextPart(words),), for_text=True))
        assert hits.no_good_match is ((hits[0].score or 0) <= limit)


def test_later_runs_embed_what_is_new_or_changed(
    both: Path, run: Command, catalogue_folder: Path, text_model: Path
) -> None:
    """A plain run knows the second model; moved and copied photos keep what they have."""
    draw_photo(both / "new.png", seed=50)
    edited = draw_photo(both / "drawer0" / "CAT-000.jpg", seed=51, size=(120, 80))
    (both / "drawer0" / "CAT-001.jpg").rename(both / "moved.jpg")
    (both / "copy.jpg").write_bytes((both / "drawer0" / "CAT-002.jpg").read_bytes())
    result = run("index", both, "--dry-run", "--format", "json").json
    assert result["forText"] == 4  # at most: the copy will need no model
    result = run("index", both, "--format", "json").json
    assert (result["new"], result["changed"], result["moved"], result["forText"]) == (2, 1, 1, 2)
    assert Catalogue.open(catalogue_folder).for_text.lacking() == 0
    (hit,) = run("search", "--image", edited, "--model-for-text", "-k", 1, "--format", "json").json
    (expected,) = _scores(text_model, ["wing"], [edited])[0]
    assert (hit["path"], hit["score"] > 0.99) == ("drawer0/CAT-000.jpg", True)
    scores = {hit["path"]: hit["score"] for hit in run("search", "wing", "--model-for-text", "--format", "json").json}
    assert scores["drawer0/CAT-000.jpg"] == pytest.approx(expected, abs=5e-3)
    assert "forText" not in run("index", both, "--format", "json").json


def test_a_model_that_is_gone_keeps_nobody_from_indexing(
    indexed: Path, run: Command, catalogue_folder: Path, text_model: Path, tmp_path: Path
) -> None:
    """A plain run says so in one sentence and does the rest; one that names it stops before it begins."""
    place = tmp_path / "second"
    write_model(place, seed=5, config={**SMALL_MODEL, "embed_dim": 24})
    assert run("index", indexed, "--model-for-text", place).code == 0
    place.rename(tmp_path / "elsewhere")
    draw_photo(indexed / "new.png", seed=50)
    result = run("index", indexed, "--format", "json")
    assert (result.code, result.json["new"]) == (0, 1)
    (line,) = [line for line in result.err.splitlines() if "not yet embedded for texts" in line]
    assert str(place) in line
    assert Catalogue.open(catalogue_folder).for_text.lacking() == 1
    draw_photo(indexed / "newer.png", seed=52)
    assert run("index", indexed, "--model-for-text", place).code == 2
    assert run("info", "--format", "json").json["rows"] == 7
    assert run("index", indexed, "--model-for-text", tmp_path / "elsewhere", "--format", "json").json["forText"] == 2
    assert run("search", "wing", "--model-for-text", "--model", tmp_path / "elsewhere").code == 0


def test_a_model_that_does_not_fit_is_refused_before_anything_is_done(
    both: Path, run: Command, small_model: Path, text_model: Path, tmp_path: Path
) -> None:
    """Another model for texts, or the catalogue's own, is one sentence; `none` takes the second out."""
    draw_photo(both / "new.png", seed=50)
    other = write_model(tmp_path / "other", seed=6, config={**SMALL_MODEL, "embed_dim": 16})
    for model, sentence in ((other, "--model-for-text none"), (small_model, "wants another model")):
        result = run("index", both, "--model-for-text", model)
        assert (result.code, sentence in result.err) == (2, True)
    assert run("search", "wing", "--model-for-text").code == 0
    assert run("search", "wing", "--model-for-text", "--model", other).code == 2
    assert run("info", "--format", "json").json["rows"] == 6
    assert run("index", both, "--model-for-text", "none").code == 0
    assert run("info", "--format", "json").json["forText"] is None
    assert run("index", both, "--model-for-text", other, "--format", "json").json["forText"] == 7


def test_files_that_are_gone_changed_or_bad_are_reported_and_the_rest_is_filled(
    indexed: Path, run: Command, catalogue_folder: Path, text_model: Path
) -> None:
    """Photos of folders that are not indexed in this run are filled too; a drive that is away is one line."""
    (indexed / "drawer0" / "CAT-000.jpg").unlink()
    draw_photo(indexed / "drawer0" / "CAT-001.jpg", seed=60)
    (indexed / "drawer0" / "CAT-002.jpg").write_bytes(b"")
    away = indexed.parent / "away"
    draw_photo(away / "a.png", seed=61)
    draw_photo(away / "b.png", seed=62)
    run("index", away)
    away.rename(indexed.parent / "unplugged")
    draw_photo(indexed.parent / "others" / "c.png", seed=63)
    result = run("index", indexed.parent / "others", "--model-for-text", text_model, "--format", "json")
    assert (result.code, result.json["new"], result.json["forText"], result.json["failed"]) == (0, 1, 4, 3)
    reasons = {Path(problem["path"]).name: problem["reason"] for problem in result.json["problems"]}
    assert "cannot be read" in reasons["CAT-000.jpg"]
    assert "changed since it was indexed" in reasons["CAT-001.jpg"]
    assert reasons["CAT-002.jpg"] == "the file is empty"
    assert [line for line in result.err.splitlines() if "is not there" in line] == [
        f"{away} is not there; the model for texts embeds its photos when it is."
    ]
    (indexed.parent / "unplugged").rename(away)
    (indexed / "drawer0" / "CAT-002.jpg").unlink()
    assert run("index", indexed, "--format", "json").json["forText"] == 3
    assert Catalogue.open(catalogue_folder).for_text.lacking() == 0
    assert run("problems", "--format", "json").json == []


class _Impatient(Quiet):
    """Wishes to stop as soon as the first photos of the second model are done."""

    begun = done = 0

    def begin(self, total: int) -> None:  # noqa: ARG002
        self.begun += 1

    def advance(self, photos: int) -> None:
        self.done += photos * (self.begun == 2)

    def stoppable(self) -> AbstractContextManager[Callable[[], bool]]:
        return nullcontext(lambda: self.done > 0)


def test_ctrl_c_while_filling_keeps_what_was_done_and_a_plain_run_does_the_rest(
    photos: Path, run: Command, small_model: Path, text_model: Path, catalogue_folder: Path
) -> None:
    """The first model's work is whole, the second's as far as it came."""
    for number in range(100):
        draw_photo(photos / "more" / f"{number:03d}.png", seed=100 + number, size=(24, 24))
    options = IndexOptions(
        (photos,), catalogue_folder, model=str(small_model), model_for_text=str(text_model), batch_size=2, workers=1
    )
    report = index(options, _Impatient())
    assert (report.interrupted, report.new) == (True, 106)
    opened = Catalogue.open(catalogue_folder)
    assert 2 <= report.for_text == opened.for_text.count() < 106
    assert run("index", photos, "--format", "json").json["forText"] == 106 - report.for_text
    assert (opened.for_text.count(), opened.count()) == (106, 106)


_INDEX = """
import sys
from pathlib import Path
from indexer.report import Quiet
from indexer.run import IndexOptions, index

class Begun(Quiet):
    def begin(self, total): print("begun", flush=True)
    def problem(self, problem): raise AssertionError(problem)

photos, catalogue, model = map(Path, sys.argv[1:])
options = IndexOptions((photos,), catalogue, model_for_text=str(model), batch_size=4, commit_seconds=0.0)
index(options, Begun())
"""


def test_killed_while_filling_it_ends_with_every_embedding(small_model: Path, text_model: Path, tmp_path: Path) -> None:
    """SIGKILL after a random time; the last run does the rest, and every embedding is that of its photo."""
    names = [draw_photo(tmp_path / "photos" / f"{n:03d}.png", seed=n, size=(24, 24)).name for n in range(120)]
    index(IndexOptions((tmp_path / "photos",), tmp_path / "c", model=str(small_model)))
    arguments = [sys.executable, "-c", _INDEX, *map(str, (tmp_path / "photos", tmp_path / "c", text_model))]
    chance = random.Random(0)  # noqa: S311 (nothing to keep secret)
    for attempt in range(5):
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(timeout=chance.uniform(0, 0.3) if attempt < 4 else None)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
    assert process.returncode == 0
    opened = Catalogue.open(tmp_path / "c")
    assert sorted(photo.path for photo in opened.photos()) == sorted(names)
    found = opened.embeddings("true", for_text=True)
    embedder = Embedder.load(str(text_model), device="cpu")
    pictures = [Image.open(tmp_path / "photos" / name).convert("RGB") for name in names]
    for name, vector in zip(names, embedder.encode_images(pictures), strict=True):
        assert float(found[photo_id(os.fspath(tmp_path / "photos"), name)] @ vector) > 0.999


def test_records_and_texts_are_fused_among_the_photos_that_have_both(
    both: Path, catalogue_folder: Path, text_model: Path
) -> None:
    """A photo without second embedding is left out also where its record matches."""
    opened = Catalogue.open(catalogue_folder)
    (photo,) = opened.photos("path = 'drawer0/CAT-000.jpg'")
    opened.upsert([photo], _unit(1, 32, 0), [b""])
    embedder = Embedder.load(str(text_model), device="cpu")
    query = Query((TextPart("wing"),), records="Danaus", for_text=True)
    paths = {hit.photo.path for hit in Searcher(opened, lambda: embedder).search(query)}
    assert len(paths) == 5
    assert photo.path not in paths
    with pytest.raises(QueryError, match="has nothing to compare"):
        Query(records="Danaus", for_text=True)
