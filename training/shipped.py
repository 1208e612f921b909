"""The recipes that are shipped, as they are written: to be read, and to begin one's own with."""

import re
from pathlib import Path

from bioclip_search.errors import UsageError
from bioclip_search.text import printable
from training.run_recipe import SHIPPED

__all__ = ["about_recipe", "recipe_text"]

_SENTENCE_END = re.compile(r"(?<! al)\. ")
_RECIPES = Path(__file__).parent / "recipes"


def recipe_text(name: str) -> str:
    """The TOML of a shipped recipe. Raises UsageError for another name."""
    if name not in SHIPPED:
        raise UsageError(f"No recipe “{printable(name)}” is shipped; there are {', '.join(SHIPPED)}.")
    return (_RECIPES / f"{name}.toml").read_text(encoding="utf-8")


def about_recipe(name: str) -> str:
    """The first sentence of a shipped recipe. Raises UsageError for another name."""
    lines = recipe_text(name).splitlines()
    comment = " ".join(line.removeprefix("#").strip() for line in lines[: lines.index("#")])
    return _SENTENCE_END.split(comment)[0].rstrip(".") + "."
