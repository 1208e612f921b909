"""The application's ways: to the catalogue and back by threads, and to its own screens."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from textual.app import App

from bioclip_search.errors import BioclipSearchError
from bioclip_search.query import Hit
from tui.config import Config
from tui.desktop import Opener, start
from tui.images import Mode
from tui.lanes import Lane
from tui.process import Upkeep
from tui.screens.main import MainScreen
from tui.widgets.key_line import KeyLine
from tui.widgets.title_line import TitleLine

if TYPE_CHECKING:
    from tui.browsed import BrowsedCatalogue

__all__ = ["Desk", "CatalogueOpener"]

_T = TypeVar("_T")

CatalogueOpener = Callable[[], "BrowsedCatalogue"]
"""Opens the catalogue; called in a thread, once the first screen is painted, and again to read it anew."""


class Desk(App[None]):
    """What is open, what is marked, and the lanes in which the catalogue is asked."""

    def __init__(
        self,
        open_catalogue: CatalogueOpener,
        *,
        folder: Path,
        images: Mode = Mode.BLOCKS,
        config: Config | None = None,
        opener: Opener = start,
        upkeep: Upkeep | None = None,
    ) -> None:
        super().__init__()
        self.config = config or Config()
        self.images = self.first_images = images
        self.opener = opener
        self.upkeep = upkeep
        self.folder = folder
        self.marks: dict[str, Hit] = {}
        self.exported: set[str] = set()
        self.last_error = ""
        self.catalogue: BrowsedCatalogue | None = None
        self.open_catalogue = open_catalogue
        self.main = MainScreen()
        self.tiles, self.specimen, self.counts, self.found, self.changes = (Lane(latest=True) for _ in range(5))
        self.taxa, self.others, self.model, self.exports = (Lane() for _ in range(4))

    def in_lane(
        self,
        lane: Lane,
        job: Callable[["BrowsedCatalogue"], _T],
        then: Callable[[_T], object],
        failed: Callable[[str], object] | None = None,
    ) -> None:
        """Do a job in a lane's thread; then, or with the sentence that says why not, go on in this one."""
        catalogue = self.catalogue
        if catalogue is None:
            return

        lane.do(self.work(catalogue, job, then, failed or self.fail))

    def work(
        self,
        catalogue: "BrowsedCatalogue",
        job: Callable[["BrowsedCatalogue"], _T],
        then: Callable[[_T], object],
        failed: Callable[[str], object],
    ) -> Callable[[], None]:
        def work() -> None:
            try:
                done = job(catalogue)
            except BioclipSearchError as error:
                self.hand_over(failed, str(error))
            except Exception as error:
                self.hand_over(failed, f"That went wrong: {type(error).__name__}: {error}.")
            else:
                self.hand_over(then, done)

        return work

    def hand_over(self, then: Callable[[_T], object], value: _T) -> None:
        """From a job's thread to the application's, which may have ended meanwhile."""

        def go_on() -> None:
            if self.is_running and self.main.is_running and self.main.is_attached:
                then(value)

        self.call_later(go_on)

    def on_notify(self) -> None:
        """What is said in the corner takes the place of what was said there before."""
        self.clear_notifications()

    def fail(self, sentence: str) -> None:
        """Say what went wrong, and go on."""
        self.last_error = sentence
        self.main.complain(sentence)

    def note_work(self) -> None:
        """Something was done that may have left garbage."""
        if self.upkeep is not None:
            self.upkeep.note()

    def tell_title(self) -> None:
        """Write the first line anew."""
        catalogue = self.catalogue
        if catalogue is not None:
            marked = f"{len(self.marks):,} marked" if self.marks else ""
            model = catalogue.model.rsplit("/", 1)[-1]
            facts = (catalogue.folder.name, f"{catalogue.photos:,} photos", model, self.images.value, marked)
            self.main.query_one(TitleLine).tell(*facts)
            self.main.query_one(KeyLine).has_marks = bool(self.marks)
