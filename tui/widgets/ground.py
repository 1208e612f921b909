"""The colour behind a widget, on which pictures are laid."""

from textual.color import Color
from textual.dom import DOMNode
from textual.widget import Widget

from tui.images import RGB

__all__ = ["ground_of"]


def ground_of(widget: Widget) -> RGB:
    """What is behind a widget's content, as if it were not dimmed: dimming comes after drawing."""
    parent = widget.parent.background_colors[1] if isinstance(widget.parent, DOMNode) else Color(0, 0, 0)
    return (parent + widget.styles.background.tint(widget.styles.background_tint)).rgb
