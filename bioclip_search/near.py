"""Names that are spelt nearly like another, for whoever mistyped it."""

from collections.abc import Iterable

__all__ = ["near_names"]

# Of 100, by the share of letters that two names have in common, in order.
_NEAR_ENOUGH = 70


def near_names(name: str, names: Iterable[str], limit: int = 3) -> list[str]:
    """Of these the names most like one, in any letter case, the likest first; none where nothing is like it."""
    from rapidfuzz import fuzz, process, utils

    found = process.extract(
        name, names, scorer=fuzz.ratio, processor=utils.default_process, score_cutoff=_NEAR_ENOUGH, limit=limit
    )
    return [near for near, _, _ in sorted(found, key=lambda match: (-match[1], match[0]))]
