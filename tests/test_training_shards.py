"""Shards: what is in them, who is in which split, that they can be made again, and that damage is seen."""

import csv
import gc
import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from helpers import Command, draw_photo
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bioclip_search.errors import BioclipSearchError, RecordError, ShardError, UsageError
from bioclip_search.records import stream_table
from bioclip_search.records.table import read_table
from bioclip_search.taxonomy import Taxon, TextType
from training.shards import check_shards, read_manifest
from training.shards.picture import PictureFit, Shape, to_picture
from training.shards.plan import PLAN, Dealt, Plan, Problem, make_plan
from training.shards.run import ShardOptions, write_shards
from training.shards.sample import SourcePhoto, names_of, text_members
from training.shards.species import read_species, species_key
from training.shards.split import share_for_validation
from training.shards.table import TableSource
from training.shards.write import Form

SPECIES = (
    ("Nymphalidae", "Danaus", "plexippus", "monarch"),
    ("Pieridae", "Pieris", "rapae", "small white"),
    ("Pieridae", "Pieris", "napi", ""),
)


class Watching:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.total = self.done = 0
        self.problems: list[Problem] = []

    def planned(self, photos: int) -> None: ...

    def begin(self, total: int) -> None:
        self.total = total

    def advance(self, photos: int) -> None:
        self.done += photos

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of 36 photos: three species, six specimens of each, two photos of each specimen."""
    folder = tmp_path / "collection"
    rows = ["catalogNumber,kingdom,family,genus,specificEpithet,vernacularName,scientificName,associatedMedia"]
    for number in range(36):
        family, genus, epithet, common = SPECIES[number % 3]
        path = f"drawer{number % 2}/{number:03d}.jpg"
        draw_photo(folder / path, seed=number)
        rows.append(
            f"CAT-{number // 6}-{number % 3},Animalia,{family},{genus},{epithet},{common},{genus} {epithet} L.,{path}"
        )
    (folder / "records.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "records.csv"


def written(table: Path, folder: Path, observer: Watching | None = None, **changes: object) -> ShardOptions:
    """Shards of a table, four a tar, a third of the specimens for validation."""
    options = ShardOptions(folder, Dealt(seed=3, val=0.34), Form(Shape(32), max_count=4))
    options = replace(options, **changes)  # type: ignore[arg-type]
    write_shards(TableSource(table), options, observer or Watching())
    return options


def samples(folder: Path, split: str) -> list[dict[str, bytes]]:
    """The samples of a split as their members, read with nothing but tarfile."""
    found: dict[str, dict[str, bytes]] = defaultdict(dict)
    for shard in read_manifest(folder).splits[split].shards:
        with tarfile.open(folder / shard.name) as tar:
            for member in tar:
                key, extension = member.name.split(".", 1)
                found[key][extension] = tar.extractfile(member).read()  # type: ignore[union-attr]
    return list(found.values())


def members(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def documents(folder: Path, split: str) -> list[dict[str, str]]:
    return [json.loads(sample["json"]) for sample in samples(folder, split)]


def contents(folder: Path) -> dict[str, bytes]:
    """All tars, and the manifest without its time."""
    found = {path.name: path.read_bytes() for path in folder.glob("*.tar")}
    manifest = {**json.loads((folder / "manifest.json").read_text()), "created": None}
    return {**found, "manifest": json.dumps(manifest).encode()}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_stock_webdataset_reads_every_sample(table: Path, tmp_path: Path) -> None:
    """The library that others train with finds a picture and a record under every key."""
    import webdataset

    written(table, tmp_path / "shards")
    names = [str(path) for path in sorted((tmp_path / "shards").glob("*.tar"))]
    dataset = webdataset.WebDataset(names, shardshuffle=False).decode("rgb8")
    found = list(dataset)
    del dataset
    gc.collect()  # webdataset leaves its files open
    assert len(found) == len({sample["__key__"] for sample in found}) == 36
    for sample in found:
        assert sample["jpg"].shape == (32, 32, 3)
        assert sample["json"]["key"] == sample["__key__"]
        assert len(sample["__key__"]) == 12
        assert "." not in sample["__key__"]


def test_a_sample_says_what_the_record_says(table: Path, tmp_path: Path) -> None:
    """Ranks that are missing are absent; the species is a binomial; the name as written is kept."""
    written(table, tmp_path / "shards")
    found = documents(tmp_path / "shards", "train")
    monarch = next(document for document in found if document["genus"] == "Danaus")
    assert monarch == {
        "key": monarch["key"],
        "kingdom": "Animalia",
        "family": "Nymphalidae",
        "genus": "Danaus",
        "species": "Danaus plexippus",
        "vernacularName": "monarch",
        "scientificName": "Danaus plexippus L.",
        "specimen": monarch["specimen"],
        "source": "records",
    }
    assert all("vernacularName" not in document for document in found if document["species"] == "Pieris napi")


def test_captions_of_a_photo_go_with_it(table: Path, tmp_path: Path) -> None:
    """A column `captions` holds sentences with | between them; where it is empty the sample has none."""
    header, *rows = table.read_text(encoding="utf-8").splitlines()
    described = [f"{row},{'an orange wing | “two” wings|' if 'Danaus' in row else ''}" for row in rows]
    table.write_text("\n".join([f"{header},captions", *described]), encoding="utf-8")
    written(table, tmp_path / "shards")
    for document in documents(tmp_path / "shards", "train"):
        expected = ["an orange wing", "“two” wings"] if document["genus"] == "Danaus" else None
        assert document.get("captions") == expected


def test_the_manifest_counts_samples_shards_and_taxa(table: Path, tmp_path: Path) -> None:
    """Its numbers are those of the tars beside it."""
    written(table, tmp_path / "shards", dealt=Dealt(3, 0.34, frozenset({"pieris napi"})))
    manifest = read_manifest(tmp_path / "shards")
    assert manifest.seed == 3
    assert manifest.image == {"size": 32, "fit": "squash"}
    assert manifest.source == "records records.csv"
    for name, split in manifest.splits.items():
        found = documents(tmp_path / "shards", name)
        assert split.samples == len(found) == sum(shard.samples for shard in split.shards)
        assert split.taxa == len({document["species"] for document in found})
        assert all(shard.samples <= 4 for shard in split.shards)
    assert [split.samples for split in manifest.splits.values()] == [16, 8, 12]


def test_species_to_keep_unseen_are_in_no_other_split(table: Path, tmp_path: Path) -> None:
    """Every photo of a listed species goes to `unseen`."""
    written(table, tmp_path / "shards", dealt=Dealt(3, 0.34, frozenset({"pieris napi"})))
    assert {document["species"] for document in documents(tmp_path / "shards", "unseen")} == {"Pieris napi"}
    for split in ("train", "val"):
        assert "Pieris napi" not in {document["species"] for document in documents(tmp_path / "shards", split)}


def test_with_text_members_each_text_is_the_taxons(table: Path, tmp_path: Path) -> None:
    """BioCLIP's ten texts follow from Taxon.text, and are nowhere without the option."""
    form = Form(Shape(32), text_members=True, max_count=4)
    written(table, tmp_path / "with", form=form)
    written(table, tmp_path / "without")
    assert {key for sample in samples(tmp_path / "without", "train") for key in sample} == {"jpg", "json"}
    for sample in samples(tmp_path / "with", "train"):
        taxon = Taxon.from_ranks(json.loads(sample["json"]))
        for kind in TextType:
            assert sample[f"{kind.value}.txt"].decode() == f"a photo of {taxon.text(kind)}."
        assert sample["scientific_name.txt"].decode() == taxon.text(TextType.SCIENTIFIC)
        assert sample["taxonomic_name.txt"].decode() == taxon.text(TextType.TAXONOMIC)
        assert sample["common_name.txt"].decode() == taxon.text(TextType.COMMON)
        assert sample["taxonTag.txt"].decode() == f"a photo of {taxon.tagged}."
        assert sample["txt"] == sample["taxon_com.txt"]
        assert len(sample) == 13


