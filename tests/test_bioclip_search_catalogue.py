"""The catalogue: a real LanceDB folder that keeps what it is given and says when it cannot."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from helpers import Command, some_photo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioclip_search.catalogue import Catalogue
from bioclip_search.errors import CatalogueDamaged, CatalogueError, CatalogueNotFound
from bioclip_search.filters import Filter
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.schema import photo_from_row, photo_id
from bioclip_search.specimen import Photo, Specimen
from bioclip_search.storage import lance_errors
from bioclip_search.taxonomy import Taxon

DIM = 4
FINGERPRINT = Fingerprint("test", "ViT", DIM, "squash-32-bicubic", "0" * 64)

_text = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
_optional = st.none() | _text.map(str.strip).filter(bool)
_terms = st.dictionaries(
    st.sampled_from(["catalogNumber", "scientificName", "year", "decimalLatitude", "sex", "habitat", "Shelf no."]),
    st.text(min_size=1) | st.integers().map(str) | st.floats(allow_nan=True).map(str),
)
_moments = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def photos(draw: st.DrawFn) -> Photo:
    """Any photo that an archive may hold."""
    genus = draw(_optional)
    taxon = Taxon(kingdom=draw(_optional), family=draw(_optional), genus=genus, common_name=draw(_optional))
    return Photo(
        root="/archive",
        path=draw(_text),
        size=draw(st.integers(0, 2**40)),
        mtime=draw(_moments),
        content_hash=draw(st.text("0123456789abcdef", min_size=64, max_size=64)),
        width=draw(st.integers(1, 2**30)),
        height=draw(st.integers(1, 2**30)),
        indexed_at=draw(_moments),
        specimen=Specimen(taxon, draw(_terms)),
    )


def unit_vectors(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stored=st.lists(photos(), min_size=1, max_size=6, unique_by=lambda photo: photo.path), seed=st.integers(0, 100))
def test_whatever_goes_in_comes_out_once(
    tmp_path_factory: pytest.TempPathFactory, stored: list[Photo], seed: int
) -> None:
    """Rows survive writing twice, with every field, and the nearest to a vector is its own photo."""
    catalogue = Catalogue.create(tmp_path_factory.mktemp("c") / "catalogue", FINGERPRINT)
    vectors = unit_vectors(len(stored), seed)
    for _ in range(2):
        catalogue.upsert(stored, vectors, [b"jpeg"] * len(stored))
    again = Catalogue.open(catalogue.folder)
    assert {photo.path: photo for photo in again.photos()} == {photo.path: photo for photo in stored}
    for photo, vector in zip(stored, vectors, strict=True):
        (found,) = again.nearest(vector, 1)
        assert photo_from_row(found.row) == photo
        assert found.cosine == pytest.approx(1, abs=2e-3)


def test_the_nearest_are_those_of_a_plain_matrix_product(tmp_path: Path) -> None:
    """Ranking and scores equal a computation with numpy, with and without a condition."""
    catalogue = Catalogue.create(tmp_path / "c", FINGERPRINT)
    vectors = unit_vectors(200)
    rows = [some_photo(f"{n:03d}", specimen=Specimen(Taxon(genus="AB"[n % 2]))) for n in range(200)]
    catalogue.upsert(rows, vectors, [b""] * 200)
    catalogue.optimize()
    query = unit_vectors(1, seed=9)[0]
    cosine = vectors.astype(np.float16).astype(np.float32) @ query
    for conditions, numbers in (((), range(200)), (("genus = 'B'",), range(1, 200, 2))):
        expected = sorted(numbers, key=lambda n: -cosine[n])[:10]
        found = catalogue.nearest(query, 10, Filter(conditions=conditions))
        assert [near.row["path"] for near in found] == [f"{n:03d}" for n in expected]
        assert [near.cosine for near in found] == pytest.approx([float(cosine[n]) for n in expected], abs=2e-3)


def test_records_change_without_touching_the_embedding(tmp_path: Path) -> None:
    """Describing a row sets its Darwin Core columns only."""
    catalogue = Catalogue.create(tmp_path / "c", FINGERPRINT)
    vectors = unit_vectors(2)
    catalogue.upsert([some_photo("a"), some_photo("b")], vectors, [b"", b""])
    oak = Specimen(Taxon(genus="Quercus"), {"scientificName": "Quercus L.", "year": "1899", "habitat": "bog"})
    catalogue.describe({photo_id("/archive", "a"): oak})
    assert {photo.path: photo.specimen for photo in catalogue.photos()} == {"a": oak, "b": Specimen()}
    kept = catalogue.embedding_of_content("a")
    assert kept == pytest.approx(vectors[0], abs=1e-3)


def test_missing_is_marked_and_unmarked(tmp_path: Path) -> None:
    """The row remembers since when its file is gone."""
    catalogue = Catalogue.create(tmp_path / "c", FINGERPRINT)
    catalogue.upsert([some_photo("a")], unit_vectors(1), [b""])
    since = datetime(2024, 5, 6, tzinfo=UTC) + timedelta(microseconds=7)
    catalogue.mark_missing([photo_id("/archive", "a")], since)
    assert catalogue.photos()[0].missing_since == since
    catalogue.mark_missing([photo_id("/archive", "a")], None)
    assert catalogue.photos()[0].missing_since is None


def test_a_folder_without_a_catalogue_is_told_apart_from_a_damaged_one(tmp_path: Path) -> None:
    """Nothing there, other things there, and broken files are three different sentences."""
    with pytest.raises(CatalogueNotFound, match="There is no catalogue"):
        Catalogue.open(tmp_path / "nowhere")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").touch()
    with pytest.raises(CatalogueError, match="holds other files"):
        Catalogue.create(tmp_path / "letters", FINGERPRINT)
    (tmp_path / "hollow" / "photos.lance" / "data").mkdir(parents=True)
    (tmp_path / "hollow" / "photos.lance" / "data" / "1.lance").write_bytes(b"no table")
    with pytest.raises(CatalogueDamaged, match="index again"):
        Catalogue.open(tmp_path / "hollow")


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        (OSError(28, "No space left on device"), "free some space"),
        (RuntimeError("lance error: LanceError(IO): Permission denied (os error 13), /src/x.rs:1"), "permissions"),
        (RuntimeError("lance error: LanceError(IO): file truncated, /src/x.rs:1"), "backup"),
    ],
)
def test_each_failure_of_the_storage_has_its_own_remedy(failure: Exception, remedy: str, tmp_path: Path) -> None:
    """A full disk does not call for deleting the catalogue."""
    with pytest.raises(CatalogueError, match=remedy), lance_errors(tmp_path):
        raise failure


@pytest.mark.parametrize("part", ["_versions", "data"])
def test_damage_is_one_sentence_on_every_command(
    part: str, indexed: Path, run: Command, catalogue_folder: Path
) -> None:
    """Truncated manifests and data files end every command with exit code 2 and the remedy."""
    for file in (catalogue_folder / "photos.lance" / part).iterdir():
        file.write_bytes(file.read_bytes()[:7])
    for arguments in (["info"], ["taxa"], ["search", "--taxon", "Danaus"], ["index", indexed]):
        result = run(*arguments)
        assert result.code == 2, arguments
        assert "cannot be used" in result.err
        assert "Traceback" not in result.err
