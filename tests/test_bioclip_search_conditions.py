"""Conditions on photos: what a person writes means what it says, and nothing of it reaches the database."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioclip_search.catalogue import Catalogue
from bioclip_search.conditions import Condition, any_of, exactly, parse_condition
from bioclip_search.conditions.columns import Holds, find_column
from bioclip_search.errors import QueryError
from bioclip_search.filters import Filter
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.schema import OTHER_TERMS, PRESENT, SPECIMEN_COLUMNS, photo_schema
from bioclip_search.specimen import Photo, Specimen
from bioclip_search.taxonomy import Taxon
from bioclip_search.text import printable

ROWS = 60
FIELDS = "path view width size catalogNumber locality genus year decimalLatitude".split()
TEXT_FIELDS = "path view catalogNumber locality genus".split()
NUMBER_FIELDS = "width size year decimalLatitude".split()

INJECTIONS = """\
x' OR '1'='1
x' OR 1=1 --
'; DROP TABLE photos; --
') OR (1=1
x\\' OR 1=1 --
%' OR '%'='
' UNION SELECT embedding FROM photos --
/* x */ OR TRUE
`genus` IS NULL OR TRUE
1; DELETE FROM photos
genus) IS NOT NULL OR (TRUE
\\' OR TRUE OR \\'
year" OR "1"="1""".split("\n")

TEXTS = [
    *(
        "holotype",
        "HOLOTYPE",
        "paratype",
        "O'Brien",
        'the "type"',
        "a\\b",
        "\\",
        "\\\\",
        "\\%",
        "100%",
        "%",
        "_",
        "a_b",
    ),
    *("axb", "ab", "a;b", "--", "NULL", "and", "NOT", "'", "''", '"', "`", "(", "1900", "-1", "Müller", "MÜLLER", "K"),
    *("\u212a", "k", "straße", "北京", "e\u0301", "é", "😀", "\x07", "a\tb", "a\nb", "a\r\nb", "\x1b[31m", " ", "a b"),
    *INJECTIONS,
]
YEARS = [None, 1758, 1899, 1900, 1901, 2024, -44, 0, 2**31 - 1, -(2**31) + 1]
LATITUDES = [None, 0.0, -0.0, 51.25, -33.5, 0.1, 1e-7, -1e300, 5e-324]
NUMBERS = [*filter(None, YEARS), *filter(None, LATITUDES), 0, 1899.5, 2**31, -(2**31), 2**63, -(2**63), 10**30, -1e-9]

Row = dict[str, Any]
Test = tuple[str, Callable[[Row], bool]]


def rows() -> Iterator[Row]:
    """What is known of each photo; the lists are of different lengths, so that they meet in every way."""
    for number in range(ROWS):
        yield {
            "path": f"{number:02d}.jpg",
            "view": [None, "dorsal", "label"][number % 3],
            "width": [1, 96, 2**31 - 1][number % 3],
            "size": [1, 2**31, 2**63 - 1, 2**53 + 1][number % 4],
            "catalogNumber": [None, *TEXTS][number % (len(TEXTS) + 1)],
            "locality": [None, *reversed(TEXTS)][(number * 7) % (len(TEXTS) + 1)],
            "genus": [None, "Danaus", "Pieris", "danaus", "D'anaus"][number % 5],
            "year": YEARS[number % len(YEARS)],
            "decimalLatitude": LATITUDES[number % len(LATITUDES)],
        }


KNOWN = list(rows())


def photo_of(row: Row) -> Photo:
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    terms = {name: row[name] for name in ("catalogNumber", "locality") if row[name] is not None}
    terms |= {name: str(row[name]) for name in ("year", "decimalLatitude") if row[name] is not None}
    return Photo(
        root="/archive",
        path=row["path"],
        size=row["size"],
        mtime=moment,
        content_hash=row["path"],
        width=row["width"],
        height=64,
        indexed_at=moment,
        specimen=Specimen(Taxon(genus=row["genus"]), terms),
        view=row["view"],
    )


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """A catalogue of photos with every kind of field; half of them are in its indices, half came later."""
    made = Catalogue.create(tmp_path_factory.mktemp("c") / "catalogue", Fingerprint("test", "ViT", 2, "s", "0" * 64))
    vectors = np.tile(np.float32([1, 0]), (ROWS // 2, 1))
    photos = [photo_of(row) for row in KNOWN]
    made.upsert(photos[::2], vectors, [b""] * (ROWS // 2))
    made.optimize()
    made.upsert(photos[1::2], vectors, [b""] * (ROWS // 2))
    return made


def selected(catalogue: Catalogue, condition: Condition) -> set[str]:
    """The paths of the photos that a condition selects: the same in a list, counted, and in a search."""
    paths = {photo.path for photo in catalogue.photos(condition.sql)}
    assert catalogue.count(condition.sql) == len(paths)
    nearest = catalogue.nearest(np.float32([1, 0]), 2 * ROWS, Filter(conditions=(condition.sql,)))
    assert {near.row["path"] for near in nearest} == paths
    assert catalogue.count(f"NOT {condition.sql}") == ROWS - len(paths)
    return paths


def expected(test: Callable[[Row], bool]) -> set[str]:
    return {row["path"] for row in KNOWN if test(row)}


# What any text does

_pieces = st.sampled_from(
    "and OR not ( ( ) ) , = == != <> < <= ≥ ! like ILIKE in between is NULL empty typeStatus year dwc:genus size "
    "'a' \"b\" \"year\" 'it''s' ' \" ; -- /* %_\\ 1900 -1.5e3 nan inf 1e999 holotype “x” ` \x00 \x07 ı İ \ud800".split(
        " "
    )
)


@given(st.text() | st.lists(_pieces, max_size=25).map(" ".join) | st.lists(_pieces, max_size=12).map("".join))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_a_condition_or_an_error_of_one_sentence(catalogue: Catalogue, text: str) -> None:
    """Nothing else is ever raised; what is understood, LanceDB understands; no control code comes back."""
    try:
        condition = parse_condition(text)
    except QueryError as error:
        message = str(error)
    else:
        catalogue.count(condition.sql)
        return
    assert printable(message) == message
    assert message.endswith((".", "?"))


# Conditions and what they mean, drawn together

_any_text = st.sampled_from(TEXTS) | st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1
)
_either_case = st.sampled_from([str.upper, str.lower, str.title])


@st.composite
def _columns(draw: st.DrawFn, fields: list[str]) -> tuple[str, str]:
    field = draw(st.sampled_from(fields))
    written = draw(st.sampled_from([field, field.lower(), field.upper(), f"dwc:{field}", f'"{field}"']))
    return field, written


def _quoted(draw: st.DrawFn, value: str) -> str:
    quote = draw(st.sampled_from("'\""))
    return quote + value.replace(quote, quote * 2) + quote


def _written(draw: st.DrawFn, number: float) -> str:
    return draw(st.sampled_from([str(number), f"'{number}'", f'"{number}"']))


_COMPARISONS = {"=": eq, "==": eq, "<": lt, "<=": le, ">": gt, ">=": ge, "≤": le, "≥": ge}
_UNEQUAL = ("!=", "<>", "≠")


@st.composite
def _comparisons(draw: st.DrawFn) -> Test:
    if draw(st.booleans()):
        field, column = draw(_columns(TEXT_FIELDS))
        value: Any = draw(_any_text)
        written = _quoted(draw, value)
    else:
        field, column = draw(_columns(NUMBER_FIELDS))
        value = draw(st.sampled_from(NUMBERS) | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
        written = _written(draw, value)
        value = float(value) if field == "decimalLatitude" else value
    sign = draw(st.sampled_from([*_COMPARISONS, *_UNEQUAL]))
    blank = draw(st.sampled_from(["", " ", "\n"]))
    if sign in _UNEQUAL:
        return f"{column}{blank}{sign}{blank}{written}", lambda row: row[field] is None or ne(row[field], value)
    compare = _COMPARISONS[sign]
    return f"{column}{blank}{sign}{blank}{written}", lambda row: row[field] is not None and compare(row[field], value)


@st.composite
def _lists(draw: st.DrawFn) -> Test:
    keyword, negated = draw(_either_case), draw(st.booleans())
    if draw(st.booleans()):
        field, column = draw(_columns(TEXT_FIELDS))
        values: list[Any] = draw(st.lists(_any_text, min_size=1, max_size=4))
        written = [_quoted(draw, value) for value in values]
    else:
        field, column = draw(_columns(NUMBER_FIELDS))
        values = draw(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=4))
        written = [_written(draw, value) for value in values]
        values = [float(value) for value in values] if field == "decimalLatitude" else values
    word = keyword("not in" if negated else "in")
    return f"{column} {word} ({', '.join(written)})", lambda row: (row[field] in values) != negated


@st.composite
def _ranges(draw: st.DrawFn) -> Test:
    field, column = draw(_columns(NUMBER_FIELDS))
    low, high, negated = draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(NUMBERS)), draw(st.booleans())
    keyword = draw(_either_case)
    text = f"{column} {keyword('not between' if negated else 'between')} {low} {keyword('and')} {high}"
    ends = (float(low), float(high)) if field == "decimalLatitude" else (low, high)
    return text, lambda row: (row[field] is not None and ends[0] <= row[field] <= ends[1]) != negated


@st.composite
def _patterns(draw: st.DrawFn) -> Test:
    """A pattern that a known value nearly fits, and the regular expression that means the same."""
    field, column = draw(_columns(TEXT_FIELDS))
    known = draw(st.sampled_from([row[field] for row in KNOWN if row[field]]))
    pattern, meaning = "", ""
    for character in known[: draw(st.integers(1, 12))]:
        match draw(st.sampled_from(["itself", "itself", "other case", "one", "any"])):
            case "one":
                pattern, meaning = pattern + "_", meaning + "."
            case "any":
                pattern, meaning = pattern + "%", meaning + ".*"
            case case:
                plain = character.swapcase() if case == "other case" else character
                pattern, meaning = pattern + re.sub(r"([%_\\])", r"\\\1", plain), meaning + re.escape(plain)
    if draw(st.booleans()):
        pattern, meaning = pattern + "%", meaning + ".*"
    either_case, negated = draw(st.booleans()), draw(st.booleans())
    expression = re.compile(meaning, re.DOTALL | (re.IGNORECASE if either_case else 0))
    word = draw(_either_case)(("not " if negated else "") + ("ilike" if either_case else "like"))
    text = f"{column} {word} {_quoted(draw, pattern)}"
    return text, lambda row: bool(row[field] is not None and expression.fullmatch(row[field])) != negated


@st.composite
def _emptiness(draw: st.DrawFn) -> Test:
    field, column = draw(_columns(FIELDS))
    word, negated = draw(st.sampled_from(["null", "empty"])), draw(st.booleans())
    text = f"{column} {draw(_either_case)('is not ' if negated else 'is ')}{draw(_either_case)(word)}"
    return text, lambda row: (row[field] is None) != negated


@st.composite
def _joined(draw: st.DrawFn, inner: st.SearchStrategy[Test]) -> Test:
    """AND or OR of two, in parentheses or negated."""
    (one, holds_one), (other, holds_other) = draw(inner), draw(inner)
    keyword = draw(_either_case)
    match draw(st.sampled_from(["and", "or", "not", "neither"])):
        case "and":
            return f"({one}) {keyword('and')} ({other})", lambda row: holds_one(row) and holds_other(row)
        case "or":
            return f"(({one}) {keyword('or')} ({other}))", lambda row: holds_one(row) or holds_other(row)
        case "not":
            return f"{keyword('not')} ({one})", lambda row: not holds_one(row)
        case _:
            return f"{keyword('not')} (({one}) or ({other}))", lambda row: not (holds_one(row) or holds_other(row))


_leaves = _comparisons() | _lists() | _ranges() | _patterns() | _emptiness()


@given(_leaves | st.recursive(_leaves, _joined, max_leaves=6))
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_a_condition_selects_what_it_says(catalogue: Catalogue, test: Test) -> None:
    """The photos are those of a plain evaluation in Python, with any text in values."""
    text, holds = test
    assert selected(catalogue, parse_condition(text)) == expected(holds)


@given(st.lists(_leaves, min_size=2, max_size=5), st.data())
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_not_binds_closer_than_and_and_and_closer_than_or(
    catalogue: Catalogue, tests: list[Test], data: st.DataObject
) -> None:
    """Without parentheses a condition is read as SQL and Python read it."""
    nots = data.draw(st.lists(st.booleans(), min_size=len(tests), max_size=len(tests)))
    words = data.draw(st.lists(st.sampled_from(["and", "or"]), min_size=len(tests) - 1, max_size=len(tests) - 1))
    text = " ".join(
        f"{'NOT ' * negated}{test[0]} {word}" for test, negated, word in zip(tests, nots, [*words, ""], strict=True)
    )

    def holds(row: Row) -> bool:
        truths = [test[1](row) != negated for test, negated in zip(tests, nots, strict=True)]
        alternatives = [[truths[0]]]
        for word, truth in zip(words, truths[1:], strict=True):
            if word == "and":
                alternatives[-1].append(truth)
            else:
                alternatives.append([truth])
        return any(all(together) for together in alternatives)

    assert selected(catalogue, parse_condition(text)) == expected(holds)


# What is promised in words


@pytest.mark.parametrize("field", ["year", "width", "size"])
def test_whole_numbers_are_compared_with_any_number(catalogue: Catalogue, field: str) -> None:
    """Fractions, and what no column can hold, are less or greater as they are in arithmetic."""
    edges = [edge + step for power in (2**31, 2**63) for edge in (power, -power) for step in (-1, 0, 1)]
    for value in (*edges, 10**30, -(10**30), 1899.5, 1900.0, -0.5, 2**53 + 1):
        for sign, compare in (*_COMPARISONS.items(), ("in", lambda one, other: one == other)):
            condition = parse_condition(f"{field} {sign} ({value})" if sign == "in" else f"{field} {sign} {value}")
            found = {photo.path for photo in catalogue.photos(condition.sql)}
            wanted = expected(lambda row, v=value, c=compare: row[field] is not None and c(row[field], v))
            assert found == wanted, (sign, value)


def test_not_twice_is_nothing() -> None:
    """Each NOT turns a condition round."""
    for nots in range(5):
        condition = parse_condition("not " * nots + "genus = Danaus")
        assert condition == parse_condition("genus != Danaus" if nots % 2 else "genus = Danaus")


def test_the_example_of_the_help(catalogue: Catalogue) -> None:
    """A word and a number, joined."""
    condition = parse_condition("catalogNumber = 'holotype' and year < 1900")
    assert condition.columns == {"catalogNumber", "year"}
    wanted = expected(lambda row: row["catalogNumber"] == "holotype" and (row["year"] or 9999) < 1900)
    assert selected(catalogue, condition) == wanted
    assert wanted


@pytest.mark.parametrize(
    "text", ["genus != 'Danaus'", "not genus = 'Danaus'", "genus not in ('Danaus')", "genus not like 'Danaus'"]
)
def test_photos_without_a_value_are_not_equal_to_any(catalogue: Catalogue, text: str) -> None:
    """Where SQL drops empty fields, a person expects them."""
    assert selected(catalogue, parse_condition(text)) == expected(lambda row: row["genus"] != "Danaus")


def test_a_word_that_means_nothing_else_needs_no_quotes() -> None:
    """Quotes of both kinds, none, and a column's name in quotes."""
    ways = ["view = dorsal", "view='dorsal'", 'VIEW == "dorsal"', '"view" = dorsal', "dwc:view = dorsal"]
    assert {parse_condition(way) for way in ways} == {exactly("view", "dorsal")}
    assert parse_condition("taxonRank = 'species'") == parse_condition('taxonRank = "species"')


def test_a_number_beside_a_text_column_is_its_text() -> None:
    """Catalogue numbers keep their zeros."""
    assert parse_condition("catalogNumber = 0123") == exactly("catalogNumber", "0123")
    assert exactly("catalogNumber", 123) == exactly("catalogNumber", "123")


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("a\\%b", ["a%b"]),
        ("a\\_b", ["a_b"]),
        ("a\\b", ["a\\b"]),
        ("a\\\\b", ["a\\b"]),
        ("a\\", ["a\\"]),
        ("%\\\\", ["a\\"]),
        ("a\\\\%", ["a\\", "a\\b"]),
        ("a_b", ["a%b", "a_b", "a\\b", "axb"]),
        ("a%%%b", ["a%b", "a_b", "a\\b", "axb", "ab"]),
    ],
)
def test_a_backslash_in_a_pattern_is_well_defined(
    tmp_path_factory: pytest.TempPathFactory, pattern: str, meant: list[str]
) -> None:
    """It makes %, _ and itself plain, and is a backslash before anything else."""
    folder = tmp_path_factory.mktemp("patterns") / "catalogue"
    made = Catalogue.create(folder, Fingerprint("test", "ViT", 2, "s", "0" * 64))
    values = ["a%b", "a_b", "a\\b", "axb", "ab", "a\\"]
    photos = [photo_of({**KNOWN[0], "path": value, "catalogNumber": value}) for value in values]
    made.upsert(photos, np.tile(np.float32([1, 0]), (len(photos), 1)), [b""] * len(photos))
    found = made.photos(parse_condition(f"catalogNumber LIKE '{pattern}'").sql)
    assert sorted(photo.path for photo in found) == sorted(meant)


