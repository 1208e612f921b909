"""Samples as they are read from shards: whatever is wrong with one is told with its key and its shard."""

import io
import json
from pathlib import Path

import open_clip
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from shard_writer import write_shards

from bioclip_search.errors import RecordError, ShardError
from training.data import Captions, Draw, SampleReader
from training.objectives import true_pairs
from training.plan import caption_groups
from training.reading_parts import DataPart, ShardSource
from training.shard_index import index_all, open_folder
from training.shard_samples import ShardSamples
from training.shards.reading import picture_of, sample_of
from training.shards.sample import sample_json
from training.shards.species import read_species

WRONG = [
    (b"[1, 2]", "no object"),
    (b"7", "no object"),
    (b"null", "no object"),
    (b'{"genus": "\xff\xfe"}', "utf-8"),
    (b'{"genus": 5}', "no text"),
    (b'{"genus": "Pica", "captions": "a bird"}', "no list of texts"),
    (b'{"genus": "Pica", "captions": [1]}', "no list of texts"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"key": "1"}', "no name at all"),
]


def bomb(side: int = 15_000) -> bytes:
    """A JPEG whose header claims more pixels than are ever decoded."""
    stream = io.BytesIO()
    Image.new("RGB", (16, 16)).save(stream, "JPEG")
    content = bytearray(stream.getvalue())
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = side.to_bytes(2, "big") * 2
    return bytes(content)


@pytest.mark.parametrize(("content", "told"), WRONG)
def test_a_sample_that_is_none_is_told_before_training(tmp_path: Path, content: bytes, told: str) -> None:
    """By its key and its shard, in one sentence."""
    folder = write_shards(tmp_path / "shards", (4,), described={2: content})
    opened = open_folder(ShardSource(str(folder)))
    with pytest.raises(RecordError, match=rf"^The shard .*train-000000.tar .*sample 0+2: .*{told}"):
        index_all(opened.shards, tmp_path / "index", lambda _: None)


@pytest.mark.parametrize("content", [bomb(), b"no picture"])
def test_a_picture_that_is_none_is_told(tmp_path: Path, content: bytes) -> None:
    """Before training where it is the first of its shard; else when it is read, by key and shard."""
    first = open_folder(ShardSource(str(write_shards(tmp_path / "first", (4,), pictures={0: content}))))
    with pytest.raises(RecordError, match=r"sample 0+: its picture: "):
        index_all(first.shards, tmp_path / "index", lambda _: None)
    later = open_folder(ShardSource(str(write_shards(tmp_path / "later", (4,), pictures={2: content}))))
    index_all(later.shards, tmp_path / "index", lambda _: None)
    samples = ShardSamples(later.shards, tmp_path / "index")
    told = r"^The sample 2 \(0+2\) of .*train-000000.tar cannot be read \(its picture: .*\); copy the shard again\.$"
    with pytest.raises(ShardError, match=told), samples.naming(2):
        picture_of(samples.read(2)[0])


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["genus", "species", "captions", "key", "Class", " x"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_whatever_a_sample_says_it_is_read_or_told(content: bytes) -> None:
    """Never with another error; what is read can be put into captions."""
    try:
        sample = sample_of(content)
    except ValueError:
        return
    for text in (*sample.captions, sample.key or "", sample.taxon.tagged):
        text.encode()


def test_a_sample_is_read_as_it_was_written() -> None:
    """Its names, captions, key and specimen."""
    names = {"genus": "Pica", "species": "Pica pica", "vernacularName": "magpie"}
    sample = sample_of(sample_json("7", names, None, "urn:1", "records", ["a bird", "black and white"]))
    assert (sample.key, sample.specimen, sample.taxon.tagged) == ("7", "urn:1", "genus Pica species Pica pica")
    assert (sample.taxon.common_name, sample.captions) == ("magpie", ("a bird", "black and white"))


@pytest.mark.parametrize("content", ["5", "null", '"Pica pica"', "[" * 100_000])
def test_a_list_of_species_that_is_none_is_told(tmp_path: Path, content: str) -> None:
    """In one sentence."""
    (tmp_path / "species.json").write_text(content)
    with pytest.raises(RecordError, match=r"list of species .* cannot be read"):
        read_species(tmp_path / "species.json")


def test_samples_without_a_name_share_no_taxon(tmp_path: Path) -> None:
    """Each is true of its own caption alone, which is never an empty name; they may lie in one unique batch."""
    twins = b'{"captions": ["two alike"]}'
    folder = write_shards(tmp_path / "shards", (6,), captions=True, described={4: twins, 5: twins})
    opened = open_folder(ShardSource(str(folder)))
    index_all(opened.shards, tmp_path / "index", lambda _: None)
    samples = ShardSamples(opened.shards, tmp_path / "index")
    captions = Captions.of(DataPart(), 0)
    assert captions.of_sample(sample_of(twins).taxon, ["two alike"], 0, 0) == "two alike"
    reader = SampleReader([samples], captions, open_clip.SimpleTokenizer(), 32, (0.9, 1.0))
    part = reader.__getitems__([Draw(0, row, 0, row) for row in range(6)])
    assert isinstance(part, tuple)
    expected = torch.eye(6, dtype=torch.bool)
    expected[4, 5] = expected[5, 4] = True
    assert torch.equal(true_pairs(part[2], part[2]), expected)
    groups = caption_groups(samples.column("scientific"), samples.column("common"))
    assert len(set(groups.tolist())) == 5
