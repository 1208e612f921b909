"""The terminal application: what it asks, what it shows, and that a late or failed answer harms nothing."""

from pathlib import Path
from threading import Event

import pytest
from browsing import Held, browsing, in_loop, shown_text, toasts, until
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.events import MouseScrollDown
from textual.widget import Widget
from textual.widgets import Tree

from bioclip_search.branches import Branch
from bioclip_search.errors import CatalogueError
from bioclip_search.query import Query
from bioclip_search.specimen import Photo
from bioclip_search.taxonomy import Rank, TaxonPath
from tui.app import BrowseApp
from tui.browsed import BrowsedCatalogue
from tui.commands import Commands
from tui.config import Config
from tui.keymap import bindings
from tui.question import Question
from tui.screens.help import HelpScreen
from tui.screens.main import MainScreen
from tui.screens.too_small import TooSmall
from tui.widgets.banner import Banner
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_line import KeyLine
from tui.widgets.result_list import ResultList
from tui.widgets.search_bar import SearchBar, SearchInput
from tui.widgets.taxa_pane import TaxaPane


def held(app: object) -> Held:
    catalogue = app.catalogue  # type: ignore[attr-defined]
    assert isinstance(catalogue, Held)
    return catalogue


@in_loop
async def test_quick_typing_asks_once(drawer: Path) -> None:
    """Eleven keys without a pause are one search, which begins a moment after the last of them."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        bar = app.main.query_one(SearchBar)
        bar.pause = 600  # on a slow machine the model that begins to load holds a key up
        await pilot.press("slash", *"blue wing ")
        assert not held(app).searches
        bar.pause = 0.25
        await pilot.press("s")
        await until(pilot, lambda: held(app).searches)
        await until(pilot, lambda: app.main.question.words == "blue wing s")
        assert set(held(app).searches) == {"blue wing s"}


@in_loop
async def test_only_the_latest_search_is_shown(drawer: Path) -> None:
    """A slow answer that comes after a later one's is dropped; Backspace asks it again, and comes to its place."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        gate = held(app).hold("slow")
        await pilot.press("slash", *"slow", "enter")
        await until(pilot, lambda: "slow" in held(app).searches)
        await pilot.press("slash", *"fast", "enter")
        await until(pilot, lambda: app.main.question.words == "fast")
        gate.set()
        await until(pilot, lambda: "slow" in held(app).answered)
        assert app.main.question.words == "fast"
        assert [visit.question.words for visit in app.main.past.visits] == ["", "slow", "fast"]
        await pilot.press("backspace")
        await until(pilot, lambda: app.main.question.words == "slow" and app.main.asked is None)
        assert app.main.query_one(SearchBar).input.value == "slow"
        await pilot.press("backspace")
        assert app.main.question.words == ""
        await pilot.press("L", "L")
        assert app.main.question.words == "fast"
        assert held(app).searches.count("slow") == 2


@pytest.mark.parametrize("what", ["fails", "is refused"])
@in_loop
async def test_what_cannot_be_answered_does_not_block_the_way_back(drawer: Path, what: str) -> None:
    """An overtaken search that fails when it is asked again, or may not be asked, is passed over by the next key."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        gate, catalogue = held(app).hold("slow"), held(app)
        await pilot.press("slash", *"slow", "enter")
        await until(pilot, lambda: "slow" in catalogue.searches)
        await pilot.press("slash", *"fast", "enter")
        await until(pilot, lambda: app.main.question.words == "fast")
        gate.set()
        if what == "fails":
            await until(pilot, lambda: "slow" in catalogue.answered)
            catalogue.error = CatalogueError("The disk is gone; connect it.")
        else:
            app._told_problem("There is no model.")
        await pilot.press("backspace")
        await until(pilot, lambda: app.main.asked is None and app.main.query_one(Banner).display)
        assert app.main.question.words == "fast"
        await pilot.press("backspace")
        await pilot.pause()
        assert (app.main.question.words, app.main.asked) == ("", None)
        await pilot.press("L")
        assert app.main.question.words == "fast"


@in_loop
async def test_up_brings_words_back_into_the_box(drawer: Path) -> None:
    """As in a shell: what was searched for, answered or not, the last first; down leads on to what was being typed."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        box = app.main.query_one(SearchBar).input
        gate = held(app).hold("first")
        await pilot.press("slash", *"first", "enter", "slash", *"second", "enter")
        await until(pilot, lambda: app.main.question.words == "second")
        gate.set()
        await pilot.press("slash", *"th")
        shown = []
        for key in ("up", "up", "up", "down", "down"):
            await pilot.press(key)
            shown.append(box.value)
        assert shown == ["second", "first", "first", "second", "th"]
        await pilot.press("up", "enter")
        await until(pilot, lambda: app.main.question.words == "second" and app.main.asked is None)
        await pilot.press("slash", "down")
        assert app.focused is app.main.pane.view


