"""Behaviour of `bioclip-search identify` and `suggestions`, on a catalogue of drawn photos."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import Command, draw_photo
from PIL import Image

import bioclip_search
from bioclip_search.catalogue import Catalogue
from bioclip_search.cli.identified import IDENTIFICATION_COLUMNS
from bioclip_search.embedder import Embedder
from bioclip_search.errors import PhotoError, RecordError, UnknownTaxon, UsageError
from bioclip_search.identification.pybioclip import pixels
from bioclip_search.photo import open_photo
from bioclip_search.text_features import TextFeatures, TextKind

_METHODS = ("zero-shot", "neighbours", "centroids")


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def unidentified(indexed: Path, run: Command, small_model: Path) -> Path:
    """The indexed folder, with two more photos that have no record."""
    for seed in (100, 101):
        draw_photo(indexed / "drawer9" / f"NEW-{seed}.jpg", seed=seed)
    assert run("index", indexed, "--model", small_model).code == 0
    return indexed


def test_zero_shot_is_softmax_of_scaled_cosines(indexed: Path, run: Command, small_model: Path, tmp_path: Path) -> None:
    """The candidates' probabilities are those of the names' features, at the model's own logit scale."""
    photo = draw_photo(tmp_path / "unknown.png", seed=50)
    (found,) = run("identify", photo, "--format", "json", "--device", "cpu", "--dtype", "float32").json
    model = Embedder.load(str(small_model), device="cpu", dtype="float32")
    names = [
        "Animalia Nymphalidae Danaus plexippus with common name monarch",
        "Animalia Pieridae Pieris rapae with common name small white",
    ]
    texts = TextFeatures(model.fingerprint, lambda: model, tmp_path / "own").of(names, TextKind.NAME)
    cosines = texts @ model.encode_images([open_photo(photo, 32).image])[0]
    odds = np.exp(model.logit_scale * cosines)
    expected = dict(zip(("Danaus plexippus", "Pieris rapae"), odds / odds.sum(), strict=True))
    got = {choice["scientificName"]: choice["score"] for choice in found["candidates"]}
    assert got == pytest.approx(expected, abs=1e-4)
    assert found["byRank"][0]["scientificName"] == "Animalia"
    assert found["answer"]["rank"] == ("kingdom" if max(got.values()) < 0.8 else "species")


@pytest.mark.parametrize("method", _METHODS)
def test_every_method_answers_in_every_format(unidentified: Path, run: Command, method: str) -> None:
    """Table, JSON, CSV and pybioclip's CSV hold the same best candidate."""
    asked = ("identify", unidentified / "drawer9", "--method", method)
    found = run(*asked, "--format", "json").json
    assert [Path(one["file"]).name for one in found] == ["NEW-100.jpg", "NEW-101.jpg"]
    best = [one["candidates"][0]["scientificName"] for one in found]
    rows = _rows(run(*asked, "--format", "csv").out)
    assert tuple(rows[0]) == IDENTIFICATION_COLUMNS
    assert [row["scientificName"] for row in rows if row["place"] == "1"] == best
    assert best[0] in run(*asked).out
    predicted = _rows(run(*asked, "--format", "pybioclip", "-k", 1).out)
    assert [row["species"] for row in predicted] == best
    assert all(0 <= row["score"] <= 1 for one in found for row in one["candidates"])
    assert sum(row["score"] for row in found[0]["candidates"]) == pytest.approx(1, abs=1e-5)


def test_photos_of_the_catalogue_never_vote_for_themselves(indexed: Path, run: Command) -> None:
    """Neither a photo, nor a copy of its file, nor another photo of its specimen is evidence."""
    photo = indexed / "drawer0" / "CAT-000.jpg"
    copy = Path(shutil.copy(photo, indexed.parent / "copy.jpg"))
    for file in (photo, copy):
        (found,) = run("identify", file, "--method", "neighbours", "--format", "json").json
        numbers = [one["catalogNumber"] for one in found["evidence"]]
        assert len(numbers) == 5
        assert "CAT-000" not in numbers
    table = run("identify", photo, "--method", "neighbours").out
    assert "nearest photos" in table
    assert "CAT-00" in table


