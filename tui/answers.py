"""What the catalogue has of photos: thumbnails, pictures, suggestions, files of marked ones; brought where wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input

from bioclip_search.errors import CatalogueError, PhotoError, UsageError
from bioclip_search.query import Hit
from bioclip_search.text import printable
from tui.actions import PhotoActions
from tui.images import Mode
from tui.messages import (
    ExportWanted,
    IdentificationWanted,
    PictureWanted,
    ReviewGiven,
    SpecimenWanted,
    SuggestionsWanted,
)
from tui.named import key_of
from tui.screens.suggestions import Suggestions
from tui.widgets.banner import Banner
from tui.widgets.gallery import DrawnTiles, Gallery
from tui.widgets.hit_view import HitView, TileState
from tui.widgets.specimen import SpecimenPane

if TYPE_CHECKING:
    from PIL import Image

    from tui.browsed import BrowsedCatalogue, Suggested
    from tui.results import Results

__all__ = ["PhotoAnswers"]

_PICTURES_AT_ONCE = 24
_SPECIMEN_PIXELS = 900


class PhotoAnswers(PhotoActions):
    """Answers messages that ask for something of photos."""

    @on(HitView.Wanted)
    def _read_hits(self, wanted: HitView.Wanted) -> None:
        results, view = self.main.pane.results, wanted.view
        if results is None:
            return

        def job(catalogue: "BrowsedCatalogue") -> None:
            results.read(wanted.start, wanted.end)
            hits = [hit for index in range(wanted.start, wanted.end) if (hit := results.at(index)) is not None]
            self.hand_over(view.put, {})
            if not wanted.pictures:
                return
            keys = [key_of(hit) for hit in hits]
            for at in range(0, len(keys), _PICTURES_AT_ONCE):
                if not self.tiles.is_free:  # other photos are on the screen by now
                    return
                some = keys[at : at + _PICTURES_AT_ONCE]
                is_hidden = self.images is Mode.NONE
                tiles = dict.fromkeys(some, TileState.HIDDEN) if is_hidden else _tiles(catalogue, some)
                self.hand_over(view.put, tiles)

        self.in_lane(self.tiles, job, lambda _: None)

    def first_tiles(self, catalogue: "BrowsedCatalogue", results: "Results", view: HitView) -> DrawnTiles | None:
        """The tiles of the first hits of a search, drawn in its thread, so that the screen is drawn once.

        None where there is no gallery, and for lists, which are read where they are looked at.
        """
        if self.images is Mode.NONE or not results.has_scores or not isinstance(view, Gallery):
            return None
        hits = [hit for index in range(view.most_on_screen) if (hit := results.at(index)) is not None]
        return view.draw(_tiles(catalogue, [key for hit in hits if not view.has_drawn(key := key_of(hit))]))

    @on(SpecimenWanted)
    def _read_specimen(self, wanted: SpecimenWanted) -> None:
        pane, hit = self.main.query_one(SpecimenPane), wanted.hit
        is_sharp = self.images in (Mode.KITTY, Mode.SIXEL)

        def job(catalogue: "BrowsedCatalogue") -> tuple["Image.Image | None", str]:
            if self.images is Mode.NONE:
                return None, TileState.HIDDEN.value
            if is_sharp:
                try:
                    return catalogue.picture(hit.photo, _SPECIMEN_PIXELS), ""
                except PhotoError:
                    pass
            return _thumbnail(catalogue, hit)

        def then(found: tuple["Image.Image | None", str]) -> None:
            pane.complete(hit, *found, ())
            self.in_lane(
                self.specimen,
                lambda catalogue: catalogue.siblings(hit.photo),
                lambda siblings: pane.complete(hit, *found, siblings),
            )

        self.in_lane(self.specimen, job, then)

    @on(PictureWanted)
    def _read_picture(self, wanted: PictureWanted) -> None:
        screen, results = wanted.screen, wanted.results

        def put(found: tuple[Hit | None, "Image.Image | None", str]) -> None:
            screen.put(wanted.index, *found)

        def job(catalogue: "BrowsedCatalogue") -> tuple[Hit | None, "Image.Image | None", str]:
            results.read(wanted.index, wanted.index + 1)
            hit = results.at(wanted.index)
            if hit is None or self.images is Mode.NONE:
                return hit, None, (TileState.HIDDEN if hit else TileState.NOT_FOUND).value
            small, said = _thumbnail(catalogue, hit)
            if small is not None:
                self.hand_over(put, (hit, small, ""))
            if not screen.lane.is_free:  # another photo is shown by now
                return hit, small, said
            try:
                return hit, catalogue.picture(hit.photo, wanted.longest), ""
            except PhotoError as error:
                return hit, small, str(error)

        self.in_lane(screen.lane, job, put)

    # Suggestions and export

    @on(SuggestionsWanted)
    def _read_suggestions(self, wanted: SuggestionsWanted) -> None:
        screen, key = self.screen, key_of(wanted.hit)
        if not isinstance(screen, Suggestions):
            return

        def job(catalogue: "BrowsedCatalogue") -> Sequence["Suggested"]:
            known = catalogue.suggestions(key)
            if not isinstance(wanted, IdentificationWanted):
                return known
            new = catalogue.identify(key)
            return [new, *(one for one in known if one.suggestion.suggestion_id != new.suggestion.suggestion_id)]

        self.in_lane(self.others, job, screen.put, screen.failed)

    @on(ReviewGiven)
    def _keep_review(self, given: ReviewGiven) -> None:
        screen, key = self.screen, key_of(given.hit)
        if not isinstance(screen, Suggestions):
            return

        def job(catalogue: "BrowsedCatalogue") -> "Suggested":
            review = catalogue.review(key, given.suggested.suggestion, given.verdict)
            return replace(given.suggested, review=review)

        self.in_lane(self.others, job, screen.reviewed, screen.failed)

    @on(ExportWanted)
    def _write_export(self, wanted: ExportWanted) -> None:
        keys = list(self.marks)
        self.exports_under_way += 1
        self._is_leaving = False

        def job(catalogue: "BrowsedCatalogue") -> int | UsageError:
            try:
                return catalogue.export(keys, wanted.file)
            except UsageError as refused:
                return refused

        def then(done: int | UsageError) -> None:
            if isinstance(done, UsageError):
                refused(str(done))
                return
            self.exports_under_way -= 1
            self.note_work()
            self.exported.update(keys)
            self.main.query_one(Banner).end_of_error()
            self.notify(f"Wrote {done:,} photos to {printable(str(wanted.file))}", markup=False)

        def refused(sentence: str) -> None:
            if self.marks and self.screen is self.main and not isinstance(self.focused, Input):
                self.exports_under_way -= 1
                self.ask_for_export(wanted.file, sentence)
            else:
                failed(sentence)

        def failed(sentence: str) -> None:
            self.exports_under_way -= 1
            self.fail(sentence)

        self.in_lane(self.exports, job, then, failed)


def _tiles(catalogue: "BrowsedCatalogue", keys: Sequence[str]) -> Mapping[str, bytes | TileState]:
    """Thumbnails, and in words what there is in place of those that are not there."""
    try:
        found = catalogue.thumbnails(keys)
    except CatalogueError:
        found = {}
    return {key: found.get(key) or TileState.NOT_FOUND for key in keys}


def _thumbnail(catalogue: "BrowsedCatalogue", hit: Hit) -> tuple["Image.Image | None", str]:
    """The thumbnail as a picture, or in words why there is none."""
    from bioclip_search.photo import open_photo

    tile = _tiles(catalogue, [key := key_of(hit)])[key]
    if isinstance(tile, TileState):
        return None, tile.value
    try:
        return open_photo(tile).image, ""
    except PhotoError:
        return None, TileState.UNREADABLE.value
