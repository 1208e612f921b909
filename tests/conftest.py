"""Fixtures: a small real model, drawn photos, and the command line run in this process."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import Command, Result, draw_photo, write_model
from hypothesis import settings

from bioclip_search.cli import main

# A deadline would measure the machine, not the code.
settings.register_profile("bioclip-search", deadline=None)
settings.load_profile("bioclip-search")


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small model with random weights."""
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the cache of the user who runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIOCLIP_SEARCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _heeds_ctrl_c() -> None:
    """A shell starts what runs in its background with Ctrl-C ignored, and programs pass that on to others."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def catalogue_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The catalogue that commands use by default in this test."""
    folder = tmp_path / "catalogue"
    monkeypatch.setenv("BIOCLIP_SEARCH_CATALOGUE", str(folder))
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], catalogue_folder: Path) -> Command:
    """Run `bioclip-search` with arguments, in this process, on this test's own catalogue."""

    def command(*arguments: object) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(int(stopped.value.code or 0), captured.out, captured.err)

    return command


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of six drawn photos in two sub-folders, with a Darwin Core table beside them."""
    folder = tmp_path / "photos"
    rows = ["catalogNumber,scientificName,kingdom,family,genus,specificEpithet,vernacularName,associatedMedia"]
    species = [("Nymphalidae", "Danaus", "plexippus", "monarch"), ("Pieridae", "Pieris", "rapae", "small white")]
    for number in range(6):
        family, genus, epithet, common = species[number % 2]
        path = f"drawer{number // 3}/CAT-{number:03d}.jpg"
        draw_photo(folder / path, seed=number)
        rows.append(f"CAT-{number:03d},{genus} {epithet},Animalia,{family},{genus},{epithet},{common},{path}")
    (folder / "occurrence.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def indexed(photos: Path, run: Command, small_model: Path) -> Path:
    """The folder of photos, indexed with its records."""
    result = run("index", photos, "--metadata", photos / "occurrence.csv", "--model", small_model)
    assert result.code == 0, result.err
    return photos


@pytest.fixture(scope="session")
def real_archive() -> Path:
    """The archive named by BIOCLIP_SEARCH_ARCHIVE; the test is skipped when there is none."""
    named = os.environ.get("BIOCLIP_SEARCH_ARCHIVE")
    if not named:
        pytest.skip("BIOCLIP_SEARCH_ARCHIVE names no archive")
    return Path(named)


@pytest.fixture(scope="session")
def drawer(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Path:
    """A catalogue of 126 painted specimens with their records, for tests that only read it."""
    from bioclip_search.demo.collection import write_collection
    from indexer.run import IndexOptions, index

    folder = tmp_path_factory.mktemp("drawer")
    records = write_collection(folder / "photos", 126)
    index(
        IndexOptions((folder / "photos",), folder / "catalogue", metadata=records, model=str(small_model), device="cpu")
    )
    return folder / "catalogue"