def test_unidentified_photos_of_the_catalogue_are_identified(unidentified: Path, run: Command) -> None:
    """Those without any rank, without reading a file; where all have one that is said."""
    shutil.rmtree(unidentified)
    found = run("identify", "--taxon", "unidentified", "--method", "neighbours", "--format", "json").json
    assert sorted(Path(one["file"]).name for one in found) == ["NEW-100.jpg", "NEW-101.jpg"]
    run("identify", "--taxon", "unidentified", "--method", "centroids", "--taxon", "Pieridae", "--format", "json")


def test_a_catalogue_without_unidentified_photos_says_so(indexed: Path, run: Command) -> None:
    """One sentence, exit code 2."""
    result = run("identify", "--taxon", "unidentified", "--method", "neighbours")
    assert (result.code, result.out) == (2, "")
    assert "Every photo of the catalogue has a determination" in result.err


def test_a_taxon_restricts_the_candidates(unidentified: Path, run: Command, tmp_path: Path) -> None:
    """Descendants only, by any method; unknown names are told; a list restricts likewise."""
    photo = unidentified / "drawer9" / "NEW-100.jpg"
    (tmp_path / "list.txt").write_text("Pieris rapae\nFagus sylvatica\n")
    for method in ("neighbours", "centroids"):
        for words in (["--taxon", "Pieridae", "--taxon", "Nowhere"], ["--taxa", tmp_path / "list.txt"]):
            result = run("identify", photo, "--method", method, *words, "--format", "json")
            assert [row["scientificName"] for row in result.json[0]["candidates"]] == ["Pieris rapae"]
            assert "No taxon bears the name" in result.err
    (found,) = run("identify", photo, "--taxon", "small white", "--format", "json").json
    assert [row["scientificName"] for row in found["candidates"]] == ["Pieris rapae"]
    assert (found["answer"]["scientificName"], found["answer"]["score"]) == ("Pieris rapae", 1)
    wrong = run("identify", photo, "--taxon", "Peiridae")
    assert wrong.code == 2
    assert "Pieridae" in wrong.err


def test_a_rank_and_a_confidence_bound_the_answer(indexed: Path, run: Command) -> None:
    """Candidates are summed at the rank; without enough confidence the answer is wider."""
    photo = indexed / "drawer0" / "CAT-000.jpg"
    (found,) = run("identify", photo, "--rank", "family", "--confidence", 1, "--format", "json").json
    assert {row["scientificName"] for row in found["candidates"]} == {"Nymphalidae", "Pieridae"}
    assert (found["answer"]["rank"], found["answer"]["scientificName"]) == ("kingdom", "Animalia")
    (sure,) = run("identify", photo, "--confidence", 0.01, "--rank", "family", "--format", "json").json
    assert sure["answer"]["rank"] == "family"


def test_taxa_of_a_list_need_no_catalogue(run: Command, small_model: Path, tmp_path: Path) -> None:
    """A model and a list of names are enough; bad photos are reported and passed over."""
    photo = draw_photo(tmp_path / "a.png", seed=1)
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xffnot a photo")
    (tmp_path / "list.csv").write_text("scientificName,family\nQuercus robur,Fagaceae\nFagus sylvatica,Fagaceae\n")
    words = ("--taxa", tmp_path / "list.csv", "--model", small_model, "--format", "json", "--confidence", 1)
    result = run("identify", tmp_path / "bad.jpg", photo, tmp_path / "nowhere.jpg", *words)
    assert result.code == 0
    (found,) = result.json
    assert (found["answer"]["rank"], found["answer"]["scientificName"]) == ("family", "Fagaceae")
    assert "bad.jpg: " in result.err
    assert "nowhere.jpg: " in result.err
    nothing = run("identify", tmp_path / "bad.jpg", *words)
    assert (nothing.code, nothing.out) == (2, "")
    assert "No photo could be read" in nothing.err


def _text_embeddings(folder: Path, dim: int) -> Path:
    columns = np.random.default_rng(0).normal(size=(dim, 4)).astype(np.float32)
    columns /= np.linalg.norm(columns, axis=0)
    columns[:, 3] = 0
    wide = ["Animalia", "Arthropoda", "Insecta", "Lepidoptera"]
    names = [
        [[*wide, "Nymphalidae", "Danaus", "plexippus"], "monarch"],
        [[*wide, "Nymphalidae", "Vanessa", "atalanta"], ""],
        [[*wide, "Pieridae", "", ""], ""],
        [[*wide, "Pieridae", "Pieris", "rapae"], "small white"],
    ]
    np.save(folder / "txt.npy", columns)
    (folder / "txt.json").write_text(json.dumps(names))
    return folder / "txt.npy"


