"""What the screen asks of the catalogue: the only module of the terminal UI that speaks to the domain.

Every method blocks, may be called by several threads, and raises BioclipSearchError. lancedb and pyarrow are imported
when a catalogue is opened, torch and open_clip when a model must embed something.
"""

import gc
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING

from bioclip_search.branches import UNPLACED, Branch, BranchCounts
from bioclip_search.errors import BioclipSearchError, CatalogueError, VanishedPhoto
from bioclip_search.query import Query, Searcher
from bioclip_search.taxonomy import TaxonPath
from bioclip_search.text import printable
from tui.orders import counted, ordered
from tui.results import ListResults, Order, Results, SearchResults

if TYPE_CHECKING:
    from PIL import Image

    from bioclip_search.catalogue import Catalogue
    from bioclip_search.embedder import Embedder
    from bioclip_search.identification import Review, Suggestion, Verdict
    from bioclip_search.specimen import Photo

__all__ = ["EVERYTHING", "UNPLACED", "BrowsedCatalogue", "Branch", "Suggested"]

EVERYTHING = Query(within=((),))
"""The list of all photos."""

_REMEMBERED = 8
# It is open all day; a list is scrolled no slower with it than with twenty times as much.
_CACHE_BYTES = 4 * 2**20
_SIBLINGS = 200


@dataclass(frozen=True, slots=True)
class Suggested:
    """What a photo was taken for, and what was last said of that."""

    suggestion: "Suggestion"
    review: "Review | None" = None