names = st.one_of(st.none(), st.text("abcdefÄé. -", min_size=1, max_size=8))


@given(st.builds(Taxon, *[names] * 6, st.one_of(st.none(), st.just("Danaus plexippus")), names))
def test_the_names_in_a_sample_give_the_taxon_back(taxon: Taxon) -> None:
    """Captions can be made while reading, for nothing of the taxon is lost in JSON."""
    back = Taxon.from_ranks(json.loads(json.dumps(names_of(taxon))))
    assert back == taxon
    assert all(member for member in text_members(taxon).values()) or taxon.text(TextType.TAXONOMIC) is None


photo_lists = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["Aus bus", "Aus cus", "Xus yus", ""])), min_size=1, max_size=60
)


def plan_of(folder: Path, photos: list[tuple[int, str]], dealt: Dealt) -> dict[str, list[tuple[str, str]]]:
    """The (specimen, species) of every planned photo, by split."""
    offered = (
        SourcePhoto(f"/photos/{n}.jpg", f"{n}.jpg", Taxon(kingdom="K", species=species), f"S{specimen}", None, "x")
        for n, (specimen, species) in enumerate(photos)
    )
    folder.mkdir(exist_ok=True)
    make_plan(folder, offered, dealt, dict, lambda _photos: None)
    plan = Plan(folder)
    found = {
        split: [(photo.specimen, photo.names.get("species", "")) for photo in plan.photos(split)]
        for split in ("train", "val", "unseen")
    }
    plan.close()
    return found