def test_published_text_embeddings_are_candidates(run: Command, small_model: Path, tmp_path: Path) -> None:
    """A family without genus can win, a column of zeros never; a taxon restricts here too."""
    photo, texts = draw_photo(tmp_path / "a.png", seed=1), _text_embeddings(tmp_path, 32)
    words = ("--text-embeddings", texts, "--model", small_model, "--format", "json", "-k", 9)
    (found,) = run("identify", photo, *words).json
    assert {row["scientificName"] for row in found["candidates"]} == {
        *("Danaus plexippus", "Vanessa atalanta", "Pieridae")
    }
    nothing = run("identify", photo, *words, "--taxon", "Pieris")
    assert (nothing.code, "nothing but zeros for the taxa asked for" in nothing.err) == (2, True)
    (part,) = run("identify", photo, *words, "--taxon", "Pieridae").json
    assert (part["answer"]["rank"], part["answer"]["score"]) == ("family", 1)
    wrong = run("identify", photo, "--text-embeddings", _text_embeddings(tmp_path, 16), "--model", small_model)
    assert wrong.code == 2
    assert "the model's features have 32 dimensions" in wrong.err


def test_pybioclip_columns_and_pixels_are_its_own(run: Command, small_model: Path, tmp_path: Path) -> None:
    """The columns of each rank; scores from a bilinear squash of the whole photo, without our temperature."""
    photo, texts = draw_photo(tmp_path / "a.jpg", seed=1, size=(200, 90)), _text_embeddings(tmp_path, 32)
    words = ("--text-embeddings", texts, "--model", small_model, "--format", "pybioclip", "--dtype", "float32")
    rows = _rows(run("identify", photo, *words, "--device", "cpu").out)
    assert list(rows[0]) == (
        "file_name kingdom phylum class order family genus species_epithet species common_name score".split()
    )
    assert rows[0]["file_name"] == str(photo)
    model = Embedder.load(str(small_model), device="cpu", dtype="float32")
    vector = model.encode_pixels(pixels(Image.open(photo).convert("RGB"), 32)[None])[0]
    odds = np.exp(model.logit_scale * (vector @ np.load(texts)))[:3]
    got = {(row["family"], row["species"]): float(row["score"]) for row in rows if float(row["score"])}
    species = [("Nymphalidae", "Danaus plexippus"), ("Nymphalidae", "Vanessa atalanta"), ("Pieridae", "")]
    expected = dict(zip(species, odds / odds.sum(), strict=True))
    assert got == pytest.approx(expected, abs=1e-5)
    families = _rows(run("identify", photo, *words, "--device", "cpu", "--rank", "family").out)
    assert list(families[0]) == "file_name kingdom phylum class order family score".split()
    assert {row["family"]: float(row["score"]) for row in families} == pytest.approx(
        {"Nymphalidae": odds[:2].sum() / odds.sum(), "Pieridae": odds[2] / odds.sum()}, abs=1e-5
    )


def test_labels_of_ones_own(run: Command, small_model: Path, tmp_path: Path) -> None:
    """All labels unless -k says fewer, bins sum them, a comma may be in a file's label."""
    photo = draw_photo(tmp_path / "a.png", seed=1)
    asked = ("identify", photo, "--model", small_model)
    (found,) = run(*asked, "--labels", "dorsal view,ventral view,label only", "--format", "json").json
    scores = {row["classification"]: row["score"] for row in found["labels"]}
    assert set(scores) == {"dorsal view", "ventral view", "label only"}
    assert sum(scores.values()) == pytest.approx(1, abs=1e-5)
    rows = _rows(run(*asked, "--labels", "dorsal view,ventral view", "--format", "pybioclip", "-k", 1).out)
    assert [list(row) for row in rows] == [["file_name", "classification", "score"]]
    (tmp_path / "bins.csv").write_text("label,bin\ndorsal view,animal\nventral view,animal\nlabel only,paper\n")
    (binned,) = run(*asked, "--bins", tmp_path / "bins.csv", "--format", "json").json
    bins = {row["classification"]: row["score"] for row in binned["labels"]}
    assert bins["animal"] == pytest.approx(scores["dorsal view"] + scores["ventral view"], abs=1e-5)
    (tmp_path / "labels.txt").write_text("beetle, pinned\nlabel\n")
    assert "beetle, pinned" in run(*asked, "--labels", tmp_path / "labels.txt").out


