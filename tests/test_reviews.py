"""Accepting and rejecting suggestions, by the command and by its domain."""

import csv
import getpass
import io
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import Command, draw_photo

from bioclip_search.catalogue import Catalogue
from bioclip_search.errors import UsageError
from bioclip_search.identification import Verdict, review, reviews, suggestions
from bioclip_search.identification.reviews import login_name
from bioclip_search.taxonomy import Taxon


@pytest.fixture
def suggested(indexed: Path, run: Command, small_model: Path) -> Path:
    """The indexed folder, with suggestions of two methods for CAT-000 and of one for a photo without a record."""
    draw_photo(indexed / "drawer9" / "NEW-100.jpg", seed=100)
    assert run("index", indexed, "--model", small_model).code == 0
    known = indexed / "drawer0" / "CAT-000.jpg"
    sure = ("--save", "--confidence", 0.01)
    assert run("identify", known, "--method", "centroids", "--taxon", "Nymphalidae", *sure).code == 0
    assert run("identify", known, "--method", "neighbours", "--taxon", "Pieridae", *sure).code == 0
    unknown = ("--taxon", "unidentified")
    assert run("identify", *unknown, "--method", "neighbours", "--taxon", "Pieridae", *sure).code == 0
    return indexed


def test_a_suggestion_is_accepted_by_path_and_rejected_by_number(
    suggested: Path, run: Command, catalogue_folder: Path
) -> None:
    """Only what was reviewed is printed; the list shows it, and determinations stay as they were."""
    before = {photo.path: photo.specimen for photo in Catalogue.open(catalogue_folder).photos()}
    done = run("suggestions", "--accept", suggested / "drawer9" / "NEW-100.jpg", "--format", "json")
    assert [(row["path"], row["verdict"]) for row in done.json] == [("drawer9/NEW-100.jpg", "accepted")]
    rejected = run("suggestions", "--reject", "CAT-000", "--method", "neighbours", "--reviewer", "M. Curator")
    assert "rejected by" in rejected.out
    rows = {(row["path"], row["method"]): row for row in run("suggestions", "--format", "json").json}
    assert rows["drawer9/NEW-100.jpg", "neighbours"]["reviewer"] == getpass.getuser()
    assert rows["drawer0/CAT-000.jpg", "neighbours"]["verdict"] == "rejected"
    assert rows["drawer0/CAT-000.jpg", "centroids"]["verdict"] is None
    assert {photo.path: photo.specimen for photo in Catalogue.open(catalogue_folder).photos()} == before
    assert run("runs", "--format", "json").json[0]["command"].startswith("suggestions --reject")
    table = list(csv.DictReader(io.StringIO(run("suggestions", "--format", "csv").out)))
    assert {row["reviewer"] for row in table} == {"", "M. Curator", getpass.getuser()}


def test_reviews_are_only_ever_added(suggested: Path, run: Command, catalogue_folder: Path) -> None:
    """The last one counts; it is of the taxon that was suggested, not of what the photo is taken for later."""
    for word in ("--accept", "--reject", "--accept"):
        assert run("suggestions", word, "drawer9/NEW-100.jpg").code == 0
    assert [one.verdict for one in reviews(catalogue_folder)] == ["accepted", "rejected", "accepted"]
    again = ("--taxon", "unidentified", "--taxon", "Nymphalidae", "--method", "neighbours")
    assert run("identify", *again, "--save", "--confidence", 0.01).code == 0
    rows = {row["path"]: row for row in run("suggestions", "--method", "neighbours", "--format", "json").json}
    assert rows["drawer9/NEW-100.jpg"]["family"] == "Nymphalidae"
    assert rows["drawer9/NEW-100.jpg"]["verdict"] is None
    assert len(reviews(catalogue_folder)) == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--accept", "NOTHING"], "There is no suggestion for NOTHING"),
        (["--accept", "CAT-000"], "give the path of one photo, --method"),
        (["--reviewer", "me"], "give --accept or --reject"),
        (["--accept", "drawer9/NEW-100.jpg", "--reject", "drawer9/NEW-100.jpg"], "accepted and rejected"),
        (["--accept", "drawer9/NEW-100.jpg", "--reject", "NOTHING"], "There is no suggestion for NOTHING"),
    ],
)
def test_what_cannot_be_reviewed_is_one_sentence(
    suggested: Path, run: Command, catalogue_folder: Path, words: list[str], sentence: str
) -> None:
    """And nothing is written, also of what could be reviewed."""
    result = run("suggestions", *words)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err
    assert reviews(catalogue_folder) == []


def test_a_suggestion_without_a_taxon_has_nothing_to_review(
    suggested: Path, run: Command, catalogue_folder: Path
) -> None:
    """No rank was certain enough."""
    hot = ("--temperature", 100, "--confidence", 1)
    assert run("identify", "--taxon", "unidentified", "--method", "centroids", "--save", *hot).code == 0
    found = [one for one in suggestions(catalogue_folder) if one.method == "centroids" and len(one.candidates) > 1]
    photo = Catalogue.open(catalogue_folder).photos_by_id([found[0].photo_id])[found[0].photo_id]
    nameless = replace(found[0], taxon=Taxon())
    with pytest.raises(UsageError, match="no taxon to review"):
        review(catalogue_folder, [(nameless, photo)], Verdict.ACCEPTED)


def test_who_is_logged_in_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container."""

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert login_name()