@given(photo_lists, st.floats(0, 0.9), st.integers(0, 5))
def test_no_specimen_is_in_two_splits(
    tmp_path_factory: pytest.TempPathFactory, photos: list[tuple[int, str]], val: float, seed: int
) -> None:
    """Whatever the photos, the share and the seed: all photos are dealt, each specimen to one split."""
    found = plan_of(tmp_path_factory.mktemp("plan"), photos, Dealt(seed, val, frozenset({"xus yus"})))
    specimens = [{specimen for specimen, _ in split} for split in found.values()]
    assert sum(len(split) for split in found.values()) == len(photos)
    assert len(set.union(*specimens)) == sum(map(len, specimens))
    assert not any(species == "Xus yus" for split in ("train", "val") for _, species in found[split])
    trained = {species for _, species in found["train"]}
    assert all(species in trained for _, species in found["val"]) or len({s for s, _ in photos}) < len(photos)


@given(photo_lists)
def test_the_order_of_the_source_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, photos: list[tuple[int, str]]
) -> None:
    """The same photos in another order get the same splits."""
    folder = tmp_path_factory.mktemp("plan")
    forwards = [
        SourcePhoto(f"/{n}", f"{n}", Taxon(species=s), f"S{who}", None, "x") for n, (who, s) in enumerate(photos)
    ]
    plans = []
    for offered in (forwards, forwards[::-1]):
        make_plan(folder, offered, Dealt(1, 0.3), dict, lambda _photos: None)
        plan = Plan(folder)
        plans.append([[photo.file for photo in plan.photos(split)] for split in ("train", "val")])
        plan.close()
    assert plans[0] == plans[1]


@given(st.integers(1, 10_000), st.floats(0, 0.99), st.integers(0, 2**63 - 1))
def test_a_taxon_gives_its_share_and_keeps_one_specimen(specimens: int, share: float, drawn: int) -> None:
    """Within one of the share, and never all."""
    given_away = share_for_validation(specimens, share, drawn)
    assert 0 <= given_away < specimens
    assert given_away == specimens - 1 or abs(given_away - specimens * share) <= 1


def test_the_share_is_met_over_many_small_taxa(tmp_path: Path) -> None:
    """With five specimens a taxon and a share of 5 %, some taxa give one and most give none."""
    photos = [(taxon * 5 + n, f"Aus species{taxon}") for taxon in range(400) for n in range(5)]
    found = plan_of(tmp_path, photos, Dealt(0, 0.05))
    assert 60 < len(found["val"]) < 140
    assert max(Counter(species for _, species in found["val"]).values()) == 1


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(table: Path, tmp_path: Path) -> None:
    """Wherever the photos lie, and however many threads decode them."""
    moved = shutil.copytree(table.parent, tmp_path / "elsewhere")
    written(table, tmp_path / "one", workers=1)
    written(moved / "records.csv", tmp_path / "two", workers=7)
    written(table, tmp_path / "three", dealt=Dealt(4, 0.34))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert contents(tmp_path / "one") != contents(tmp_path / "three")


def test_samples_are_shuffled(table: Path, tmp_path: Path) -> None:
    """Neighbours in a shard are not neighbours in the table."""
    written(table, tmp_path / "shards", dealt=Dealt(0, 0))
    species = [document["species"] for document in documents(tmp_path / "shards", "train")]
    assert len(species) == 36
    assert species != [" ".join(SPECIES[n % 3][1:3]) for n in range(36)]
    assert species != sorted(species)


_KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_training_shards import Watching, written

class Deadly(Watching):
    def advance(self, photos):
        super().advance(photos)
        if self.done == int(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)

