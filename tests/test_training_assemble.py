"""TreeOfLife-10M put together from small replicas of its three sources."""

import csv
import json
import shutil
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from helpers import Command, draw_photo
from hypothesis import given
from hypothesis import strategies as st

from bioclip_search.errors import RecordError, UsageError
from training.assemble.bioscan import Bioscan
from training.assemble.inat21 import INat21
from training.assemble.json_stream import stream_arrays
from training.assemble.names import common_name, key_of, to_taxon, unified
from training.assemble.ranks import RankFiller
from training.assemble.row import CollectionRow
from training.assemble.run import AssembleOptions, assemble
from training.assemble.stage import Stage
from training.assemble.tested import read_images
from training.shards import read_manifest
from training.shards.packs import packed_name, read_packed

RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
MONARCH = ("Animalia", "Arthropoda", "Insecta", "Lepidoptera", "Nymphalidae", "Danaus", "plexippus")
OAK = ("Plantae", "Tracheophyta", "Magnoliopsida", "Fagales", "Fagaceae", "Quercus", "robur")
RARE = ("Animalia", "Mollusca", "Bivalvia", "Unionida", "Unionidae", "Cyclonaias", "tuberculata")


class Silent:
    """An observer that remembers how many photos were compared."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, source: str, photos: int) -> None: ...

    def compared(self, photos: int) -> None:
        self.count = photos


def write_inat21(folder: Path) -> Path:
    """Four images of three categories in the layout of the competition, and one whose file is missing."""
    categories, images, annotations = [], [], []
    for number, (names, common) in enumerate([(MONARCH, "Monarch"), (OAK, "English oak"), (RARE, "Purple Wartyback")]):
        place = f"{number:05d}_{'_'.join(names)}"
        ranks = dict(zip((*RANKS[:6], "specific_epithet"), names, strict=True))
        category = {"id": number, "name": f"{names[5]} {names[6]}", "common_name": common, "image_dir_name": place}
        categories.append({**category, **ranks, "supercategory": "Insects"})
        for image in range(2 if number == 0 else 1):
            identity = number * 10 + image
            name = f"train/{place}/{identity:08d}-uuid.jpg"
            draw_photo(folder / name, seed=100 + identity)
            images.append({"id": identity, "file_name": name, "width": 96, "height": 64, "date": "2020-01-01"})
            annotations.append({"id": identity, "image_id": identity, "category_id": number})
    images.append({"id": 99, "file_name": "train/00000_gone/gone.jpg"})
    annotations.append({"id": 99, "image_id": 99, "category_id": 0})
    document = {"info": {"year": 2021}, "images": images, "annotations": annotations, "licenses": []}
    (folder / "train.json").write_text(json.dumps({**document, "categories": categories}))
    return folder


def write_bioscan(folder: Path) -> Path:
    """Three insects: two in a zip as it is published, one in a folder; one has no more than an order."""
    rows = ["sampleid\tprocessid\turi\tname\tphylum\tclass\torder\tfamily\tgenus\tspecies\timage_file\tchunk_number"]
    common = "Arthropoda\tInsecta\tDiptera"
    blank = "not_classified"
    rows.append(f"S1\tP1\tBOLD:AAA1\tx\t{common}\tPhoridae\tMegaselia\tMegaselia scalaris\t1.jpg\t1")
    rows.append(f"S2\tP2\tBOLD:AAA2\tx\t{common}\tPhoridae\tMegaselia\tMegaselia sp. BOLD:AAA2\t2.jpg\t1")
    rows.append(f"S3\tP3\tBOLD:AAA2\tx\t{common}\t{blank}\t{blank}\t{blank}\t3.jpg\t2")
    folder.mkdir(parents=True)
    (folder / "BIOSCAN_Insect_Dataset_metadata.tsv").write_text("\n".join(rows) + "\n")
    draw_photo(folder / "images" / "part2" / "3.jpg", 203)
    with zipfile.ZipFile(folder / "cropped_256.zip", "w") as pack:
        for number in (1, 2):
            path = draw_photo(folder.parent / f"{number}.jpg", 200 + number)
            pack.write(path, f"bioscan/images/cropped_256/part1/{number}.jpg")
    return folder


def write_eol(folder: Path) -> tuple[Path, Path]:
    """Seven images and the catalogue; the names are as untidy as there."""
    columns = "treeoflife_id,eol_content_id,eol_page_id,bioscan_filename,inat21_filename,kingdom,phylum,class,order,"
    rows = [
        columns + "family,genus,species,common",
        # The fullest row of the monarch is of another kingdom's name; the second lacks nearly all of it.
        "a-1,11.0,901.0,,,Metazoa,Arthropoda,Insecta,Lepidoptera,Nymphalidae,Danaus,plexippus,monarch butterfly",
        'b-2,12.0,901.0,,,,,,,,Danaus,"plexippus (Linnaeus, 1758)",Danaus plexippus (Linnaeus 1758)',
        "c-3,13.0,902.0,,,Archaeplastida,Tracheophyta,,Fagales,Fagaceae,Quercus,robur L.,",
        "d-4,14.0,903.0,,,,,,,,,,Some Bird",
        "e-5,15.0,904.0,,,Animalia,Mollusca,Bivalvia,Unionida,Unionidae,Cyclonaias,tuberculata,purple wartyback",
        "f-6,,,BIOUG1.jpg,,Animalia,Arthropoda,Insecta,Diptera,,,,",
    ]
    folder.mkdir(parents=True)
    names = ["11_901_eol-full-size-copy.jpg", "12_901_eol-full-size-copy.jpg", "c-3.jpg", "14_903_eol.jpg"]
    names += ["15_904_eol-full-size-copy.jpg", "77_901_eol-full-size-copy.jpg", "88_999_eol-full-size-copy.jpg"]
    for number, name in enumerate(names):
        draw_photo(folder / f"image_set_{number % 2:02d}" / name, 300 + number)
    (folder.parent / "catalog.csv").write_text("\n".join(rows) + "\n")
    return folder, folder.parent / "catalog.csv"


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    """Replicas of the three, with a copy of one image of iNat21 in EOL, under a poorer name."""
    inat21 = write_inat21(tmp_path / "inat21")
    eol, catalogue = write_eol(tmp_path / "eol")
    oak = next(inat21.rglob("00000010-uuid.jpg"))
    shutil.copyfile(oak, eol / "image_set_00" / "c-3.jpg")
    (tmp_path / "unseen.json").write_text(
        '{"Animalia-Mollusca-Bivalvia-Unionida-Unionidae-Cyclonaias-tuberculata": []}'
    )
    return {
        "inat21": inat21,
        "bioscan": write_bioscan(tmp_path / "bioscan"),
        "eol": eol,
        "eol-catalogue": catalogue,
        "unseen": tmp_path / "unseen.json",
    }


def assembled(run: Command, sources: dict[str, Path], out: Path, *more: object) -> tuple[Any, list[dict[str, str]]]:
    """The report and the rows of the table that the command writes."""
    named = [f for name in ("inat21", "bioscan", "eol", "eol-catalogue") for f in (f"--{name}", sources[name])]
    result = run("train", "assemble", out, *named, *more, "--format", "json")
    assert result.code == 0, result.err
    with (out / "records.csv").open(encoding="utf-8", newline="") as stream:
        return result.json, list(csv.DictReader(stream))


def test_the_three_sources_become_one_table(run: Command, sources: dict[str, Path], tmp_path: Path) -> None:
    """Each gives what it has, and the report says how much that was."""
    report, rows = assembled(run, sources, tmp_path / "out", "--without-species", sources["unseen"])
    assert report["sources"] == {
        "inat21": {"images": 3, "taxa": 2, "species": 2, "ranksFilled": 0, "withoutFile": 1, "testTaxa": 1},
        "bioscan": {"images": 3, "taxa": 3, "species": 1, "ranksFilled": 0, "barcodes": 2},
        "eol": {
            "images": 3,
            "taxa": 1,
            "species": 1,
            "ranksFilled": 5,
            "withoutName": 1,
            "withoutRecord": 1,
            "testTaxa": 1,
            "duplicates": 1,
        },
    }
    assert report["total"] == {"images": 9, "taxa": 5, "species": 3, "ranksFilled": 5, "barcodes": 2}
    assert Counter(row["source"] for row in rows) == {"inat21": 3, "bioscan": 3, "eol": 3}
    assert json.loads((tmp_path / "out" / "report.json").read_text())["total"] == report["total"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["records.csv", "report.json"]


def test_names_of_the_sources_are_one(run: Command, sources: dict[str, Path], tmp_path: Path) -> None:
    """Metazoa is Animalia, authors are gone, ranks are filled from the fullest row, common names kept or taken over."""
    _, rows = assembled(run, sources, tmp_path / "out")
    monarchs = [row for row in rows if row["species"] == "Danaus plexippus"]
    assert len(monarchs) == 5
    assert {tuple(row[rank] for rank in RANKS[:6]) for row in monarchs} == {MONARCH[:6]}
    common = {row["photoID"]: row["vernacularName"] for row in monarchs}
    assert common["eol:11_901_eol-full-size-copy.jpg"] == "monarch butterfly"
    assert common["eol:12_901_eol-full-size-copy.jpg"] == "Monarch"  # which most photos have


def test_of_copies_the_one_with_the_fuller_name_is_kept(run: Command, sources: dict[str, Path], tmp_path: Path) -> None:
    """The oak is in two sources, byte for byte."""
    _, rows = assembled(run, sources, tmp_path / "out")
    assert [row["source"] for row in rows if row["genus"] == "Quercus"] == ["inat21"]


def test_what_is_for_tests_is_left_out(run: Command, sources: dict[str, Path], tmp_path: Path) -> None:
    """A test taxon in every source, a test image by its name, and a copy of one under any other name."""
    copied = sources["eol"] / "image_set_00" / "11_901_eol-full-size-copy.jpg"
    shutil.copyfile(next(sources["inat21"].rglob("00000020-uuid.jpg")), copied)
    (tmp_path / "seen.json").write_text('{"Animalia-x": ["/some/where/12_901_eol-full-size-copy.jpg"]}')
    report, rows = assembled(
        run,
        sources,
        tmp_path / "out",
        *("--without-species", sources["unseen"], "--without-images", tmp_path / "seen.json"),
    )
    assert not [row for row in rows if row["genus"] == "Cyclonaias"]
    assert {row["photoID"] for row in rows if row["source"] == "eol"} == {"eol:77_901_eol-full-size-copy.jpg"}
    assert report["sources"]["eol"]["testImages"] == 2


def test_the_table_becomes_shards(run: Command, sources: dict[str, Path], tmp_path: Path) -> None:
    """`train shards` takes it as it is, photos in zips included; specimens keep their numbers."""
    assembled(run, sources, tmp_path / "out", "--without-species", sources["unseen"])
    result = run("train", "shards", tmp_path / "shards", "--records", tmp_path / "out" / "records.csv", "--val", "0")
    assert result.code == 0, result.err
    manifest = read_manifest(tmp_path / "shards")
    assert (manifest.splits["train"].samples, manifest.splits["train"].taxa) == (9, 5)
    assert "skipped" not in result.out


def test_the_same_photos_give_the_same_table(run: Command, sources: dict[str, Path], tmp_path: Path) -> None:
    """Byte for byte, however many threads compare them."""
    for name, workers in (("one", 1), ("two", 5)):
        assembled(run, sources, tmp_path / name, "--workers", workers)
    assert (tmp_path / "one" / "records.csv").read_bytes() == (tmp_path / "two" / "records.csv").read_bytes()


def test_only_photos_of_one_size_are_read_to_compare(tmp_path: Path) -> None:
    """A file whose size no other has cannot be a copy."""
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(bytes(10 if number < 2 else 11))

    class Three:
        name, unknown = "three", Counter[str]()

        def rows(self) -> Any:
            for number in range(3):
                yield CollectionRow(str(tmp_path / f"{number}.jpg"), f"three:{number}", {"genus": "Danaus"})

    observer = Silent()
    report = assemble([Three()], AssembleOptions(tmp_path / "out"), observer)
    assert observer.count == 2
    assert report.total == {"images": 2, "taxa": 1, "species": 0, "ranksFilled": 0}


# ---- names ----


@pytest.mark.parametrize(
    ("ranks", "key"),
    [
        ({"genus": "Danaus", "species": "plexippus"}, "danaus plexippus"),
        ({"genus": "Danaus", "species": "Danaus plexippus"}, "danaus plexippus"),
        ({"species": "Danaus plexippus Linnaeus, 1758"}, "danaus plexippus"),
        ({"species": "danaus plexippus linnaeus, 1758"}, "danaus plexippus"),
        ({"genus": "Danaus", "species": "plexippus (L.)"}, "danaus plexippus"),
        ({"genus": "Callophrys", "species": "affinis apama (w.h.edwards"}, "callophrys affinis apama"),
        ({"genus": "Abies", "species": "alba var. pendula"}, "abies alba"),
        ({"genus": "Poa", "species": "annua hook.f. & thomson"}, "poa annua"),
        ({"genus": "Gorilla", "species": "gorilla gorilla"}, "gorilla gorilla"),
        ({"genus": "<i>Poa</i>", "species": "<i>annua</i>"}, "poa annua"),
        ({"genus": "Megaselia", "species": "Megaselia sp. BOLD:AAA1"}, "megaselia"),
        ({"genus": "Quercus", "species": "× hispanica"}, "quercus × hispanica"),
        ({"genus": "(unidentified)", "species": "unknown", "family": "Poaceae"}, "poaceae"),
        ({"genus": "not_classified", "order": "PleaseHelp", "class": "Insecta"}, "insecta"),
        ({"species": "plexippus"}, ""),
    ],
)
def test_a_species_is_its_genus_and_epithet(ranks: dict[str, str], key: str) -> None:
    """Authors, years, infraspecific marks and what is left open are no part of it."""
    assert key_of(unified(ranks)) == key


@pytest.mark.parametrize("kingdom", ["Metazoa", "metazoa", "Animalia", "ANIMALIA"])
def test_kingdoms_have_one_name(kingdom: str) -> None:
    """As in the paper."""
    assert unified({"kingdom": kingdom})[0] == "animalia"
    assert unified({"kingdom": "Archaeplastida"})[0] == unified({"kingdom": "Chloroplastida"})[0] == "plantae"


texts = st.one_of(st.none(), st.text(st.sampled_from("AaBbé .,()&×x-<i>/1758_"), max_size=24), st.text(max_size=12))


@given(st.dictionaries(st.sampled_from(RANKS), texts))
def test_unified_names_stay_as_they_are(ranks: dict[str, str | None]) -> None:
    """Whatever the text: never an error, and doing it again changes nothing."""
    names = unified(ranks)
    again = unified(dict(zip(RANKS, names, strict=True)))
    assert again == names
    taxon = to_taxon(names)
    assert (taxon.species is None) == (not (names[5] and names[6]))
    assert all(name == name.lower() for name in names)


def test_a_repeated_scientific_name_is_no_common_name() -> None:
    """TreeOfLife's catalogue fills the column with it."""
    names = unified({"genus": "Danaus", "species": "plexippus", "family": "Nymphalidae"})
    assert common_name("monarch", names) == "monarch"
    assert common_name("Danaus plexippus", names) is None
    assert common_name("Danaus plexippus (Linnaeus, 1758)", names) is None
    assert common_name("Nymphalidae Danaus plexippus", names) is None
    assert common_name(" ", names) is None


