"""Pictures in a terminal: drawn with block characters anywhere, with Kitty graphics or sixels where they are known."""

from tui.images.blocks import RGB, blocks, fitted
from tui.images.cache import TileCache
from tui.images.draw_queue import DrawQueue
from tui.images.protocol import Mode, detect
from tui.images.two_tone import two_tone

__all__ = ["RGB", "DrawQueue", "Mode", "TileCache", "blocks", "detect", "fitted", "two_tone"]
