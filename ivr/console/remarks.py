"""Remarks: what people said in their own words, as text that can be listened to, corrected and coded (R32, R62, O16).

Administrators and operators read the text, long numbers masked. Whole, with the sound and the means to correct it, it is shown
against a reason, which is entered in the audit trail. What went to inspection is seen by inspection alone (R35).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import DESK, INSPECTION, actor, role
from ivr.console.escalations import sees_inspection
from ivr.console.forms import NO_PROBLEM, Problem
from ivr.console.rendering import render
from ivr.console.services import services
from survey import coding, disclosure
from survey.desk.said import LONG_NUMBER, STARS
from survey.errors import BadInput, CannotUnseal, NotAllowed, NotFound
from survey.fieldwork import transcripts
from survey.fieldwork.transcripts import LONGEST_PLACE, LONGEST_TEXT, Judgement
from survey.store.queries import remarks as queries
from survey.store.queries.console_cases import Paged
from survey.store.queries.remarks import ALERTED, UNCODED, CodeRow, Filters, RemarkDetail, RemarkRow
from survey.store.sealing import place
from survey.store.unit_of_work import UnitOfWork

remarks = Blueprint("remarks", __name__)
MAY_READ = (*DESK, INSPECTION)
EXCERPT = 80
UNSURE_BELOW = 0.5
"""Words of less confidence are marked: the ear may know better."""

STATES = ("waiting", "no_model", "done", "needs_review", ALERTED)
CODES = (*coding.CLASSES, UNCODED)


@dataclass(frozen=True)
class Choice:
    """One filter: its name in the address, its label, the values it offers with their words, the one chosen."""

    name: str
    label: str
    offered: list[tuple[str, str]]
    chosen: str


@dataclass(frozen=True)
class Coded:
    """A coding as shown; `evidence` pairs the kind of a finding with the word that led to it."""

    row: CodeRow
    place: str
    evidence: list[tuple[str, str]]


@dataclass(frozen=True)
class Line:
    """A remark as a row of the list."""

    row: RemarkRow
    excerpt: str
    code: Coded | None


@dataclass(frozen=True)
class RemarksPage:
    """One page of the list; `kept` are the filters for the links to other pages."""

    filters: list[Choice]
    kept: dict[str, str]
    lines: list[Line]
    paged: Paged


@dataclass(frozen=True)
class Correction:
    """One correction as shown."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class RemarkPage:
    """One remark. `is_open`: shown whole after a reasoned request, `permit` is then the number under which the sound may be heard."""

    detail: RemarkDetail
    text: str
    machine: list[tuple[str, bool]]
    corrections: list[Correction]
    codes: list[Coded]
    classes: list[tuple[str, str]]
    longest_text: int
    longest_place: int
    is_open: bool = False
    permit: int | None = None
    problem: Problem = NO_PROBLEM


@remarks.get("/remarks")
@role(*MAY_READ)
def index() -> str:
    """The list; filters and page stand in the address."""
    with services().reads() as session:
        filters = _filters(*queries.choices(session))
        kept = {each.name: each.chosen for each in filters if each.chosen}
        paged = queries.remarks(session, _asked(kept), request.args.get("page", 1, int), sees_inspection())
    lines = [Line(row, _excerpt(row), _coded(row.code) if row.code else None) for row in paged.rows]
    return render("remarks/index.html", RemarksPage(filters, kept, lines, paged))


@remarks.get("/remarks/<public_id:public_id>")
@role(*MAY_READ)
def show(public_id: str) -> str:
    """One remark, long numbers masked."""
    return render("remarks/show.html", _page(public_id))


@remarks.post("/remarks/<public_id:public_id>/open")
@role(*MAY_READ)
def reveal(public_id: str) -> str | Response | tuple[str, int]:
    """The whole text with its sound, once, against a reason; here it is corrected."""
    house = services()
    _page(public_id)  # also refuses what the visitor may not know of
    reason, now = request.form.get("reason", ""), house.clock.now()
    try:
        with house.sessions.begin() as session:
            permit = disclosure.permit_listening(session, house.office.audit_key, public_id, actor(), reason, now)
            house.office.record(session, now, actor(), "remark.open", f"recording:{public_id}")
    except BadInput:
        least, most = disclosure.SHORTEST_REASON, disclosure.LONGEST_REASON
        message = _("请写明事由（%(least)s 至 %(most)s 个字）后重试。", least=least, most=most)
        return render("remarks/show.html", _page(public_id, problem=Problem("open", "reason", message, request.form))), 422
    except NotAllowed:
        flash(_("录音尚未取回，暂不能收听。"), "danger")
        return redirect(url_for("remarks.show", public_id=public_id), 303)
    return render("remarks/show.html", _page(public_id, is_open=True, permit=permit))


@remarks.post("/remarks/<public_id:public_id>/correct")
@role(*MAY_READ)
def correct(public_id: str) -> Response | tuple[str, int]:
    """Put what was heard beside the machine's version."""
    text = request.form.get("text", "")

    def change(work: UnitOfWork, recording_id: int) -> None:
        transcripts.correct(work, services().office, recording_id, text, actor(), services().clock.now())

    return _changed(public_id, "correct", change, _("已保存更正；机器转写的原文仍保留。"))


