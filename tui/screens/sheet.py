"""A sheet that lies over the screen until Esc."""

from typing import ClassVar, Generic, TypeVar

from textual.binding import BindingType
from textual.screen import ModalScreen

from tui.bindings import key

__all__ = ["Sheet"]

_Answer = TypeVar("_Answer")


class Sheet(ModalScreen[_Answer | None], Generic[_Answer]):
    """Esc leaves it without an answer; the focus then is where it was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape", "leave", "Close", "Close this, change nothing", "close", show=True)
    ]

    def action_leave(self) -> None:
        self.dismiss(None)
