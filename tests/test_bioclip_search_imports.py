"""What a command does not need is not imported: seen in a fresh interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

_PROBE = """
import sys
from bioclip_search.cli import main
try:
    main(sys.argv[1:])
except SystemExit as stopped:
    assert not stopped.code, stopped.code
heavy = ("torch", "open_clip", "lancedb", "pyarrow", "textual", "numpy")
print("IMPORTED", *(name for name in heavy if name in sys.modules))
"""


def imported(*arguments: object) -> set[str]:
    """The heavy packages that a command imported."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, *map(str, arguments)], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.rsplit("IMPORTED", 1)[1].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["search", "--help"], ["index", "--help"], ["train", "shards", "--help"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    """Help answers at once."""
    assert imported(*arguments) == set()


def test_searching_by_an_indexed_photo_or_taxon_imports_no_torch(indexed: Path, catalogue_folder: Path) -> None:
    """A photo whose embedding is in the catalogue needs no model."""
    photo = indexed / "drawer0" / "CAT-000.jpg"
    for arguments in (["--image", photo], ["--taxon", "Danaus"]):
        heavy = imported("search", *arguments, "--catalogue", catalogue_folder)
        assert heavy & {"torch", "open_clip"} == set()


_OPEN = """
import sys
{before}
import bioclip_search
catalogue = bioclip_search.open(sys.argv[1])
from lance_namespace_urllib3_client.api.table_api import TableApi
print(len(catalogue), hasattr(TableApi, "create_table"), "pandas" in sys.modules)
import pyarrow
from lance_namespace import ListTablesResponse
assert ListTablesResponse(tables=["photos"]).tables == ["photos"]
print(len(pyarrow.table({{"genus": ["Apis"]}}).to_pandas()))
"""


@pytest.mark.parametrize(
    ("before", "whole"),
    [
        ("", True),
        ("from bioclip_search.lance_import import leave_out_unused; leave_out_unused()", False),
        # What stands in may not be enough for another version of LanceDB.
        (
            "from bioclip_search import lance_import\n"
            "lance_import._stand_ins = lambda: {'lance_namespace': lance_import._StandIn('lance_namespace')}\n"
            "lance_import.leave_out_unused()",
            True,
        ),
    ],
)
def test_only_the_command_line_leaves_out_what_it_does_not_use(
    indexed: Path, catalogue_folder: Path, before: str, whole: bool
) -> None:
    """Programs get LanceDB as it is; the command line without its client, unless LanceDB cannot do without, and
    without pandas, until something is turned into a DataFrame."""
    script = _OPEN.format(before=before)
    done = subprocess.run(
        [sys.executable, "-c", script, str(catalogue_folder)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["6", str(whole), str(not before), "1"]


def test_help_does_not_look_for_the_cloud() -> None:
    """What is left out is looked for when LanceDB is imported, not at every start."""
    script = "from bioclip_search import cli, lance_import\nlance_import._stand_ins = None\ncli.main(['--help'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert "identify" in done.stdout


def test_every_public_name_is_importable() -> None:
    """The lazy names of the package lead somewhere."""
    import bioclip_search

    for name in bioclip_search.__all__:
        assert getattr(bioclip_search, name) is not None
    with pytest.raises(AttributeError):
        _ = bioclip_search.no_such_name  # type: ignore[attr-defined]
