"""Names that are spelt nearly like another, for whoever mistyped it."""

from collections.abc import Iterable
from itertools import islice

__all__ = ["near_names"]

# Of 100, by the share of letters that two names have in common, in order.
_NEAR_ENOUGH = 70
# Other threads wait while so many are compared.
_AT_ONCE = 10_000


def near_names(name: str, names: Iterable[str], limit: int = 3) -> list[str]:
    """Of these the names most like one, in any letter case, the likest first; none where nothing is like it."""
    from rapidfuzz import fuzz, process, utils

    found: dict[str, float] = {}
    rest = iter(names)
    while some := list(islice(rest, _AT_ONCE)):
        near = process.extract(
            name, some, scorer=fuzz.ratio, processor=utils.default_process, score_cutoff=_NEAR_ENOUGH, limit=limit
        )
        found.update({spelt: likeness for spelt, likeness, _ in near})
    return sorted(found, key=lambda spelt: (-found[spelt], spelt))[:limit]