written(Path(sys.argv[1]), Path(sys.argv[2]), Deadly())
"""


@pytest.mark.parametrize("after", [1, 9, 22, 35])
def test_a_killed_run_is_continued_to_the_same_shards(table: Path, tmp_path: Path, after: int) -> None:
    """Killed anywhere, the next run does only what is missing, and no byte differs."""
    killed = tmp_path / "killed"
    tests = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", _KILLED, table, killed, tests, str(after)], timeout=120, check=False)
    assert done.returncode == -9
    assert not (killed / "manifest.json").exists()
    kept = {path.name: path.stat().st_mtime_ns for path in killed.glob("*.tar")}
    photos = sum(len(members(killed / name)) // 2 for name in kept)
    observer = Watching()
    written(table, killed, observer)
    written(table, tmp_path / "whole")
    assert contents(killed) == contents(tmp_path / "whole")
    assert all((killed / name).stat().st_mtime_ns == moment for name, moment in kept.items())
    assert observer.done == observer.total == 36 - photos
    assert not list(killed.glob(".*.part"))


def test_ctrl_c_leaves_no_half_shard(table: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever interrupts, nothing half written stays, and nothing is complained of."""

    class Interrupting(Watching):
        def advance(self, photos: int) -> None:  # noqa: ARG002
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written(table, tmp_path / "shards", Interrupting())
    gc.collect()
    assert [path.name for path in (tmp_path / "shards").iterdir() if path.suffix in (".tar", ".part")] == []
    assert capfd.readouterr().err == ""


def test_a_shard_that_was_lost_is_written_again(table: Path, tmp_path: Path) -> None:
    """The same command mends the folder, and leaves the others alone."""
    folder = tmp_path / "shards"
    written(table, folder)
    before = contents(folder)
    (folder / "train-000002.tar").unlink()
    (folder / "val-000000.tar").write_bytes(b"short")
    observer = Watching()
    written(table, folder, observer)
    assert contents(folder) == before
    assert observer.done == observer.total == 8


def test_other_options_are_refused_by_name(table: Path, tmp_path: Path) -> None:
    """Shards of two kinds never meet in one folder."""
    written(table, tmp_path / "shards")
    with pytest.raises(UsageError, match="begun with another seed"):
        written(table, tmp_path / "shards", dealt=Dealt(4, 0.34))
    table.write_text(table.read_text() + "X,,,,,,,none.jpg\n")
    with pytest.raises(UsageError, match="another source's state"):
        written(table, tmp_path / "shards")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("")
    with pytest.raises(UsageError, match="holds other files"):
        written(table, tmp_path / "full")


def test_a_folder_that_cannot_be_written_is_one_sentence(table: Path, tmp_path: Path) -> None:
    """A file in its place, another run in it, nothing to write."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ShardError, match=r"cannot be written \(File exists\)"):
        written(table, tmp_path / "file")
    (tmp_path / "busy").mkdir()
    with FileLock(tmp_path / "busy" / ".lock"), pytest.raises(UsageError, match="Another run is writing shards"):
        written(table, tmp_path / "busy")
    table.write_text(table.read_text().split("\n")[0] + "\nCAT,,,,,,,nowhere.jpg\n")
    with pytest.raises(UsageError, match="there is nothing to train on"):
        written(table, tmp_path / "nothing")


def test_bad_photos_are_told_of_and_left_out(table: Path, tmp_path: Path) -> None:
    """A run does not stop at them, the manifest does not count them, problems.csv says why."""
    (table.parent / "drawer0" / "000.jpg").write_bytes(b"no picture")
    (table.parent / "drawer1" / "001.jpg").write_bytes(b"")
    observer = Watching()
    written(table, tmp_path / "shards", observer)
    manifest = read_manifest(tmp_path / "shards")
    assert sum(split.samples for split in manifest.splits.values()) == 34
    assert observer.done == 36
    assert {Path(problem.file).name for problem in observer.problems} == {"000.jpg", "001.jpg"}
    rows = list(csv.DictReader(io.StringIO((tmp_path / "shards" / "problems.csv").read_text())))
    assert {row["reason"] for row in rows} == {problem.reason for problem in observer.problems}
    check_shards(tmp_path / "shards", deep=True)


def test_names_in_the_list_of_problems_cannot_command_a_terminal(table: Path, tmp_path: Path) -> None:
    """Codes in them are shown as “?”; the list is whole or not there, and goes when there is no problem."""
    bad = table.parent / "drawer0" / "0\x1b[2J.jpg"
    bad.write_bytes(b"no picture")
    row = "CAT-9,Animalia,Pieridae,Pieris,rapae,,Pieris rapae,https://example.org/0%1B[2J.jpg\n"
    table.write_text(table.read_text() + row)
    written(table, tmp_path / "shards")
    (line,) = csv.DictReader(io.StringIO((tmp_path / "shards" / "problems.csv").read_text()))
    assert line["file"].endswith("drawer0/0?[2J.jpg")
    assert [path.name for path in (tmp_path / "shards").glob("*problems*")] == ["problems.csv"]


def test_a_file_in_two_splits_stays_where_it_is_tested(table: Path, tmp_path: Path) -> None:
    """A copy of a validation photo, under another specimen's number, is not trained on."""
    folder = table.parent
    written(table, tmp_path / "first")
    tested = documents(tmp_path / "first", "val")[0]["specimen"].rsplit(":", 1)[-1]
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    copied = next(row for row in rows if row["catalogNumber"] == tested)
    trained = documents(tmp_path / "first", "train")[0]["specimen"].rsplit(":", 1)[-1]
    target = next(row for row in rows if row["catalogNumber"] == trained)
    shutil.copyfile(folder / copied["associatedMedia"], folder / target["associatedMedia"])
    observer = Watching()
    written(table, tmp_path / "second", observer)
    assert [problem.reason for problem in observer.problems] == ["the same file is in the split val"]
    assert read_manifest(tmp_path / "second").splits["val"] == read_manifest(tmp_path / "first").splits["val"]


