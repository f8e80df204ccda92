"""The page's handlers called without a browser: what is kept, refused, told and cut."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from fpdf import FPDF

from app.access.exposure import Allowance, Gate
from app.errors import AppError
from app.exports.export import read_export
from app.home import Home
from app.page.ask import AskTab, Shown
from app.page.compare import CompareTab
from app.page.evaluation import EvaluationTab, calibration_figure, kinds_figure
from app.page.notebook import NotebookTab
from app.page.sources import SourcesTab
from app.page.talk import Talk
from app.page.work import Tell, Work, work_html
from app.records.history import HISTORY_FILE, History
from app.records.notebook import NOTEBOOK_FILE, Notebook

TEXT = "# The Lighthouse\n\nThe lighthouse of Skarvoy was lit in 1871.\n\nIts lamp burned rapeseed oil.\n"
ANY: tuple[Any, ...] = ([], [], "", "", "")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("handlers")
    (folder / "lighthouse.md").write_text(TEXT, encoding="utf-8")
    home = Home(folder / "home")
    home.init(empty=True)
    assert [o.status for o in home.add([folder / "lighthouse.md"], {})] == ["added"]
    home.sync()
    yield home
    home.close()


@pytest.fixture
def tab(home: Home) -> AskTab:
    return AskTab(home)


def event(**data: object) -> gr.EventData:
    return gr.EventData(None, data)


def asked(tab: AskTab, talk: Talk, question: str, *filters: Any) -> list[Shown]:
    return list(tab.ask(question, talk, *(filters or ANY)))


def test_an_answer_is_kept_and_recalled_by_its_owner_only(tab: AskTab) -> None:
    talk = Talk(owner="browser:a")
    asked(tab, talk, "When was the lighthouse of Skarvoy lit?")
    assert talk.id and talk.exchanges[0].kept == 1
    back = Talk()
    tab.greet("a", talk.id, back)
    assert back.exchanges[0].question == "When was the lighthouse of Skarvoy lit?"
    stranger = Talk()
    tab.greet("b", talk.id, stranger)
    assert stranger.exchanges == [] and talk.id not in tab.past(stranger)
    tab.forget(event(id=talk.id), stranger)
    assert "deleted" not in tab.past(back) and talk.id in tab.past(back)


def test_a_conversation_is_read_by_others_only_under_its_link_and_never_changed_by_them(tab: AskTab, home: Home) -> None:
    talk = Talk(owner="user:host")
    asked(tab, talk, "When was the lighthouse of Skarvoy lit?")
    asked(tab, talk, "What did its lamp burn?")
    guest = Talk(owner="browser:guest")
    refused = tab.recall(event(id=talk.id), guest)
    assert guest.exchanges == [] and "of yours" in refused.notice
    tab.share(event(id=talk.id), guest)
    history = History(home.folder / HISTORY_FILE)
    assert talk.id and history.conversation(talk.id).link == ""  # only its owner can share it
    shared = tab.share(event(id=talk.id), talk)
    link = history.conversation(talk.id).link
    assert len(link) >= 32 and f'data-shared="{link}"' in shared.sharing and tab.share(event(id=talk.id), talk).past == shared.past
    read = tab.read(event(link=link), guest)
    assert [e.question for e in guest.exchanges] == [e.question for e in talk.exchanges] and guest.id is None
    assert 'data-guest="' in read.sharing and "1871" in read.thread + read.live and "<mark" in read.evidence
    for act in ("retry", "edit", "undo", "up", "down", "ask", "reword"):
        assert f'data-act="{act}"' not in read.thread + read.live
    for change in (tab.edit, tab.undo, tab.like, tab.reword, tab.blame):
        assert "somebody else" in change(event(turn=1), guest).notice
    assert all("somebody else" in s.notice for s in tab.retry(event(turn=1), guest, *ANY))
    assert len(history.turns(talk.id)) == 2 and [t.liked for t in history.turns(talk.id)] == [None, None]
    asked(tab, guest, "Who lit the lighthouse of Skarvoy?")  # goes into a conversation of one's own
    assert guest.id and guest.id != talk.id and len(guest.exchanges) == 1 and len(history.turns(talk.id)) == 2
    owner = Talk()
    tab.greet("x", f"r:{link}", owner, request=SimpleNamespace(username="host"))  # type: ignore[arg-type]
    assert owner.id == talk.id and not owner.link
    tab.unshare(event(id=talk.id), talk)
    late = Talk()
    tab.greet("late", f"r:{link}", late)
    assert late.exchanges == [] and "opens nothing" in tab.read(event(link=link), late).notice
    assert "opens nothing" in tab.read(event(link=""), late).notice
    tab.share(event(id=talk.id), talk)
    assert history.conversation(talk.id).link not in {"", link}
    history.close()


def test_a_notebook_is_read_by_others_only_under_its_link(home: Home) -> None:
    book = NotebookTab(home)
    mine, guest = Talk(owner="browser:writer"), Talk(owner="browser:reader")
    book.add(mine)
    note = Notebook(home.folder / NOTEBOOK_FILE).notes(mine.owner)[0].id
    book.write(event(id=note, text="Lamps burned oil."), mine)
    assert "Lamps" not in book.shown(guest) and 'data-shared="' not in book.shown(mine)
    link = book.share(mine).split('data-shared="')[1].split('"')[0]
    read = book.read(event(link=link), guest)
    assert "Lamps burned oil." in read and "data-guest" in read and "<textarea" not in read and "unpin" not in read
    book.write(event(id=note, text="changed"), guest)
    book.remove(event(id=note), guest)
    assert "Lamps burned oil." in book.shown(mine)
    assert "data-guest" not in book.own(guest) and "Lamps" not in book.shown(guest)
    book.unshare(mine)
    assert "opens nothing" in book.read(event(link=link), guest)


def test_a_page_of_a_pdf_is_shown_only_where_its_very_bytes_are_still_there(tmp_path: Path) -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", "", 11)
    paper.text(20, 40, "The ferry of Kvalsund was built by Nils Aune in 1911.")
    file = tmp_path / "ferry.pdf"
    paper.output(str(file))
    home = Home(tmp_path / "home")
    home.init(empty=True)
    (outcome,) = home.add([file], {})
    source = home.library.get(outcome.source_id or "")
    shelf, at = SourcesTab(home, Work()), source.text.index("Nils")
    asked = event(source=source.id, start=str(at), end=str(at + 9))
    shown = shelf.look_page(asked, Talk())
    assert 'class="box focus"' in shown and "data:image/png;base64," in shown and "Page 1 of 1" in shown
    assert "there is no page 9" in shelf.look_page(event(source=source.id, page="9"), Talk()).casefold()
    file.write_bytes(file.read_bytes() + b" ")
    assert SourcesTab(home, Work()).look_page(asked, Talk()).count("was changed since it was read") == 1
    file.unlink()
    gone = SourcesTab(home, Work()).look_page(asked, Talk())
    assert "moved or deleted" in gone and 'data-act="look"' in gone, "the way back to the text stays"
    home.library.keep_snapshot(source.id, b"other", url="http://x", media_type="", at="2026-01-01T00:00:00Z")
    assert "moved or deleted" in SourcesTab(home, Work()).look_page(asked, Talk())
    home.close()


def test_a_retry_replaces_what_is_kept(tab: AskTab) -> None:
    talk = Talk(owner="browser:retry")
    asked(tab, talk, "When was the lighthouse of Skarvoy lit?")
    asked(tab, talk, "What did its lamp burn?")
    list(tab.retry(event(turn=1), talk, *ANY))
    assert [e.kept for e in talk.exchanges] == [1]
    again = Talk()
    tab.greet("retry", talk.id or "", again)
    assert len(again.exchanges) == 1


def test_events_with_nonsense_change_nothing(tab: AskTab) -> None:
    talk = Talk(owner="browser:c")
    for data in ({}, {"turn": "x"}, {"turn": 99}, {"turn": -1}, {"id": 7}):
        for handler in (tab.edit, tab.reword, tab.undo, tab.like, tab.blame, tab.recall, tab.rename, tab.forget):
            handler(event(**data), talk)
        assert list(tab.retry(event(**data), talk, *ANY)) and tab.open(event(**data), talk)
    assert talk.exchanges == []


def test_a_bad_date_and_an_empty_question_are_one_sentence(tab: AskTab) -> None:
    talk = Talk()
    assert "cannot be used" in asked(tab, talk, "When?", [], [], "no date", "", "")[0].notice
    assert "Type a question" in asked(tab, talk, "  ")[0].notice
    assert talk.exchanges == []


def test_who_asks_too_fast_is_told_to_wait(home: Home) -> None:
    tab = AskTab(home, gate=Gate(Allowance(per_minute=1, burst=1)))
    talk = Talk()
    asked(tab, talk, "When was the lighthouse of Skarvoy lit?")
    assert "too many questions" in asked(tab, talk, "What did its lamp burn?")[-1].notice.casefold()
    assert len(talk.exchanges) == 1


def test_an_engine_that_is_not_offered_is_never_called(tab: AskTab) -> None:
    talk = Talk()
    asked(tab, talk, "When was the lighthouse of Skarvoy lit?", [], [], "", "", "http://192.0.2.1/v1#m")
    assert talk.exchanges[0].answer is not None and talk.exchanges[0].answer.engine == "extractive"
    assert "Nothing leaves this machine" in tab.leaves("extractive")
    assert "are sent to openai:gpt" in tab.leaves("openai:gpt")


def test_a_stopped_answer_is_not_shown_later(tab: AskTab) -> None:
    talk = Talk(owner="browser:stop")
    running = tab.ask("When was the lighthouse of Skarvoy lit?", talk, *ANY)
    next(running)
    refused = asked(tab, talk, "Another?")[0]
    assert refused.question == "Another?" and "stays in the box" in refused.notice, "nothing typed is lost"
    tab.stop(talk)
    assert list(running) == [] and talk.exchanges[0].answer is None and "Stopped" in talk.exchanges[0].error
    assert talk.history() == []


def test_an_export_is_what_was_answered(tab: AskTab) -> None:
    talk = Talk()
    assert "no answer to export" in tab.export("json", True, talk)[1]
    asked(tab, talk, "When was the lighthouse of Skarvoy lit?")
    parcel = json.loads(tab.export("json", True, talk)[0])
    assert read_export(parcel["text"]).turns[0].answer == talk.exchanges[0].answer
    assert parcel["name"].endswith(".json") and parcel["type"] == "application/json"


def test_a_judgement_is_kept_with_its_reason(tab: AskTab, home: Home) -> None:
    talk = Talk()
    asked(tab, talk, "When was the lighthouse of Skarvoy lit?")
    tab.blame(event(turn=1), talk)
    tab.dislike("It is wrong", " not that year ", talk)
    kept = json.loads((home.folder / "feedback.jsonl").read_text().splitlines()[-1])
    assert kept["liked"] is False and kept["reason"] == "It is wrong: not that year" and talk.blamed is None


def test_a_claim_is_checked_with_quotes(tab: AskTab) -> None:
    assert "1871" in tab.check("The lighthouse of Skarvoy was lit in 1871.", [], [], "", "")
    assert "notice" in tab.check("  ", [], [], "", "")


def test_a_read_only_page_changes_nothing(home: Home, tmp_path: Path) -> None:
    shelf = SourcesTab(home, Work(), read_only=True)
    (tmp_path / "new.txt").write_text("Something new stands here, and it is long enough.")
    before = home.library.fingerprints()
    added = list(shelf.add([str(tmp_path / "new.txt")], "", "", "", "", "", ""))
    assert "read-only" in added[0].work
    assert "read-only" in next(iter(shelf.remove(event(source="lighthouse.md")))).work
    assert home.library.fingerprints() == before
    assert "Remove" not in shelf.listed().table


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_added(home: Home, tmp_path: Path) -> None:
    shelf = SourcesTab(home, Work())
    (tmp_path / "good.txt").write_text("The mill of Askeby ground barley for the garrison of the town.")
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7 broken")
    files = [str(tmp_path / "good.txt"), str(tmp_path / "bad.pdf")]
    end = list(shelf.add(files, "", "", "", "", "", ""))[-1]
    assert "1 of 2 can be asked about now" in end.work and "failed" in end.work and "good" in end.table
    gone = next(s.id for s in home.library if "Askeby" in s.text)
    list(shelf.remove(event(source=gone)))
    assert not (home.folder / "added" / "good.txt").exists()


def test_a_stored_abstention_says_what_was_searched_then(tab: AskTab, home: Home) -> None:
    talk = Talk(owner="browser:then")
    source = next(iter(home.library))
    asked(tab, talk, "Which volcano erupted near Naples?", [source.id], [], "1999", "", "")
    shown = tab.show(talk).live
    back = Talk()
    again = tab.greet("then", talk.id or "", back).live
    for html in (shown, again):
        assert "Searched: 1 of" in html and source.title in html and "from 1999-01-01" in html
        assert 'data-act="everywhere"' in html and html.count("volcano") == shown.count("volcano")
    list(tab.everywhere(event(turn=1), back))
    assert "Searched: all" in tab.show(back).live or "Searched: the one source" in tab.show(back).live
    assert 'data-act="everywhere"' not in tab.show(back).live


def test_a_question_that_was_not_searched_claims_no_search(tab: AskTab) -> None:
    talk = Talk()
    asked(tab, talk, "መቼ ነው መብራቱ የበራው?")
    html = tab.show(talk).live
    assert "Not searched: the question is in another language (am)." in html and "Searched:" not in html
    assert "Not in the sources" not in html and "addsource" not in html and "data-copy" not in html


def test_nothing_typed_is_lost_or_cut_when_it_is_refused(tab: AskTab) -> None:
    talk = Talk()
    for question, said in (("?!", "no words"), ("why " * 600, "the limit is 2,000"), ("When?", "cannot be used")):
        refused = asked(tab, talk, question, [], [], "" if said != "cannot be used" else "no date", "", "")[0]
        assert refused.question == question and said in refused.notice
    assert talk.exchanges == []


def test_filters_come_back_without_what_is_gone(tab: AskTab, home: Home) -> None:
    source = next(iter(home.library)).id
    chosen, kinds, since, until = tab.restore(json.dumps([[source, "gone"], ["news", 3], "2020", None]))
    assert chosen["value"] == [source] and (kinds, since, until) == (["news"], "2020", "")
    assert "1 of 1 source<" in tab.filters_on([source], [], "", "") and tab.filters_on([], [], "", "") == ""
    assert tab.restore("{damaged")[1:] == ([], "", "")


def test_the_list_of_conversations_is_searched_in_their_words(tab: AskTab) -> None:
    talk = Talk(owner="browser:find")
    asked(tab, talk, "When was the lighthouse of Skarvoy lit?")
    assert str(talk.id) in tab.find("1871", talk), "the answer's words count too"
    assert str(talk.id) not in tab.find("zebra", talk) and "No conversation holds" in tab.past(talk)


def test_a_removed_source_comes_back_as_it_was(home: Home, tmp_path: Path) -> None:
    shelf = SourcesTab(home, Work())
    (tmp_path / "quarry.txt").write_text("The quarry of Lindholm gave red granite for the bridge of the town.")
    added = list(shelf.add([str(tmp_path / "quarry.txt")], "", "Quarry", "", "", "", ""))[-1]
    assert added.table.count('<tr class="new">') == 1
    source = next(s for s in home.library if "Lindholm" in s.text)
    assert "Undo" in list(shelf.remove(event(source=source.id)))[-1].work
    assert "Lindholm" not in " ".join(s.text for s in home.library)
    list(shelf.bring_back(event(source=source.id)))
    assert home.library.get(source.id) == source and not home.stale()
    assert "was removed" in list(shelf.bring_back(event(source="never")))[-1].work
    list(shelf.remove(event(source=source.id)))


def test_stopped_indexing_keeps_what_was_read_and_says_how_to_go_on(home: Home, tmp_path: Path) -> None:
    work = Work()
    shelf = SourcesTab(home, work)
    towers = [tmp_path / f"tower{n}.txt" for n in range(40)]  # more than can be read before the stop is heard
    for n, file in enumerate(towers):
        file.write_text(f"The bell tower of Vesterby {n} has {n + 3} bells, cast in the year {1744 + n}.")
    states = shelf.add([str(file) for file in towers], "", "", "", "", "", "")
    shown = [next(states)]
    shelf.stop()
    shown += list(states)
    assert "stopwork" in shown[0].work and "stopwork" not in shown[-1].work
    assert "“Re-index” goes on" in shown[-1].work and "press “Re-index”" in shown[-1].health
    assert "All can be asked about" in list(shelf.reindex())[-1].health
    for source in [s.id for s in home.library if "Vesterby" in s.text]:
        list(shelf.remove(event(source=source)))


def test_a_text_in_a_language_that_is_not_searched_is_told_when_it_is_added(home: Home, tmp_path: Path) -> None:
    shelf = SourcesTab(home, Work())
    (tmp_path / "mayak.txt").write_text("Маяк на острове впервые зажгли в 1871 году. Его лампа горела на масле из рапса.")
    told = list(shelf.add([str(tmp_path / "mayak.txt")], "", "", "", "", "", ""))[-1].work
    assert "the text is in Russian" in told and "1 passage" in told and "1 passages" not in told
    list(shelf.remove(event(source=next(s.id for s in home.library if "Маяк" in s.text))))


def test_the_read_source_marks_what_was_cited(tab: AskTab, home: Home) -> None:
    talk = Talk()
    asked(tab, talk, "When was the lighthouse of Skarvoy lit?")
    source = talk.exchanges[0].answer.citations[0].source_id  # type: ignore[union-attr]
    html = SourcesTab(home, Work()).reading(source, talk)
    assert "<mark>The lighthouse of Skarvoy was lit in 1871.</mark>" in html
    assert "There is no" in SourcesTab(home, Work()).reading("nowhere", talk) or "no source" in SourcesTab(
        home, Work()
    ).reading("nowhere", talk)


def test_one_job_runs_at_a_time_and_is_followed_to_its_end() -> None:
    work, go = Work(), threading.Event()

    def job(tell: Tell) -> str:
        tell.step("counting", 1, 2)
        go.wait(10)
        tell.line("one", "added")
        return "Done."

    assert work.start("Job", job) and not work.start("Another", job)
    go.set()
    states = list(work.follow())
    assert states[-1].closing == "Done." and not states[-1].running and states[-1].lines[0].name == "one"


@pytest.mark.parametrize(
    ("error", "said"), [(AppError("the disk is full"), "the disk is full"), (KeyError("x"), "unexpectedly (KeyError)")]
)
def test_a_job_that_fails_says_why(error: Exception, said: str) -> None:
    work = Work()

    def job(tell: Tell) -> str:
        raise error

    work.start("Job", job)
    *_, last = work.follow()
    assert last.failed and said in last.closing and said in work_html(last)


def test_a_notice_outlasts_a_look_that_began_before_it(home: Home) -> None:
    tab, talk = CompareTab(home, Work()), Talk(owner="browser:a")
    look = tab.opened(talk)
    next(look)
    *_, refused = tab.run("", "", talk)
    assert "Type a question first" in refused.work
    assert [shown.work for shown in look] == [refused.work] * 2, "what is drawn late does not wipe it away"
    *_, again = tab.opened(talk)
    assert "Type a question first" not in again.work
    assert "Type a question first" in next(tab.run("", "", talk)).work
    *_, compared = tab.run("When was the lighthouse of Skarvoy lit?", "", talk)
    assert "1 of 1 cell says something" in compared.work and "1871" in compared.table


def test_a_report_is_shown_and_a_damaged_one_passed_over(home: Home) -> None:
    tab = EvaluationTab(home, Work())
    shipped = tab.reported()
    assert "How well does it work?" in shipped.summary and "never fitted to" in shipped.summary and shipped.cases == ""
    metric = {"name": "key_fact_recall", "title": "key-fact recall", "better": "higher"}
    row = {
        "id": "number-01", "kind": "number", "split": "dev", "question": "How many?", "standalone": "How many?",
        "expect": "answered", "status": "answered", "verdict": "right", "why": [], "answer": "Ten <b>[1]", "gold": [],
        "citations": [],
    }  # fmt: skip
    report = {
        "header": {"date": "2026-01-01", "cases": "own", "split": "dev", "collection": "meadow", "engine": "extractive", "index": "i"},
        "metrics": [{"metric": metric, "summary": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 4, "unscored": 1}}],
        "kinds": [{"kind": "number", "n": 4, "verdicts": {"right": 2, "partly": 1, "wrong": 1}}],
        "calibration": [{"n": 4, "confidence": 0.8, "right": 0.5}],
        "rows": [row],
    }  # fmt: skip
    for name, text in (("20260101T000000Z", json.dumps(report)), ("20260102T000000Z", "{damaged")):
        (home.folder / "reports" / name).mkdir(parents=True)
        (home.folder / "reports" / name / "report.json").write_text(text)
    shown = tab.reported()
    assert "split dev, collection meadow" in shown.summary
    assert "Of 4 questions with known answers, over the texts that it was tuned on, 2 (50%) were answered right and 1 in part." in shown.summary
    assert "key-fact recall" in shown.summary and "0.500" in shown.summary and "number-01" in shown.cases
    assert "Ten &lt;b&gt;" in tab.case(event(id="number-01")) and tab.case(event(id="none")) == ""
    bars = kinds_figure(report)
    assert [tuple(b.x) for b in bars.data] == [(0.5,), (0.25,), (0.25,)]
    assert tuple(calibration_figure(report).data[1].y) == (0.5,)
