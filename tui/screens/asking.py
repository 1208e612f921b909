"""Asking and being answered: what is on the screen, what is on its way, and where one has been."""

from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from bioclip_search.query import Hit
from tui.history import History, Visit
from tui.messages import QuestionAsked
from tui.question import Question
from tui.results import Results
from tui.status import default_order, nothing_found, remark, status
from tui.widgets.banner import Banner
from tui.widgets.filter_line import FilterLine
from tui.widgets.results_pane import ResultsPane
from tui.widgets.search_bar import SearchBar
from tui.widgets.specimen import SpecimenPane
from tui.widgets.taxa_pane import TaxaPane

__all__ = ["AskingScreen"]

_SLOW = 2
_DIM_AFTER = 0.3
"""Seconds that a search takes before the former results are dimmed."""


class AskingScreen(Screen[None]):
    """One question is under way at a time; the results of the former stay until it is answered."""

    # Panes draw themselves anew when the focus comes or goes; Textual would draw the whole screen.
    focused: reactive[Widget | None] = reactive(None, repaint=False)

    def __init__(self) -> None:
        super().__init__()
        self.past = History()
        self.asked: QuestionAsked | None = None
        self.problem: str | None = None
        self._overtaken: list[QuestionAsked] = []
        self._clock: Timer | None = None
        self._dimming: Timer | None = None
        self._seconds = 0

    # What is on the screen

    @property
    def pane(self) -> ResultsPane:
        return self.query_one(ResultsPane)

    @property
    def hit(self) -> Hit | None:
        """The photo that keys act upon."""
        return self.pane.hit

    @property
    def results(self) -> Results | None:
        return self.pane.results

    @property
    def question(self) -> Question:
        """What the results answer."""
        return self.past.now.question if self.past.now else Question()

    @property
    def now(self) -> Question:
        """What was asked last, answered or not: the next question builds on it."""
        return self.asked.question if self.asked else self.question

    # Asking and being answered

    def ask(self, question: Question, *, cursor: int = 0, is_typed: bool = False, visit: Visit | None = None) -> None:
        """Have a question answered; the results stay until then."""
        if (question.words or question.picture) and self.problem is not None:
            self._pass_over(visit)
            self.warn(self.problem)
            return
        asked = QuestionAsked(question, cursor=cursor, is_typed=is_typed, visit=visit)
        self._begin_search(asked)
        self.post_message(asked)

    def ask_again(self) -> None:
        """Have the last question answered anew, with the cursor where it is; photos gathered by hand stay."""
        if self.now.kept is None:
            self.ask(self.now, cursor=self.asked.cursor if self.asked else self.pane.view.cursor)

    def _begin_search(self, asked: QuestionAsked) -> None:
        """A question is on its way: say so, and how long it takes when it does."""
        former, self.asked = self.asked, asked
        if former is not None and _is_to_be_kept(former, asked):
            self._overtaken.append(former)
        self._stop_clocks()
        self._clock = self.set_interval(1, self._tick)
        # Most answers come before: to draw all photos dim, and then again, would make these wait.
        self._dimming = self.set_timer(_DIM_AFTER, lambda: self.pane.dim(True))
        self._write_filters()

    def answered(self, asked: QuestionAsked, results: Results) -> None:
        """The results have come; those of a question that was given up are dropped."""
        if asked is not self.asked:
            return
        self.query_one(Banner).end_of_error()
        self._keep_place()
        for former in self._overtaken:
            self.past.add(Visit(former.question, None, former.cursor), goes_on=former.is_typed)
        if asked.visit is not None:
            asked.visit.results = results
            self.past.go_to(asked.visit)
        else:
            visit = Visit(asked.question, results, asked.cursor, is_typed=not asked.is_final)
            self.past.add(visit, goes_on=asked.is_typed)
        self._arrive()

    def show_kept(self, question: Question, results: Results) -> None:
        """Show photos that were gathered by hand; they are not asked of the catalogue."""
        self._keep_place()
        self.past.add(Visit(question, results))
        self._arrive()

    def _keep_place(self) -> None:
        """Remember where the cursor stands before something else is shown."""
        if self.past.now:
            self.past.now.cursor = self.pane.view.cursor

    def _arrive(self) -> None:
        """Show what is now the visit on the screen."""
        self._end_search()
        self._show_visit()
        self.app.recount()  # type: ignore[attr-defined]

    def failed(self, asked: QuestionAsked, sentence: str) -> None:
        """A question could not be answered: the former results stay."""
        if asked is not self.asked:
            return
        self._end_search()
        self._pass_over(asked.visit)
        self.complain(sentence)
        if self.past.now is None:
            self.pane.show(None, nothing="The catalogue could not be read. r tries again.")
        self._write_filters()

    def _pass_over(self, visit: Visit | None) -> None:
        """What cannot be answered again must not stand between one and what lies beyond it."""
        if visit is not None:
            self.past.forget(visit)

    def complain(self, sentence: str) -> None:
        """Say what went wrong; a search that is under way goes on."""
        self.query_one(Banner).say(sentence)

    def warn(self, problem: str) -> None:
        """Say what is wrong for as long as nobody hides it."""
        self.query_one(Banner).say(problem, is_lasting=True)

    def _end_search(self) -> None:
        self.asked = None
        self._overtaken.clear()
        self._stop_clocks()
        self.pane.dim(False)

    def _show_visit(self) -> None:
        visit = self.past.now
        if visit is None or visit.results is None:
            return
        question = visit.question
        self.pane.show(visit.results, visit.cursor, nothing_found(question))
        self.pane.border_subtitle = Content(remark(visit.results))
        bar = self.query_one(SearchBar)
        if self.focused is not bar.input:
            bar.put(question.words)
        bar.say_question(question.title if question.like or question.picture or question.kept else "")
        bar.say_kind("similar" if question.like else "image" if question.picture else "text")
        self.query_one(TaxaPane).taxa.choose(question.taxon)
        self._write_filters()
        if not visit.results.count:
            self.query_one(SpecimenPane).show(None, "")

    def _write_filters(self) -> None:
        question = self.now
        waiting = None if self.asked is None else self._seconds
        visit = self.past.now
        said = status(question, visit.results if visit else None, waiting)
        self.query_one(FilterLine).show(question, said, question.order or default_order(question))

    def _tick(self) -> None:
        self._seconds += 1
        if self._seconds >= _SLOW:
            self._write_filters()

    def _stop_clocks(self) -> None:
        self._seconds = 0
        for clock in (self._clock, self._dimming):
            if clock is not None:
                clock.stop()
        self._clock = self._dimming = None

    def _end_typing(self) -> None:
        """The words are final: others come after them, not in their place."""
        if self.asked is not None:
            self.asked.is_final = True
        elif self.past.now is not None:
            self.past.now.is_typed = False

    def _give_up(self) -> None:
        self._end_search()
        self.query_one(SearchBar).put(self.question.words)
        self._write_filters()

    def action_go(self, by: int) -> None:
        """Back or forward, with the cursor where it stood; what was never answered is asked again."""
        if self.asked is not None:
            self._give_up()
        visit = self.past.beside(by)
        if visit is None:
            self.notify("There is nothing before this." if by < 0 else "There is nothing after this.", timeout=2)
        elif visit.results is None:
            self.ask(visit.question, cursor=visit.cursor, visit=visit)
        else:
            self._keep_place()
            self.past.go_to(visit)
            self._end_typing()
            self._arrive()


def _is_to_be_kept(former: QuestionAsked, asked: QuestionAsked) -> bool:
    """Whether a search that another overtakes was meant as it was: nobody has seen it, but can come back to it."""
    is_new = former.is_final and former.visit is None
    return is_new and former.question.is_search and former.question.is_other_search(asked.question)