def test_a_shard_is_no_larger_than_asked(table: Path, tmp_path: Path) -> None:
    """By bytes as by number, unless one sample alone is larger."""
    written(table, tmp_path / "shards", form=Form(Shape(32), max_count=1000, max_bytes=12_000))
    shards = read_manifest(tmp_path / "shards").splits["train"].shards
    assert len(shards) > 3
    for shard in shards:
        with tarfile.open(tmp_path / "shards" / shard.name) as tar:
            assert sum(512 + -(-member.size // 512) * 512 for member in tar) <= 12_000


@pytest.mark.parametrize(
    ("size", "fit", "expected"),
    [
        ((90, 60), PictureFit.SQUASH, (30, 30)),
        ((90, 60), PictureFit.KEEP, (45, 30)),
        ((20, 12), PictureFit.KEEP, (20, 12)),
        ((20, 12), PictureFit.SQUASH, (30, 30)),
        ((4000, 40), PictureFit.KEEP, (480, 5)),
    ],
)
def test_pictures_are_squashed_or_keep_their_proportions(
    tmp_path: Path, size: tuple[int, int], fit: PictureFit, expected: tuple[int, int]
) -> None:
    """Kept proportions are never enlarged, and a ribbon does not stay long."""
    picture = to_picture(str(draw_photo(tmp_path / "photo.png", 1, size)), Shape(30, fit))
    assert Image.open(io.BytesIO(picture.jpeg)).size == expected


def test_pictures_in_shards_are_upright(tmp_path: Path) -> None:
    """EXIF orientation is applied before the picture is squashed."""
    pixels = np.zeros((40, 80, 3), dtype=np.uint8)
    pixels[:, :40] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "turned.jpg", exif=exif)
    upright = np.asarray(Image.open(io.BytesIO(to_picture(str(tmp_path / "turned.jpg"), Shape(32)).jpeg)))
    assert upright[:12].mean() > 240
    assert upright[20:].mean() < 15


def damage_missing(folder: Path) -> None:
    (folder / "train-000001.tar").unlink()


def damage_truncated(folder: Path) -> None:
    path = folder / "train-000001.tar"
    path.write_bytes(path.read_bytes()[:-600])


def damage_longer(folder: Path) -> None:
    path = folder / "train-000001.tar"
    path.write_bytes(path.read_bytes() + b"\0")


def damage_other_file(folder: Path) -> None:
    path = folder / "train-000001.tar"
    path.write_bytes(b"x" * path.stat().st_size)


def damage_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text()[:100])


def damage_no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def damage_count(folder: Path) -> None:
    path = folder / "manifest.json"
    document = json.loads(path.read_text())
    document["splits"]["train"]["samples"] += 1
    path.write_text(json.dumps(document))


def damage_path(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace("train-000001.tar", "../train-000001.tar"))


def damage_empty(folder: Path) -> None:
    path = folder / "manifest.json"
    document = json.loads(path.read_text())
    document["splits"]["train"] = {"samples": 0, "shards": [], "taxa": 0}
    path.write_text(json.dumps(document))