def test_a_fitted_temperature_is_kept_and_used(indexed: Path, run: Command, catalogue_folder: Path) -> None:
    """`--calibrate` keeps it by method and model; later calls use it unless --temperature says otherwise."""
    photo = indexed / "drawer0" / "CAT-000.jpg"
    fitted = run("identify", "--calibrate", "--method", "neighbours", "--format", "json").json
    assert fitted["photos"] == 6

    def found(*words: Any) -> Any:
        return run("identify", photo, "--method", "neighbours", "--format", "json", *words).json[0]

    assert found()["temperature"] == pytest.approx(fitted["temperature"], abs=1e-6)
    assert found("--temperature", 2)["temperature"] == 2
    assert run("identify", photo, "--format", "json").json[0]["temperature"] == 1
    hot = found("--temperature", 100)["candidates"]
    assert [row["score"] for row in hot] == pytest.approx([3 / 5, 2 / 5], abs=0.01)


def test_suggestions_are_kept_apart_from_determinations(
    unidentified: Path, run: Command, catalogue_folder: Path
) -> None:
    """One a photo, method and model, replaced by the next run; records stay as the curator has them."""
    before = {photo.path: photo.specimen for photo in Catalogue.open(catalogue_folder).photos()}
    assert "no suggestions" in run("suggestions").out
    for _ in range(2):
        assert run("identify", "--taxon", "unidentified", "--method", "neighbours", "--save").code == 0
    run("identify", unidentified / "drawer0", "--method", "centroids", "--save", "--confidence", 0.01)
    rows = run("suggestions", "--format", "json").json
    assert sorted((Path(row["path"]).name, row["method"]) for row in rows) == [
        ("CAT-000.jpg", "centroids"),
        ("CAT-001.jpg", "centroids"),
        ("CAT-002.jpg", "centroids"),
        ("NEW-100.jpg", "neighbours"),
        ("NEW-101.jpg", "neighbours"),
    ]
    assert len({row["run"] for row in rows}) == 2
    determined = {row["catalogNumber"]: row["determination"] for row in rows}
    assert determined["CAT-000"] == "Danaus plexippus"
    assert determined[None] is None
    assert {photo.path: photo.specimen for photo in Catalogue.open(catalogue_folder).photos()} == before
    assert "NEW-100.jpg" in run("suggestions").out
    assert _rows(run("suggestions", "--format", "csv").out)[0]["suggestion_id"] == rows[0]["suggestion_id"]
    assert run("runs", "--format", "json").json[0]["command"].startswith("identify")


def test_suggestions_follow_photos_that_move(unidentified: Path, run: Command) -> None:
    """A photo is known by its content after its folder was relocated."""
    run("identify", "--taxon", "unidentified", "--method", "neighbours", "--save")
    moved = unidentified.rename(unidentified.parent / "elsewhere")
    assert run("relocate", unidentified, moved).code == 0
    rows = run("suggestions", "--format", "json").json
    assert {row["root"] for row in rows} == {str(moved)}


