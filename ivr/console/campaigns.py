"""Campaigns: the list, one campaign's live progress, and its switches (A37, A38)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console.access import ADMINISTRATOR, AUDITOR, COMMANDER, OPERATOR, actor, role
from ivr.console.charts import Histogram, bins, histogram
from ivr.console.rendering import render
from ivr.console.services import services
from survey import fieldwork
from survey.errors import NotAllowed
from survey.store.models import Campaign
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
class CampaignPage:
    """One campaign with its progress at the moment `at`."""

    campaign: CampaignDetail
    rows: list[UnitProgress]
    total: Tally
    chart: Histogram
    at: datetime
    is_moving: bool


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


def _switch(public_id: str, move: Callable[[Session, Campaign], None], done: str) -> Response:
    """Do one move in one transaction, say so, and go back to the page."""
    try:
        with services().unit_of_work() as work:
            move(work.session, console.lock_campaign(work.session, public_id))
        flash(done, "success")
    except NotAllowed:
        flash(_("任务状态已变化，操作未执行。请查看下方最新状态。"), "danger")
    return redirect(url_for("campaigns.show", public_id=public_id), 303)


def _load(public_id: str) -> CampaignPage:
    house = services()
    with house.reads() as session:
        campaign = console.campaign(session, public_id)
        rows = console.progress(session, public_id)
        attempts = console.dialled(session, public_id)
    total, chart = console.total(rows), histogram(bins(attempts, house.office.bureau.tzinfo))
    return CampaignPage(campaign, rows, total, chart, house.clock.now(), campaign.summary.state in MOVING)
