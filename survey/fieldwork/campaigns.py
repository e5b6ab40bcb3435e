"""A campaign's life: launch from a draw, start, pause, resume, stop, finish; its pace and limits may change while it runs."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.contact_rules import CallAt, Rules, next_call
from survey.errors import BadInput, NotAllowed
from survey.fieldwork import limits
from survey.fieldwork.alarms import clear_alarm
from survey.fieldwork.holds import CARRIER, scope_of
from survey.fieldwork.office import Office
from survey.script import SURVEY
from survey.store.models import CallAttempt, Campaign, Draw, DrawnIncident, Incident, Respondent, ScriptVersion
from survey.store.rows import read_again
from survey.working_days import calendar

MOVES = {
    "start": ({"ready"}, "running"),
    "pause": ({"running"}, "paused"),
    "resume": ({"paused"}, "running"),
    "stop": ({"ready", "running", "paused"}, "stopped"),
}

Keep = Literal["keep"]
KEEP: Keep = "keep"
BOUNDS = {
    "hourly_calls": (1, 1_000_000, "每小时呼叫上限", "calls an hour"),
    "daily_calls": (1, 10_000_000, "24 小时呼叫上限", "calls in 24 hours"),
    "spend_limit": (0.01, 1e9, "估算话费上限", "limit of the estimated bill"),
    "minute_price": (0.0, 1e6, "每分钟单价", "price of a minute"),
}
"""The least and the most that each limit may be, and its names."""

STATE_WORDS = {"ready": "尚未开始", "running": "正在进行", "paused": "已暂停", "stopped": "已停止", "finished": "已结束"}
MOVE_WORDS = {"start": "开始", "pause": "暂停", "resume": "恢复", "stop": "停止"}


def launch(
    session: Session, office: Office, draw: Draw, script: ScriptVersion, rules: Rules, now: datetime, *,
    name: str, lines: int, calls_per_second: float, caller_id: str, simulated: bool, by: str,
    hourly_calls: int | None = None, daily_calls: int | None = None, spend_limit: float | None = None, minute_price: float = 0.0,
) -> Campaign:  # fmt: skip
    """Create a campaign (state `ready`) with one respondent per drawn incident, due at the first opening from `now` on.

    `hourly_calls` and `daily_calls` cap the calls started in any hour and any 24 hours; `spend_limit` the estimated bill,
    in the currency in which a started minute of talk costs `minute_price`. None: no such limit.
    Raises NotAllowed when the draw was voided or is already being worked, or the script is not one of a survey.
    """
    if draw.voided_at is not None:
        raise NotAllowed(f"样本 {draw.id} 已作废，不能用于外呼 / draw {draw.id} was voided")
    if script.kind != SURVEY:
        raise NotAllowed(
            f"话术“{script.name}”用于回访复核，不能用于本任务 / the script {script.name!r} is for second calls: a survey needs another"
        )
    if session.scalar(select(exists().where(Campaign.draw_id == draw.id, Campaign.kind == SURVEY, Campaign.state != "stopped"))):
        raise NotAllowed(f"样本 {draw.id} 已有任务在执行 / draw {draw.id} is already being worked by a campaign")
    campaign = Campaign(
        name=name, month=draw.month, draw_id=draw.id, script_version_id=script.id, lines=lines, calls_per_second=calls_per_second,
        caller_id=caller_id, rules=rules.to_json(), simulated=simulated, created_at=now,
        hourly_calls=hourly_calls, daily_calls=daily_calls, spend_limit=spend_limit, minute_price=minute_price,
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
    read_again(session, campaign, "state")
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
    """Start no further call; those that ring or talk finish, others are called off within a second (the sweep sees to it).

    Raises NotAllowed unless running.
    """
    _move(session, office, campaign, "pause", by, now, reason)


def resume(session: Session, office: Office, campaign: Campaign, by: str, now: datetime) -> None:
    """Call again; whoever resumes has seen to what the carrier refused. Raises NotAllowed unless paused."""
    _move(session, office, campaign, "resume", by, now, "")
    for subject in (CARRIER, scope_of(campaign)):
        clear_alarm(session, AlarmKind.CARRIER_REFUSED, subject, now)


def stop(session: Session, office: Office, campaign: Campaign, by: str, now: datetime, reason: str = "") -> None:
    """End the campaign for good: whoever waits is closed with what was reached; whoever is on the line, when it ends.

    Raises NotAllowed when the campaign has ended.
    """
    _move(session, office, campaign, "stop", by, now, reason)


def change_pace(
    session: Session, office: Office, campaign: Campaign, by: str, now: datetime, *,
    lines: int | None = None, calls_per_second: float | None = None, reason: str,
) -> None:  # fmt: skip
    """Call on more or fewer lines, faster or slower, from the next claim on; None leaves a value as it is.

    Lines and calls a second are counted over all campaigns, so no campaign's figures together with another's exceed the
    greatest of them; that one may not exceed the account's. Raises BadInput, NotAllowed when the campaign has ended.
    """
    _begin_change(session, campaign, reason)
    if lines is not None and not 1 <= lines <= (office.lines or lines):
        raise BadInput(f"线路数须为 1–{office.lines or '…'} / lines: from 1 to {office.lines or '…'}", "lines")
    if calls_per_second is not None and not 0.05 <= calls_per_second <= (office.calls_per_second or calls_per_second):
        most = f"{office.calls_per_second:g}" if office.calls_per_second else "…"
        raise BadInput(f"每秒呼叫数须为 0.05–{most} / calls per second: from 0.05 to {most}", "calls_per_second")
    campaign.lines = campaign.lines if lines is None else lines
    campaign.calls_per_second = campaign.calls_per_second if calls_per_second is None else calls_per_second
    pace = {"lines": campaign.lines, "calls_per_second": campaign.calls_per_second}
    office.record(session, now, by, "campaign.pace", f"campaign:{campaign.public_id}", **pace, reason=reason)


def change_limits(
    session: Session, office: Office, campaign: Campaign, by: str, now: datetime, *,
    hourly_calls: int | Keep | None = KEEP, daily_calls: int | Keep | None = KEEP, spend_limit: float | Keep | None = KEEP,
    minute_price: float | Keep = KEEP, reason: str,
) -> None:  # fmt: skip
    """Set the caps, the limit of the estimated bill, and the price of a minute; None takes a limit away, KEEP leaves it.

    Holds of the old limits are lifted. Raises BadInput, NotAllowed when the campaign has ended.
    """
    _begin_change(session, campaign, reason)
    given = {"hourly_calls": hourly_calls, "daily_calls": daily_calls, "spend_limit": spend_limit, "minute_price": minute_price}
    wanted = {name: value for name, value in given.items() if value != KEEP}
    for name, value in wanted.items():
        least, most, zh, en = BOUNDS[name]
        if value is not None and (isinstance(value, str) or not least <= value <= most):
            raise BadInput(f"{zh}须为 {least:,g}–{most:,.0f} / {en}: from {least:,g} to {most:,.0f}", name)
        setattr(campaign, name, value)
    session.flush()
    limits.weigh_anew(session, campaign, now, by)
    office.record(session, now, by, "campaign.limits", f"campaign:{campaign.public_id}", **wanted, reason=reason)


def _begin_change(session: Session, campaign: Campaign, reason: str) -> None:
    if not reason.strip():
        raise BadInput("请写明原因 / a reason is needed", "reason")
    read_again(session, campaign)
    if campaign.state in ("stopped", "finished"):
        raise NotAllowed(f"任务{STATE_WORDS[campaign.state]} / the campaign is {campaign.state}")


def finish_if_done(session: Session, office: Office, campaign: Campaign, now: datetime) -> bool:
    """Mark a running campaign as finished once every case is closed and nothing rings; tells whether it is.

    Somebody whom a person is to look at may have to be called again: the campaign stays open for that.
    """
    if campaign.state != "running" or _is_open(session, campaign.id):
        return False
    read_again(session, campaign, "state")  # whoever takes up a call to us holds it
    if campaign.state != "running" or _is_open(session, campaign.id):
        return False
    campaign.state, campaign.finished_at = "finished", now
    office.record(session, now, "system", "campaign.finish", f"campaign:{campaign.public_id}")
    return True


def _is_open(session: Session, campaign_id: int) -> bool:
    open_respondent = exists().where(Respondent.campaign_id == campaign_id, Respondent.state != "closed")
    unsettled = exists().where(CallAttempt.campaign_id == campaign_id, CallAttempt.settled_at.is_(None))
    return bool(session.scalar(select(open_respondent | unsettled)))


def halt(session: Session, office: Office, campaign: Campaign, now: datetime, reason: str) -> None:
    """Pause by itself because the line or the account does not work; the reason is shown on every page (A40)."""
    read_again(session, campaign, "state")  # two refusals may come at once
    if campaign.state == "running":
        pause(session, office, campaign, "system", now, reason)


def rules_of(campaign: Campaign) -> Rules:
    """The contact rules that the campaign was launched with."""
    stored: dict[str, Any] = campaign.rules
    return Rules.from_json(stored)