@remarks.post("/remarks/<public_id:public_id>/code")
@role(*MAY_READ)
def code(public_id: str) -> Response | tuple[str, int]:
    """Code the remark by hand."""
    form = request.form
    judged = Judgement(form.get("code", ""), "hot_spot" in form, "hazard" in form, form.get("place", ""))

    def change(work: UnitOfWork, recording_id: int) -> None:
        transcripts.recode(work, services().office, recording_id, judged, actor(), services().clock.now())

    return _changed(public_id, "code", change, _("已归类。"))


def _changed(public_id: str, form: str, change: Callable[[UnitOfWork, int], None], done: str) -> Response | tuple[str, int]:
    """Do it and come back to the remark; to the list, where what was found has made it inspection's alone."""
    house = services()
    with house.reads() as reading:
        recording_id = queries.recording_of(reading, public_id, sees_inspection())
    try:
        with house.unit_of_work() as work:
            change(work, recording_id)
    except BadInput as wrong:
        problem = Problem(form, wrong.field, words.in_language(wrong), request.form)
        return render("remarks/show.html", _page(public_id, is_open=form == "correct", problem=problem)), 422
    flash(done, "success")
    try:
        with house.reads() as reading:
            queries.recording_of(reading, public_id, sees_inspection())
    except NotFound:
        flash(_("内容反映民警违法违纪，已转督察，此后仅督察可见。"), "danger")
        return redirect(url_for("remarks.index"), 303)
    return redirect(url_for("remarks.show", public_id=public_id), 303)


# ── what is asked for ────────────────────────────────────────────────────────────────────────────────


def _filters(months: list[str], units: list[tuple[int, str]], items: list[str], languages: list[str]) -> list[Choice]:
    return [
        _choice("month", _("月份"), [(month, month) for month in months]),
        _choice("unit", _("责任单位"), [(str(unit), name) for unit, name in units]),
        _choice("item", _("项目"), [(item, words.say(words.ITEMS, item)) for item in items]),
        _choice("code", _("类别"), [(each, words.say(words.CLASSES, each)) for each in CODES]),
        _choice("state", _("状态"), [(each, str(words.tag(words.TRANSCRIPT, each).word)) for each in STATES]),
        _choice("language", _("语言"), [(each, words.say(words.SPOKEN, each)) for each in languages]),
    ]


def _choice(name: str, label: str, offered: list[tuple[str, str]]) -> Choice:
    asked = request.args.get(name, "")
    return Choice(name, label, offered, asked if asked in dict(offered) else "")


def _asked(kept: dict[str, str]) -> Filters:
    unit = kept.get("unit")
    return Filters(
        kept.get("month"), int(unit) if unit else None, kept.get("item"), kept.get("code"), kept.get("state"), kept.get("language")
    )


# ── what is shown ────────────────────────────────────────────────────────────────────────────────────


def _page(public_id: str, *, is_open: bool = False, permit: int | None = None, problem: Problem = NO_PROBLEM) -> RemarkPage:
    """The remark's page. Raises NotFound, also for what the visitor may not know of."""
    with services().reads() as session:
        detail = queries.remark(session, public_id, sees_inspection())

    def shown(text: str) -> str:
        return text if is_open else masked(text)

    corrections = [
        Correction(shown(_opened(one.text, "transcript_corrections", "text_sealed", one.public_id)), one.by, one.at)
        for one in detail.corrections
    ]
    return RemarkPage(
        detail, shown(_text(detail.row)), _machine(detail, is_open), corrections, [_coded(one) for one in detail.codes],
        [(each, words.say(words.CLASSES, each)) for each in coding.CLASSES], LONGEST_TEXT, LONGEST_PLACE, is_open, permit, problem,
    )  # fmt: skip


def masked(text: str) -> str:
    """The text without its long numbers, spoken digit by digit or written."""
    return LONG_NUMBER.sub(STARS, text)


def _excerpt(row: RemarkRow) -> str:
    text = masked(_text(row))
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"


def _text(row: RemarkRow) -> str:
    table, public_id = row.text_place
    return _opened(row.text, table, "text_sealed", public_id)


def _machine(detail: RemarkDetail, is_open: bool) -> list[tuple[str, bool]]:
    """The machine's version in pieces, each with whether it is unsure; masked as one piece."""
    if detail.transcript is None:
        return []
    if not is_open:
        text = masked(_opened(detail.machine_text, "transcripts", "text_sealed", detail.transcript))
        return [(text, False)] if text else []
    told = _opened(detail.words, "transcripts", "words_sealed", detail.transcript)
    if not told or told == disclosure.UNREADABLE:
        return [(told, False)] if told else []
    return [(coding.readable(word), confidence < UNSURE_BELOW) for word, _start, _end, confidence in json.loads(told)]


def _coded(row: CodeRow) -> Coded:
    evidence = _opened(row.evidence, "remark_codes", "evidence_sealed", row.public_id)
    found = json.loads(evidence) if evidence and evidence != disclosure.UNREADABLE else []
    return Coded(row, _opened(row.place, "remark_codes", "place_sealed", row.public_id), [(kind, word) for kind, word in found])


def _opened(sealed: bytes | None, table: str, column: str, public_id: str) -> str:
    """A sealed value; `?` where it cannot be read, so that the rest of the page still shows."""
    try:
        return services().office.keys.open(sealed, place(table, column, public_id)) or ""
    except CannotUnseal:
        return disclosure.UNREADABLE
