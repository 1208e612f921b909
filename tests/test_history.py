"""The history of a catalogue: what its versions are, and how one is brought back."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from helpers import Command, draw_photo

from bioclip_search.catalogue import Catalogue
from bioclip_search.cli.history import command as history_command
from bioclip_search.cli.restore import command as restore_command
from bioclip_search.errors import UsageError
from bioclip_search.history import open_photos, restore, versions
from bioclip_search.journal import Run
from bioclip_search.schema import KEY, photo_id

Call = Callable[..., Result]


@pytest.fixture
def call() -> Call:
    """Run one of the two commands."""

    def invoke(command: click.Command, *arguments: object) -> Result:
        return CliRunner(catch_exceptions=False).invoke(command, [str(argument) for argument in arguments])

    return invoke


def forget_one(folder: Path) -> None:
    catalogue = Catalogue.open(folder)
    photo = catalogue.photos()[0]
    catalogue.remove([photo_id(photo.root, photo.path)])


def test_versions_are_listed_with_the_run_that_made_them(indexed: Path, catalogue_folder: Path, run: Command) -> None:
    """Newest first, with their time in UTC, their rows, and the command of the run in which they were committed."""
    forget_one(catalogue_folder)
    listed = versions(catalogue_folder)
    assert [version.number for version in listed] == sorted((version.number for version in listed), reverse=True)
    assert [listed[0].rows, listed[1].rows, listed[-1].rows] == [5, 6, 0]
    assert listed[0].run is None
    assert listed[1].run is not None
    assert "index" in listed[1].run.command
    assert all(abs(version.moment - datetime.now(UTC)) < timedelta(minutes=10) for version in listed)
    draw_photo(indexed / "new.jpg", seed=77)
    run("index", indexed)
    started = {version.run.started for version in versions(catalogue_folder) if version.run}
    assert len(started) == 2


def test_a_version_belongs_to_the_last_command_that_was_started(indexed: Path, catalogue_folder: Path) -> None:
    """A record imported while a long indexing run goes on is not that run's."""
    catalogue = Catalogue.open(catalogue_folder)
    forget_one(catalogue_folder)
    now = datetime.now(UTC)
    for command, minutes in (("index", 9), ("forget", 1), ("index before", 60)):
        span = timedelta(minutes=minutes)
        fingerprint = catalogue.fingerprint.to_json()
        catalogue.journal.record_run(Run(now - span, now + span, command, "0", fingerprint, {}))
    run = versions(catalogue_folder)[0].run
    assert run is not None
    assert run.command == "forget"


def test_restoring_is_remembered_and_tells_of_a_newer_taxonomy(
    indexed: Path, catalogue_folder: Path, run: Command, tmp_path: Path
) -> None:
    """It is in the lists as other commands are, and says so where the photos are of before the taxonomy."""
    before = versions(catalogue_folder)[0].number
    (tmp_path / "t.csv").write_text("taxonID,scientificName,taxonRank,order\n1,Danaus,genus,Lepidoptera\n")
    run("taxonomy", "use", tmp_path / "t.csv")
    after = versions(catalogue_folder)[0].number
    restored = run("restore", before, "--yes")
    assert "taxonomy in use was chosen after version" in restored.err
    assert run("runs", "--format", "json").json[0]["restored"] == 6
    assert run("history", "--format", "json").json[0]["command"] == f"restore {before} --yes"
    assert run("restore", after, "--yes").err == ""


def test_the_list_shows_one_line_a_run(indexed: Path, catalogue_folder: Path, call: Call) -> None:
    """The commits in the midst of a run are shown with --all only."""
    forget_one(catalogue_folder)
    short = json.loads(call(history_command, "--format", "json").stdout)
    assert [version["photos"] for version in short] == [5, 6]
    assert short[0]["command"] is None
    assert "index" in short[1]["command"]
    everything = json.loads(call(history_command, "--all", "--format", "json").stdout)
    assert len(everything) == len(versions(catalogue_folder)) > 2
    table = call(history_command).stdout
    assert str(short[0]["version"]) in table
    assert "made by" in table


def test_a_version_is_brought_back_and_that_is_undone(indexed: Path, catalogue_folder: Path, call: Call) -> None:
    """Restoring makes a new version; an open catalogue sees it, and later ones can be restored too."""
    opened = Catalogue.open(catalogue_folder)
    before = versions(catalogue_folder)[0].number
    forget_one(catalogue_folder)
    after = versions(catalogue_folder)[0].number
    report = json.loads(call(restore_command, before, "--yes", "--format", "json").stdout)
    assert report == {"restored": before, "version": after + 1, "photos": 6}
    assert opened.count() == 6
    assert "with 5 photos" in call(restore_command, after, "--yes").stdout
    assert opened.count() == 5


def test_a_restored_catalogue_is_indexed_as_any_other(indexed: Path, catalogue_folder: Path, run: Command) -> None:
    """Even the empty first version has its key, so that no photo gets two rows."""
    first = versions(catalogue_folder)[-1].number
    restore(catalogue_folder, first)
    assert Catalogue.open(catalogue_folder).count() == 0
    assert open_photos(catalogue_folder).schema.field(KEY).metadata
    for _ in range(2):
        assert run("index", indexed, "--metadata", indexed / "occurrence.csv").code == 0
    assert Catalogue.open(catalogue_folder).count() == 6


def test_restoring_asks_and_refuses_what_is_not_there(indexed: Path, catalogue_folder: Path, call: Call) -> None:
    """Without a terminal --yes is needed; the current version and unknown ones are refused with what to do."""
    forget_one(catalogue_folder)
    newest = versions(catalogue_folder)[0].number
    with pytest.raises(UsageError, match=r"version 1 of .* with 0 photos; give --yes"):
        call(restore_command, 1)
    with pytest.raises(UsageError, match="is the current one"):
        call(restore_command, newest, "--yes")
    with pytest.raises(UsageError, match=f"goes from 1 to {newest}"):
        call(restore_command, 999, "--yes")
    assert versions(catalogue_folder)[0].number == newest


def test_compacting_keeps_versions_of_the_last_days(indexed: Path, catalogue_folder: Path) -> None:
    """`optimize` removes no version that is younger than a week."""
    before = {version.number for version in versions(catalogue_folder)}
    Catalogue.open(catalogue_folder).optimize()
    assert before <= {version.number for version in versions(catalogue_folder)}


@pytest.mark.parametrize("command", [history_command, restore_command])
def test_the_help_says_how_long_versions_are_kept(command: click.Command) -> None:
    """That versions are removed after a week is no surprise."""
    assert "older than 7 days" in " ".join(CliRunner().invoke(command, ["--help"]).stdout.split())
