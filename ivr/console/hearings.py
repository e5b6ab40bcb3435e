"""Answers by voice: how well they are understood, and utterances that a person listens to (R30, R45, R46, RS54).

A review never changes an answer; every listening stands in the audit trail. What went to inspection is heard by inspection alone (R35).
"""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from io import BytesIO
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, send_file, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import DESK, HOUSE, actor, role
from ivr.console.escalations import sees_inspection
from ivr.console.language import current_language
from ivr.console.rendering import render
from ivr.console.services import services
from speech.audio import TELEPHONE_RATE, mulaw_to_pcm, wav_bytes
from survey.errors import BadInput, CannotUnseal, NotFound
from survey.fieldwork import hearing_reviews
from survey.fieldwork.hearings import OUTCOMES, SHARE_OF_SURE, SURE
from survey.hearing_figures import Figures, figures
from survey.store.queries import hearings as queries
from survey.store.queries.console_cases import Paged
from survey.store.queries.hearings import DayConfidence, HearingRow, Scope, Sought

hearings = Blueprint("hearings", __name__)
DAYS = 31
NOT_MADE_OUT = "none"
"""What the form says where nothing can be made out."""

REVIEWED = {"no": False, "yes": True, "all": None}
PUBLIC_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Choice:
    """One filter: its name in the address, its label, the values it offers with their words, the one chosen; `all`: the word for all."""

    name: str
    label: str
    offered: list[tuple[str, str]]
    chosen: str
    all: str = ""


@dataclass(frozen=True)
class Line:
    """The figures of one question."""

    label: str
    figures: Figures


@dataclass(frozen=True)
class FiguresPage:
    """The figures of a campaign, a month, or all; `languages` are those that are understood now."""

    filters: list[Choice]
    lines: list[Line]
    total: Figures
    days: list[DayConfidence]
    languages: list[str]
    sure: float
    share_of_sure: float


@dataclass(frozen=True)
class Button:
    """Something that may have been said: its code in the form, its words, the digit that stands for it (or none)."""

    code: str
    label: str
    key: str


@dataclass(frozen=True)
class Opened:
    """The utterance to listen to, with what has been heard in it, and what can have been said."""

    row: HearingRow
    reviews: tuple[queries.Review, ...]
    choices: list[Button]
    commands: list[Button]


@dataclass(frozen=True)
class QueuePage:
    """The utterance in hand, the one reviewed just before it, and the queue; `kept` are the filters for the links."""

    filters: list[Choice]
    kept: dict[str, Any]
    opened: Opened | None
    before: HearingRow | None
    paged: Paged
    plays: bool


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────


@hearings.get("/hearings")
@role(*HOUSE)
def index() -> str:
    """The figures; campaign and month stand in the address."""
    house = services()
    with house.reads() as session:
        filters = _scopes(queries.campaigns(session))
        chosen = {one.name: one.chosen or None for one in filters}
        scope = _scope(chosen["campaign"], chosen["month"])
        counts = queries.counts(session, scope, SURE)
        days = _days(session, scope)
    lines = [Line(words.say(words.ITEMS, item), figures(counts.of(item))) for item in _in_order(counts.items())]
    page = FiguresPage(filters, lines, figures(counts), days, _understood(), SURE, SHARE_OF_SURE)
    return render("hearings/index.html", page)


def _scopes(campaigns: list[queries.CampaignChoice]) -> list[Choice]:
    months = sorted({one.month for one in campaigns}, reverse=True)
    named = [(one.public_id, f"{one.name}（{one.month}）" if one.month not in one.name else one.name) for one in campaigns]
    return [
        _choice("campaign", _("回访任务"), named, all_of=_("不限")),
        _choice("month", _("月份"), [(month, month) for month in months], all_of=_("全部")),
    ]


def _understood() -> list[str]:
    """The languages that are understood now, in words."""
    return [words.say(words.SPOKEN, language) for language in sorted(services().office.languages, reverse=True)]


def _scope(campaign: str | None, month: str | None) -> Scope:
    """A campaign whatever it is; of a month, calls of the kind that this house makes: simulated ones never count among real ones."""
    return Scope(campaign=campaign) if campaign else Scope(month=month, simulated=services().simulated)


def _in_order(items: list[str]) -> list[str]:
    """As in the survey; items that have no words of ours last."""
    known = list(words.ITEMS)
    return sorted(items, key=lambda item: (known.index(item) if item in known else len(known), item))


def _days(session: Session, scope: Scope) -> list[DayConfidence]:
    """The last month of days, newest first."""
    last = queries.last_heard(session, scope)
    if last is None:
        return []
    zone = services().office.bureau.tzinfo
    newest = last.astimezone(zone).date()
    midnights = [datetime.combine(newest - timedelta(days=ago), time(), zone) for ago in range(DAYS - 1, -2, -1)]
    return queries.day_confidences(session, scope, midnights)[::-1]


