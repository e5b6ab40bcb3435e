"""Alarms: what a person must see to, since when, and who has taken it in hand."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from ivr.console.access import ADMINISTRATOR, AUDITOR, actor, is_allowed, role, visitor
from ivr.console.language import is_english
from ivr.console.rendering import render
from ivr.console.services import services
from ivr.console.words import BAD, CARE, Tag
from survey.alarms import AlarmKind
from survey.errors import NotFound
from survey.fieldwork.alarms import acknowledge, standing_alarms
from survey.store.models import Alarm

alarms = Blueprint("alarms", __name__)
GRAVITY = {"critical": Tag(_l("紧急"), "!!", BAD), "warning": Tag(_l("注意"), "!", CARE)}
SILENT_SECONDS = 30.0


@dataclass(frozen=True)
class AlarmRow:
    """One standing alarm as shown. One without a number is worked out at this moment and cannot be taken in hand."""

    number: int | None
    name: str
    gravity: Tag
    subject: str
    details: str
    raised_at: datetime | None
    seen_at: datetime | None
    count: int
    taken_at: datetime | None = None
    taken_by: str = ""


@dataclass(frozen=True)
class AlarmsPage:
    """Every alarm that stands, the oldest first."""

    standing: list[AlarmRow]


@alarms.get("/alarms")
@role(ADMINISTRATOR, AUDITOR)
def index() -> str:
    """What stands."""
    return render("alarms/index.html", AlarmsPage(standing()))


@alarms.post("/alarms")
@role(ADMINISTRATOR)
def take() -> Response:
    """Take one in hand; it stands until its cause is gone."""
    house, number = services(), request.form.get("number", "")
    with house.unit_of_work() as work:
        found = next((alarm for alarm in standing_alarms(work.session) if str(alarm.id) == number), None)
        if found is None:
            raise NotFound
        now = house.clock.now()
        is_mine = acknowledge(work.session, found.id, actor(), now)
        if is_mine:
            house.office.record(work.session, now, actor(), "alarm.acknowledge", f"alarm:{found.id}", kind=found.kind, about=found.subject)
    flash(_("已确认。警报在原因消除后自动解除。") if is_mine else _("此警报已由他人确认。"), "success")
    return redirect(url_for("alarms.index"), 303)


def standing() -> list[AlarmRow]:
    """The standing alarms, and first of all that nobody would raise any."""
    with services().reads() as session:
        rows = [_row(alarm) for alarm in standing_alarms(session)]
    return [_silence(), *rows] if _is_sweep_silent() else rows


def banner() -> tuple[int, int] | None:
    """How many alarms stand and how many of these nobody has taken in hand, for administrators; None when there is nothing to say."""
    person = visitor()
    if person is None or person.role != ADMINISTRATOR or not is_allowed("alarms.index", person.role):
        return None
    try:
        rows = standing()
    except SQLAlchemyError:  # the page has worse to tell
        return None
    return (len(rows), sum(row.taken_at is None for row in rows)) if rows else None


def _row(alarm: Alarm) -> AlarmRow:
    details = ", ".join(f"{name}={value}" for name, value in alarm.details.items() if value is not None)
    name, gravity = _kind(alarm.kind)
    return AlarmRow(
        alarm.id, name, gravity, alarm.subject, details, alarm.raised_at, alarm.seen_at, alarm.count, alarm.acknowledged_at,
        alarm.acknowledged_by or "",
    )  # fmt: skip


def _kind(word: str) -> tuple[str, Tag]:
    try:
        kind = AlarmKind.from_word(word)
    except KeyError:  # raised by a newer version of this program
        return word, GRAVITY["critical"]
    return kind.en if is_english() else kind.zh, GRAVITY[kind.gravity]


def _silence() -> AlarmRow:
    name, gravity = _kind(AlarmKind.SWEEP_SILENT.word)
    return AlarmRow(None, name, gravity, "clock", "", None, None, 1)


def _is_sweep_silent() -> bool:
    """Whether the clock process, which raises most alarms, is not seen any more; in production also when it never was."""
    house = services()
    age = house.operations.sweep_age()
    return house.environment == "production" if age is None else age > SILENT_SECONDS
