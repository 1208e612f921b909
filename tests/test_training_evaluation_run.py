"""`bioclip-search train eval`, end to end: the built-in model on painted specimens, and drawn photos."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import Command
from PIL import Image
from shard_writer import write_shards

from bioclip_search.demo.specimens import SPECIES, paint
from bioclip_search.taxonomy import Rank
from training.reading_parts import EvaluationPart

EACH = 3
KINDS = (0, 1, 12, 20, 30, 40)


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three painted specimens of six species, with a Darwin Core table."""
    folder = tmp_path_factory.mktemp("painted")
    with (folder / "occurrence.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["catalogNumber", *Rank, "vernacularName", "associatedMedia"])
        for number in range(EACH * len(KINDS)):
            species = SPECIES[KINDS[number % len(KINDS)]]
            paint(species, 30_000_000 + number, scale=0.5).picture.save(folder / f"{number}.png")
            ranks = [species.taxon.name_at(rank) or "" for rank in Rank]
            rows.writerow([f"N{number}", *ranks, species.taxon.common_name, f"{number}.png"])
    return folder


def test_the_built_in_model_is_measured_on_painted_specimens(painted: Path, run: Command, tmp_path: Path) -> None:
    """All figures, by the model and a baseline, in JSON, Markdown and pictures; a second run reads no photo."""
    queries = tmp_path / "queries.csv"
    name = SPECIES[0].taxon.common_name
    queries.write_text(
        f"query_id,query_text,supercategory,image_path\n1,{name},Species,0.png\n1,{name},Species,6.png\n"
    )
    asked = ["train", "eval", "--model", "builtin", "--records", painted / "occurrence.csv", "--output"]
    asked += [tmp_path / "eval", "--shots", 1, "--shots", 5, "--baseline", "raw-pixels", "--text-type", "taxon_com"]
    asked += ["--text-type", "com", "--queries", queries, "--device", "cpu", "--dtype", "float32"]
    done = run(*asked, "--format", "json")
    assert done.code == 0, done.err
    found = done.json
    assert (found["photos"], found["species"], found["unreadable"]) == (18, 6, 0)
    assert found["numbers"] == "float32"
    assert found["texts"]["zero_shot"]["taxon_com"]["top1"] >= 0.85
    assert found["texts"]["zero_shot"]["com"]["classes"] == 6
    one_shot = found["images"]["builtin"]["few_shot"]["1"]
    assert one_shot["mean"] == pytest.approx(np.mean(one_shot["simple_shot"]))
    assert one_shot["mean"] > found["images"]["raw-pixels"]["few_shot"]["1"]["mean"]
    assert found["images"]["builtin"]["few_shot"]["5"] is None
    assert set(found["texts"]["by_rank"]["summed"]) == {rank.value for rank in Rank}
    assert found["queries"]["all"]["queries"] == 1
    assert found["queries"]["Species"]["average_precision"] > 0.5
    assert json.loads((tmp_path / "eval" / "results.json").read_text()) == found
    for picture in ("reliability.png", "accuracy-by-rank.png", "hierarchy.png"):
        with Image.open(tmp_path / "eval" / picture) as opened:
            assert len(opened.convert("RGB").getcolors(1_000_000) or []) > 10
    again = run(*asked)
    assert again.code == 0, again.err
    assert "Reading" not in again.err
    for words in ("Zero-shot", "SimpleShot", "raw-pixels", "other photos", "results.md"):
        assert words in again.out
    assert "weights" in again.out.splitlines()[0]
    assert "in float32; in per cent." in again.out.splitlines()[0]
    assert "PlantVillage" in (tmp_path / "eval" / "results.md").read_text()


def test_a_catalogue_gives_its_own_embeddings(indexed: Path, small_model: Path, run: Command, tmp_path: Path) -> None:
    """With the catalogue's model no photo is read: the files may be gone."""
    shutil.rmtree(indexed / "drawer0")
    done = run("train", "eval", "--model", small_model, "--output", tmp_path / "eval", "--format", "json")
    assert done.code == 0, done.err
    assert "Reading" not in done.err
    assert (done.json["photos"], done.json["species"]) == (6, 2)
    (indexed.parent / "list.txt").write_text("Pieris rapae\n")
    asked = ["--species-file", indexed.parent / "list.txt", "--output", tmp_path / "part", "--format", "json"]
    part = run("train", "eval", "--model", small_model, *asked)
    assert (part.code, part.json["photos"]) == (0, 3), part.err
    assert str(small_model.parent) not in (tmp_path / "eval" / "results.md").read_text()
    assert str(small_model.parent) not in (tmp_path / "eval" / "results.json").read_text()


def test_damaged_photos_are_told_of_and_left_out(photos: Path, small_model: Path, run: Command, tmp_path: Path) -> None:
    """The model and its baselines are measured on the same photos."""
    (photos / "drawer0" / "CAT-001.jpg").write_bytes(b"no picture")
    options = ["--records", photos / "occurrence.csv", "--baseline", "raw-pixels", "--shots", 1, "--format", "json"]
    done = run("train", "eval", "--model", small_model, "--output", tmp_path / "eval", *options)
    assert done.code == 0, done.err
    assert "skipped drawer0/CAT-001.jpg" in done.err
    assert (done.json["photos"], done.json["unreadable"]) == (5, 1)


def test_records_without_files_are_counted(photos: Path, small_model: Path, run: Command, tmp_path: Path) -> None:
    """What is not measured is said."""
    (photos / "drawer0" / "CAT-001.jpg").unlink()
    asked = ["train", "eval", "--model", small_model, "--records", photos / "occurrence.csv", "--shots", 1]
    done = run(*asked, "--output", tmp_path / "eval")
    assert done.code == 0, done.err
    assert f"5 photos found in {photos}; records that name no file there: 1" in done.err
    assert "1 record names no file that is there" in done.out
    assert "1 record names no file that is there" in (tmp_path / "eval" / "results.md").read_text()


def test_results_are_not_put_among_other_things(photos: Path, small_model: Path, run: Command, tmp_path: Path) -> None:
    """A folder of shards, of photos or of anything else is refused; an earlier one's is not."""
    shards = write_shards(tmp_path / "shards")
    asked = ["train", "eval", "--model", small_model, "--records", photos / "occurrence.csv", "--shots", 1, "--output"]
    for place, sentence in ((shards, "is a folder of training shards"), (photos, "holds other things")):
        before = sorted(place.iterdir())
        refused = run(*asked, place)
        assert (refused.code, sentence in refused.err) == (2, True)
        assert sorted(place.iterdir()) == before
    assert run(*asked, tmp_path / "eval").code == 0
    assert run(*asked, tmp_path / "eval").code == 0


def test_photos_that_are_elsewhere_are_not_blamed_on_records(
    photos: Path, small_model: Path, run: Command, tmp_path: Path
) -> None:
    """The folder that was looked in is named, with the option for another."""
    asked = ["train", "eval", "--model", small_model, "--records", photos / "occurrence.csv"]
    (tmp_path / "elsewhere").mkdir()
    done = run(*asked, "--photos", tmp_path / "elsewhere", "--output", tmp_path / "eval")
    assert done.code == 2
    assert f"was found in {tmp_path / 'elsewhere'} (6 records name no file that is there); give" in done.err
    assert "--photos" in done.err


def test_shards_and_lists_of_species(small_model: Path, run: Command, tmp_path: Path) -> None:
    """A split is read from its tars; a list keeps only its species."""
    shards = write_shards(tmp_path / "shards", sizes=(20, 28), taxa=4)
    (tmp_path / "list.txt").write_text("Genus0 albus\nGenus3 albus\n")
    asked = ["train", "eval", "--model", small_model, "--shards", shards, "--split", "train", "--shots", 2]
    done = run(*asked, "--species-file", tmp_path / "list.txt", "--output", tmp_path / "eval", "--format", "json")
    assert done.code == 0, done.err
    assert (done.json["photos"], done.json["species"]) == (24, 2)
    assert done.json["images"][small_model.name]["few_shot"]["2"]["queries"] == 20


def test_the_species_that_shards_kept_unseen_can_be_asked_for(
    photos: Path, small_model: Path, run: Command, tmp_path: Path
) -> None:
    """A folder of shards stands for the species of its split `unseen`; one species alone has no few-shot figure."""
    (tmp_path / "unseen.txt").write_text("Pieris rapae\n")
    records = ["--records", photos / "occurrence.csv"]
    assert run("train", "shards", tmp_path / "shards", *records, "--unseen", tmp_path / "unseen.txt").code == 0
    asked = ["train", "eval", "--model", small_model, "--shots", 1, "--format", "json", "--output", tmp_path / "eval"]
    of_table = run(*asked, *records, "--species-file", tmp_path / "shards")
    of_split = run(*asked, "--shards", tmp_path / "shards", "--split", "unseen")
    for done in (of_table, of_split):
        assert done.code == 0, done.err
        assert (done.json["photos"], done.json["species"]) == (3, 1)
        assert done.json["images"][small_model.name]["few_shot"]["1"] is None
        assert done.json["texts"]["hierarchy"]["spearman"] is None


def test_help_imports_nothing_heavy() -> None:
    """Help answers at once."""
    script = (
        "import sys\nfrom bioclip_search.cli import main\ntry:\n    main(['train', 'eval', '--help'])\n"
        "except SystemExit:\n    print('IMPORTED', *({'torch', 'numpy', 'PIL', 'lancedb'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.rstrip().endswith("IMPORTED")


def test_readme_and_help_tell_how_many_photos_validation_asks(run: Command) -> None:
    """The recipe's default, and that it is one."""
    sentence = f"asks by default at most {EvaluationPart(every=1).photos:,} photos (`evaluation.photos`"
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    for text in (readme, run("train", "eval", "--help").out):
        assert sentence in " ".join(text.split())


def test_random_weights_follow_from_the_seed(tmp_path: Path) -> None:
    """A baseline can be measured again."""
    import torch

    from training.evaluation.encoders import random_model

    pixels = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    before = torch.random.get_rng_state()
    first, again, other = (random_model("ViT-S-32-alt", seed, torch.device("cpu")) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first.encode_pixels(pixels) == pytest.approx(again.encode_pixels(pixels), abs=1e-6)
    assert np.abs(first.encode_pixels(pixels) - other.encode_pixels(pixels)).max() > 0.01


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--records", "occurrence.csv", "--baseline", "magic"], "no baseline “magic”"),
        (["--records", "occurrence.csv", "--baseline", "random:ViT-Z-99"], "no architecture “ViT-Z-99”"),
        (["--records", "occurrence.csv", "--shards", "x"], "give one of them"),
        (["--photos", "x"], "--records"),
        (["--split", "val"], "--shards"),
        (["--shards", "nowhere"], "no manifest.json"),
        (["--records", "occurrence.csv", "--relevant", "occurrence.csv"], "--queries"),
        (["--records", "occurrence.csv", "--queries", "occurrence.csv"], "no column of the text"),
        (["--records", "occurrence.csv", "--species-file", "other.txt"], "no photo of the species"),
        (["--records", "occurrence.csv", "--output", "occurrence.csv"], "cannot be made"),
        ([], "no catalogue"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(
    options: list[str], reason: str, photos: Path, small_model: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, one line, no traceback."""
    monkeypatch.chdir(photos)
    (photos / "other.txt").write_text("Apis mellifera\n")
    done = run("train", "eval", "--model", small_model, "--output", "eval", *options)
    assert done.code == 2
    errors = [line for line in done.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert reason in errors[0]
    assert "Traceback" not in done.err
    assert done.out == ""
