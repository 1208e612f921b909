"""Exporting: what is in the catalogue is in the file, and comes back from it."""

import csv
import io
import json
import os
import re
import string
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from dwca.darwincore.terms import TERMS
from dwca.read import DwCAReader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioclip_search.catalogue import Catalogue
from bioclip_search.cli.export import command
from bioclip_search.darwin_core import specimen_of
from bioclip_search.export import Choice, ExportOptions, export_photos
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.records import read_records
from bioclip_search.schema import photo_id, specimen_row
from bioclip_search.specimen import Photo, Specimen
from bioclip_search.terms import MULTIMEDIA, SPECIMEN_TERMS, canonical_term
from bioclip_search.text import clean, guarded
from indexer.attach import attach, join_records

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FILE_COLUMNS = ["root", "path", "width", "height", "view", "content_hash", "missingSince"]
ROOT = os.path.abspath("/photos")

Place = tuple[str, str]


def make_catalogue(folder: Path, specimens: Mapping[Place, Specimen], **changes: Any) -> Catalogue:
    """A catalogue of photos, by root and path, that no model has seen."""
    catalogue = Catalogue.create(folder, Fingerprint("m", "a", 4, "p", "w"))
    photos = [
        Photo(root, path, 1, MOMENT, f"{number:064x}", 30, 20, MOMENT, specimen, **changes)
        for number, ((root, path), specimen) in enumerate(specimens.items())
    ]
    catalogue.upsert(photos, np.eye(4, dtype=np.float32)[np.arange(len(photos)) % 4], [b""] * len(photos))
    return catalogue


def export(catalogue: Catalogue, target: Path, **options: Any) -> Any:
    def refuse() -> Any:
        raise AssertionError("nothing is to be embedded")

    return export_photos(catalogue, ExportOptions(target, **options), Choice(), refuse)


def brought_back(catalogue: Catalogue, archive: Path, folder: Path) -> Catalogue:
    """A catalogue of the same photos without records, into which an archive was imported."""
    empty = make_catalogue(folder, {(photo.root, photo.path): Specimen() for photo in catalogue.photos()})
    attach(empty, join_records(empty, read_records(archive)))
    return empty


def columns_of(catalogue: Catalogue) -> dict[Place, dict[str, Any]]:
    return {(photo.root, photo.path): specimen_row(photo.specimen) for photo in catalogue.photos()}


@pytest.fixture
def invoke(indexed: Path) -> Callable[..., Result]:
    """The command, on the catalogue of six photos."""

    def run_command(*arguments: object, stdin: str | None = None) -> Result:
        return CliRunner(catch_exceptions=False).invoke(command, [str(argument) for argument in arguments], stdin)

    return run_command


def refusal(invoke: Callable[..., Result], *arguments: object, stdin: str | None = None) -> str:
    """The sentence of the error that a call ends in."""
    from bioclip_search.errors import BioclipSearchError

    with pytest.raises(BioclipSearchError) as raised:
        invoke(*arguments, stdin=stdin)
    return str(raised.value)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


# The command


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_table_has_a_row_a_photo(invoke: Callable[..., Result], tmp_path: Path, indexed: Path, suffix: str) -> None:
    """Darwin Core columns come first, other terms next, the file last; values are those of the records."""
    target = tmp_path / f"out.{suffix}"
    result = invoke(target, "--format", "json")
    expected = {"target": str(target), "photos": 6, "specimens": 6, "format": suffix}
    assert json.loads(result.stdout) == expected
    rows: Sequence[dict[str, Any]]
    if suffix == "csv":
        rows = read_csv(target)
    elif suffix == "jsonl":
        rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    else:
        rows = pq.read_table(target).to_pylist()
    assert list(rows[0]) == [*SPECIMEN_TERMS, "associatedMedia", *FILE_COLUMNS]
    by_number = {row["catalogNumber"]: row for row in rows}
    assert len(rows) == len(by_number) == 6
    first = by_number["CAT-000"]
    assert (first["species"], first["vernacularName"]) == ("Danaus plexippus", "monarch")
    assert (first["root"], first["path"]) == (str(indexed), "drawer0/CAT-000.jpg")
    assert first["width"] in (96, "96")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_vectors_are_those_of_the_catalogue(
    invoke: Callable[..., Result], tmp_path: Path, catalogue_folder: Path
) -> None:
    """Parquet and JSON Lines hold the stored embedding; csv and the archive refuse and name parquet."""
    invoke(tmp_path / "out.parquet", "--vectors")
    invoke(tmp_path / "out.jsonl", "--vectors")
    catalogue = Catalogue.open(catalogue_folder)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    for rows in (pq.read_table(tmp_path / "out.parquet").to_pylist(), lines):
        for row in rows:
            stored = catalogue.embedding_of_content(row["content_hash"])
            assert stored is not None
            assert np.array_equal(np.asarray(row["embedding"], np.float32), stored)
    for name in ("out.csv", "out.zip"):
        assert "parquet" in refusal(invoke, tmp_path / name, "--vectors")


