"""Campaigns: the list, one campaign's live progress, and its switches (A37, A38)."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import ADMINISTRATOR, HOUSE, actor, role
from ivr.console.charts import Histogram, bins, histogram
from ivr.console.forms import LONGEST_REASON, NO_PROBLEM, Problem
from ivr.console.guards import Guard, guards
from ivr.console.rendering import render
from ivr.console.services import services
from survey import fieldwork
from survey.errors import BadInput, NotAllowed
from survey.fieldwork import campaigns as use_cases
from survey.fieldwork import holds
from survey.holds import HoldReason
from survey.store.models import Campaign, Hold
from survey.store.queries import console
from survey.store.queries.console import CampaignDetail, CampaignSummary, Tally, UnitProgress

campaigns = Blueprint("campaigns", __name__)
MOVING = ("ready", "running", "paused")
Answer = Response | tuple[str, int]


@dataclass(frozen=True)
class CampaignsPage:
    """All campaigns, newest first; while there is none, the `command` that creates one."""

    campaigns: list[CampaignSummary]
    command: str


@dataclass(frozen=True)
class HoldRow:
    """Why dialling holds back, and by which figures. `by_hand`: an administrator may lift it; the others end by themselves or
    with a higher limit.
    """

    id: int
    reason: HoldReason
    detail: str
    since: datetime
    until: datetime | None
    by_hand: bool


@dataclass(frozen=True)
class CampaignPage:
    """One campaign with its progress at the moment `at`."""

    campaign: CampaignDetail
    rows: list[UnitProgress]
    total: Tally
    chart: Histogram
    at: datetime
    is_moving: bool
    holds: list[HoldRow]
    guards: list[Guard]
    problem: Problem = NO_PROBLEM


@campaigns.get("/campaigns")
@role(*HOUSE)
def index() -> str:
    """The list of campaigns."""
    with services().reads() as session:
        page = CampaignsPage(console.campaigns(session), _("./huifang campaign create --month <月份> --script <话术文件>"))
    return render("campaigns/index.html", page)


@campaigns.get("/campaigns/<public_id:public_id>")
@role(*HOUSE)
def show(public_id: str) -> str:
    """One campaign."""
    return render("campaigns/show.html", _load(public_id))


@campaigns.get("/campaigns/<public_id:public_id>/progress")
@role(*HOUSE)
def progress(public_id: str) -> str:
    """The part of the campaign's page that refreshes itself."""
    return render("campaigns/_progress.html", _load(public_id))


@campaigns.post("/campaigns/<public_id:public_id>/pause")
@role(ADMINISTRATOR)
def pause(public_id: str) -> Answer:
    """Place no further call; running ones finish."""
    house = services()
    return _switch(
        public_id, "pause",
        lambda session, campaign: fieldwork.pause(session, house.office, campaign, actor(), house.clock.now(), _reason()),
        _("任务已暂停：不再呼出新电话，进行中的通话将正常结束。"),
    )  # fmt: skip


@campaigns.post("/campaigns/<public_id:public_id>/resume")
@role(ADMINISTRATOR)
def resume(public_id: str) -> Answer:
    """Call again."""
    house = services()
    return _switch(
        public_id, "resume",
        lambda session, campaign: fieldwork.resume(session, house.office, campaign, actor(), house.clock.now()),
        _("任务已恢复拨打。"),
    )  # fmt: skip


@campaigns.post("/campaigns/<public_id:public_id>/stop")
@role(ADMINISTRATOR)
def stop(public_id: str) -> Answer:
    """End the campaign for good; needs the tick and a reason."""
    if request.form.get("understood") != "yes":
        return _refuse(public_id, "stop", "understood", _("未停止：请先勾选“我已知晓：停止后不可恢复”。"))
    if not _reason():
        return _refuse(public_id, "stop", "reason", _("未停止：请写明原因。"))
    house = services()
    return _switch(
        public_id, "stop",
        lambda session, campaign: fieldwork.stop(session, house.office, campaign, actor(), house.clock.now(), _reason()),
        _("任务已停止。"),
    )  # fmt: skip