@pytest.mark.parametrize("between", [("escape", "slash"), ()])
@in_loop
async def test_words_being_typed_outlive_those_that_were_brought_back(drawer: Path, between: tuple[str, ...]) -> None:
    """After going through the last words and leaving, or typing others, up and down begin anew and lose nothing."""
    async with browsing(drawer) as (app, pilot):
        bar = app.main.query_one(SearchBar)
        for words in ("first", "second"):
            await pilot.press("slash", *words, "enter")
            await until(pilot, lambda words=words: app.main.question.words == words and app.main.asked is None)  # type: ignore[misc]
        bar.pause = 600
        await pilot.press("slash", "up", "up", *between, "ctrl+u", *"new")
        shown = []
        for key in ("up", "down"):
            await pilot.press(key)
            shown.append(bar.input.value)
        assert shown == ["second", "new"]


@in_loop
async def test_escape_gives_up_a_search(drawer: Path) -> None:
    """The former question and its results are there again, and the late answer is ignored."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        gate = held(app).hold("slow")
        before = app.main.results
        app.main.query_one(SearchBar).pause = 600
        await pilot.press("slash", *"slow", "enter")
        await until(pilot, lambda: app.main.asked is not None)
        assert "searching…" in app.main.query_one(FilterLine).text
        await until(pilot, lambda: app.main.pane.view.has_class("-dim"))
        await pilot.press("escape")
        gate.set()
        await until(pilot, lambda: "slow" in held(app).answered)
        assert app.main.results is before
        assert app.main.query_one(SearchBar).input.value == ""
        assert "searching" not in app.main.query_one(FilterLine).text
        assert not app.main.pane.view.has_class("-dim")


@in_loop
async def test_a_taxon_narrows_the_results(drawer: Path) -> None:
    """Enter on a taxon shows its photos, the filter line names it, x removes it; counts are the catalogue's."""
    async with browsing(drawer) as (app, pilot):
        everything = app.main.results
        assert everything is not None
        tree = app.main.query_one(TaxaPane).taxa
        await until(pilot, lambda: len(tree.root.children) > 1)
        await pilot.press("t", "down")
        row = tree.cursor_node.data if tree.cursor_node else None
        assert row is not None
        assert row.branch is not None
        await pilot.press("enter")
        await until(pilot, lambda: app.main.question.taxon == row.branch.path)
        assert app.main.results is not None
        assert 0 < app.main.results.count == row.branch.count < everything.count
        assert f"In: {row.branch.name} ✕" in app.main.query_one(FilterLine).text
        assert f"{row.branch.count:,} photos" in app.main.query_one(FilterLine).text
        await pilot.press("x")
        await until(pilot, lambda: app.main.question.taxon == ())
        assert app.main.results.count == everything.count
        assert "all taxa" in app.main.query_one(FilterLine).text


class Crowded(BrowsedCatalogue):
    """An open catalogue whose root has very many taxa."""

    def children(self, path: TaxonPath = ()) -> list[Branch]:
        return [
            Branch((*path, (Rank.SPECIES, f"Aus b{n}")), Rank.SPECIES, f"Aus b{n}", None, 5_000 - n, has_children=True)
            for n in range(5_000)
        ]


@in_loop
async def test_of_five_thousand_children_two_hundred_come_at_once(drawer: Path) -> None:
    """No more than that is ever put in between two keys; the rest is one line, which opens further."""
    async with browsing(drawer, open_catalogue=Crowded.open) as (app, pilot):
        tree = app.main.query_one(TaxaPane).taxa
        await until(pilot, lambda: len(tree.root.children) == 201)
        node = tree.root.children[0]
        await pilot.press("t", "down", "right")
        await until(pilot, lambda: len(node.children) == 201)
        assert "… 4,800 more" in str(tree.render_label(node.children[-1], Style(), Style()))
        tree.select_node(node.children[-1])
        await until(pilot, lambda: len(node.children) == 401)
        assert node.children[200].data.branch.name == "Aus b200"  # type: ignore[union-attr]