# ---- ranks ----


def filler(tmp_path: Path, *taxa: tuple[str, int]) -> RankFiller:
    """A filler over taxa written “kingdom phylum class order family genus epithet”, “-” for what is missing."""
    stage = Stage(tmp_path / "stage.sqlite")
    for names, photos in taxa:
        number = stage._taxon_id(tuple("" if name == "-" else name for name in names.split()))  # type: ignore[arg-type]
        stage._database.execute("UPDATE taxa SET photos = ? WHERE id = ?", (photos, number))
    return RankFiller(stage._database)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # From the fullest row of the same species.
        ("- - - - - danaus plexippus", "animalia arthropoda insecta lepidoptera nymphalidae danaus plexippus"),
        # Of a species that no row describes: from its genus.
        ("- - - - - danaus chrysippus", "animalia arthropoda insecta lepidoptera nymphalidae danaus chrysippus"),
        # From the family, and what is known stays.
        ("- - hexapoda - nymphalidae - -", "- - hexapoda - nymphalidae - -"),
        ("- - - - nymphalidae - -", "animalia arthropoda insecta lepidoptera nymphalidae - -"),
        # A homonym without its kingdom stays as it is; with it, the right one is taken.
        ("- - - - - morus -", "- - - - - morus -"),
        ("plantae - - - - morus -", "plantae - - rosales moraceae morus -"),
        # An epithet alone says nothing.
        ("- - - - - - plexippus", "- - - - - - plexippus"),
    ],
)
def test_ranks_are_filled_from_the_fullest_row_that_agrees(tmp_path: Path, names: str, expected: str) -> None:
    """Never against what is known, never across homonyms."""
    found = filler(
        tmp_path,
        ("animalia arthropoda insecta lepidoptera nymphalidae danaus plexippus", 1),
        ("animalia - - - - danaus plexippus", 50),
        ("plantae - - rosales moraceae morus alba", 5),
        ("animalia - - suliformes sulidae morus bassanus", 5),
    ).filled(tuple("" if name == "-" else name for name in names.split()))  # type: ignore[arg-type]
    assert " ".join(name or "-" for name in found) == expected


