"""A campaign's life: launch from a draw, start, pause, resume, stop, finish."""

from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from survey.contact_rules import CallAt, Rules, next_call
from survey.errors import NotAllowed
from survey.fieldwork.office import Office
from survey.store.models import CallAttempt, Campaign, Draw, DrawnIncident, Incident, Respondent, ScriptVersion
from survey.working_days import calendar

MOVES = {
    "start": ({"ready"}, "running"),
    "pause": ({"running"}, "paused"),
    "resume": ({"paused"}, "running"),
    "stop": ({"ready", "running", "paused"}, "stopped"),
}

STATE_WORDS = {"ready": "尚未开始", "running": "正在进行", "paused": "已暂停", "stopped": "已停止", "finished": "已结束"}
MOVE_WORDS = {"start": "开始", "pause": "暂停", "resume": "恢复", "stop": "停止"}


def launch(
    session: Session, office: Office, draw: Draw, script: ScriptVersion, rules: Rules, now: datetime, *,
    name: str, lines: int, calls_per_second: float, caller_id: str, simulated: bool, by: str,
) -> Campaign:  # fmt: skip
    """Create a campaign (state `ready`) with one respondent per drawn incident, due at the first opening from `now` on.

    Raises NotAllowed when the draw was voided or is already being worked.
    """
    if draw.voided_at is not None:
        raise NotAllowed(f"样本 {draw.id} 已作废，不能用于外呼 / draw {draw.id} was voided")
    if session.scalar(select(exists().where(Campaign.draw_id == draw.id, Campaign.state != "stopped"))):
        raise NotAllowed(f"样本 {draw.id} 已有任务在执行 / draw {draw.id} is already being worked by a campaign")
    campaign = Campaign(
        name=name, month=draw.month, draw_id=draw.id, script_version_id=script.id, lines=lines, calls_per_second=calls_per_second,
        caller_id=caller_id, rules=rules.to_json(), simulated=simulated, created_at=now,
    )  # fmt: skip
    session.add(campaign)
    session.flush()
    places = session.scalars(select(DrawnIncident).where(DrawnIncident.draw_id == draw.id).order_by(DrawnIncident.position))
    session.add_all(_respondent(campaign.id, place, _first_due(rules, place.incident, now)) for place in places)
    office.record(session, now, by, "campaign.launch", f"campaign:{campaign.public_id}", draw=draw.id, script=script.digest, lines=lines)
    return campaign


def _first_due(rules: Rules, incident: Incident, now: datetime) -> datetime:
    first = next_call(rules, calendar(rules.calendar), (), now, incident.zone, incident.closed_at)
    return first.at if isinstance(first, CallAt) else now


def _respondent(campaign_id: int, place: DrawnIncident, due_at: datetime) -> Respondent:
    incident = place.incident
    return Respondent(
        campaign_id=campaign_id, incident_id=incident.id, unit_id=incident.unit_id, position=place.position,
        replicate=place.replicate, weight=place.weight, phone_key=incident.phone_key, due_at=due_at,
    )  # fmt: skip


def _move(session: Session, office: Office, campaign: Campaign, move: str, by: str, now: datetime, reason: str) -> None:
    """Change the state under a lock; the audit entry comes last, because its head is locked until the commit."""
    session.refresh(campaign, ["state"], with_for_update=True)
    allowed, state = MOVES[move]
    if campaign.state not in allowed:
        word = MOVE_WORDS[move]
        raise NotAllowed(f"任务{STATE_WORDS[campaign.state]}，不能{word} / the campaign is {campaign.state}: {move} is not possible")
    campaign.state, campaign.state_reason = state, reason
    if move == "stop":
        _close_waiting(session, campaign, now)
    office.record(session, now, by, f"campaign.{move}", f"campaign:{campaign.public_id}", reason=reason)


def _close_waiting(session: Session, campaign: Campaign, now: datetime) -> None:
    waiting = update(Respondent).where(Respondent.campaign_id == campaign.id, Respondent.state == "waiting")
    session.execute(waiting.values(state="closed", close_reason="campaign_stopped", closed_at=now, due_at=None))
    campaign.finished_at = now


def start(session: Session, office: Office, campaign: Campaign, by: str, now: datetime) -> None:
    """Begin to call. Raises NotAllowed unless the campaign is ready."""
    _move(session, office, campaign, "start", by, now, "")
    campaign.started_at = now


def pause(session: Session, office: Office, campaign: Campaign, by: str, now: datetime, reason: str = "") -> None:
    """Start no further call; running ones finish. Raises NotAllowed unless running."""
    _move(session, office, campaign, "pause", by, now, reason)


def resume(session: Session, office: Office, campaign: Campaign, by: str, now: datetime) -> None:
    """Call again. Raises NotAllowed unless paused."""
    _move(session, office, campaign, "resume", by, now, "")


def stop(session: Session, office: Office, campaign: Campaign, by: str, now: datetime, reason: str = "") -> None:
    """End the campaign for good: whoever waits is closed with what was reached; whoever is on the line, when it ends.

    Raises NotAllowed when the campaign has ended.
    """
    _move(session, office, campaign, "stop", by, now, reason)


def finish_if_done(session: Session, office: Office, campaign: Campaign, now: datetime) -> bool:
    """Mark a running campaign as finished once nobody waits and nothing rings; tells whether it is."""
    open_respondent = exists().where(Respondent.campaign_id == campaign.id, Respondent.state.in_(("waiting", "calling")))
    unsettled = exists().where(CallAttempt.campaign_id == campaign.id, CallAttempt.settled_at.is_(None))
    if campaign.state != "running" or session.scalar(select(open_respondent | unsettled)):
        return False
    campaign.state, campaign.finished_at = "finished", now
    office.record(session, now, "system", "campaign.finish", f"campaign:{campaign.public_id}")
    return True


def halt(session: Session, office: Office, campaign: Campaign, now: datetime, reason: str) -> None:
    """Pause by itself because the line or the account does not work; the reason is shown on every page (A40)."""
    if campaign.state == "running":
        pause(session, office, campaign, "system", now, reason)


def rules_of(campaign: Campaign) -> Rules:
    """The contact rules that the campaign was launched with."""
    stored: dict[str, Any] = campaign.rules
    return Rules.from_json(stored)
