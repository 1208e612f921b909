"""The recipes that are shipped: their names, their files, and what is written in them."""

import re
from pathlib import Path

from bioclip_search.errors import UsageError
from bioclip_search.text import printable

__all__ = ["SHIPPED", "about_recipe", "recipe_file", "recipe_text"]

SHIPPED = ("bioclip", "bioclip-2", "finetune", "builtin")
_RECIPES = Path(__file__).parent / "recipes"
_SENTENCE_END = re.compile(r"(?<! al)\. ")


def recipe_file(name: str) -> Path:
    """The file of a shipped recipe. Raises UsageError for another name."""
    if name not in SHIPPED:
        raise UsageError(f"No recipe “{printable(name)}” is shipped; there are {', '.join(SHIPPED)}.")
    return _RECIPES / f"{name}.toml"


def recipe_text(name: str) -> str:
    """The TOML of a shipped recipe. Raises UsageError for another name."""
    return recipe_file(name).read_text(encoding="utf-8")


def about_recipe(name: str) -> str:
    """The first sentence of a shipped recipe. Raises UsageError for another name."""
    lines = recipe_text(name).splitlines()
    comment = " ".join(line.removeprefix("#").strip() for line in lines[: lines.index("#")])
    return _SENTENCE_END.split(comment)[0].rstrip(".") + "."