class BrowsedCatalogue:
    """An open catalogue. Make one with `open`.

    `photos` is the number of its photos and `model` the name of its model, as they were when it was opened or read
    again with `reload`.
    """

    def __init__(
        self, catalogue: "Catalogue", model: str | None, model_for_text: str | None, device: str, dtype: str
    ) -> None:
        self.folder = catalogue.folder
        self._catalogue = catalogue
        self._named = {False: model, True: model_for_text}
        self._device = device
        self._dtype = dtype
        self._models: dict[bool, Embedder] = {}
        self._model_lock = RLock()
        self._lock = Lock()
        self._answers: OrderedDict[tuple[Query, int], Results] = OrderedDict()
        self._searcher = Searcher(
            catalogue, lambda: self._embedder(for_text=False), lambda: self._embedder(for_text=True)
        )
        self.reload()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        model: str | None = None,
        model_for_text: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
    ) -> "BrowsedCatalogue":
        """Open a catalogue; `model` says where its model is now, if not where it was, `model_for_text` the same of
        that for texts.

        Raises CatalogueNotFound, CatalogueDamaged or CatalogueTooNew.
        """
        from bioclip_search.catalogue import Catalogue

        return cls(Catalogue.open(folder, cache_bytes=_CACHE_BYTES), model, model_for_text, device, dtype)

    def reload(self) -> None:
        """Read again what another program may have changed."""
        self._version = self._catalogue.version
        self.photos = self._catalogue.count()
        self.model = self._catalogue.fingerprint.model
        with self._lock:
            self._answers.clear()

    def is_changed(self) -> bool:
        """Whether another program has written to the catalogue since."""
        return self._catalogue.version != self._version

    def inherit(self, other: "BrowsedCatalogue") -> None:
        """Take over what another one of the same folder has loaded, or is just loading, if its models are these."""
        mine, others = self._catalogue, other._catalogue
        is_same = mine.fingerprint == others.fingerprint and mine.for_text.fingerprint == others.for_text.fingerprint
        if self.folder == other.folder and self._named == other._named and is_same:
            self._models, self._model_lock = other._models, other._model_lock

    # Taxa

    def children(self, path: TaxonPath = ()) -> list[Branch]:
        """The taxa next below a path, those with the most photos first; of the root () also what has no name."""
        return self._catalogue.branches().children(path)

    def find_taxa(self, words: str, limit: int) -> list[Branch]:
        """Taxa whose scientific or common name has the words in it, the best first."""
        return self._catalogue.branches().find(words, limit)

    def taxa_like(self, words: str, limit: int) -> list[Branch]:
        """Taxa with a name that is spelt nearly so, the likest first: the words may be mistyped."""
        return self._catalogue.branches().like(words, limit)

    def counts(self, query: Query) -> Mapping[TaxonPath, int] | None:
        """How many results of a query each taxon has; None where these are the numbers of the tree itself."""
        if replace(query, within=EVERYTHING.within, limit=EVERYTHING.limit, offset=0) == EVERYTHING:
            return None
        results = self.ask(query)
        if isinstance(results, ListResults):
            return BranchCounts(results.listing.branches)
        return counted(results.hits or ())

    # Queries

    def ask(self, query: Query) -> Results:
        """Answer a query; without parts and words in records it is a list of every photo that is meant, whatever its
        limit. What was asked last is remembered until the catalogue changes.

        Raises what `Searcher.search` raises.
        """
        key = (query, self._catalogue.version)
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        results = self._answer(query)
        with self._lock:
            self._answers[key] = results
            while len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        return results

    def _answer(self, query: Query) -> Results:
        began = time.perf_counter()
        if not query.parts and query.records is None:
            listing = self._searcher.listing(query)
            return ListResults(listing, time.perf_counter() - began)
        hits = self._searcher.search(query)
        self._catalogue.let_go()
        return SearchResults(hits, time.perf_counter() - began)

    def sorted(self, results: Results, order: Order) -> Results:
        """The same results in another order; what lacks the value comes last, the latest indexed first."""
        return ordered(results, order)

    def thumbnails(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The thumbnails of photos, JPEG of up to 256 pixels, by photo_id; b"" for one without, and nothing for a
        photo that is not in the catalogue."""
        found: dict[str, bytes] = {}
        with self._lock:
            lists = [results for results in reversed(self._answers.values()) if isinstance(results, ListResults)]
        for results in lists:
            # Where a photo stands is known of what was read last: that is read sooner than by its key.
            found |= results.thumbnails([key for key in keys if key not in found])
        return found | self._catalogue.thumbnails([key for key in keys if key not in found])

    # Photos

    def photo(self, key: str) -> "Photo":
        """The photo with this photo_id. Raises CatalogueError where it is not in the catalogue any more."""
        found = self._catalogue.photos_by_id([key])
        if key not in found:
            raise CatalogueError("This photo is not in the catalogue any more; read the catalogue again.")
        return found[key]

    def siblings(self, photo: "Photo") -> "list[Photo]":
        """The other photos of a photo's specimen, in the order of root and path; up to some hundreds."""
        from bioclip_search.query.siblings import siblings

        return siblings(self._catalogue, photo, _SIBLINGS)

    def picture(self, photo: "Photo", longest: int) -> "Image.Image":
        """The original, upright, reduced to at most `longest` pixels.

        Raises VanishedPhoto where the file is gone, UnreadablePhoto, UnsupportedPhoto or PhotoTooLarge.
        """
        from PIL import Image

        from bioclip_search.errors import PhotoError
        from bioclip_search.photo import open_photo

        try:
            image = open_photo(photo.file, longest).image
        except VanishedPhoto as error:
            raise VanishedPhoto(
                f"The file {printable(str(photo.file))} is not there; connect its disk, or say with "
                "`bioclip-search relocate` where its folder is now."
            ) from error
        except PhotoError as error:
            raise type(error)(f"The file {printable(str(photo.file))} cannot be shown: {error}.") from error
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        return image

    # The model

    def problem(self) -> str | None:
        """Why text and photo search cannot work here, in one sentence; None where nothing is known to be wrong.

        Nothing is downloaded or loaded for it; a model's weights are read, which takes a second for a large one.
        """
        from bioclip_search.models import is_on_hub, locate_model

        own = self._catalogue.fingerprint
        name = self._named[False] or own.model
        if is_on_hub(name) and not self._named[False]:
            return None
        try:
            self._catalogue.require_model(locate_model(name).fingerprint(own.fit))
        except BioclipSearchError as error:
            return str(error)
        return None

    def model_ready(self) -> bool:
        """Whether the model has been loaded."""
        return False in self._models

    def warm(self) -> None:
        """Load the model now, in this thread. Raises what `Embedder.load` raises, and ModelMismatch."""
        self._catalogue.require_model(self._embedder(for_text=False).fingerprint)

    def _embedder(self, *, for_text: bool) -> "Embedder":
        from bioclip_search.embedder import Embedder

        with self._model_lock:
            if for_text not in self._models:
                own = self._catalogue.for_text.require() if for_text else self._catalogue.fingerprint
                name = self._named[for_text] or own.model
                self._models[for_text] = Embedder.load(name, device=self._device, dtype=self._dtype, fit=own.fit)
                # Where the program keeps from looking through what it began with for garbage, so also the model.
                if gc.get_freeze_count():
                    gc.freeze()
            return self._models[for_text]

    # Suggestions

    def suggestions(self, key: str) -> list[Suggested]:
        """What a photo was taken for by `identify --save` or `identify`, the latest first, with the last reviews."""
        from bioclip_search.identification import last_reviews, suggestions

        photo = self.photo(key)
        found = suggestions(self.folder, (key, photo.content_hash))
        # A photo that was moved is known by its content; a copy of it has suggestions of its own.
        found = [one for one in found if one.photo_id == key] or found
        last = last_reviews(self.folder, found)
        return [Suggested(one, last.get(one.suggestion_id)) for one in found]

    def identify(self, key: str) -> Suggested:
        """What a photo is, as its nearest determined neighbours say; no model is needed, and nothing is kept.

        Raises QueryError where there is nothing to compare with.
        """
        from bioclip_search.identification import identify_now, last_reviews

        suggestion = identify_now(self._catalogue, key)
        self._catalogue.let_go()
        return Suggested(suggestion, last_reviews(self.folder, [suggestion]).get(suggestion.suggestion_id))

    def review(self, key: str, suggestion: "Suggestion", verdict: "Verdict | str") -> "Review":
        """Keep a verdict, "accepted" or "rejected", beside the suggestion, never over the determination.

        Raises UsageError for a suggestion without a taxon, and CatalogueError where nothing can be written.
        """
        from bioclip_search.identification import Verdict, keep, review

        photo = self.photo(key)
        made = review(self.folder, [(suggestion, photo)], Verdict(verdict))
        if suggestion not in (one.suggestion for one in self.suggestions(key)):
            keep(self.folder, [suggestion])
        return made[0]

    # Writing out

    def export(self, keys: Sequence[str], file: Path, *, force: bool = False) -> int:
        """Write photos and the records of their specimens to a file in the format of its suffix, CSV without one, and
        give their number. Raises UsageError for another suffix, for a file that may not or cannot be written, and for
        one that is there without `force`."""
        from bioclip_search.export import Choice, ExportOptions, export_photos
        from bioclip_search.paths import absolute

        target = absolute(file)
        options = ExportOptions(target, "" if target.suffix else "csv", force=force)
        choice = Choice(lines=list(keys), include_missing=True)
        return export_photos(self._catalogue, options, choice, lambda: self._embedder(for_text=False)).photos