@pytest.mark.parametrize("pattern", ["mül%", "MÜL%", "%LLER", "müller", "m_ller"])
def test_ilike_takes_letters_in_either_case(catalogue: Catalogue, pattern: str) -> None:
    """Also those with accents; LIKE does not."""
    both = expected(lambda row: row["catalogNumber"] in ("Müller", "MÜLLER"))
    assert len(both) == 2
    assert selected(catalogue, parse_condition(f"catalogNumber ILIKE '{pattern}'")) == both
    assert selected(catalogue, parse_condition(f"catalogNumber LIKE '{pattern}'")) < both


def test_conditions_are_made_without_text(catalogue: Catalogue) -> None:
    """`exactly` and `any_of` mean = and IN, with any value."""
    for value in TEXTS:
        assert selected(catalogue, exactly("locality", value)) == expected(lambda row, v=value: row["locality"] == v)
    assert any_of("year", [1758, "1900"]) == parse_condition("year IN (1758, 1900)")
    for refused in (lambda: any_of("year", []), lambda: exactly("year", float("nan")), lambda: exactly("nonsense", 1)):
        with pytest.raises(QueryError):
            refused()


def test_every_column_of_the_catalogue_can_be_asked(catalogue: Catalogue) -> None:
    """All terms with a column of their own, and what is known of files, as the type that the table has."""
    names = [*SPECIMEN_COLUMNS, "path", "root", "view", "width", "height", "size"]
    types = {"int32": Holds.INT32, "int64": Holds.INT64, "double": Holds.FLOAT64, "string": Holds.TEXT}
    for name in names:
        if name == OTHER_TERMS:
            continue
        column = find_column(name.upper())
        assert column is not None
        assert column.name == name
        assert column.holds is types[str(photo_schema(2).field(name).type)]
        assert len(selected(catalogue, parse_condition(f"{name} = 1 or {name} is empty or {name} != 1"))) == ROWS