def test_photos_from_elsewhere_have_no_place_for_a_suggestion(indexed: Path, run: Command, tmp_path: Path) -> None:
    """They are identified all the same, and that is said."""
    photo = draw_photo(tmp_path / "new.png", seed=70)
    result = run("identify", photo, "--method", "neighbours", "--save", "--format", "json")
    assert (result.code, len(result.json)) == (0, 1)
    assert "not in the catalogue" in result.err
    assert run("suggestions", "--format", "json").json == []


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["PHOTO", "--taxon", "unidentified"],
        ["PHOTO", "--labels", "a,b", "--bins", "x.csv"],
        ["PHOTO", "--labels", "a,b", "--rank", "genus"],
        ["PHOTO", "--labels", "a,b", "--save"],
        ["PHOTO", "--labels", ","],
        ["PHOTO", "--neighbours", 3],
        ["PHOTO", "--format", "pybioclip", "--save"],
        ["PHOTO", "--format", "pybioclip", "--confidence", 0.5],
        ["PHOTO", "--confidence", 1.5],
        ["PHOTO", "--temperature", 0],
        ["PHOTO", "--temperature", "nan"],
        ["PHOTO", "--temperature", 1e-30],
        ["PHOTO", "--temperature", 1e30],
        ["--calibrate", "--taxon", "Pieridae"],
        ["PHOTO", "--taxa", "nowhere.csv"],
        ["PHOTO", "--bins", "nowhere.csv"],
        ["PHOTO", "--text-embeddings", "nowhere.npy"],
        ["PHOTO", "--text-embeddings", "nowhere.npy", "--method", "centroids"],
    ],
)
def test_what_cannot_be_asked_is_one_sentence(indexed: Path, run: Command, words: list[object]) -> None:
    """Options that would be ignored or contradict each other, numbers that mean nothing, files that are not there."""
    photo = indexed / "drawer0" / "CAT-000.jpg"
    result = run("identify", *(photo if word == "PHOTO" else word for word in words))
    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["PHOTO", "--taxon", "Nowhere"], "belongs to the taxon “Nowhere”"),
        (["PHOTO", "--taxon", "Nowhere", "--text-embeddings", "TEXTS"], "belongs to the taxon “Nowhere”"),
        (["PHOTO", "--confidence", 2], "at most 1, such as 0.8"),
        (["PHOTO", "--temperature", 1e6], "from 0.01 to 100"),
        (["nowhere.jpg"], "no file or folder nowhere.jpg"),
        (["nowhere.jpg", "--labels", "a,b"], "no file or folder nowhere.jpg"),
        (["EMPTY"], "No photo could be read"),
    ],
)
def test_what_is_wrong_is_said_before_a_model_is_loaded(
    indexed: Path, run: Command, tmp_path: Path, words: list[object], reason: str
) -> None:
    """A device that is not there is found out only when a model is loaded: what comes before it needed none."""
    places = {"PHOTO": draw_photo(tmp_path / "new.png", seed=1), "EMPTY": tmp_path / "empty"}
    places["EMPTY"].mkdir()
    places["TEXTS"] = _text_embeddings(tmp_path, 32)
    result = run("identify", *(places.get(str(word), word) for word in words), "--device", "nowhere")
    assert (result.code, reason in result.err, "no usable device" in result.err) == (2, True, False)
    assert "no usable device" in run("identify", places["PHOTO"], "--device", "nowhere").err


def test_a_table_shows_as_many_candidates_as_are_asked_for(indexed: Path, run: Command, tmp_path: Path) -> None:
    """-k says how many; without it there are a few beside the answer."""
    names = [f"Genus{letter}" for letter in "abcdefgh"]
    (tmp_path / "taxa.txt").write_text("\n".join(names), encoding="utf-8")
    words = ("identify", indexed / "drawer0" / "CAT-000.jpg", "--taxa", tmp_path / "taxa.txt", "--confidence", 1)
    for asked, shown in (((), 3), (("-k", 6), 6), (("-k", 1), 1)):
        assert run(*words, *asked).out.count("Genus") == shown


def test_a_catalogue_without_determinations_is_told_what_to_do(run: Command, small_model: Path, tmp_path: Path) -> None:
    """There is nothing to choose from, and nothing to compare with."""
    draw_photo(tmp_path / "p" / "a.png", seed=1)
    run("index", tmp_path / "p", "--model", small_model)
    for method in _METHODS:
        result = run("identify", "--taxon", "unidentified", "--method", method)
        assert result.code == 2
        assert "--taxa FILE" in result.err


def test_another_model_than_the_catalogues_is_refused(indexed: Path, run: Command) -> None:
    """Its probabilities would mean nothing here."""
    result = run("identify", indexed / "drawer0", "--model", "builtin")
    assert result.code == 2
    assert "was built with the model" in result.err


def test_neighbours_of_the_catalogues_own_photos_need_no_model(unidentified: Path, catalogue_folder: Path) -> None:
    """Neither torch nor open_clip is imported where every embedding is there; help imports nothing heavy."""
    probe = """
import sys
from bioclip_search.cli import main
try:
    main(sys.argv[1:])
except SystemExit as stopped:
    assert not stopped.code, stopped.code
print("IMPORTED", *({"torch", "open_clip", "lancedb", "numpy"} & set(sys.modules)))
"""

    def imported(*words: object) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", probe, "identify", *map(str, words)], capture_output=True, text=True, check=True
        )
        return set(done.stdout.rsplit("IMPORTED", 1)[1].split())

    assert imported("--help") == set()
    words = ("--catalogue", catalogue_folder, "--method", "neighbours")
    assert not imported("--taxon", "unidentified", *words) & {"torch", "open_clip"}
    assert not imported(unidentified / "drawer0", *words) & {"torch", "open_clip"}