# ---- files ----

documents = st.dictionaries(
    st.text(max_size=5),
    st.one_of(
        st.integers(),
        st.lists(st.one_of(st.integers(), st.text(max_size=5), st.dictionaries(st.text(max_size=3), st.integers()))),
    ),
    max_size=5,
)


@given(documents, st.integers(1, 7), st.sampled_from([None, 2]))
def test_long_json_is_read_element_by_element(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any], at_once: int, indent: int | None
) -> None:
    """However few characters are held at once, the elements are those of json.loads."""
    path = tmp_path_factory.mktemp("json") / "document.json"
    path.write_text(json.dumps(document, indent=indent), encoding="utf-8")
    expected = [(key, element) for key, value in document.items() if isinstance(value, list) for element in value]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.assemble.json_stream._CHARACTERS_AT_ONCE", at_once)
        assert list(stream_arrays(path)) == expected


@pytest.mark.parametrize("text", ["", "[1]", '{"images": [', '{"images": [1, }', '{"images"'])
def test_a_broken_annotation_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    """Cut short while it was fetched, or something else."""
    (tmp_path / "train.json").write_text(text)
    with pytest.raises(RecordError, match=r"train.json is not the annotation file of iNaturalist 2021"):
        list(INat21(tmp_path).rows())


def test_photos_are_read_from_packs(tmp_path: Path) -> None:
    """And what is wrong with a pack is the photo's problem."""
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as pack:
        pack.writestr("part1/1.jpg", b"bytes")
    assert read_packed(packed_name(str(tmp_path / "pack.zip"), "part1/1.jpg")) == b"bytes"
    assert read_packed(str(tmp_path / "plain.jpg")) is None
    for missing in (packed_name(str(tmp_path / "pack.zip"), "2.jpg"), packed_name(str(tmp_path / "no.zip"), "1.jpg")):
        with pytest.raises(Exception, match="cannot be read from its pack"):
            read_packed(missing)


