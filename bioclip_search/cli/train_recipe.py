"""bioclip-search train recipe"""

import click

from bioclip_search.cli.options import format_option
from bioclip_search.cli.output import print_json, print_lines

__all__ = ["command"]


@click.command("recipe")
@click.argument("name", required=False)
@format_option("text", "json")
def command(name: str | None, format_: str) -> None:
    """Print the recipe NAME that is shipped, to read or to begin your own with; without NAME list them.

    \b
    bioclip-search train recipe finetune > mine.toml
    bioclip-search train run mine.toml --shards shards/ --out run/
    """
    from training.shipped import SHIPPED, about_recipe, recipe_text

    if name is not None:
        text = recipe_text(name)
        if format_ == "json":
            print_json({"name": name, "toml": text})
        else:
            print_lines([text.rstrip("\n")])
    elif format_ == "json":
        print_json([{"name": one, "about": about_recipe(one)} for one in SHIPPED])
    else:
        print_lines([f"{one:<10} {about_recipe(one)}" for one in SHIPPED])
