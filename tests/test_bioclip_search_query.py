"""Queries of several parts, filters and ways to choose, against brute force over the embeddings."""

import doctest
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers import Command, draw_photo, some_photo, write_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bioclip_search
from bioclip_search import api
from bioclip_search.background import Background, measure_background
from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Embedder
from bioclip_search.errors import ModelMismatch, QueryError, UnknownTaxon
from bioclip_search.prompts import caption
from bioclip_search.query import LikePart, PhotoPart, Query, Searcher, TextPart
from bioclip_search.region import Region
from bioclip_search.specimen import Specimen
from bioclip_search.taxonomy import Taxon

COUNT = 60


@pytest.fixture(scope="module")
def embedder(small_model: Path) -> Embedder:
    """A small real model."""
    return Embedder.load(str(small_model), device="cpu", dtype="float32")


def _specimen(number: int) -> Specimen:
    """Of every specimen three photos; some have no family, some no type status."""
    specimen = number // 3
    terms = {"catalogNumber": f"N{specimen:03d}", "country": "Panama" if specimen % 2 else "Costa Rica"}
    if specimen % 4 == 0:
        terms["typeStatus"] = "holotype"
    terms["year"] = str(1890 + specimen)
    terms["recordedBy"] = "O'Brien; DROP TABLE" if specimen == 5 else "A. Busck"
    family = None if specimen % 5 == 4 else f"Family{specimen % 5}"
    return Specimen(Taxon(kingdom="Animalia", family=family), terms)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Catalogue:
    """Sixty photos of twenty specimens, with the embeddings of texts, which are as good as any."""
    made = Catalogue.create(tmp_path_factory.mktemp("query") / "c", embedder.fingerprint)
    photos = [
        some_photo(f"{n:03d}.jpg", specimen=_specimen(n), view=("dorsal", "ventral", "label")[n % 3])
        for n in range(COUNT)
    ]
    rng = np.random.default_rng(4)
    vectors = rng.standard_normal((COUNT, embedder.dim)).astype(np.float32)
    made.upsert(photos, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), [b""] * COUNT)
    made.optimize()
    return made


@pytest.fixture(scope="module")
def searcher(catalogue: Catalogue, embedder: Embedder) -> Searcher:
    """Searches the sixty."""
    return Searcher(catalogue, lambda: embedder)


def _vectors(catalogue: Catalogue) -> dict[str, np.ndarray]:
    keys = {key: path for key, _, path in catalogue.places_below("/archive")}
    found = catalogue.embeddings("true")
    return {keys[key]: vector / np.linalg.norm(vector) for key, vector in found.items()}


def _paths(hits: Sequence[object]) -> list[str]:
    return [hit.photo.path for hit in hits]  # type: ignore[attr-defined]