# ── listening ────────────────────────────────────────────────────────────────────────────────────────


@hearings.get("/hearings/review")
@role(*DESK)
def queue() -> str:
    """The next utterance of the queue, the least certain first; filters, page and the one before stand in the address."""
    return _queue_page(None)


@hearings.get("/hearings/<public_id:public_id>")
@role(*DESK)
def show(public_id: str) -> str:
    """A certain utterance, and the queue."""
    return _queue_page(public_id)


@hearings.get("/hearings/<public_id:public_id>/sound")
@role(*DESK)
def sound(public_id: str) -> Response:
    """The sound; who listens stands in the audit trail before a byte is sent."""
    house = services()
    try:
        with house.unit_of_work() as work:
            found = queries.hearing(work.session, public_id, sees_inspection())
            sealed = hearing_reviews.listen_to(work.session, house.office, found, actor(), house.clock.now())
        data = house.office.keys.open_bytes(sealed.sealed, sealed.place)
    except CannotUnseal:
        abort(404)
    wav = wav_bytes(mulaw_to_pcm(data), TELEPHONE_RATE)
    return send_file(BytesIO(wav), mimetype="audio/wav", conditional=False)


@hearings.post("/hearings/<public_id:public_id>/review")
@role(*DESK)
def review(public_id: str) -> Response:
    """Write down what was heard, and open the next one."""
    house, code = services(), request.form.get("code", "")
    with house.reads() as reading:
        kept = _kept(_filters(reading))
    try:
        with house.unit_of_work() as work:
            found = queries.hearing(work.session, public_id, sees_inspection())
            heard = None if code == NOT_MADE_OUT else code
            hearing_reviews.review_hearing(work.session, house.office, found, heard, actor(), house.clock.now())
    except BadInput as wrong:
        flash(words.in_language(wrong), "danger")
        return redirect(url_for("hearings.show", public_id=public_id, **kept), 303)
    return redirect(url_for("hearings.queue", after=public_id, **kept), 303)


def _queue_page(public_id: str | None) -> str:
    after = request.args.get("after", "")
    after = after if PUBLIC_ID.fullmatch(after) else ""
    with services().reads() as session:
        filters = _filters(session)
        kept = _kept(filters)
        sought = Sought(kept.get("item"), kept.get("outcome"), kept.get("language"), REVIEWED[kept.get("reviewed", "no")])
        public_id = public_id or queries.next_in_queue(session, sought, after, sees_inspection())
        opened = _opened(session, public_id) if public_id else None
        paged = queries.queue(session, sought, request.args.get("page", 1, int), sees_inspection())
        before = _before(session, after)
    return render("hearings/review.html", QueuePage(filters, kept, opened, before, paged, plays=before is not None))


def _before(session: Session, public_id: str) -> HearingRow | None:
    """The utterance that was in hand before, where it has been reviewed."""
    if not public_id:
        return None
    try:
        row = queries.row_of(session, public_id, sees_inspection())
    except NotFound:
        return None
    return row if row.by else None


def _opened(session: Session, public_id: str) -> Opened:
    row = queries.row_of(session, public_id, sees_inspection())
    found = queries.hearing(session, public_id, sees_inspection())
    offered = hearing_reviews.offered(session, services().office, found)
    in_its_words = row.language.startswith(current_language())
    choices = [
        Button(code, said if said and (in_its_words or code not in words.CODES) else words.say(words.CODES, code), str(n) if n <= 9 else "")
        for n, (code, said) in enumerate(offered.choices, start=1)
    ]
    commands = [Button(code, words.say(words.COMMANDS, code), "") for code in offered.commands]
    return Opened(row, queries.reviews_of(session, public_id), choices, commands)


# ── what is asked for ────────────────────────────────────────────────────────────────────────────────


def _filters(session: Session) -> list[Choice]:
    items, languages = queries.choices(session)
    reviewed = [("no", _("未复核")), ("yes", _("已复核")), ("all", _("全部"))]
    return [
        _choice("item", _("项目"), [(item, words.say(words.ITEMS, item)) for item in _in_order(items)], all_of=_("全部")),
        _choice("outcome", _("处理"), [(word, str(words.tag(words.HEARINGS, word).word)) for word in OUTCOMES], all_of=_("全部")),
        _choice("language", _("语言"), [(one, words.say(words.SPOKEN, one)) for one in languages], all_of=_("全部")),
        _choice("reviewed", _("复核"), reviewed, otherwise="no"),
    ]


def _choice(name: str, label: str, offered: list[tuple[str, str]], all_of: str = "", otherwise: str = "") -> Choice:
    """A filter with what the address chooses of it; what is offered nowhere chooses nothing."""
    asked = request.args.get(name, "")
    return Choice(name, label, offered, asked if asked in dict(offered) else otherwise, all_of)


def _kept(filters: list[Choice]) -> dict[str, Any]:
    return {one.name: one.chosen for one in filters if one.chosen}