def test_a_taxon_is_exported_alone(invoke: Callable[..., Result], tmp_path: Path) -> None:
    """--taxon takes a name of any rank, or a common name."""
    for name in ("Nymphalidae", "monarch"):
        invoke(tmp_path / "out.csv", "--taxon", name, "--force")
        assert [row["family"] for row in read_csv(tmp_path / "out.csv")] == ["Nymphalidae"] * 3


def test_hits_are_exported_with_their_score(
    invoke: Callable[..., Result], tmp_path: Path, indexed: Path, small_model: Path
) -> None:
    """The hits of a search come best first; a photo finds itself."""
    photo = indexed / "drawer1" / "CAT-004.jpg"
    invoke(tmp_path / "out.csv", "--image", photo, "-k", "3")
    rows = read_csv(tmp_path / "out.csv")
    scores = [float(row["score"]) for row in rows]
    assert rows[0]["path"] == "drawer1/CAT-004.jpg"
    assert len(rows) == 3
    assert scores == sorted(scores, reverse=True)
    invoke(tmp_path / "out.parquet", "--text", "a butterfly", "--taxon", "Pieridae")
    table = pq.read_table(tmp_path / "out.parquet")
    assert set(table["family"].to_pylist()) == {"Pieridae"}
    assert table.schema.field("score").type == "double"
    assert "-k" in refusal(invoke, tmp_path / "no.csv", "-k", "3")


