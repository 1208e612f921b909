"""What a painted photograph shows and what it keeps quiet about; the collection's table."""

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bioclip_search.demo.collection import RECORDS, write_collection
from bioclip_search.demo.species import AnySpecies, Style
from bioclip_search.demo.specimens import SPECIES, paint

SMALL = 0.2


def by_name(species: AnySpecies) -> str:
    return species.taxon.species or ""


def pixels(species: AnySpecies, seed: int, style: Style | None = None) -> bytes:
    return paint(species, seed, style, scale=SMALL).picture.tobytes()


def test_specimens_do_not_depend_on_what_was_painted_before() -> None:
    """Painting other specimens, or drawing from the global generator, changes no pixel."""
    first = pixels(SPECIES[0], 11)
    paint(SPECIES[1], 4, scale=SMALL)
    np.random.seed(5)
    assert pixels(SPECIES[0], 11) == first


def test_individuals_and_species_differ() -> None:
    """Ten seeds give ten pictures, and one seed gives every species a picture of its own."""
    assert len({pixels(SPECIES[0], seed) for seed in range(10)}) == 10
    assert len({pixels(species, 3) for species in SPECIES}) == len(SPECIES)


def test_the_text_on_a_photo_never_names_the_animal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is written into any style of photo holds no rank, species or common name."""
    written: list[str] = []
    draw_text = ImageDraw.ImageDraw.text

    def recorded(pen: ImageDraw.ImageDraw, xy: tuple[float, float], text: str, *rest: object, **named: object) -> None:
        written.append(text.lower())
        draw_text(pen, xy, text, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", recorded)
    for species in SPECIES:
        written.clear()
        for style in species.plan.styles:
            paint(species, 8, style, scale=SMALL)
        names = [*(name for _, name in species.taxon.lineage), species.taxon.common_name or ""]
        assert written
        assert not [(name, text) for name in names for text in written if name.lower() in text]


def test_phrases_are_short_plain_and_belong_to_one_species() -> None:
    """A description is lower case, says nothing of the kind of photo, and is not given to two species."""
    phrases = [phrase for species in SPECIES for phrase in species.phrases]
    assert len(set(phrases)) == len(phrases)
    for phrase in phrases:
        assert not {"photo", "pinned", "tray", "sheet", "drawing", "painted"} & set(phrase.split())
        assert phrase[0].islower()


def test_every_record_of_a_collection_names_its_photo_and_its_taxon(tmp_path: Path) -> None:
    """The table says what each file shows, when, and on which basis; the photos open as RGB."""
    table = write_collection(tmp_path, 24)
    assert table == tmp_path / RECORDS
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    taxa = {by_name(species): species.taxon for species in SPECIES}
    assert len({row["occurrenceID"] for row in rows}) == 24
    for row in rows:
        taxon = taxa[row["scientificName"]]
        assert (row["order"], row["family"], row["vernacularName"]) == (taxon.order, taxon.family, taxon.common_name)
        assert f"{row['genus']} {row['specificEpithet']}" == row["scientificName"]
        assert row["basisOfRecord"] in ("PreservedSpecimen", "HumanObservation")
        assert date.fromisoformat(row["eventDate"]).year >= 1890
        with Image.open(tmp_path / row["associatedMedia"]) as photo:
            assert (photo.format, photo.mode) == ("JPEG", "RGB")


def test_progress_counts_every_photo(tmp_path: Path) -> None:
    """The caller hears of as many photos as are written."""
    steps: list[int] = []
    write_collection(tmp_path, 5, progress=steps.append)
    assert sum(steps) == len(list(tmp_path.rglob("*.jpg"))) == 5