@campaigns.post("/campaigns/<public_id:public_id>/pace")
@role(ADMINISTRATOR)
def pace(public_id: str) -> Answer:
    """Call on more or fewer lines, faster or slower, from now on."""
    house = services()
    return _switch(
        public_id, "pace",
        lambda session, campaign: use_cases.change_pace(
            session, house.office, campaign, actor(), house.clock.now(), lines=_number("lines", int),
            calls_per_second=_number("calls_per_second", float), reason=_reason(),
        ),
        _("拨打节奏已更改，即刻生效。"),
    )  # fmt: skip


@campaigns.post("/campaigns/<public_id:public_id>/limits")
@role(ADMINISTRATOR)
def limits(public_id: str) -> Answer:
    """Set or take away the caps and the limit of the estimated bill, and say what a minute costs."""
    house = services()
    return _switch(
        public_id, "limits",
        lambda session, campaign: use_cases.change_limits(
            session, house.office, campaign, actor(), house.clock.now(), hourly_calls=_number("hourly_calls", int),
            daily_calls=_number("daily_calls", int), spend_limit=_number("spend_limit", float),
            minute_price=_number("minute_price", float) or 0.0, reason=_reason(),
        ),
        _("上限已更改，即刻生效。"),
    )  # fmt: skip


@campaigns.post("/campaigns/<public_id:public_id>/holds/<int:number>/lift")
@role(ADMINISTRATOR)
def lift(public_id: str, number: int) -> Answer:
    """Have dialling go on after the cause was looked into."""
    house = services()
    return _switch(
        public_id, f"lift-{number}",
        lambda session, campaign: holds.lift(session, house.office, number, actor(), _reason(), house.clock.now()),
        _("已解除，继续拨打。"),
    )  # fmt: skip


def _reason() -> str:
    return request.form.get("reason", "").strip()[:LONGEST_REASON]


def _number(field: str, kind: type[int] | type[float]) -> Any:
    """The number that was typed into the field, or None for an empty one. Raises BadInput; a form without the field is refused.

    A page opened before an upgrade may lack it, and an empty field takes a limit away.
    """
    text = request.form[field].strip()
    if not text:
        return None
    wanted = "整数 / a whole number" if kind is int else "数字 / a number"
    zh, en = wanted.split(" / ")
    try:
        value = kind(text)
        if math.isfinite(value):
            return value
    except (ValueError, OverflowError):
        pass
    raise BadInput(f"“{text[:20]}” 不是{zh} / “{text[:20]}” is not {en}", field)


def _refuse(public_id: str, form: str, field: str, message: str) -> Answer:
    """The page again, with what was wrong at the field and what was typed."""
    problem = Problem(form, field, message, request.form)
    return render("campaigns/show.html", replace(_load(public_id), problem=problem)), 422


def _switch(public_id: str, form: str, move: Callable[[Session, Campaign], None], done: str) -> Answer:
    """Do one move in one transaction, say so, and go back to the page; to the form, when it is not filled in well."""
    try:
        with services().unit_of_work() as work:
            move(work.session, console.lock_campaign(work.session, public_id))
        flash(done, "success")
    except BadInput as problem:
        return _refuse(public_id, form, problem.field, _("未更改：%(why)s", why=words.in_language(problem)))
    except NotAllowed:
        flash(_("任务状态已变化，操作未执行。请查看下方最新状态。"), "danger")
    return redirect(url_for("campaigns.show", public_id=public_id), 303)


def _load(public_id: str) -> CampaignPage:
    house = services()
    now = house.clock.now()
    with house.reads() as session:
        campaign = console.campaign(session, public_id)
        rows = console.progress(session, public_id)
        attempts = console.dialled(session, public_id)
        standing = [_hold_row(hold) for hold in holds.standing_holds(session) if hold.scope in (holds.CARRIER, f"campaign:{public_id}")]
        seen = guards(session, console.campaign_row(session, public_id), [hold.reason for hold in standing], now)
    total, chart = console.total(rows), histogram(bins(attempts, house.office.bureau.tzinfo))
    return CampaignPage(campaign, rows, total, chart, now, campaign.summary.state in MOVING, standing, seen)


def _hold_row(hold: Hold) -> HoldRow:
    reason = HoldReason.from_word(hold.reason)
    return HoldRow(hold.id, reason, words.hold_detail(reason, hold.detail), hold.since, hold.until, reason not in holds.OF_LIMITS)