def damage_newer(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (damage_missing, r"train-000001.tar is missing; give the command"),
        (damage_truncated, r"train-000001.tar is truncated: it has [\d,]+ of [\d,]+ bytes"),
        (damage_longer, r"train-000001.tar is too long"),
        (damage_other_file, r"train-000001.tar is damaged: it is no complete tar"),
        (damage_manifest, r"manifest.json of .* is damaged"),
        (damage_no_manifest, r"has no manifest.json"),
        (damage_count, r"manifest.json of .* is damaged \(the shards of a split"),
        (damage_path, r"manifest.json of .* is damaged .* is no name of a shard"),
        (damage_empty, r"hold no sample to train on"),
        (damage_newer, r"have format 2, which this version does not know"),
    ],
)
def test_the_preflight_says_what_is_wrong(table: Path, tmp_path: Path, damage: object, sentence: str) -> None:
    """Every kind of damage is one sentence, before a trainer waits for samples that never come."""
    folder = tmp_path / "shards"
    written(table, folder)
    assert check_shards(folder).splits["train"].samples > 0
    damage(folder)  # type: ignore[operator]
    with pytest.raises(ShardError, match=sentence):
        check_shards(folder)


def test_only_the_deep_preflight_sees_a_changed_byte(table: Path, tmp_path: Path) -> None:
    """A tar of the right size with one wrong byte differs from its SHA-256."""
    folder = tmp_path / "shards"
    written(table, folder)
    data = bytearray((folder / "train-000000.tar").read_bytes())
    data[3000] ^= 1
    (folder / "train-000000.tar").write_bytes(data)
    check_shards(folder)
    with pytest.raises(ShardError, match=r"train-000000.tar is damaged: its SHA-256"):
        check_shards(folder, deep=True)


# ---- sources ----


def test_a_table_of_tree_of_life_is_understood(tmp_path: Path) -> None:
    """Epithets are completed with their genus, `common` is the common name, files are called by treeoflife_id."""
    draw_photo(tmp_path / "images" / "set1" / "aa-11.jpg", 1)
    draw_photo(tmp_path / "images" / "set1" / "bb-22.jpg", 2)
    (tmp_path / "catalog.csv").write_text(
        "treeoflife_id,eol_content_id,kingdom,phylum,class,order,family,genus,species,common,data_source\n"
        "aa-11,1.0,Animalia,Chordata,Aves,Anseriformes,Anatidae,Lophodytes,cucullatus,hooded merganser,EOL\n"
        "bb-22,2.0,Animalia,Arthropoda,Insecta,Lepidoptera,Lycaenidae,Callophrys,affinis apama,,EOL\n"
        "cc-33,3.0,Animalia,Arthropoda,Insecta,,,,,,EOL\n"
    )
    source = TableSource(tmp_path / "catalog.csv", tmp_path / "images")
    first, second = source.photos()
    assert (first.taxon.species, first.taxon.common_name, first.source) == (
        "Lophodytes cucullatus",
        "hooded merganser",
        "EOL",
    )
    assert second.taxon.species == "Callophrys affinis apama"
    assert first.name == "set1/aa-11.jpg"
    assert source.left_out == {"withoutFile": 1}


def test_a_record_may_name_several_files_and_addresses(tmp_path: Path) -> None:
    """All files of a record share its specimen; an address is found by its last part; nothing is read outside."""
    for number in range(3):
        draw_photo(tmp_path / "images" / f"{number}.jpg", number)
    draw_photo(tmp_path / "secret.jpg", 9)
    (tmp_path / "images" / "records.tsv").write_text(
        "occurrenceID\tscientificName\tassociatedMedia\n"
        "urn:1\tPieris rapae\t0.jpg | https://example.org/media/1.jpg?size=full\n"
        "urn:2\tPieris rapae\t../secret.jpg\n"
        "urn:3\t\t2.jpg\n"
    )
    source = TableSource(tmp_path / "images" / "records.tsv")
    found = list(source.photos())
    assert {Path(photo.file).name for photo in found} == {"0.jpg", "1.jpg"}
    assert {photo.specimen for photo in found} == {"urn:1"}
    assert source.left_out == {"withoutFile": 1, "withoutName": 1}


def test_files_of_a_record_without_a_number_share_its_specimen(tmp_path: Path) -> None:
    """Called after the first of them, so that no split has one and another split the other."""
    for number in range(3):
        draw_photo(tmp_path / f"{number}.jpg", number)
    (tmp_path / "records.csv").write_text(
        "scientificName,associatedMedia\nPieris rapae,0.jpg|1.jpg\nPieris rapae,2.jpg\n"
    )
    found = TableSource(tmp_path / "records.csv").photos()
    assert [photo.specimen for photo in found] == ["file:0.jpg", "file:0.jpg", "file:2.jpg"]