# What is refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("typestat = x", "did you mean typeStatus"),
        ("habitat = bog", "habitat is kept .* cannot be filtered"),
        ("otherTerms like '%bog%'", "otherTerms is kept"),
        ("embedding = 1", "no column “embedding”"),
        ("photo_id = 1", "no column “photo_id”"),
        ("'holotype' = typeStatus", "begins with a column"),
        ("sex", "after the column sex comes"),
        ("sex =", "ends too early: a value for sex"),
        ("sex = = m", "character 7.*a value for sex"),
        ("sex = ''", "sex IS EMPTY"),
        ("sex = NULL", "sex IS EMPTY"),
        ("sex in (NULL)", "sex IS EMPTY"),
        ("sex is male", "after IS comes"),
        ("country = United States", "character 18.*quotes round a value of several words"),
        ("stateProvince = OR", "character 17.*quotes round the word"),
        ("genus = species", "compared with values only"),
        ("sex = 'm", "never closed"),
        ("sex = “m”", "straight quotes"),
        ("sex = m; sex = f", "character 8.*means nothing here"),
        ("sex = m sex = f", "AND or OR"),
        ("(sex = m", "ends too early"),
        ("sex = m)", "leave it out"),
        ("sex ! m", "!="),
        ("sex in m", "sex IN \\("),
        ("sex in ()", "a value for sex"),
        ("sex in (m,", "ends too early"),
        ("sex in (m f)", "“,” or “\\)”"),
        ("year between 1900", "lowest AND the highest"),
        ("year = old", "year holds numbers"),
        ("year = nan", "year holds numbers"),
        ("decimalLatitude < 'inf'", "decimalLatitude holds numbers"),
        ("decimalLatitude < 1e999", "too large"),
        ("year < ١٩٠٠", "year holds numbers"),
        ("year like '19%'", "year BETWEEN"),
        ("sex = '\ud800'", "no valid Unicode"),
        ("sex = \x1b[31m;", "means nothing"),
    ],
)
def test_what_cannot_be_understood_is_named_with_its_remedy(text: str, message: str) -> None:
    """One sentence a mistake."""
    with pytest.raises(QueryError, match=message) as caught:
        parse_condition(text)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * 9 + "year = 1" + ")" * 9,
        "not (" * 5_000 + "year = 1" + ")" * 5_000,
        " and ".join(["year = 1"] * 10_000),
        f"catalogNumber in ({','.join('1' * 20_000)})",
        f"catalogNumber like '{'_' * 1_001}'",
        f"catalogNumber = '{'x' * 2**20}'",
        "x" * 2**20,
        "'" * 199_999,
    ],
    ids=lambda text: text[:12],
)
def test_what_is_too_large_is_refused(text: str) -> None:
    """Neither this program nor LanceDB is brought to its knees."""
    with pytest.raises(QueryError) as caught:
        parse_condition(text)
    assert len(str(caught.value)) < 300