_parts = st.lists(
    st.builds(
        TextPart,
        st.sampled_from(["a red beetle", "label", "wing", "leaf on white"]),
        st.floats(-2, 2).filter(lambda weight: abs(weight) > 0.05),
        st.just(True),
    )
    | st.builds(LikePart, st.sampled_from(["N003", "N007", "011.jpg"]), st.sampled_from([1.0, -0.5, 2.0])),
    min_size=1,
    max_size=4,
    unique_by=lambda part: part.label,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(parts=_parts, limit=st.integers(1, 70))
def test_the_order_is_that_of_the_weighted_sum(
    catalogue: Catalogue, searcher: Searcher, embedder: Embedder, parts: list[TextPart | LikePart], limit: int
) -> None:
    """Texts and photos, added and taken away: hits are those of a plain sum of weighted cosines, and say why."""
    vectors = _vectors(catalogue)
    own = {"N003": range(9, 12), "N007": range(21, 24), "011.jpg": range(11, 12)}
    asked, left_out = [], set()
    for part in parts:
        if isinstance(part, TextPart):
            asked.append(embedder.encode_texts([part.words])[0])
            continue
        members = [f"{n:03d}.jpg" for n in own[part.name]]
        total = np.sum([vectors[path] for path in members], axis=0)
        asked.append(total / np.linalg.norm(total))
        left_out |= set(members)
    sums = {
        path: sum(part.weight * float(vector @ one) for part, one in zip(parts, asked, strict=True))
        for path, vector in vectors.items()
        if path not in left_out
    }
    hits = searcher.search(Query(tuple(parts), limit=limit))
    length = np.linalg.norm(np.sum([part.weight * one for part, one in zip(parts, asked, strict=True)], axis=0))
    assert [sums[path] for path in _paths(hits)] == pytest.approx(sorted(sums.values(), reverse=True)[:limit], abs=2e-3)
    for hit in hits:
        assert hit.score == pytest.approx(sums[hit.photo.path] / length, abs=3e-3)
        assert sum(evidence.weight * (evidence.cosine or 0) for evidence in hit.why) == pytest.approx(
            sums[hit.photo.path], abs=3e-3
        )


def test_pages_follow_each_other(searcher: Searcher) -> None:
    """Offset and limit cut the same list, with specimens and conditions as well."""
    for ways in ({}, {"by_specimen": True}, {"where": "year > 1895"}):

        def page(limit: int, offset: int, ways: dict[str, object] = ways) -> list[str]:
            return _paths(searcher.search(Query((TextPart("wing"),), limit=limit, offset=offset, **ways)))

        whole = page(20, 0)
        assert [path for at in (0, 5, 10, 15) for path in page(5, at)] == whole


def test_by_specimen_gives_the_best_photo_of_each(catalogue: Catalogue, searcher: Searcher) -> None:
    """As many specimens as are asked for, each once, each by its best photo."""
    everything = searcher.search(Query((TextPart("wing"),), limit=COUNT))
    first: dict[str, str] = {}
    for hit in everything:
        first.setdefault(hit.specimen.catalog_number or "", hit.photo.path)
    hits = searcher.search(Query((TextPart("wing"),), limit=20, by_specimen=True))
    assert _paths(hits) == list(first.values())
    assert len(searcher.search(Query(taxa=("Animalia",), limit=100, by_specimen=True))) == 20


def test_diverse_hits_begin_with_the_best_and_differ(catalogue: Catalogue, searcher: Searcher) -> None:
    """The best hit stays first; the others are less like each other than the plain best are."""
    vectors = _vectors(catalogue)

    def likeness(paths: list[str]) -> float:
        chosen = np.stack([vectors[path] for path in paths])
        return float((chosen @ chosen.T).sum())

    plain = _paths(searcher.search(Query((TextPart("wing"),), limit=8)))
    diverse = _paths(searcher.search(Query((TextPart("wing"),), limit=8, diverse=True)))
    assert diverse[0] == plain[0]
    assert likeness(diverse) < likeness(plain)


def test_filters_hold_together(searcher: Searcher) -> None:
    """Taxa, exclusions, conditions and views: all hits meet all, and every photo that does is found."""
    hits = searcher.search(
        Query(
            (TextPart("wing"),),
            taxa=("Family1", "Family2"),
            not_taxa=("Family2",),
            where="country = Panama or typeStatus = 'holotype'",
            view="dorsal",
            limit=100,
        )
    )
    expected = {
        f"{n:03d}.jpg" for n in range(COUNT) if (n // 3) % 5 == 1 and ((n // 3) % 2 or (n // 3) % 4 == 0) and n % 3 == 0
    }
    assert set(_paths(hits)) == expected


def test_not_taxon_keeps_photos_without_that_rank(searcher: Searcher) -> None:
    """What has no family is not of the family."""
    hits = searcher.search(Query((TextPart("wing"),), not_taxa=("Family1",), limit=100))
    assert {hit.taxon.family for hit in hits} == {None, "Family0", "Family2", "Family3"}


def test_min_score_leaves_out_what_is_lower(searcher: Searcher) -> None:
    """The hits are those of the whole list that reach it."""
    whole = searcher.search(Query((TextPart("wing"),), limit=COUNT))
    least = whole[10].score or 0.0
    assert _paths(searcher.search(Query((TextPart("wing"),), limit=COUNT, min_score=least))) == _paths(whole)[:11]


@pytest.mark.parametrize(
    "attempt",
    ["x' OR '1'='1", "'; DROP TABLE photos; --", "` OR 1=1 --", 'Family1" OR "1"="1', "Family1') OR ('1'='1", "%"],
)
def test_injection_is_only_a_value(catalogue: Catalogue, searcher: Searcher, attempt: str) -> None:
    """In every filter the attempt is a value that nothing has, or an error; no photo more is found."""
    quoted = attempt.replace("'", "''")
    for query in (
        Query((TextPart("wing"),), where=f"recordedBy = '{quoted}'"),
        Query((TextPart("wing"),), view=attempt),
        Query(records=f"{attempt} nothingHasThisWord"),
    ):
        assert len(searcher.search(query)) == 0
    for query in (Query(taxa=(attempt,)), Query((TextPart("wing"),), not_taxa=(attempt,))):
        with pytest.raises(UnknownTaxon):
            searcher.search(query)
    with pytest.raises(QueryError):
        searcher.search(Query((LikePart(attempt),)))
    with pytest.raises(QueryError):
        searcher.search(Query((TextPart("wing"),), where=attempt))
    assert catalogue.count() == COUNT


def test_records_are_searched_by_all_their_words(searcher: Searcher) -> None:
    """Words stand anywhere in the record, in any order and letter case; quotes are only signs."""
    assert {hit.specimen.catalog_number for hit in searcher.search(Query(records="panama 1891", limit=100))} == {"N001"}
    assert {hit.specimen.catalog_number for hit in searcher.search(Query(records="O'Brien", limit=100))} == {"N005"}
    assert len(searcher.search(Query(records="Panama", limit=100))) == 30
    assert len(searcher.search(Query(records="Panama", where="year < 1894", limit=100))) == 6


def test_records_and_pictures_are_fused_by_rank(searcher: Searcher) -> None:
    """What stands high in both rankings comes first; hits say what each part found."""
    hits = searcher.search(Query((TextPart("wing"),), records="Panama 1893", limit=10))
    alone = searcher.search(Query((TextPart("wing"),), limit=COUNT))
    in_records = {"009.jpg", "010.jpg", "011.jpg"}
    best = min(in_records, key=lambda path: _paths(alone).index(path))
    assert best == _paths(hits)[0]
    assert any(evidence.part == "records: Panama 1893" for evidence in hits[0].why)
    assert len(hits) == 10


def test_a_name_is_asked_for_as_bioclip_is(catalogue: Catalogue, searcher: Searcher, embedder: Embedder) -> None:
    """A determination of the catalogue goes to the model with its ranks, in 80 templates; other words do not."""
    vectors = _vectors(catalogue)

    def score(part: TextPart) -> float:
        return searcher.search(Query((part,), limit=1))[0].score or 0.0

    def best(vector: np.ndarray) -> float:
        return max(float(vector @ one) for one in vectors.values())

    named = searcher.search(Query((TextPart("family1"),), limit=1))
    assert named[0].score == pytest.approx(best(embedder.encode_names(["Animalia Family1"])[0]), abs=2e-3)
    assert [(one.name, one.photos) for one in named.determined] == [("Family1", 12)]
    literal = embedder.encode_texts(["family1"])[0]
    assert score(TextPart("family1", literal=True)) == pytest.approx(best(literal), abs=2e-3)
    prose = embedder.encode_texts([caption("a red wing")])[0]
    assert score(TextPart("a red wing")) == pytest.approx(best(prose), abs=2e-3)
    unknown = embedder.encode_names(["Danaus plexippus"])[0]
    assert score(TextPart("Danaus plexippus")) == pytest.approx(best(unknown), abs=2e-3)


def test_nothing_good_is_said_to_be_so(catalogue: Catalogue, embedder: Embedder) -> None:
    """The sign is up when the best hit is no nearer than unrelated queries come, and down when it is."""
    searcher = Searcher(catalogue, lambda: embedder)
    assert searcher.search(Query((TextPart("wing"),))).no_good_match is None
    background = measure_background(catalogue, embedder)
    assert background is not None
    assert Background.read(catalogue) == background
    limit = background.reached(is_text=True)
    seen = set()
    for words in ("wing", "leaf", "beetle", "moss", "a red moth", "orchid", "fly", "fern", "bark", "a bicycle", "soup"):
        hits = searcher.search(Query((TextPart(words, literal=True),)))
        assert hits.no_good_match is ((hits[0].score or 0) <= limit)
        seen.add(hits.no_good_match)
    assert seen == {True, False}
    (catalogue.folder / "background.json").unlink()


def test_words_that_are_kept_need_no_model(catalogue: Catalogue, searcher: Searcher) -> None:
    """A text that was asked for once is answered without loading anything."""

    def never() -> Embedder:
        raise AssertionError("the model was asked for")

    first = _paths(searcher.search(Query((TextPart("a green leaf"),))))
    assert _paths(Searcher(catalogue, never).search(Query((TextPart("a green leaf"),)))) == first
    assert Searcher(catalogue, never).search(Query((LikePart("N003"),)))[0].score is not None


def test_a_query_that_cannot_be_asked_is_refused() -> None:
    """Each with one sentence."""
    for wrong in (
        {},
        {"parts": (TextPart("  "),)},
        {"parts": (TextPart("x", 0.0),)},
        {"parts": (TextPart("x", float("nan")),)},
        {"taxa": (" ",)},
        {"taxa": ("x",), "limit": 0},
        {"taxa": ("x",), "offset": -1},
        {"taxa": ("x",), "diverse": True},
    ):
        with pytest.raises(QueryError):
            Query(**wrong)  # type: ignore[arg-type]


def test_parts_that_cancel_each_other_are_refused(searcher: Searcher) -> None:
    """The same words for and against leave no direction."""
    with pytest.raises(QueryError, match="cancel"):
        searcher.search(Query((TextPart("wing"), TextPart("wing", -1.0))))


def test_several_queries_are_embedded_together(searcher: Searcher, embedder: Embedder, tmp_path: Path) -> None:
    """The answers are those of one query after the other; an error takes the place of its own answer only."""
    photo = draw_photo(tmp_path / "a.png", seed=1)
    queries = [
        Query((TextPart("bark"),)),
        Query((PhotoPart(str(photo)),)),
        Query((PhotoPart(str(tmp_path / "none.png")),)),
        Query((PhotoPart(str(photo), region=Region.parse("0,0,30,30")), TextPart("bark"))),
    ]
    answers = searcher.search_all(queries)
    for query, answer in zip(queries, answers, strict=True):
        if isinstance(answer, QueryError):
            assert "none.png" in str(answer)
        else:
            assert _paths(answer) == _paths(searcher.search(query))
    assert [isinstance(answer, QueryError) for answer in answers] == [False, False, True, False]


# The command line


def test_like_leaves_torch_alone(indexed: Path, catalogue_folder: Path) -> None:
    """A search by a specimen of the catalogue imports neither torch nor open_clip."""
    import subprocess

    script = (
        "import sys\nfrom bioclip_search.cli import main\n"
        "try:\n    main(['search', '--like', 'CAT-001', '--format', 'json'])\n"
        "finally:\n    heavy = {'torch', 'open_clip'} & set(sys.modules)\n    print(heavy, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)) == 5
    assert done.stderr.strip() == "set()"


def test_like_does_not_find_itself(indexed: Path, run: Command) -> None:
    """By number or by path; a number that nothing has is told so."""
    for name in ("CAT-002", str(indexed / "drawer0" / "CAT-002.jpg"), "drawer0/CAT-002.jpg"):
        hits = run("search", "--like", name, "--format", "json").json
        assert len(hits) == 5
        assert "CAT-002" not in {hit["catalogNumber"] for hit in hits}
    result = run("search", "--like", "nothing")
    assert (result.code, "given as image" in result.err) == (2, True)


def test_a_batch_answers_line_by_line(indexed: Path, run: Command, tmp_path: Path) -> None:
    """Every line of a file, or every photo of a folder, is a query; what cannot be read is passed over."""
    lines = tmp_path / "queries.txt"
    lines.write_text("wing\n\n0.5:monarch\n", encoding="utf-8")
    answers = [json.loads(line) for line in run("search", "--batch", lines, "-k", 2).out.splitlines()]
    assert [(answer["query"], len(answer["hits"])) for answer in answers] == [("wing", 2), ("0.5:monarch", 2)]
    assert answers[0]["hits"] == run("search", "wing", "-k", 2, "--format", "json").json
    (indexed / "drawer0" / "bad.jpg").write_text("no picture")
    result = run("search", "--batch", indexed / "drawer0", "-k", 1)
    assert [json.loads(line)["hits"][0]["score"] for line in result.out.splitlines()] == pytest.approx(
        [1] * 3, abs=2e-3
    )
    assert "bad.jpg" in result.err
    assert run("search", "--batch", tmp_path / "nowhere.txt").code == 2


def test_why_and_notes_are_printed(indexed: Path, run: Command) -> None:
    """The table tells each part's cosine, and standard error what the determinations say."""
    result = run("search", "monarch", "--not", "label", "--why", "-k", 2)
    assert result.out.split("\n")[0].split()[:4] == ["score", "monarch", "not", "label"]
    assert 'list them with --taxon "Danaus plexippus"' in result.err or 'list them with --taxon "monarch"' in result.err
    hit = run("search", "monarch", "--not", "label", "--why", "--format", "json").json[0]
    assert [(part["part"], part["weight"]) for part in hit["why"]] == [("monarch", 1.0), ("label", -1.0)]


def test_optimize_and_info_tell_how_photos_are_found(indexed: Path, run: Command) -> None:
    """Below the size of an index all embeddings are compared; the background is measured."""
    assert run("optimize", "--format", "json").json["index"] is None
    facts = run("info", "--format", "json").json
    assert set(facts["background"]) == {"texts", "pictures"}
    assert "all embeddings are compared" in run("info").out
    assert "compact" in run("optimize", "--no-model").out


def test_crop_wants_one_image(indexed: Path, run: Command) -> None:
    """A region belongs to a photo, lies in it, and is searched instead of the whole."""
    photo = indexed / "drawer0" / "CAT-000.jpg"
    assert run("search", "wing", "--crop", "0,0,10,10").code == 2
    assert run("search", "--image", photo, "--crop", "0,0,1000,10").code == 2
    whole, part = (
        run("search", "--image", photo, *crop, "-k", 1, "--format", "json").json[0]["score"]
        for crop in ([], ["--crop", "0%,0%,30%,30%"])
    )
    assert part < whole


def test_the_examples_of_the_python_api_hold(indexed: Path, catalogue_folder: Path) -> None:
    """What the docstring shows is what happens."""
    globs = {"folder": catalogue_folder, "photo": indexed / "drawer0" / "CAT-000.jpg"}
    for example in doctest.DocTestFinder(recurse=False).find(api, globs=globs):
        assert doctest.DocTestRunner().run(example).failed == 0


def test_another_model_is_refused_though_its_texts_are_kept(
    indexed: Path, run: Command, catalogue_folder: Path, tmp_path: Path
) -> None:
    """Words whose features are kept load no model; the model that is named is compared all the same."""
    assert run("search", "a grey moth").code == 0
    other = write_model(tmp_path / "other", seed=5)
    for words in (("search", "a grey moth"), ("export", tmp_path / "hits.csv", "--text", "a grey moth")):
        result = run(*words, "--model", other)
        assert (result.code, "was built with the model" in result.err) == (2, True)
    assert not (tmp_path / "hits.csv").exists()
    with pytest.raises(ModelMismatch, match="was built with the model"):
        bioclip_search.open(catalogue_folder, model=str(other))


def test_a_batch_passes_over_what_cannot_be_asked(indexed: Path, run: Command, tmp_path: Path) -> None:
    """A line of weight 0 costs only its own answer; options that a batch would ignore are refused."""
    lines = tmp_path / "queries.txt"
    lines.write_text("0:wing\nwing\n", encoding="utf-8")
    result = run("search", "--batch", lines)
    assert [json.loads(line)["query"] for line in result.out.splitlines()] == ["wing"]
    assert "0:wing" in result.err
    lines.write_text("wing\n", encoding="utf-8")
    assert "could be answered" in run("search", "--batch", lines, "--taxon", "Nothing").err
    for useless in (["moth"], ["--why"], ["--format", "csv"]):
        assert run("search", *useless, "--batch", lines).code == 2


def test_pages_of_equal_and_of_fused_scores_fit_together(searcher: Searcher) -> None:
    """Parts and words of records together: pages are those of the whole list, whatever their size."""
    for ways in ({"records": "Panama"}, {"records": "Panama", "by_specimen": True}, {"diverse": True}):

        def page(limit: int, offset: int, ways: dict[str, object] = ways) -> list[str]:
            return _paths(searcher.search(Query((TextPart("wing"),), limit=limit, offset=offset, **ways)))

        whole = page(18, 0)
        assert [path for at in (0, 6, 12) for path in page(6, at)] == whole


def test_what_is_left_out_is_left_out_of_records_too(searcher: Searcher) -> None:
    """A specimen that hits should be like is none itself, and a least score holds, in a fused search as well."""
    hits = searcher.search(Query((LikePart("N003"),), records="N003", limit=10))
    assert "N003" not in {hit.specimen.catalog_number for hit in hits}
    least = searcher.search(Query((TextPart("wing"),), records="Panama", min_score=0.1, limit=60))
    assert all((hit.score or 0) >= 0.1 for hit in least)


def test_text_that_is_no_unicode_is_refused(searcher: Searcher) -> None:
    """Bytes that a shell passes on and no text holds are one sentence, not a damaged catalogue."""
    for wrong in (
        {"view": "\udcff"},
        {"parts": (LikePart("\udcff"),)},
        {"taxa": ("\udcff",)},
        {"where": "sex = '\udcff'"},
    ):
        with pytest.raises(QueryError):
            Query(**wrong)  # type: ignore[arg-type]


def test_pages_of_records_fit_together(searcher: Searcher) -> None:
    """Words that many records say equally often: no photo twice, none left out."""
    pages = [_paths(searcher.search(Query(records="Panama", limit=7, offset=at))) for at in range(0, 30, 7)]
    found = [path for page in pages for path in page]
    assert len(found) == len(set(found)) == 30


def test_a_name_with_its_author_is_the_name(indexed: Path, run: Command) -> None:
    """As GBIF writes it, in a filter and as a query."""
    name = "Danaus plexippus (Linnaeus, 1758)"
    assert len(run("search", "--taxon", name, "--format", "json").json) == 3
    assert run("search", name, "--format", "json").json == run("search", "Danaus plexippus", "--format", "json").json


def test_lost_indices_are_made_again(indexed: Path, catalogue_folder: Path, run: Command) -> None:
    """An optimize mends what was deleted beside the table."""
    shutil.rmtree(catalogue_folder / "photos.lance" / "_indices")
    assert run("optimize", "--no-model").code == 0
    assert len(run("search", "--taxon", "Danaus", "--format", "json").json) == 3
    assert len(run("search", "--text-in-records", "plexippus", "--format", "json").json) == 3