def test_a_table_without_files_is_refused(tmp_path: Path) -> None:
    """The columns that would do are named."""
    (tmp_path / "names.csv").write_text("genus,species\nPieris,rapae\n")
    with pytest.raises(RecordError, match="has no column that names files"):
        TableSource(tmp_path / "names.csv")
    with pytest.raises(UsageError, match="There is no folder"):
        TableSource(tmp_path / "names.csv", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.txt", "Pieris napi\n\nCyclonaias tuberculata\n"),
        ("list.csv", "genus,species\nPieris,napi\nCyclonaias,tuberculata\n"),
        ("names.csv", "scientificName\nPieris napi\nCyclonaias tuberculata\n"),
        ("list.json", '{"Animalia-M-B-U-U-Cyclonaias-tuberculata": ["a.jpg"], "Pieris napi": []}'),
    ],
)
def test_lists_of_species_are_read_as_they_come(tmp_path: Path, name: str, text: str) -> None:
    """Lines, tables and the JSON of the Rare Species benchmark."""
    (tmp_path / name).write_text(text)
    assert read_species(tmp_path / name) == {"pieris napi", "cyclonaias tuberculata"}


def test_a_list_without_species_is_refused(tmp_path: Path) -> None:
    """An empty list would silently keep nothing unseen."""
    (tmp_path / "list.txt").write_text("Pieris\n")
    with pytest.raises(RecordError, match="lists no species"):
        read_species(tmp_path / "list.txt")
    with pytest.raises(RecordError, match="cannot be read"):
        read_species(tmp_path / "none.txt")
    assert species_key("Quercus × hispanica") == species_key("Quercus hispanica Lam.") == "quercus hispanica"


# ---- the commands ----


def test_the_catalogue_becomes_shards(indexed: Path, run: Command, tmp_path: Path) -> None:
    """`train shards` takes what was indexed; `train check` agrees."""
    result = run("train", "shards", tmp_path / "shards", "--val", "0.4", "--size", "64", "--format", "json")
    assert result.code == 0, result.err
    splits = result.json["splits"]
    assert splits["train"]["samples"] + splits["val"]["samples"] == 6
    found = documents(tmp_path / "shards", "train")
    assert {document["species"] for document in found} == {"Danaus plexippus", "Pieris rapae"}
    assert {document["specimen"] for document in found} <= {f"urn:catalog:::CAT-{n:03d}" for n in range(6)}
    assert str(tmp_path) not in json.dumps(found)
    checked = run("train", "check", tmp_path / "shards", "--deep", "--format", "json")
    assert checked.json["splits"] == splits
    assert "Every shard is there" in run("train", "check", tmp_path / "shards").out
    (tmp_path / "shards" / "train-000000.tar").unlink()
    failed = run("train", "check", tmp_path / "shards")
    assert failed.code == 2
    assert failed.err.startswith("Error: The shard ")
    assert failed.err.count("\n") == 1


def test_records_become_shards_at_the_command_line(table: Path, run: Command, tmp_path: Path) -> None:
    """Photos that cannot be read are told on standard error, the result on standard output."""
    (table.parent / "drawer0" / "000.jpg").write_bytes(b"no picture")
    (tmp_path / "unseen.txt").write_text("Pieris napi\n")
    arguments = ("train", "shards", tmp_path / "out", "--records", table, "--unseen", tmp_path / "unseen.txt")
    result = run(*arguments, "--val", "0.2")
    assert result.code == 0, result.err
    assert "1 photos were skipped" in result.out
    assert "unseen  12 photos of 1 taxa in 1 shard" in result.out
    assert "skipped" in result.err
    assert "000.jpg" in result.err


def test_species_to_keep_unseen_that_are_not_there_are_told(table: Path, run: Command, tmp_path: Path) -> None:
    """Some of them by name; where not one is there it is an error, and a list that is mended is taken."""
    unseen, asked = tmp_path / "unseen.txt", ("train", "shards", tmp_path / "out", "--records", table)
    unseen.write_text("Pieris nappi\nApis mellifera\n")
    wrong = run(*asked, "--unseen", unseen)
    assert (wrong.code, "--unseen lists (apis mellifera, pieris nappi)" in wrong.err) == (2, True)
    unseen.write_text("Pieris napi\nApis mellifera\n")
    result = run(*asked, "--unseen", unseen, "--format", "json")
    assert result.code == 0, result.err
    assert "Note: species of --unseen without any photo: 1 (apis mellifera)." in result.err
    assert result.json["unseenNotThere"] == ["apis mellifera"]
    assert "Note" not in run("train", "shards", tmp_path / "without", "--records", table, "--val", "0.5").err