def _nested(levels: int) -> str:
    """A condition in which every level adds as much depth as one can."""
    text = "year not between 1 and 2"
    for level in range(levels):
        word = "not " * (level % 2)
        text = f"genus != a or width = {level} and {word}({text} or sex is not empty and year not between 1 and 2)"
    return text


@pytest.mark.parametrize(
    "text",
    [
        _nested(8),
        "(" * 8 + "year = 1" + ")" * 8,
        "not " * 20_000 + "year = 1",
        " or ".join(["genus not in (a, b)"] * 500),
        " and ".join(["(year = 1 or genus != b)"] * 250),
        f"not ({' or '.join(['year = 1 and genus != b'] * 250)})",
        f"catalogNumber in ({','.join(map(str, range(10_000)))})",
        f"catalogNumber ilike '{'_' * 1_000}'",
        f"catalogNumber ilike '{'_é%' * 300}'",
        f"catalogNumber = '{'x' * 190_000}'",
        f"year < 1.{'0' * 190_000}1",
        f"decimalLatitude < 0.{'0' * 190_000}1",
    ],
    ids=lambda text: text[:12],
)
def test_what_is_large_still_works(catalogue: Catalogue, text: str) -> None:
    """The bounds are within what LanceDB takes, also beside a condition of our own."""
    condition = parse_condition(text)
    assert 0 <= len(selected(catalogue, condition)) <= ROWS
    assert catalogue.count(f"({PRESENT}) AND ({condition.sql})") == catalogue.count(condition.sql)