def test_a_photo_without_anything_to_compare_is_told(run: Command, small_model: Path, tmp_path: Path) -> None:
    """The only determined photo of a catalogue has no neighbours: a row without candidates, no answer."""
    photo = draw_photo(tmp_path / "p" / "a.png", seed=1)
    (tmp_path / "r.csv").write_text("catalogNumber,genus\na,Fagus\n")
    run("index", photo.parent, "--model", small_model, "--metadata", tmp_path / "r.csv")
    for method in ("neighbours", "centroids"):
        (row,) = _rows(run("identify", photo, "--method", method, "--format", "csv").out)
        assert (row["catalogNumber"], row["answerName"], row["scientificName"]) == ("a", "", "")
        (found,) = run("identify", photo, "--method", method, "--format", "json").json
        assert (found["answer"], found["byRank"], found["candidates"]) == (None, [], [])


def test_python_identifies_as_the_command_does(unidentified: Path, run: Command, catalogue_folder: Path) -> None:
    """Files by every method, and photos without a determination; a fitted temperature holds."""
    opened = bioclip_search.open(catalogue_folder)
    files = sorted((unidentified / "drawer0").iterdir())
    for method in _METHODS:
        by_command = run("identify", *files, "--method", method, "--format", "json", "--rank", "genus").json
        found = opened.identify(files, method=method, rank="genus")
        assert [(one.subject.name, len(one.candidates)) for one in found] == [
            (row["file"], len(row["candidates"])) for row in by_command
        ]
        for one, row in zip(found, by_command, strict=True):
            assert (one.answer.name if one.answer else None) == ((row["answer"] or {}).get("scientificName"))
            scores = [candidate["score"] for candidate in row["candidates"]]
            assert [candidate.score for candidate in one.candidates] == pytest.approx(scores, abs=1e-5)
    run("identify", "--calibrate", "--method", "neighbours")
    by_command = run("identify", "--taxon", "unidentified", "--method", "neighbours", "--format", "json").json
    found = opened.identify(method="neighbours")
    assert [one.subject.photo_id for one in found] == [row["photo_id"] for row in by_command]
    assert [one.candidates[0].score for one in found] == pytest.approx(
        [row["candidates"][0]["score"] for row in by_command], abs=1e-5
    )


def test_python_chooses_among_text_embeddings(
    indexed: Path, catalogue_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Those of a file, as the command does; that its model is not known is logged."""
    opened, photo = bioclip_search.open(catalogue_folder), indexed / "drawer0" / "CAT-000.jpg"
    (found,) = opened.identify(photo, text_embeddings=_text_embeddings(tmp_path, 32))
    assert "Vanessa atalanta" in {candidate.name for candidate in found.candidates}
    assert "does not say of which model it is" in caplog.text
    with pytest.raises(RecordError, match="16 rows"):
        opened.identify(photo, text_embeddings=str(_text_embeddings(tmp_path, 16)))
    with pytest.raises(UsageError, match="compared zero-shot"):
        opened.identify(photo, text_embeddings=tmp_path / "txt.npy", method="centroids")


def test_python_is_told_what_cannot_be_identified(
    indexed: Path, catalogue_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that is no photo, a method that there is not, a taxon that nothing belongs to; one sentence each."""
    opened, photo = bioclip_search.open(catalogue_folder), indexed / "drawer0" / "CAT-000.jpg"
    with pytest.raises(PhotoError, match=r"nowhere\.jpg: "):
        opened.identify([photo, tmp_path / "nowhere.jpg"], method="neighbours")
    with pytest.raises(UsageError, match="“votes” is none of: zero-shot, neighbours, centroids"):
        opened.identify(photo, method="votes")
    with pytest.raises(UnknownTaxon, match="Nowhere"):
        opened.identify(photo, taxon="Nowhere")
    (found,) = opened.identify(str(photo), taxon=["Nowhere", "Pieridae"], method="centroids")
    assert {candidate.taxon.family for candidate in found.candidates} == {"Pieridae"}
    assert "No taxon bears the name “Nowhere”" in caplog.text