def test_of_many_species_that_are_not_there_five_are_named(table: Path, run: Command, tmp_path: Path) -> None:
    """In the error and in the note alike."""
    unseen, asked = tmp_path / "unseen.txt", ("train", "shards", tmp_path / "out", "--records", table)
    for count, named in ((5, "(xus a, xus b, xus c, xus d, xus e)"), (6, "(xus a, xus b, xus c, xus d, xus e …)")):
        wrong = "".join(f"Xus {epithet}\n" for epithet in "abcdef"[:count])
        unseen.write_text(wrong)
        assert named in run(*asked, "--unseen", unseen).err
    unseen.write_text(wrong + "Pieris napi\n")
    assert named in run(*asked, "--unseen", unseen).err


def test_wrong_species_to_keep_unseen_do_not_end_a_run_that_was_begun(table: Path, tmp_path: Path) -> None:
    """A run that was stopped before its first shard keeps its plan when it is given another list."""

    class Stopping(Watching):
        def begin(self, total: int) -> None:  # noqa: ARG002
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written(table, tmp_path / "shards", Stopping())
    before = (tmp_path / "shards" / PLAN).read_bytes()
    with pytest.raises(UsageError, match="begun with another unseen"):
        written(table, tmp_path / "shards", dealt=Dealt(3, 0.34, frozenset({"pieris nappi"})))
    assert (tmp_path / "shards" / PLAN).read_bytes() == before


def test_a_split_without_photos_is_told(table: Path, run: Command, tmp_path: Path) -> None:
    """Nothing for validation where every taxon has one specimen, nothing for training where all are unseen."""
    single = table.with_name("single.csv")
    single.write_text("\n".join(table.read_text().splitlines()[:4]) + "\n")
    assert "no photo is for validation" in run("train", "shards", tmp_path / "one", "--records", single).err
    assert "Note" not in run("train", "shards", tmp_path / "two", "--records", single, "--val", "0").err
    (tmp_path / "all.txt").write_text("\n".join(f"{genus} {epithet}" for _, genus, epithet, _ in SPECIES))
    every = run("train", "shards", tmp_path / "all", "--records", single, "--unseen", tmp_path / "all.txt")
    assert (every.code, "no photo is for training" in every.err) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--photos", "x"], "--photos and --map say how --records is read"),
        (["--records", "x.csv", "--catalogue", "y"], "give one of them"),
        ([], "There is no catalogue"),
        (["--records", "nowhere.csv"], "cannot be read"),
    ],
)
def test_wrong_options_are_one_sentence(run: Command, tmp_path: Path, arguments: list[str], sentence: str) -> None:
    """No traceback, exit code 2."""
    result = run("train", "shards", tmp_path / "out", *arguments)
    assert result.code == 2
    assert sentence in result.err
    assert not (tmp_path / "out").exists()


def test_errors_of_shards_are_ours() -> None:
    """So that the command line prints them as a sentence."""
    assert issubclass(ShardError, BioclipSearchError)


@pytest.mark.parametrize(
    "data",
    [
        b"genus,species\nPieris,napi\n,\nQuercus,robur\n",
        b"\r\n\r\ngenus\tspecies\r\nPieris\tnapi\r\nQuercus\trobur\r\n",
        b"\xef\xbb\xbfsep=;\r\ngenus;species\r\nPieris;napi\r\nQuercus;robur\r\n",
        "genus|species\nPieris|nàpi\nQuercus|robur\n".encode("cp1252"),
        "genus,species\nPieris,nàpi\nQuercus,robur\n".encode("utf-16"),
        b'genus,species\n"Pieris","na""p,i\nx"\nQuercus,robur\n',
    ],
)
def test_a_table_is_streamed_as_it_is_read_whole(tmp_path: Path, data: bytes) -> None:
    """Encodings, delimiters, quotes and Excel's first line mean the same, however long the table is."""
    (tmp_path / "table.csv").write_bytes(data)
    whole = read_table(tmp_path / "table.csv", {}, joins=False)
    streamed = stream_table(tmp_path / "table.csv")
    assert list(streamed.records) == list(whole)
    assert len(whole) == 2
    assert set(streamed.columns) == whole.columns