@pytest.mark.parametrize("attempt", INJECTIONS)
def test_sql_in_a_value_is_data(catalogue: Catalogue, attempt: str) -> None:
    """It is found where it is the value of a field, and nowhere else."""
    written = "'" + attempt.replace("'", "''") + "'"
    wanted = expected(lambda row: row["locality"] == attempt)
    assert wanted
    for text in (
        f"locality = {written}",
        f"locality in ({written})",
        f"locality is not empty and locality == {written}",
    ):
        assert selected(catalogue, parse_condition(text)) == wanted
    assert selected(catalogue, parse_condition(f"locality != {written}")) == expected(
        lambda row: row["locality"] != attempt
    )
    pattern = re.sub(r"([%_\\])", r"\\\1", written)
    assert selected(catalogue, parse_condition(f"locality like {pattern}")) == wanted


@pytest.mark.parametrize("attempt", [*INJECTIONS, "*", "TRUE", "1", "_rowid", "missing_since", "length(genus)"])
def test_sql_for_a_column_is_refused(attempt: str) -> None:
    """A column is one of the catalogue's own, or none."""
    named = '"' + attempt.replace('"', '""') + '"'
    for text in (f"{attempt} = 1", f"{named} = 1", f"genus = a and {named} is null"):
        with pytest.raises(QueryError):
            parse_condition(text)
    with pytest.raises(QueryError):
        exactly(attempt, "x")


@pytest.mark.parametrize(
    "text",
    [
        "genus = x OR 1=1",
        "genus = x OR TRUE",
        "genus = x; DROP TABLE photos",
        "genus = 'x' OR '1'='1'",
        "genus = 'x\\' OR 1=1 --'",
        "genus = x -- and year = 1",
        "genus = x /* and year = 1 */",
        "genus = (SELECT genus FROM photos)",
        "genus = lower('X')",
        "genus = 'x' UNION ALL SELECT 1",
        "genus = 'x' ESCAPE '\\'",
        "year = 1 + 1",
        "year::text = '1'",
        "genus LIKE 'x' ESCAPE '!'",
    ],
)
def test_sql_beyond_the_language_is_refused(text: str) -> None:
    """No functions, sub-queries, comments, casts or constants."""
    with pytest.raises(QueryError):
        parse_condition(text)


def test_the_rows_of_these_tests_hold_every_value() -> None:
    """Otherwise the tests above would show less than they say."""
    for field, values in (("catalogNumber", TEXTS), ("locality", TEXTS), ("year", YEARS)):
        held = {row[field] for row in KNOWN}
        assert set(values) <= held, field