def test_a_collection_that_is_not_one_is_refused(tmp_path: Path, run: Command) -> None:
    """With what it lacks, before anything is read."""
    (tmp_path / "x.tsv").write_text("a\tb\n1\t2\n")
    (tmp_path / "catalog.csv").write_text("a,b\n1,2\n")
    with pytest.raises(RecordError, match=r"has no train.json"):
        INat21(tmp_path)
    with pytest.raises(RecordError, match=r"lacks family, image_file, order"):
        Bioscan(tmp_path)
    for arguments, sentence in (
        ([], "There is nothing to put together"),
        (["--eol", tmp_path], "give both, or neither"),
        (["--eol", tmp_path, "--eol-catalogue", tmp_path / "catalog.csv"], "lacks the columns eol_content_id"),
    ):
        result = run("train", "assemble", tmp_path / "out", *arguments)
        assert (result.code, sentence in result.err) == (2, True), result.err
    with pytest.raises(UsageError):
        assemble([], AssembleOptions(tmp_path), Silent())


def test_lists_of_test_images_are_read_as_they_come(tmp_path: Path) -> None:
    """Paths in JSON or lines; only names count."""
    (tmp_path / "a.json").write_text('{"Animalia-x": ["/fs/A.jpg", "b.jpg"]}')
    (tmp_path / "b.txt").write_text("dir/A.jpg\nb.jpg\n")
    (tmp_path / "c.txt").write_text("\n")
    assert read_images(tmp_path / "a.json") == read_images(tmp_path / "b.txt") == {"a.jpg", "b.jpg"}
    with pytest.raises(RecordError, match="lists no images"):
        read_images(tmp_path / "c.txt")
