"""Home: the month as a list of tasks, and its key figures (A6)."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from ivr.console import words
from ivr.console.access import EVERYBODY, UNIT, is_allowed, present, role, visitor
from ivr.console.alarms import AlarmRow, standing
from ivr.console.order_access import order_actor
from ivr.console.orders import moments
from ivr.console.rendering import render
from ivr.console.services import services
from ivr.console.words import Tag
from survey.accounts import Visitor, people
from survey.order_clock import last_day
from survey.store.queries import console, order_lists
from survey.store.queries.console import CampaignSummary, DrawFacts, Imports, Queue, ScriptFacts, Tally
from survey.store.queries.order_lists import Share, Workload

home = Blueprint("home", __name__)


@dataclass(frozen=True)
class Task:
    """One step of the month: its state, when it was done and by whom, and what comes next (an address or a command)."""

    name: str
    tag: Tag
    facts: str
    at: datetime | None
    by: str
    next: str
    address: str = ""
    command: str = ""


@dataclass(frozen=True)
class HomePage:
    """The state of one month."""

    month: str
    months: list[str]
    tasks: list[Task]
    tally: Tally
    queue: Queue
    campaign: CampaignSummary | None
    alarms: list[AlarmRow]
    orders: Workload | None


@dataclass(frozen=True)
class Figure:
    """How many orders a tab of the unit's list holds, and the last day of the nearest deadline among them."""

    tab: str
    count: int
    first_day: date | None


@dataclass(frozen=True)
class UnitPage:
    """The home of somebody who acts for a unit: its orders, counted (C27)."""

    unit: str
    figures: list[Figure]


@dataclass(frozen=True)
class Month:
    """What the database knows of the month."""

    name: str
    imports: Imports
    draw: DrawFacts | None
    script: ScriptFacts | None
    campaign: CampaignSummary | None
    tally: Tally
    queue: Queue


DONE = ("✓", words.GOOD)
OPEN = ("○", words.CARE)
LATER = ("–", words.QUIET)


@home.get("/")
@role(*EVERYBODY)
def index() -> str:
    """The month's work; `?month=YYYY-MM` shows another month. A unit sees nothing of it (R12)."""
    house, person = services(), present()
    if person.role == UNIT:
        return render("home/unit.html", _unit_page(person))
    now, zone = house.clock.now(), house.office.bureau.tzinfo
    with house.reads() as session:
        known = console.months(session)
        name = _which(request.args.get("month"), known, session, now, zone)
        month = _load(session, name, now, zone)
        orders = _workload(session) if is_allowed("orders.index", person.role) else None
    return render("home/index.html", _page(month, known, orders))


def _unit_page(person: Visitor) -> UnitPage:
    with services().reads() as session:
        unit, load = people.unit_name(session, people.known(session, person.name)), _workload(session)
    return UnitPage(unit, [_figure(one.name, getattr(load, one.name)) for one in fields(load)])


def _figure(tab: str, share: Share) -> Figure:
    first = share.first_due
    return Figure(tab, share.count, None if first is None else last_day(services().office.terms, first))


def _workload(session: Session) -> Workload:
    house = services()
    return order_lists.workload(session, order_actor(), moments(house.office.terms, house.clock.now()))


def _which(asked: str | None, known: list[str], session: Session, now: datetime, zone: ZoneInfo) -> str:
    """The month asked for, else the newest with a sample, else that of the newest incident, else the present one."""
    if asked in known:
        return str(asked)
    newest = console.latest_incident_at(session) or now
    return known[0] if known else newest.astimezone(zone).strftime("%Y-%m")


def _load(session: Session, name: str, now: datetime, zone: ZoneInfo) -> Month:
    worked = next(iter(console.campaigns(session, name)), None)
    tally = console.total(console.progress(session, worked.public_id)) if worked else Tally()
    return Month(
        name, console.imports(session, *console.month_bounds(name, zone)), console.draw_of(session, name),
        console.script_of(session, worked.public_id if worked else None), worked, tally, console.queue(session, now, name),
    )  # fmt: skip


