"""How many calls a campaign may still start: its caps of calls an hour and a day, and its limit of money."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.fieldwork.alarms import raise_alarm
from survey.fieldwork.holds import end_hold, is_held, open_hold, scope_of
from survey.holds import HoldReason
from survey.store.models import Campaign
from survey.store.queries import dialling as queries

CAPS = ((HoldReason.HOURLY_CAP, "hourly_calls", timedelta(hours=1)), (HoldReason.DAILY_CAP, "daily_calls", timedelta(hours=24)))
"""Each cap with its column in `Campaign` and the rolling time over which it counts."""


def calls_left(session: Session, campaign: Campaign, now: datetime) -> int | None:
    """How many more calls may be handed to the carrier now; None: no cap says anything. Opens the hold of a cap that is reached."""
    if is_held(session, scope_of(campaign)):
        return 0
    lefts = [_left(session, campaign, reason, column, span, now) for reason, column, span in CAPS if getattr(campaign, column) is not None]
    return min(lefts, default=None)


def _left(session: Session, campaign: Campaign, reason: HoldReason, column: str, span: timedelta, now: datetime) -> int:
    cap, begun = getattr(campaign, column), started(session, campaign, span, now)
    if begun < cap:
        return int(cap - begun)
    first_to_leave = queries.start_after(session, campaign.id, now - span, begun - cap)
    open_hold(session, scope_of(campaign), reason, now, until=(first_to_leave or now) + span, detail=f"{begun}/{cap}")
    return 0


def started(session: Session, campaign: Campaign, span: timedelta, now: datetime) -> int:
    """Calls that were handed to the carrier in the last `span` and count towards a cap over it."""
    return queries.started_since(session, campaign.id, now - span)


def spent(session: Session, campaign: Campaign) -> float:
    """The estimated bill so far: started minutes of talk in settled calls, at the campaign's price of a minute."""
    return queries.minutes_talked(session, campaign.id) * campaign.minute_price


def check_spend(session: Session, campaign: Campaign, now: datetime) -> None:
    """Stop dialling, and say so, when the estimated bill has reached the limit. Calls in progress finish: the bill may end above it."""
    if campaign.spend_limit is None or not campaign.minute_price:
        return
    bill, scope = spent(session, campaign), scope_of(campaign)
    if bill >= campaign.spend_limit and open_hold(session, scope, HoldReason.SPEND_LIMIT, now, detail=f"{bill:g}/{campaign.spend_limit:g}"):
        raise_alarm(session, AlarmKind.SPEND_LIMIT, scope, now, spent=round(bill, 2), limit=campaign.spend_limit)


def weigh_anew(session: Session, campaign: Campaign, now: datetime, by: str) -> None:
    """After a change of limits: lift what the old ones held back. The caps are weighed at the next claim, the spend here."""
    for reason, _, _ in CAPS:
        end_hold(session, scope_of(campaign), reason, now, by)
    end_hold(session, scope_of(campaign), HoldReason.SPEND_LIMIT, now, by)
    check_spend(session, campaign, now)
