"""The terminal application. It alone speaks to the archive: in threads, answering what widgets ask by messages.

Importing this module imports neither torch, open_clip, lancedb nor pyarrow: the first screen is painted before them.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from textual import on
from textual.app import App

from bioclip_search.errors import BioclipSearchError, CatalogueError, PhotoError
from bioclip_search.query import Hit
from tui.actions import PhotoActions
from tui.bindings import key
from tui.commands import Commands
from tui.config import Config
from tui.desktop import Opener, start
from tui.images import Mode
from tui.lanes import Lane, in_thread
from tui.messages import (
    BranchesWanted,
    ExportWanted,
    IdentificationWanted,
    ModelWanted,
    PictureWanted,
    QuestionAsked,
    ReviewGiven,
    SearchGivenUp,
    SpecimenWanted,
    SuggestionsWanted,
    TaxaSought,
)
from tui.question import Question
from tui.screens.full_view import FullView
from tui.screens.main import MainScreen
from tui.screens.notice import Notice
from tui.screens.suggestions import Suggestions
from tui.theme import DARK, LIGHT, theme_name
from tui.widgets.hit_view import HitView, TileState, key_of
from tui.widgets.results_pane import ResultsPane
from tui.widgets.search_bar import SearchBar
from tui.widgets.specimen import SpecimenPane
from tui.widgets.taxa_pane import TaxaPane
from tui.widgets.title_line import TitleLine

if TYPE_CHECKING:
    from PIL import Image

    from tui.archive import Archive, Suggested

__all__ = ["BrowseApp", "OpenArchive"]

_T = TypeVar("_T")

OpenArchive = Callable[[], "Archive"]
"""Opens the archive; called in a thread, once the first screen is painted, and again to read it anew."""

_PICTURES_AT_ONCE = 24
_SPECIMEN_PIXELS = 900


class BrowseApp(PhotoActions, App[None]):
    """Browse one catalogue."""

    CSS_PATH = "tui.tcss"
    TITLE = "bioclip-search"
    COMMANDS = {Commands}
    BINDINGS = [
        key("question_mark,f1", "help", "Help", "All keys of where you are", "help", show=True),
        key("ctrl+p", "command_palette", "Commands", "Find a command by its name", "commands", show=True),
        key("T", "next_theme", "Light/dark", "Change between the light and the dark colours", "theme"),
        key("E", "details", "Details", "What went wrong last, in full", "details"),
        key("q", "leave", "Quit", "Leave the program", "quit", show=True),
    ]

    def __init__(
        self,
        open_archive: OpenArchive,
        *,
        folder: Path,
        images: Mode = Mode.BLOCKS,
        config: Config | None = None,
        opener: Opener = start,
    ) -> None:
        super().__init__()
        self.config = config or Config()
        self.images = self.first_images = images
        self.opener = opener
        self.marks: dict[str, Hit] = {}
        self.last_error = ""
        self.number = 0
        self._folder = folder
        self._open_archive = open_archive
        self._archive: Archive | None = None
        self._is_model_asked = False
        self._is_exporting = self._is_leaving = False
        self._tiles, self._specimen, self._counts, self._found = (Lane(latest=True) for _ in range(4))
        self._taxa, self._others = Lane(), Lane()
        self.main = MainScreen()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = theme_name(self.config.theme)

    # Beginning

    def on_mount(self) -> None:
        self.set_keymap(dict(self.config.keys))
        self.push_screen(self.main)
        self.main.call_after_refresh(self._open)

    def _open(self) -> None:
        self.main.query_one(TitleLine).tell(str(self._folder))

        def work() -> None:
            try:
                archive = self._open_archive()
            except BioclipSearchError as error:
                self._hand_over(self._not_opened, str(error))
            except Exception as error:  # noqa: BLE001 (whatever it is, the screen stays, and says it)
                self._hand_over(self._not_opened, f"The catalogue {self._folder} cannot be opened: {error}.")
            else:
                self._hand_over(self._opened, archive)

        in_thread(work)

    def _not_opened(self, sentence: str) -> None:
        if self._archive is None:
            self.push_screen(Notice("The catalogue cannot be shown", sentence))
        else:
            self.fail(sentence)

    def _opened(self, archive: "Archive") -> None:
        is_first = self._archive is None
        self._archive = archive
        self.main.query_one(TaxaPane).taxa.begin(archive.photos)
        self.main.problem = None
        self.tell_title()
        if self._screen_is_main():
            self.main.ask(self.main.question)
        self._in(self._others, lambda archive: archive.problem(), self._told_problem)
        if is_first and self._screen_is_main():
            self.main.pane.view.focus()

    def _screen_is_main(self) -> bool:
        return self.main in self.screen_stack

    def _told_problem(self, problem: str | None) -> None:
        self.main.problem = problem
        if problem is not None:
            self.main.query_one(SearchBar).disable("search by words and pictures is off, see below")
            self.fail(problem)

    def tell_title(self) -> None:
        """Write the first line anew."""
        archive = self._archive
        if archive is not None:
            marked = f"{len(self.marks):,} marked" if self.marks else ""
            model = archive.model.rsplit("/", 1)[-1]
            facts = (archive.folder.name, f"{archive.photos:,} photos", model, self.images.value, marked)
            self.main.query_one(TitleLine).tell(*facts)

    # The way to the archive

    def _in(
        self,
        lane: Lane,
        job: Callable[["Archive"], _T],
        then: Callable[[_T], object],
        failed: Callable[[str], object] | None = None,
    ) -> None:
        """Do a job in a lane's thread; then, or with the sentence that says why not, go on in this one."""
        archive = self._archive
        if archive is None:
            return

        lane.do(self._job(archive, job, then, failed or self.fail))

    def _job(
        self,
        archive: "Archive",
        job: Callable[["Archive"], _T],
        then: Callable[[_T], object],
        failed: Callable[[str], object],
    ) -> Callable[[], None]:
        def work() -> None:
            try:
                done = job(archive)
            except BioclipSearchError as error:
                self._hand_over(failed, str(error))
            except Exception as error:  # noqa: BLE001 (an unforeseen fault ends one answer, not the session)
                self._hand_over(failed, f"That went wrong: {type(error).__name__}: {error}.")
            else:
                self._hand_over(then, done)

        return work

    def _hand_over(self, then: Callable[[_T], object], value: _T) -> None:
        """From a job's thread to the application's, which may have ended meanwhile."""

        def go_on() -> None:
            if self.is_running and self.main.is_running and self.main.is_attached:
                then(value)

        self.call_later(go_on)

    def fail(self, sentence: str) -> None:
        """Say what went wrong, and go on."""
        self.last_error = sentence
        self.main.failed(sentence)

    # Questions

    @on(QuestionAsked)
    def _ask(self, asked: QuestionAsked) -> None:
        if self._archive is None:
            return
        self.number += 1
        number = self.number
        question = asked.question
        if question.is_search:
            self._note_model(is_loading=not self._archive.model_ready() and not question.like)
        self.main.searching(asked)

        def job(archive: "Archive") -> Any:
            results = archive.ask(question.query())
            return archive.sorted(results, question.order) if question.order else results

        def then(results: Any) -> None:
            if number == self.number:
                self._note_model(is_loading=False)
                self.main.answered(asked, results)
                self.recount()

        def failed(sentence: str) -> None:
            if number == self.number:
                self._note_model(is_loading=False)
                self.fail(sentence)

        in_thread(self._job(self._archive, job, then, failed))

    @on(SearchGivenUp)
    def _give_up(self) -> None:
        self.number += 1

    def recount(self) -> None:
        """Have the hits of what is shown counted by taxon."""
        tree, question = self.main.query_one(TaxaPane).taxa, self.main.question
        if question.kept is not None:
            tree.count(None)
            return
        self._in(self._counts, lambda archive: archive.counts(question.query()), tree.count)

    @on(ModelWanted)
    def _load_model(self) -> None:
        if self._archive is None or self._is_model_asked or self._archive.model_ready() or self.main.problem:
            return
        self._is_model_asked = True
        self._note_model(is_loading=True)

        def failed(sentence: str) -> None:
            self._is_model_asked = False
            self._note_model(is_loading=False)
            self.fail(sentence)

        self._in(self._others, lambda archive: archive.warm(), lambda _: self._note_model(is_loading=False), failed)

    def _note_model(self, *, is_loading: bool) -> None:
        self.main.query_one(TitleLine).note("model loading… (browsing works)" if is_loading else "")

    # Taxa

    @on(BranchesWanted)
    def _read_branches(self, wanted: BranchesWanted) -> None:
        tree, path = self.main.query_one(TaxaPane).taxa, wanted.path

        def failed(sentence: str) -> None:
            tree.fail(path)
            self.fail(sentence)

        self._in(self._taxa, lambda archive: archive.children(path), lambda found: tree.fill(path, found), failed)

    @on(TaxaSought)
    def _find_taxa(self, sought: TaxaSought) -> None:
        pane, words = self.main.query_one(TaxaPane), sought.words
        if words:
            self._in(self._found, lambda archive: archive.find_taxa(words), lambda found: pane.found(words, found))
        else:
            pane.found("", [])

    # Pictures

    @on(HitView.Wanted)
    def _read_hits(self, wanted: HitView.Wanted) -> None:
        results, view = self.main.pane.results, wanted.view
        if results is None:
            return

        def job(archive: "Archive") -> None:
            results.read(wanted.start, wanted.end)
            hits = [hit for index in range(wanted.start, wanted.end) if (hit := results.at(index)) is not None]
            self._hand_over(view.put, {})
            if not wanted.pictures:
                return
            keys = [key_of(hit) for hit in hits]
            for at in range(0, len(keys), _PICTURES_AT_ONCE):
                if not self._tiles.is_free:  # other photos are on the screen by now
                    return
                self._hand_over(view.put, _tiles(archive, keys[at : at + _PICTURES_AT_ONCE]))

        self._in(self._tiles, job, lambda _: None)

    @on(SpecimenWanted)
    def _read_specimen(self, wanted: SpecimenWanted) -> None:
        pane, hit = self.main.query_one(SpecimenPane), wanted.hit
        is_sharp = self.images in (Mode.KITTY, Mode.SIXEL)

        def job(archive: "Archive") -> tuple["Image.Image | None", str]:
            if is_sharp:
                try:
                    return archive.picture(hit.photo, _SPECIMEN_PIXELS), ""
                except PhotoError:
                    pass
            return _thumbnail(archive, hit)

        def then(found: tuple["Image.Image | None", str]) -> None:
            pane.complete(hit, *found, ())
            self._in(
                self._specimen,
                lambda archive: archive.siblings(key_of(hit)),
                lambda siblings: pane.complete(hit, *found, siblings),
            )

        self._in(self._specimen, job, then)

    @on(PictureWanted)
    def _read_picture(self, wanted: PictureWanted) -> None:
        screen, results = self.screen, self.main.pane.results
        if not isinstance(screen, FullView) or results is None:
            return

        def job(archive: "Archive") -> tuple["Hit | None", "Image.Image | None", str]:
            results.read(wanted.index, wanted.index + 1)
            hit = results.at(wanted.index)
            if hit is None:
                return None, None, TileState.NOT_FOUND.value
            try:
                return hit, archive.picture(hit.photo, wanted.longest), ""
            except PhotoError as error:
                image, _ = _thumbnail(archive, hit)
                return hit, image, str(error)

        self._in(self._specimen, job, lambda found: screen.put(wanted.index, *found))

    # Suggestions and export

    @on(SuggestionsWanted)
    def _read_suggestions(self, wanted: SuggestionsWanted) -> None:
        screen, key = self.screen, key_of(wanted.hit)
        if not isinstance(screen, Suggestions):
            return

        def job(archive: "Archive") -> Sequence["Suggested"]:
            known = archive.suggestions(key)
            if not isinstance(wanted, IdentificationWanted):
                return known
            new = archive.identify(key)
            return [new, *(one for one in known if one.suggestion.suggestion_id != new.suggestion.suggestion_id)]

        self._in(self._others, job, screen.put, screen.failed)

    @on(ReviewGiven)
    def _keep_review(self, given: ReviewGiven) -> None:
        screen, key = self.screen, key_of(given.hit)
        if not isinstance(screen, Suggestions):
            return

        def job(archive: "Archive") -> Sequence["Suggested"]:
            archive.review(key, given.suggested.suggestion, given.verdict)
            return archive.suggestions(key)

        self._in(self._others, job, screen.put, screen.failed)

    @on(ExportWanted)
    def _write_export(self, wanted: ExportWanted) -> None:
        keys = list(self.marks)
        self._is_exporting = True

        def then(count: int) -> None:
            self._is_exporting = False
            self.notify(f"Wrote {count:,} photos to {wanted.file}", markup=False)

        def failed(sentence: str) -> None:
            self._is_exporting = False
            self.fail(sentence)

        self._in(self._others, lambda archive: archive.export(keys, wanted.file), then, failed)

    @property
    def is_exporting(self) -> bool:
        return self._is_exporting


def _tiles(archive: "Archive", keys: Sequence[str]) -> Mapping[str, bytes | TileState]:
    """Thumbnails, and in words what there is in place of those that are not there."""
    try:
        found = archive.thumbnails(keys)
    except CatalogueError:
        found = {}
    return {key: found.get(key) or TileState.NOT_FOUND for key in keys}


def _thumbnail(archive: "Archive", hit: Hit) -> tuple["Image.Image | None", str]:
    """The thumbnail as a picture, or in words why there is none."""
    from bioclip_search.photo import open_photo

    tile = _tiles(archive, [key := key_of(hit)])[key]
    if isinstance(tile, TileState):
        return None, tile.value
    try:
        return open_photo(tile).image, ""
    except PhotoError:
        return None, TileState.UNREADABLE.value