def _page(month: Month, known: list[str], orders: Workload | None) -> HomePage:
    tasks = [_import(month), _draw(month), _script(month), _publish(month), _start(month), _report(month)]
    return HomePage(month.name, known, tasks, month.tally, month.queue, month.campaign, _alarms(), orders)


def _alarms() -> list[AlarmRow]:
    person = visitor()
    return standing() if person and is_allowed("alarms.index", person.role) else []


def _state(done: bool, ready: bool) -> Tag:
    if done:
        return Tag(_("已完成"), *DONE)
    return Tag(_("待办"), *OPEN) if ready else Tag(_("待前一步完成"), *LATER)


def _link(endpoint: str, **values: Any) -> str:
    """The address of a page, if the visitor may open it."""
    person = visitor()
    return url_for(endpoint, **values) if person and is_allowed(endpoint, person.role) else ""


def _import(month: Month) -> Task:
    facts = month.imports
    done = facts.incidents > 0
    said = _("本月警情 %(count)s 起", count=facts.incidents) if done else _("尚未导入本月警情")
    return Task(
        _("导入"), _state(done, True), said, facts.last_at if done else None, "",
        _("补充导入") if done else _("导入警情文件"), command=_("./huifang import <警情文件> --mapping <映射文件>"),
    )  # fmt: skip


def _draw(month: Month) -> Task:
    draw = month.draw
    if draw is None:
        return Task(
            _("抽样"), _state(False, month.imports.incidents > 0), _("尚未抽样"), None, "", _("抽取样本"),
            command=f"./huifang draw --month {month.name}",
        )  # fmt: skip
    said = _("抽样框 %(frame)s 起，排除 %(excluded)s 起，抽中 %(drawn)s 起", frame=draw.frame, excluded=draw.excluded, drawn=draw.drawn)
    return Task(_("抽样"), _state(True, True), said, draw.at, "", "")


def _script(month: Month) -> Task:
    script = month.script
    if script is None:
        return Task(_("话术"), _state(False, True), _("尚无话术"), None, "", _("检查话术"), command=_("./huifang script check <话术文件>"))
    said = _("《%(name)s》，共 %(count)s 个版本", name=script.name, count=script.versions)
    return Task(_("话术"), _state(True, True), said, None, "", _("修改后重新检查"), command=_("./huifang script check <话术文件>"))


def _publish(month: Month) -> Task:
    script = month.script
    if script is None:
        return Task(
            _("发布"),
            _state(False, False),
            _("尚未发布"),
            None,
            "",
            _("发布话术"),
            command=_("./huifang script publish <话术文件> --by <姓名> --reason <原因>"),
        )
    said = _("《%(name)s》第 %(number)s 版", name=script.name, number=script.number)
    return Task(_("发布"), _state(True, True), said, script.published_at, script.published_by, "")


def _start(month: Month) -> Task:
    worked = month.campaign
    if worked is None:
        ready = month.draw is not None and month.script is not None
        return Task(
            _("开始"),
            _state(False, ready),
            _("尚未开始回访"),
            None,
            "",
            _("新建回访任务"),
            command=_("./huifang campaign create --month %(month)s --script <话术文件>", month=month.name),
        )
    said = _("已结束 %(closed)s 人，共 %(planned)s 人", closed=worked.closed, planned=worked.planned)
    address = _link("campaigns.show", public_id=worked.public_id)
    return Task(_("开始"), words.tag(words.CAMPAIGN, worked.state), said, worked.started_at, "", _("查看进度"), address)


def _report(month: Month) -> Task:
    worked, tally = month.campaign, month.tally
    answered = tally.complete + tally.partial
    if worked is None or not answered:
        return Task(_("报表"), _state(False, False), _("尚无有效回访"), None, "", "")
    ended = worked.state in ("finished", "stopped")
    shown = _state(True, True) if ended else Tag(_("可预览"), "◐", words.BUSY)
    said = _("有效回访 %(count)s 份", count=answered)
    address = _link("reports.sheet", month=month.name)
    return Task(_("报表"), shown, said, worked.finished_at if ended else None, "", _("查看月度报表"), address)