def test_a_list_is_exported_in_its_order(
    invoke: Callable[..., Result], tmp_path: Path, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines are photo_ids or paths: absolute, below the working folder, or below a root; each photo comes once."""
    monkeypatch.chdir(indexed / "drawer1")
    last = indexed / "drawer1" / "CAT-005.jpg"
    lines = [
        *(str(last), "CAT-003.jpg", "drawer0/CAT-001.jpg"),
        *("", photo_id(str(indexed), "drawer0/CAT-000.jpg"), "drawer1/CAT-005.jpg"),
    ]
    marked = tmp_path / "marked.txt"
    marked.write_text("\n".join(lines), encoding="utf-8")
    expected = ["CAT-005", "CAT-003", "CAT-001", "CAT-000"]
    for source, stdin in ((marked, None), ("-", "\n".join(lines))):
        invoke(tmp_path / "out.csv", "--paths", source, "--force", stdin=stdin)
        assert [row["catalogNumber"] for row in read_csv(tmp_path / "out.csv")] == expected
    told = refusal(invoke, tmp_path / "no.csv", "--paths", "-", stdin=f"{last}\nnot there.jpg\n")
    assert "1 of the 2 listed lines" in told
    assert "not there.jpg" in told
    assert "leave --taxon" in refusal(invoke, tmp_path / "no.csv", "--paths", marked, "--taxon", "Pieridae")
    assert "cannot be read" in refusal(invoke, tmp_path / "no.csv", "--paths", tmp_path / "none.txt")


def test_standard_output_holds_nothing_but_the_table(invoke: Callable[..., Result]) -> None:
    """`-` writes csv or jsonl; what is to be said goes to standard error."""
    result = invoke("-", "--as", "csv")
    assert len(list(csv.DictReader(io.StringIO(result.stdout)))) == 6
    assert "6 photos of 6 specimens" in result.stderr
    assert len([json.loads(line) for line in invoke("-", "--as", "jsonl").stdout.splitlines()]) == 6
    assert "--as" in refusal(invoke, "-")
    assert "standard output" in refusal(invoke, "-", "--as", "parquet")


def test_nothing_is_overwritten_or_written_among_photos(
    invoke: Callable[..., Result], tmp_path: Path, indexed: Path, catalogue_folder: Path
) -> None:
    """A file that is there stays without --force; folders of photos and the catalogue are refused."""
    target = tmp_path / "out.csv"
    target.write_text("mine")
    assert "--force" in refusal(invoke, target)
    assert target.read_text() == "mine"
    invoke(target, "--force")
    assert len(read_csv(target)) == 6
    (tmp_path / "link").symlink_to(indexed / "drawer0")
    for inside in (indexed / "out.csv", tmp_path / "link" / "out.csv"):
        assert "folder of photos" in refusal(invoke, inside, "--force")
    assert "catalogue itself" in refusal(invoke, catalogue_folder / "out.csv")
    assert "no folder" in refusal(invoke, tmp_path / "none" / "out.csv")
    assert "is a folder" in refusal(invoke, tmp_path, "--as", "csv")
    assert ".csv" in refusal(invoke, tmp_path / "out.xlsx")
    assert "--raw" in refusal(invoke, tmp_path / "out.jsonl", "--raw")


def test_missing_photos_are_exported_on_demand(
    invoke: Callable[..., Result], tmp_path: Path, catalogue_folder: Path
) -> None:
    """Without --include-missing they are left out; nothing at all to export is an error."""
    catalogue = Catalogue.open(catalogue_folder)
    keys = [photo_id(photo.root, photo.path) for photo in catalogue.photos()]
    catalogue.mark_missing(keys[:2], MOMENT)
    invoke(tmp_path / "out.csv")
    assert len(read_csv(tmp_path / "out.csv")) == 4
    invoke(tmp_path / "all.csv", "--include-missing")
    since = [row["missingSince"] for row in read_csv(tmp_path / "all.csv")]
    assert sorted(since) == [""] * 4 + ["2026-01-02T03:04:05+00:00"] * 2
    catalogue.mark_missing(keys, MOMENT)
    assert "--include-missing" in refusal(invoke, tmp_path / "none.csv")
    assert not (tmp_path / "none.csv").exists()


def test_a_failed_export_leaves_nothing_behind(indexed: Path, catalogue_folder: Path, tmp_path: Path) -> None:
    """An error in the midst of writing removes what was written aside, and keeps what was there."""
    from bioclip_search.export.target import written_aside

    target = tmp_path / "out.csv"
    target.write_text("mine")

    def fail() -> None:
        with written_aside(target) as aside:
            aside.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert target.read_text() == "mine"
    assert [path for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_the_help_names_the_apostrophe() -> None:
    """What is changed for spreadsheets, and how to leave it, is documented."""
    text = " ".join(CliRunner().invoke(command, ["--help"]).stdout.split())
    assert "apostrophe is put before cells that begin with = + - @" in text
    assert isinstance(command, click.Command)


# Round trips

CLEAN = st.text(max_size=20).map(clean).filter(bool)
AWKWARD = st.sampled_from(
    ['"', '"a"', 'a "b" c', "=1+1", "+x", "-x", "@x", "'x", ",;|", "a\\tb", "ＡÅ", "-3.5", "0012"]
)
VALUES = st.one_of(CLEAN, AWKWARD)
PLAIN_TERMS = [term for term in SPECIMEN_TERMS if term not in ("species", "vernacularName")]
KNOWN = sorted(str(term).rsplit("/", 1)[-1] for term in TERMS)
OWN_NAMES = st.one_of(
    st.text(string.ascii_letters + " &<>'\"=_.é", min_size=1, max_size=12), st.sampled_from(["path", "my column"])
).map(lambda name: canonical_term(clean(name) or "x") or "x")
RECORDS = st.dictionaries(
    st.one_of(st.sampled_from(PLAIN_TERMS), st.sampled_from(KNOWN), OWN_NAMES), VALUES, max_size=8
)


def written_values(specimen: Specimen) -> dict[str, str]:
    """Every value of a specimen, by term, as text."""
    row = specimen_row(specimen)
    others = json.loads(row.pop("otherTerms") or "{}")
    return {**{name: str(value) for name, value in row.items() if value is not None}, **others}


MANY = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MANY
@given(st.lists(RECORDS, min_size=1, max_size=4))
def test_an_archive_holds_every_value_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, str]]
) -> None:
    """The reader of this program and python-dwca-reader both read what is stored, whatever it is."""
    folder = tmp_path_factory.mktemp("archive")
    specimens = {(ROOT, f"a/{number}.jpg"): specimen_of(record) for number, record in enumerate(records)}
    export(make_catalogue(folder / "c", specimens), folder / "out.zip")
    expected = {path: written_values(specimen) for (_, path), specimen in specimens.items()}
    with DwCAReader(str(folder / "out.zip")) as archive:
        seen = {}
        for row in archive:
            values = {canonical_term(term): value for term, value in row.data.items() if value}
            for media in row.extensions:
                seen[media.data["http://purl.org/dc/terms/identifier"]] = values
    assert seen == expected
    read = [
        {name: value for name, value in record.items() if name != MULTIMEDIA}
        for record in read_records(folder / "out.zip")
    ]
    assert all(values in read for values in expected.values())


@MANY
@given(st.lists(RECORDS, min_size=1, max_size=4), st.booleans())
def test_a_csv_file_holds_every_value_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, str]], raw: bool
) -> None:
    """With --raw cells are the values; without, an apostrophe may stand before them, and no formula is left."""
    folder = tmp_path_factory.mktemp("csv")
    specimens = {(ROOT, f"a/{number}.jpg"): specimen_of(record) for number, record in enumerate(records)}
    export(make_catalogue(folder / "c", specimens), folder / "out.csv", raw=raw)
    for row in read_csv(folder / "out.csv"):
        values = {name.removeprefix("'"): value for name, value in row.items() if value}
        for term, value in written_values(specimens[ROOT, row["path"]]).items():
            column = f"verbatim {term}" if term in (*FILE_COLUMNS, "score", "embedding") else term
            assert values[column.removeprefix("'")] == (value if raw else guarded(value))
        if not raw:
            assert not any(re.match(r"[=+\-@\t\r]", cell) and not _is_number(cell) for cell in (*row, *row.values()))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_what_is_exported_can_be_imported(tmp_path: Path) -> None:
    """An archive gives an empty catalogue of the same photos the same columns: numbers, words, quotes and all."""
    records = {
        "drawer/x1.jpg": {
            "occurrenceID": "urn:uuid:1",
            "catalogNumber": "x1",
            "scientificName": 'Danaus plexippus "L."',
            "year": "1903",
            "decimalLatitude": "12.50",
            "habitat": 'a "wet" meadow; near =A1',
            "Field No. (old)": "-7",
        },
        "drawer/x2.jpg": {"catalogNumber": "x2", "year": "ca. 1900", "scientificName": "Pieris rapae", "path": "p"},
        "drawer/y.jpg": {"institutionCode": "I", "collectionCode": "C", "catalogNumber": "x2", "genus": "Quercus"},
    }
    specimens = {(ROOT, path): specimen_of({**record, "associatedMedia": path}) for path, record in records.items()}
    catalogue = make_catalogue(tmp_path / "c", specimens)
    export(catalogue, tmp_path / "out.zip")
    assert columns_of(brought_back(catalogue, tmp_path / "out.zip", tmp_path / "d")) == columns_of(catalogue)


@pytest.mark.parametrize(
    "places",
    [
        [(ROOT, "a.jpg"), (ROOT, "drawer/a.jpg"), (ROOT, "drawer/inner/A.jpg")],
        [(f"{ROOT}/2019", "IMG_1.jpg"), (f"{ROOT}/2020", "IMG_1.jpg")],
        [(ROOT, "a; b.jpg"), (ROOT, "c | d.jpg"), (ROOT, "e\\f.jpg"), (ROOT, "g\th.jpg"), (ROOT, "i\nj%20.jpg")],
    ],
)
def test_photos_of_one_name_find_their_own_record(tmp_path: Path, places: list[Place]) -> None:
    """Names that occur in several folders or roots, or hold separators, are joined to the right record."""
    specimens = {place: specimen_of({"sex": f"sex {number}"}) for number, place in enumerate(places)}
    catalogue = make_catalogue(tmp_path / "c", specimens)
    export(catalogue, tmp_path / "out.zip")
    back = columns_of(brought_back(catalogue, tmp_path / "out.zip", tmp_path / "d"))
    assert {place: row["sex"] for place, row in back.items()} == {
        place: specimen.terms["sex"] for place, specimen in specimens.items()
    }


def test_photos_of_a_specimen_share_its_row(tmp_path: Path) -> None:
    """By occurrenceID, else by number and codes; others stand alone. Ids that are made are the same every time."""
    triple = {"institutionCode": "I", "collectionCode": "C", "catalogNumber": "7"}
    records = [{"occurrenceID": "o1"}, {"occurrenceID": "o1"}, triple, triple]
    records += [{"catalogNumber": "7"}, {"catalogNumber": "7"}, {"collectionCode": "C", "catalogNumber": "7"}, {}]
    specimens = {(ROOT, f"{number}.jpg"): specimen_of(record) for number, record in enumerate(records)}
    catalogue = make_catalogue(tmp_path / "c", specimens, view="dorsal")
    assert export(catalogue, tmp_path / "out.zip").specimens == 5
    with DwCAReader(str(tmp_path / "out.zip")) as archive:
        rows = {row.id: row for row in archive}
        made = ["urn:catalog:I:C:7", "urn:catalog:::7", "urn:catalog::C:7", f"urn:sha256:{7:064x}"]
        assert list(rows) == ["o1", *made]
        assert [len(row.extensions) for row in rows.values()] == [2, 2, 2, 1, 1]
        media = rows["o1"].extensions[1]
        assert media.rowtype == "http://rs.tdwg.org/ac/terms/Multimedia"
        assert media.data["http://rs.tdwg.org/ac/terms/accessURI"] == "1.jpg"
        assert media.data["http://purl.org/dc/terms/format"] == "image/jpeg"
        assert media.data["http://rs.tdwg.org/ac/terms/subjectOrientation"] == "dorsal"
        assert archive.metadata is not None
    assert zipfile.ZipFile(tmp_path / "out.zip").testzip() is None


def test_codes_with_colons_are_not_mistaken_for_others(tmp_path: Path) -> None:
    """Made ids say which part is which."""
    codes = [("A:B", "C"), ("A", "B:C"), ("A%3AB", "C"), ("", "A:B:C")]
    specimens = {
        (ROOT, f"{number}.jpg"): specimen_of({"institutionCode": one, "collectionCode": two, "catalogNumber": "7"})
        for number, (one, two) in enumerate(codes)
    }
    assert export(make_catalogue(tmp_path / "c", specimens), tmp_path / "out.zip").specimens == 4


def test_records_of_a_specimen_that_differ_are_both_kept(tmp_path: Path) -> None:
    """A photo whose record says otherwise has a row of its own, and the number of such photos is told."""
    records = [{"occurrenceID": "o1", "sex": sex} for sex in ("male", "female", "female")]
    specimens = {(ROOT, f"{number}.jpg"): specimen_of(record) for number, record in enumerate(records)}
    catalogue = make_catalogue(tmp_path / "c", specimens)
    exported = export(catalogue, tmp_path / "out.zip")
    assert (exported.photos, exported.specimens, exported.differing) == (3, 1, 2)
    assert len(read_records(tmp_path / "out.zip")) == 2
    back = columns_of(brought_back(catalogue, tmp_path / "out.zip", tmp_path / "d"))
    assert [back[ROOT, f"{number}.jpg"]["sex"] for number in range(3)] == ["male", "female", "female"]


def test_the_archive_of_indexed_photos_comes_back(
    invoke: Callable[..., Result], tmp_path: Path, catalogue_folder: Path
) -> None:
    """From drawn photos with a table of records to the archive and back, nothing changes."""
    invoke(tmp_path / "out.zip")
    catalogue = Catalogue.open(catalogue_folder)
    assert columns_of(brought_back(catalogue, tmp_path / "out.zip", tmp_path / "d")) == columns_of(catalogue)


def test_numbers_in_words_have_a_column_of_their_own(tmp_path: Path) -> None:
    """In typed formats a year is a number, and “ca. 1900” is kept beside it; csv keeps both in one column."""
    years = ["1900", "ca. 1900"]
    specimens = {(ROOT, f"{year}.jpg"): specimen_of({"year": year}) for year in years}
    catalogue = make_catalogue(tmp_path / "c", specimens)
    export(catalogue, tmp_path / "out.parquet")
    export(catalogue, tmp_path / "out.csv")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert {(row["year"], row["verbatim year"]) for row in rows} == {(1900, None), (None, "ca. 1900")}
    assert sorted(row["year"] for row in read_csv(tmp_path / "out.csv")) == years


def test_rows_written_meanwhile_are_not_seen(tmp_path: Path, indexed: Path, catalogue_folder: Path) -> None:
    """All passes of an export read the same version of the table."""
    from bioclip_search.export.layout import survey
    from bioclip_search.export.scratch import Scratch
    from bioclip_search.export.selection import Selection

    catalogue = Catalogue.open(catalogue_folder)
    with Scratch() as scratch:
        selection = Selection(catalogue, scratch, None, include_missing=False)
        catalogue.remove([photo_id(photo.root, photo.path) for photo in catalogue.photos()[:3]])
        assert survey(selection).photos == 6


def test_a_hidden_photo_name_is_no_formula(tmp_path: Path) -> None:
    """Names of files are guarded as values are, and lone carriage returns stay within their cell."""
    names = ["=cmd.jpg", "a\rb.jpg", 'c"d.jpg', "e,f.jpg"]
    catalogue = make_catalogue(tmp_path / "c", {(ROOT, name): Specimen() for name in names})
    export(catalogue, tmp_path / "out.csv")
    assert [row["path"] for row in read_csv(tmp_path / "out.csv")] == ["'=cmd.jpg", *names[1:]]
