"""How fast are scientific names understood?

    python benchmarks/names.py --names 20000

Makes distinct names by code (binomials with and without authors, trinomials, open nomenclature, hybrids,
codes and placeholders), parses each once with an empty cache, on one core, and prints one JSON object:
the seconds, the names a second, the names of each kind, and the first call alone, which loads the parser.
"""

import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator

import click

from bioclip_search.names import parse_name

_STEMS = [
    f"{first}{last}" for first in "bacedilo mura tene silo quer pino varo".split() for last in "br st nd lm rt".split()
]
_GENERA = [f"{stem.capitalize()}{end}" for stem in _STEMS for end in ("us", "a", "ia", "ium", "ella", "opsis")]
_EPITHETS = [f"{stem}{end}" for stem in _STEMS for end in ("ensis", "alis", "ata", "ides", "oides")]
_FORMS = (
    "{genus} {epithet}",
    "{genus} {epithet} Linnaeus, 1758",
    "{genus} {epithet} (L.) Mill.",
    "{GENUS} {EPITHET}",
    "{genus} {epithet} subsp. {other}",
    "{genus} {epithet} {other} Smith & Jones, 1901",
    "{genus} cf. {epithet}",
    "{genus} sp. {number}",
    "{genus} × {epithet}",
    "{genus} {epithet} × {genus} {other}",
    "BOLD:AAA{number:05d}",
    "unidentified {other} {number}",
)


@click.command()
@click.option("--names", default=20_000, help="How many distinct names.")
def main(names: int) -> None:
    """Measure and print one JSON object."""
    texts = list(itertools.islice(_distinct(), names))
    began = time.perf_counter()
    parse_name("Danaus plexippus")
    first = time.perf_counter() - began
    parse_name.cache_clear()
    began = time.perf_counter()
    kinds = Counter(parse_name(text).kind.value for text in texts)
    seconds = time.perf_counter() - began
    figures = {
        "names": len(texts),
        "seconds": round(seconds, 3),
        "names_per_second": round(len(texts) / seconds),
        "first_call_seconds": round(first, 3),
        "kinds": dict(kinds),
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def _distinct() -> Iterator[str]:
    """Names, none twice: every form of each genus with each epithet."""
    pairs = itertools.product(_GENERA, itertools.pairwise(_EPITHETS))
    for number, (genus, (epithet, other)) in enumerate(pairs):
        words = {"genus": genus, "epithet": epithet, "other": other, "number": number}
        yield from (form.format(**words, GENUS=genus.upper(), EPITHET=epithet.upper()) for form in _FORMS)


if __name__ == "__main__":
    main()