@in_loop
async def test_more_taxa_asked_for_twice_come_once(drawer: Path) -> None:
    """A second Enter on the line of the rest, sent before it was replaced, does nothing."""
    async with browsing(drawer, open_catalogue=Crowded.open) as (app, pilot):
        tree = app.main.query_one(TaxaPane).taxa
        await until(pilot, lambda: len(tree.root.children) == 201)
        last = tree.root.children[-1]
        for _ in range(2):
            tree.post_message(Tree.NodeSelected(last))
        await until(pilot, lambda: len(tree.root.children) == 401)
        assert app.main.question.taxon == ()


@pytest.mark.parametrize("key", ["enter", "space", "right"])
@in_loop
async def test_the_line_of_the_rest_opens_as_a_taxon_does(drawer: Path, key: str) -> None:
    """The next two hundred take its place, with the cursor on the first of them."""
    async with browsing(drawer, open_catalogue=Crowded.open) as (app, pilot):
        tree = app.main.query_one(TaxaPane).taxa
        await until(pilot, lambda: len(tree.root.children) == 201)
        await pilot.press("t", "end")
        await until(pilot, lambda: tree.cursor_node is tree.root.children[-1])
        await pilot.press(key)
        await until(pilot, lambda: len(tree.root.children) == 401)
        assert tree.cursor_node is tree.root.children[200]
        assert not tree.cursor_node.is_expanded
        assert "… 4,600 more" in str(tree.render_label(tree.root.children[-1], Style(), Style()))


@in_loop
async def test_a_taxon_of_the_rest_is_marked_in_the_tree(drawer: Path) -> None:
    """One that was found by its name is brought before the line of the rest, which has one less."""
    async with browsing(drawer, open_catalogue=Crowded.open) as (app, pilot):
        tree = app.main.query_one(TaxaPane).taxa
        await until(pilot, lambda: len(tree.root.children) == 201)
        tree.choose(((Rank.SPECIES, "Aus b3000"),))
        await until(pilot, lambda: len(tree.root.children) == 202)
        brought, rest = tree.root.children[-2:]
        assert "»" in str(tree.render_label(brought, Style(), Style()))
        await until(pilot, lambda: tree.cursor_node is brought)
        assert "… 4,799 more" in str(tree.render_label(rest, Style(), Style()))
        tree.select_node(rest)
        await until(pilot, lambda: len(tree.root.children) == 402)


@in_loop
async def test_a_search_of_everything_claims_no_matches(drawer: Path) -> None:
    """Each photo has some likeness: the line says that all are ranked, and the tree counts as for a list;
    a lowest score leaves matches, which the tree counts."""
    async with browsing(drawer) as (app, pilot):
        line, tree = app.main.query_one(FilterLine), app.main.query_one(TaxaPane).taxa
        await pilot.press("s")
        await until(pilot, lambda: app.main.question.like)
        assert "125 photos, best first" in line.text
        assert "match" not in line.text
        assert tree._counts is None
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: app.main.question.least)
        assert app.main.results is not None
        assert f"{app.main.results.count:,} match" in line.text
        await until(pilot, lambda: tree._counts is not None)


@in_loop
async def test_commands_hold_no_text_of_records(drawer: Path) -> None:
    """A taxon whose name looks like markup can be left by the palette."""
    async with browsing(drawer) as (app, pilot):
        assert app.main.past.now is not None
        app.main.past.now.question = Question(taxon=((Rank.GENUS, "Aus [/b] [red]"),))
        commands = Commands(app.main)
        titles = [str(hit.text) async for hit in commands.search("all taxa")]
        assert "All taxa" in titles
        await pilot.press("escape")


