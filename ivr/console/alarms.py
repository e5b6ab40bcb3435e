"""Alarms: what a person must see to, since when, and who has taken it in hand."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console.access import ADMINISTRATOR, AUDITOR, actor, is_allowed, role, visitor
from ivr.console.language import is_english, moment
from ivr.console.rendering import render
from ivr.console.services import services
from ivr.console.words import BAD, CARE, REFUSALS, Tag, in_language, review, say
from survey.alarms import SWEEP_SILENT_SECONDS, AlarmKind
from survey.errors import NotFound
from survey.fieldwork.alarms import acknowledge, standing_alarms
from survey.notice_problems import PROBLEMS, Problem
from survey.store.models import Alarm
from survey.store.queries import console

alarms = Blueprint("alarms", __name__)
GRAVITY = {"critical": Tag(_l("紧急"), "!!", BAD), "warning": Tag(_l("注意"), "!", CARE)}
SUBJECTS = {
    "carrier": _l("运营商线路"),
    "clock": _l("调度进程"),
    "voice": _l("语音接入口"),
    "queue": _l("作业队列"),
    "backup": _l("数据备份"),
    "calendar": _l("工作日历"),
    "file": _l("清单文件"),
    "mail": _l("电子邮件"),
    "webhook": _l("Webhook"),
    "orders": _l("交办单"),
    "reminders": _l("提醒"),
    "desk": _l("值班电话"),
}
"""What alarms may be about, beside campaigns, calls and machines."""
DETAILS = {
    "abandoned": _l("无声"),
    "answered": _l("接听"),
    "calls": _l("未回报的呼叫"),
    "code": _l("错误码"),
    "limit": _l("上限"),
    "more_than_in_a_minute": _l("一分钟内超过"),
    "newest": _l("最近一次备份"),
    "problem": _l("异常"),
    "queue_milliseconds": _l("排队毫秒数"),
    "reason": _l("原因"),
    "recipients": _l("收件方"),
    "refusal": _l("原因"),
    "since": _l("起始"),
    "spent": _l("已估算"),
    "year": _l("年份"),
}
MOMENTS = ("newest", "since")
TOLD_ELSEWHERE = ("attempt",)


@dataclass(frozen=True)
class AlarmRow:
    """One standing alarm as shown. One without a number is worked out at this moment and cannot be taken in hand."""

    number: int | None
    name: str
    gravity: Tag
    subject: str
    address: str  # of the page about it, if there is one that the visitor may open
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
        rows = [_row(session, alarm) for alarm in standing_alarms(session)]
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


def _row(session: Session, alarm: Alarm) -> AlarmRow:
    details = [_detail(name, value) for name, value in alarm.details.items() if value is not None and name not in TOLD_ELSEWHERE]
    name, gravity = _kind(alarm.kind)
    subject, address = _subject(session, alarm.subject)
    return AlarmRow(
        alarm.id, name, gravity, subject, address, _("；").join(details), alarm.raised_at, alarm.seen_at, alarm.count,
        alarm.acknowledged_at, alarm.acknowledged_by or "",
    )  # fmt: skip


def _subject(session: Session, subject: str) -> tuple[str, str]:
    """What an alarm is about, in words, and the address of its page; what we do not know is shown as it is."""
    noun, _colon, which = subject.partition(":")
    if noun == "campaign" and (name := console.campaign_name(session, which)) is not None:
        return _("任务“%(name)s”", name=name), _address("campaigns.show", which)
    if noun == "attempt" and which.isdecimal() and (respondent := console.called_in(session, int(which))) is not None:
        return _("第 %(number)s 号呼叫", number=which), _address("calls.show", respondent)
    if noun == "disk" and which:
        return _("主机 %(name)s", name=which), ""
    return say(SUBJECTS, subject), _page_of(subject)


def _page_of(subject: str) -> str:
    """The page on which an alarm's cause is removed, where that is a page's affair."""
    person = visitor()
    is_here = subject == "calendar" and person is not None and is_allowed("calendar.index", person.role)
    return url_for("calendar.index") if is_here else ""


def _address(endpoint: str, public_id: str) -> str:
    person = visitor()
    return url_for(endpoint, public_id=public_id) if person is not None and is_allowed(endpoint, person.role) else ""


def _detail(name: str, value: object) -> str:
    if name not in DETAILS:
        return f"{name}={value}"
    if name in MOMENTS:
        told = moment(datetime.fromisoformat(str(value)))
    elif name == "problem" and (trouble := Problem.parse(str(value))).word in PROBLEMS:
        told = in_language(trouble.sentence)
    elif name == "refusal":
        told = say(REFUSALS, str(value))
    else:
        told = review(str(value)) if name == "reason" else str(value)
    return _("%(name)s：%(value)s", name=DETAILS[name], value=told)


def _kind(word: str) -> tuple[str, Tag]:
    try:
        kind = AlarmKind.from_word(word)
    except KeyError:  # raised by a newer version of this program
        return word, GRAVITY["critical"]
    return kind.en if is_english() else kind.zh, GRAVITY[kind.gravity]


def _silence() -> AlarmRow:
    name, gravity = _kind(AlarmKind.SWEEP_SILENT.word)
    return AlarmRow(None, name, gravity, say(SUBJECTS, "clock"), "", "", None, None, 1)


def _is_sweep_silent() -> bool:
    """Whether the clock process, which raises most alarms, is not seen any more; in production also when it never was."""
    house = services()
    age = house.operations.sweep_age()
    return house.environment == "production" if age is None else age > SWEEP_SILENT_SECONDS
