"""Keys that more than one screen has. Every binding has an id, by which the user's settings can give it other keys."""

from textual.binding import Binding

__all__ = ["PHOTO_KEYS", "key"]


def key(keys: str, action: str, description: str, tooltip: str, id_: str, *, show: bool = False) -> Binding:
    """A binding with all that the help says of it; `show` puts it into the last line of the screen."""
    return Binding(keys, action, description, tooltip=tooltip, id=id_, show=show)


PHOTO_KEYS = (
    key("s", "app.similar", "Similar", "Find photos that look like this one", "similar", show=True),
    key("m", "app.mark", "Mark", "Mark or unmark this photo", "mark", show=True),
    key("o", "app.open_photo", "Open", "Open the original in the program that is meant for it", "open", show=True),
    key("O", "app.reveal_photo", "Reveal", "Show the file in its folder", "reveal"),
    key("y", "app.copy('path')", "Copy path", "Copy the path of the file", "copy-path", show=True),
    key("Y", "app.copy('number')", "Copy number", "Copy the catalogue number", "copy-number"),
    key("c", "app.copy_menu", "Copy…", "Choose what to copy", "copy-menu"),
    key("a", "app.siblings", "Same specimen", "Show all photos of this specimen", "siblings"),
    key("u", "app.suggestions", "Suggestions", "What this could be: identify, accept, reject", "suggestions"),
    key("i", "app.next_image_mode", "Image mode", "Draw pictures another way", "image-mode"),
)
