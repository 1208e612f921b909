"""bioclip-search taxa"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.options import as_of_option, catalogue_option, format_option
from bioclip_search.cli.output import console, print_json
from bioclip_search.taxonomy import RANKS, Rank

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from bioclip_search.tree import TaxonNode

__all__ = ["command"]


@click.command("taxa")
@click.argument("name", required=False)
@click.option("--down-to", type=click.Choice([rank.value for rank in RANKS]), help="Leave out narrower ranks.")
@as_of_option
@catalogue_option
@format_option("tree", "json")
def command(name: str | None, down_to: str | None, as_of: int | None, catalogue: Path | None, format_: str) -> None:
    """Print the taxa of the catalogue as a tree, with the number of photos in each.

    With NAME (of any rank, or a common name) only that part of the tree.
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.errors import QueryError
    from bioclip_search.query import resolve_taxon
    from bioclip_search.tree import grow_tree

    opened = Catalogue.open(catalogue_folder(catalogue), as_of)
    roots = [grow_tree((found.taxon, found.photos) for found in opened.taxa())]
    if name is not None:
        # An unknown name is answered with near ones, a synonym with its accepted name.
        roots = roots[0].named({spelt for _, spelt in resolve_taxon(opened, name)})
        if not roots:
            raise QueryError(
                "The photos of that common name have no rank; list them with `bioclip-search search --taxon`."
            )
    narrowest = RANKS.index(Rank(down_to)) if down_to else len(RANKS)
    if format_ == "json":
        print_json(_as_json(_one(roots), narrowest))
    else:
        for root in roots:
            console().print(_as_tree(root, narrowest))


def _one(roots: Sequence["TaxonNode"]) -> "TaxonNode":
    """One node to hold homonyms, which are taxa of the same name in different families."""
    from bioclip_search.tree import TaxonNode

    if len(roots) == 1:
        return roots[0]
    children = {(root.rank, f"{root.name}\0{number}"): root for number, root in enumerate(roots) if root.rank}
    return TaxonNode(count=sum(root.count for root in roots), children=children)


def _shown(node: "TaxonNode", narrowest: int) -> list["TaxonNode"]:
    return [child for child in node.sorted_children() if child.rank and RANKS.index(child.rank) <= narrowest]


def _as_json(node: "TaxonNode", narrowest: int) -> dict[str, Any]:
    return {
        "rank": node.rank,
        "name": node.name,
        "vernacularName": node.common_name,
        "count": node.count,
        "children": [_as_json(child, narrowest) for child in _shown(node, narrowest)],
    }


def _as_tree(node: "TaxonNode", narrowest: int) -> "Tree":
    from rich.tree import Tree

    tree = Tree(_label(node), guide_style="dim")
    for child in _shown(node, narrowest):
        tree.children.append(_as_tree(child, narrowest))
    return tree


def _label(node: "TaxonNode") -> "Text":
    from rich.text import Text

    if node.name is None:
        unplaced = node.count - sum(child.count for child in node.sorted_children())
        rest = f"  ({unplaced:,} without a taxon)" if unplaced > 0 else ""
        return Text.assemble(("all taxa", "bold"), (f"  {node.count:,}", "cyan"), rest)
    style = "italic" if node.rank in (Rank.GENUS, Rank.SPECIES) else ""
    common = f" ({node.common_name})" if node.common_name else ""
    return Text.assemble((node.name, style), common, (f"  {node.rank}", "dim"), (f"  {node.count:,}", "cyan"))