@in_loop
async def test_a_query_by_photo_can_be_undone(drawer: Path) -> None:
    """s searches with the photo within the taxon; Backspace brings the former results and cursor back."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        tree = app.main.query_one(TaxaPane).taxa
        await until(pilot, lambda: len(tree.root.children) > 1)
        await pilot.press("t", "down", "enter")
        await until(pilot, lambda: app.main.question.taxon)
        taxon = app.main.question.taxon
        app.main.pane.view.focus()
        await pilot.press("right", "right")
        await until(pilot, lambda: app.main.hit is not None)
        hit, before = app.main.hit, app.main.results
        assert hit is not None
        await pilot.press("s")
        await until(pilot, lambda: app.main.question.like)
        assert app.main.question.taxon == taxon
        query = held(app).asked[-1]
        assert query.within == (taxon,)
        assert query.parts[0].label == str(hit.photo.file)
        assert f"similar to {hit.specimen.catalog_number}" in shown_text(app.main)
        assert app.main.hit is not None
        assert app.main.hit.photo != hit.photo
        assert app.main.hit.score is not None
        await pilot.press("backspace")
        assert app.main.results is before
        assert app.main.pane.view.cursor == 2
        await pilot.press("L")
        assert app.main.question.like is not None


@in_loop
async def test_resizing_keeps_cursor_focus_and_question(drawer: Path) -> None:
    """Smaller and larger again one is where one was; below 60×18 the screen says what it needs."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("right", "right", "right", "right")
        hit, focused, question = app.main.hit, app.focused, app.main.question
        for width, height in ((80, 24), (60, 18), (59, 18), (60, 17), (120, 40)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            is_small = width < 60 or height < 18
            text = f"Terminal too small ({width}×{height}); need 60×18"
            await until(pilot, lambda: isinstance(app.screen, TooSmall) is is_small)  # noqa: B023 (asked at once)
            assert (text in shown_text(app.screen)) is is_small
        await until(pilot, lambda: app.focused is focused)
        assert (app.main.hit, app.main.question) == (hit, question)


@in_loop
async def test_keys_do_nothing_to_what_cannot_be_seen(drawer: Path) -> None:
    """While the terminal is too small no key marks, searches or closes anything; q leaves."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("question_mark")
        await pilot.resize_terminal(40, 10)
        await until(pilot, lambda: isinstance(app.screen, TooSmall))
        await pilot.press("escape", "m", "d", "slash", "w", "right", "s", "enter", "v", "T", "tab", "ctrl+p")
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("escape")
        assert (app.screen, app.focused, app.marks) == (app.main, app.main.pane.view, {})
        assert (app.main.pane.view.cursor, app.main.question) == (0, Question())
        await pilot.resize_terminal(40, 10)
        await until(pilot, lambda: isinstance(app.screen, TooSmall))
        await pilot.press("q")
        assert app._exit


def test_every_binding_can_be_told_and_changed() -> None:
    """Each has an id, a description and a tooltip; the same id is always the same action's."""
    own = bindings()
    assert len(own) > 60
    for binding in own:
        assert binding.id
        assert binding.description
        assert binding.tooltip
    assert len({(binding.id, binding.action) for binding in own}) == len({binding.id for binding in own})


@in_loop
async def test_a_key_of_the_settings_is_followed_by_line_and_help(drawer: Path) -> None:
    """A key that the user chose works, and both places that tell keys tell it."""
    config = Config(keys={"search-text": "ctrl+f"})
    async with browsing(drawer, config=config) as (app, pilot):
        assert "^f Search" in app.main.query_one(KeyLine).text
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert "^f Search" in app.screen.text
        told = {binding.id for group in app.screen.shown for _, binding in group.keys}
        await pilot.press("escape", "ctrl+f")
        assert isinstance(app.focused, SearchInput)
        assert {binding.id for binding in MainScreen.BINDINGS if isinstance(binding, Binding)} <= told


@in_loop
async def test_help_is_of_the_pane_and_leads_back(drawer: Path) -> None:
    """? tells the keys of the focused pane first; Esc gives the focus back to it."""
    async with browsing(drawer) as (app, pilot):
        for pane, title in (("t", "The tree of taxa"), ("slash", "The search box")):
            await pilot.press(pane)
            focused = app.focused
            await pilot.press("f1")
            assert isinstance(app.screen, HelpScreen)
            assert app.screen.shown[0].title == title
            await pilot.press("escape")
            assert app.focused is focused


@in_loop
async def test_letters_in_the_search_box_are_text(drawer: Path) -> None:
    """t, q and s are typed there; Esc leaves the box to the results."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("slash", "t", "q", "s")
        assert app.main.query_one(SearchBar).input.value == "tqs"
        await pilot.press("escape")
        assert app.focused is app.main.pane.view
        assert app.main.query_one(SearchBar).input.value in ("", "tqs")


@in_loop
async def test_the_mouse_chooses_opens_and_scrolls(drawer: Path) -> None:
    """A click chooses a tile, two open it, the wheel scrolls, and a click on the arrow opens a taxon."""
    async with browsing(drawer) as (app, pilot):
        view, tree = app.main.pane.view, app.main.query_one(TaxaPane).taxa
        await pilot.click(view, offset=(20, 3))
        assert view.cursor == 1
        await pilot.click(view, offset=(2, 3), times=2)
        await until(pilot, lambda: type(app.screen).__name__ == "FullView")
        await pilot.press("escape")
        view.post_message(wheel(view))
        await until(pilot, lambda: view.scroll_offset.y > 0)
        await until(pilot, lambda: len(tree.root.children) > 1)
        await pilot.click(tree, offset=(2, 1))
        await until(pilot, lambda: tree.root.children[0].is_expanded)
        assert app.main.question.taxon == ()


def wheel(view: Widget) -> MouseScrollDown:
    """One notch down over a widget."""
    return MouseScrollDown(view, 5, 5, 0, 0, 0, False, False, False)


@pytest.mark.parametrize("error", [CatalogueError("The disk is gone; connect it."), RuntimeError("[bold]odd[/bold]")])
@in_loop
async def test_a_failed_search_is_one_line(drawer: Path, error: Exception) -> None:
    """The banner says it, the results stay, the next search works, and nothing looks like a traceback."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        catalogue, before = held(app), app.main.results
        catalogue.error = error
        await pilot.press("slash", *"any", "enter")
        await until(pilot, lambda: app.main.query_one(Banner).display)
        screen = shown_text(app.main)
        assert str(error) in screen
        assert "Traceback" not in screen
        assert app.main.results is before
        await pilot.press("E")
        assert str(error) in "\n".join(strip.text for strip in app.screen._compositor.render_strips(app.size))
        await pilot.press("escape")
        catalogue.error = None
        await pilot.press("slash", *"thing", "enter")
        await until(pilot, lambda: app.main.question.words == "thing")
        assert not app.main.query_one(Banner).display
        assert isinstance(held(app).asked[-1], Query)


@in_loop
async def test_another_failure_does_not_end_a_search(drawer: Path) -> None:
    """What fails beside a search is told; the search goes on and is answered."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        gate = held(app).hold("wing")
        await pilot.press("slash", *"wing", "enter")
        await until(pilot, lambda: "wing" in held(app).searches)
        app.fail("Another thing failed.")
        assert app.main.query_one(Banner).display
        assert "searching…" in app.main.query_one(FilterLine).text
        gate.set()
        await until(pilot, lambda: app.main.question.words == "wing")


@in_loop
async def test_marked_photos_stay_when_the_catalogue_is_read_again(drawer: Path) -> None:
    """r asks nothing for photos that were gathered by hand, and keeps one's place in a list."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("m", "right", "right")
        for marked in (None, "marked photos"):
            catalogue = app.catalogue
            await pilot.press("r")
            await until(pilot, lambda catalogue=catalogue: app.catalogue is not catalogue and app.main.asked is None)  # type: ignore[misc]
            assert app.main.question.kept == marked
            assert app.main.results is not None
            assert (app.main.results.count == 1) is (marked is not None)
            assert app.main.pane.view.cursor == (0 if marked else 2)
            await pilot.press("M")


@in_loop
async def test_words_that_go_on_before_the_answer_keep_the_listing(drawer: Path) -> None:
    """Backspace leads from what was typed in two goes to what was there before."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        gate = held(app).hold("blu")
        await pilot.press("slash", *"blu")
        await until(pilot, lambda: "blu" in held(app).searches)
        await pilot.press("e")
        await until(pilot, lambda: app.main.question.words == "blue")
        gate.set()
        assert [visit.question.words for visit in app.main.past.visits] == ["", "blue"]
        await pilot.press(" ", "w")
        await until(pilot, lambda: app.main.question.words == "blue w")
        assert [visit.question.words for visit in app.main.past.visits] == ["", "blue w"]
        await pilot.press("enter", "slash", "x")
        await until(pilot, lambda: app.main.question.words == "x")
        assert [visit.question.words for visit in app.main.past.visits] == ["", "blue w", "x"]


@in_loop
async def test_a_taxon_chosen_during_a_search_keeps_its_words(drawer: Path) -> None:
    """A question builds on the last one, answered or not; the former's late answer is dropped."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        tree = app.main.query_one(TaxaPane).taxa
        await until(pilot, lambda: len(tree.root.children) > 1)
        gate = held(app).hold("wing")
        app.main.query_one(SearchBar).pause = 600
        await pilot.press("slash", *"wing", "enter")
        await until(pilot, lambda: "wing" in held(app).searches)
        await pilot.press("t", "down", "enter", "right_square_bracket", "right_square_bracket")
        gate.set()
        await until(pilot, lambda: app.main.asked is None)
        assert (app.main.question.words, app.main.question.least) == ("wing", 0.1)
        assert app.main.question.taxon
        assert [visit.question.words for visit in app.main.past.visits] == ["", "wing"]


@in_loop
async def test_words_that_are_erased_give_up_their_search(drawer: Path) -> None:
    """Back at what is on the screen, nothing is searched for any more."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        gate, before = held(app).hold("x"), app.main.results
        await pilot.press("slash", "x")
        await until(pilot, lambda: "x" in held(app).searches)
        await pilot.press("backspace")
        await until(pilot, lambda: app.main.asked is None)
        gate.set()
        await until(pilot, lambda: "x" in held(app).answered)
        assert app.main.results is before


class Slow(Held):
    """An open catalogue that reads the photos of a specimen when the test lets it."""

    gate = Event()

    def siblings(self, photo: Photo) -> list[Photo]:
        assert self.gate.wait(60)
        return super().siblings(photo)


@in_loop
async def test_photos_of_a_specimen_that_come_late_are_dropped(drawer: Path) -> None:
    """Whoever asked for something else meanwhile stays there."""
    async with browsing(drawer, open_catalogue=Slow.open) as (app, pilot):
        Slow.gate.clear()
        await pilot.press("a", "s")
        await until(pilot, lambda: app.main.question.like is not None)
        Slow.gate.set()
        done: list[None] = []
        app.in_lane(app.others, lambda _: None, done.append)
        await until(pilot, lambda: done)
        assert app.main.question.like is not None
        await pilot.press("a")
        await until(pilot, lambda: app.main.question.kept is not None)


class Finding(Held):
    """An open catalogue that finds taxa by more than one letter when the test lets it."""

    gate = Event()

    def find_taxa(self, words: str, limit: int) -> list[Branch]:
        assert len(words) == 1 or self.gate.wait(60)
        return super().find_taxa(words, limit)


@in_loop
async def test_enter_takes_no_taxon_of_earlier_words(drawer: Path) -> None:
    """While the words are still being looked for, Enter waits for what they find."""
    async with browsing(drawer, open_catalogue=Finding.open) as (app, pilot):
        Finding.gate.clear()
        pane = app.main.query_one(TaxaPane)
        await pilot.press("t", "f", "a")
        await until(pilot, lambda: pane._found)
        await pilot.press(*"zz", "enter")
        Finding.gate.set()
        await until(pilot, lambda: not pane._found)
        assert (app.main.question.taxon, app.main.asked) == ((), None)


@in_loop
async def test_a_mended_problem_is_gone_with_the_next_reading(drawer: Path) -> None:
    """r opens the search box again, hides the banner, and keeps the model that was loaded."""
    async with browsing(drawer) as (app, pilot):
        catalogue, bar = app.catalogue, app.main.query_one(SearchBar)
        assert catalogue is not None
        await pilot.press("slash")
        await until(pilot, catalogue.model_ready)
        await pilot.press("escape")
        app._told_problem("There is no model.")
        assert "search by words and pictures is off" in bar.input.placeholder
        await pilot.press("r")
        await until(pilot, lambda: app.catalogue is not catalogue and app.main.asked is None)
        assert "off" not in bar.input.placeholder
        assert not app.main.query_one(Banner).display
        assert app.catalogue is not None
        assert app.catalogue.model_ready()


def typed(app: BrowseApp, *names: str) -> None:
    """Keys that all come at once, as they do over a slow line."""
    for name in names:
        app.post_message(events.Key(name, name if len(name) == 1 else " " if name == "space" else None))


@in_loop
async def test_keys_that_come_together_act_in_their_order(drawer: Path) -> None:
    """Each edits what those before it have left, and goes where they have led."""
    async with browsing(drawer) as (app, pilot):
        bar = app.main.query_one(SearchBar)
        bar.pause = 600
        typed(app, "slash", *"abc", "backspace", *"de", "left", "left", *"X", "end", *"f")
        await until(pilot, lambda: bar.input.value.endswith("f"))
        assert bar.input.value == "abXdef"
        typed(app, "ctrl+u", *"blue", "space", *"wing", "enter", "right", "right", "slash", "ctrl+u", *"moth", "escape")
        await until(pilot, lambda: app.main.question.words == "blue wing" and app.main.asked is None)
        assert app.main.pane.view.has_focus
        typed(app, "t", "f", *"pieri", "escape", "v")
        await until(pilot, lambda: isinstance(app.focused, Tree) and app.main.pane.is_list)
        assert app.main.pane.view is app.main.query_one(ResultList)
        assert bar.input.value == "blue wing"


@in_loop
async def test_letters_typed_before_the_focus_has_come_stay(drawer: Path) -> None:
    """The words of before are selected by / itself, and not by the news of it, which may come late."""
    async with browsing(drawer) as (app, pilot):
        bar = app.main.query_one(SearchBar)
        bar.pause = 600
        bar.put("old words")
        typed(app, "slash", *"Eu")
        await until(pilot, lambda: bar.input.value == "Eu")
        bar.input.post_message(events.Focus())
        await pilot.pause()
        typed(app, *"ropean")
        await until(pilot, lambda: bar.input.value.endswith("n"))
        assert bar.input.value == "European"


@in_loop
async def test_keys_of_the_settings_act_in_boxes_too(drawer: Path) -> None:
    """Also those that edit text elsewhere; and Ctrl+C is left to whoever knows better where nothing is selected."""
    config = Config(keys={"search-leave": "ctrl+e"})
    async with browsing(drawer, config=config) as (app, pilot):
        await pilot.press("slash", *"blue", "ctrl+c")
        await until(pilot, lambda: app._notifications)
        await pilot.press("ctrl+e")
        await until(pilot, lambda: app.main.pane.view.has_focus)


@in_loop
async def test_keys_typed_into_the_search_box_stay_there(drawer: Path) -> None:
    """Before the catalogue is open, and when a problem with its model is told: they never become commands."""
    is_opening = Event()

    def opened(folder: Path) -> BrowsedCatalogue:
        assert is_opening.wait(60)
        return BrowsedCatalogue.open(folder)

    app = BrowseApp(lambda: opened(drawer), folder=drawer)
    async with app.run_test(size=(120, 40)) as pilot:
        bar = app.main.query_one(SearchBar)
        bar.pause = 600
        await pilot.press("slash", *"blue")
        is_opening.set()
        await until(pilot, lambda: app.catalogue is not None and app.main.hit is not None)
        await pilot.press(*" wing")
        app._told_problem("There is no model.")
        await pilot.press(*"s")
        assert (bar.input.value, bar.input.has_focus) == ("blue wings", True)
        assert app.screen is app.main


@in_loop
async def test_marks_are_not_left_by_one_key(drawer: Path) -> None:
    """q asks once more while marked photos are in no file; marking another photo makes it ask anew."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("m", "q")
        assert "1 photo is marked and not exported" in toasts(app)
        await pilot.press("right", "m", "q")
        assert "2 photos are marked and not exported" in toasts(app)
        assert app.is_running
        await pilot.press("q")
    assert app.return_code == 0


@in_loop
async def test_a_taxon_can_be_looked_for_from_the_results(drawer: Path) -> None:
    """f goes to the box for its name, wherever one is."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("f", *"pier")
        pane = app.main.query_one(TaxaPane)
        await until(pilot, lambda: pane._found)
        assert app.main.question.taxon == ()


@in_loop
async def test_whoever_types_is_at_the_terminal(drawer: Path) -> None:
    """A terminal that told that it was left, and not that one came back, loses no letter to a command."""
    async with browsing(drawer) as (app, pilot):
        bar = app.main.query_one(SearchBar)
        bar.pause = 600
        await pilot.press("slash", "b")
        app.post_message(events.AppBlur())
        await until(pilot, lambda: app.focused is None)
        await pilot.press(*"rown")
        await until(pilot, lambda: bar.input.value.endswith("n"))
        assert bar.input.value == "brown"
