"""Campaigns: the list, one campaign's live progress, and its switches (A37, A38)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import ADMINISTRATOR, AUDITOR, COMMANDER, OPERATOR, actor, role
from ivr.console.charts import Histogram, bins, histogram
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
SEES_PROGRESS = (ADMINISTRATOR, OPERATOR, COMMANDER, AUDITOR)
MOVING = ("ready", "running", "paused")
LONGEST_REASON = 200


@dataclass(frozen=True)
class CampaignsPage:
    """All campaigns, newest first; while there is none, the `command` that creates one."""

    campaigns: list[CampaignSummary]
    command: str


@dataclass(frozen=True)
class HoldRow:
    """Why dialling holds back. `by_hand`: an administrator may lift it; the others end by themselves or with a higher limit."""

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


@campaigns.get("/campaigns")
@role(*SEES_PROGRESS)
def index() -> str:
    """The list of campaigns."""
    with services().reads() as session:
        page = CampaignsPage(console.campaigns(session), _("./huifang campaign create --month <月份> --script <话术文件>"))
    return render("campaigns/index.html", page)


@campaigns.get("/campaigns/<public_id:public_id>")
@role(*SEES_PROGRESS)
def show(public_id: str) -> str:
    """One campaign."""
    return render("campaigns/show.html", _load(public_id))


@campaigns.get("/campaigns/<public_id:public_id>/progress")
@role(*SEES_PROGRESS)
def progress(public_id: str) -> str:
    """The part of the campaign's page that refreshes itself."""
    return render("campaigns/_progress.html", _load(public_id))


@campaigns.post("/campaigns/<public_id:public_id>/pause")
@role(ADMINISTRATOR)
def pause(public_id: str) -> Response:
    """Place no further call; running ones finish."""
    house, reason = services(), request.form.get("reason", "").strip()[:LONGEST_REASON]
    done = _("任务已暂停：不再呼出新电话，进行中的通话将正常结束。")
    return _switch(
        public_id, lambda session, campaign: fieldwork.pause(session, house.office, campaign, actor(), house.clock.now(), reason), done
    )


@campaigns.post("/campaigns/<public_id:public_id>/resume")
@role(ADMINISTRATOR)
def resume(public_id: str) -> Response:
    """Call again."""
    house = services()
    return _switch(
        public_id,
        lambda session, campaign: fieldwork.resume(session, house.office, campaign, actor(), house.clock.now()),
        _("任务已恢复拨打。"),
    )


@campaigns.post("/campaigns/<public_id:public_id>/stop")
@role(ADMINISTRATOR)
def stop(public_id: str) -> Response:
    """End the campaign for good; needs the tick."""
    if request.form.get("understood") != "yes":
        flash(_("未停止：请先勾选“我已知晓：停止后不可恢复”。"), "danger")
        return redirect(url_for("campaigns.show", public_id=public_id), 303)
    house, reason = services(), request.form.get("reason", "").strip()[:LONGEST_REASON]
    return _switch(
        public_id,
        lambda session, campaign: fieldwork.stop(session, house.office, campaign, actor(), house.clock.now(), reason),
        _("任务已停止。"),
    )


@campaigns.post("/campaigns/<public_id:public_id>/pace")
@role(ADMINISTRATOR)
def pace(public_id: str) -> Response:
    """Call on more or fewer lines, faster or slower, from now on."""
    house = services()
    return _switch(
        public_id,
        lambda session, campaign: use_cases.change_pace(
            session, house.office, campaign, actor(), house.clock.now(), lines=_number(request.form["lines"], int),
            calls_per_second=_number(request.form["calls_per_second"], float), reason=_reason(),
        ),
        _("拨打节奏已更改，即刻生效。"),
    )  # fmt: skip


@campaigns.post("/campaigns/<public_id:public_id>/limits")
@role(ADMINISTRATOR)
def limits(public_id: str) -> Response:
    """Set or take away the caps and the limit of the estimated spend."""
    house, form = services(), request.form
    return _switch(
        public_id,
        lambda session, campaign: use_cases.change_limits(
            session, house.office, campaign, actor(), house.clock.now(), hourly_calls=_number(form["hourly_calls"], int),
            daily_calls=_number(form["daily_calls"], int), spend_limit=_number(form["spend_limit"], float), reason=_reason(),
        ),
        _("上限已更改，即刻生效。"),
    )  # fmt: skip


@campaigns.post("/campaigns/<public_id:public_id>/holds/<int:number>/lift")
@role(ADMINISTRATOR)
def lift(public_id: str, number: int) -> Response:
    """Have dialling go on after the cause was looked into."""
    house = services()
    return _switch(
        public_id,
        lambda session, campaign: holds.lift(session, house.office, number, actor(), _reason(), house.clock.now()),
        _("已解除，继续拨打。"),
    )


def _reason() -> str:
    return request.form.get("reason", "").strip()[:LONGEST_REASON]


def _number(text: str, kind: type[int] | type[float]) -> Any:
    """The number that was typed in, or None for an empty field. Raises BadInput."""
    if not text.strip():
        return None
    try:
        value = kind(text)
    except ValueError:
        raise BadInput(f"“{text[:20]}” 不是数字 / “{text[:20]}” is no number") from None
    if not math.isfinite(value):
        raise BadInput(f"“{text[:20]}” 不是数字 / “{text[:20]}” is no number")
    return value


def _switch(public_id: str, move: Callable[[Session, Campaign], None], done: str) -> Response:
    """Do one move in one transaction, say so, and go back to the page."""
    try:
        with services().unit_of_work() as work:
            move(work.session, console.lock_campaign(work.session, public_id))
        flash(done, "success")
    except BadInput as problem:
        flash(_("未更改：%(why)s", why=words.in_language(problem)), "danger")
    except NotAllowed:
        flash(_("任务状态已变化，操作未执行。请查看下方最新状态。"), "danger")
    return redirect(url_for("campaigns.show", public_id=public_id), 303)


def _load(public_id: str) -> CampaignPage:
    house = services()
    with house.reads() as session:
        campaign = console.campaign(session, public_id)
        rows = console.progress(session, public_id)
        attempts = console.dialled(session, public_id)
        standing = [_hold_row(hold) for hold in holds.standing_holds(session) if hold.scope in (holds.CARRIER, f"campaign:{public_id}")]
    total, chart = console.total(rows), histogram(bins(attempts, house.office.bureau.tzinfo))
    return CampaignPage(campaign, rows, total, chart, house.clock.now(), campaign.summary.state in MOVING, standing)


def _hold_row(hold: Hold) -> HoldRow:
    reason = HoldReason.from_word(hold.reason)
    return HoldRow(hold.id, reason, hold.detail, hold.since, hold.until, reason not in holds.OF_LIMITS)
