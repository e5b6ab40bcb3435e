"""Why dialling holds back: holds are opened by the guards, and lifted by themselves or by a person.

A hold stands for one campaign (`campaign:<public id>`) or for everything (`carrier`). The reasons are those of
`survey.holds`; the guards are `limits` (caps and spend), `silence` (abandoned calls) and `breaker` (carrier out of reach).
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.errors import BadInput, NotAllowed, NotFound
from survey.fieldwork.alarms import clear_alarm
from survey.fieldwork.office import Office
from survey.holds import HoldReason
from survey.store.models import Campaign, Hold
from survey.store.queries import dialling as queries

CARRIER = "carrier"
ALARMS = {
    HoldReason.UNREACHABLE: AlarmKind.CARRIER_UNREACHABLE,
    HoldReason.SPEND_LIMIT: AlarmKind.SPEND_LIMIT,
    HoldReason.ABANDONED: AlarmKind.ABANDONED_CALLS,
}
"""The alarm that goes with a hold, with the hold's scope as its subject; it is cleared when the hold is lifted."""
OF_LIMITS = frozenset({HoldReason.HOURLY_CAP, HoldReason.DAILY_CAP, HoldReason.SPEND_LIMIT})
"""Lifted by time or by a higher limit, not by hand: the next call would open them again."""


def scope_of(campaign: Campaign) -> str:
    """The scope of holds that stand for one campaign."""
    return f"campaign:{campaign.public_id}"


def open_hold(session: Session, scope: str, reason: HoldReason, now: datetime, *, until: datetime | None = None, detail: str = "") -> bool:
    """Hold dialling back from now on; False when it is held back for this reason already."""
    return queries.put_hold(session, {"scope": scope, "reason": reason.word, "detail": detail[:255], "since": now, "until": until})


def end_hold(session: Session, scope: str, reason: HoldReason, now: datetime, by: str = "system") -> bool:
    """Dial again, as far as this reason goes, and clear its alarm; False when no such hold stands."""
    if not queries.end_hold(session, scope, reason.word, by, now):
        return False
    if reason in ALARMS:
        clear_alarm(session, ALARMS[reason], scope, now)
    return True


def standing_holds(session: Session) -> list[Hold]:
    """Every hold that stands, oldest first."""
    return list(session.scalars(select(Hold).where(Hold.lifted_at.is_(None)).order_by(Hold.since, Hold.id)))


def standing_hold(session: Session, scope: str, reason: HoldReason) -> Hold | None:
    """The hold that stands for this scope and reason."""
    return session.scalar(select(Hold).where(Hold.scope == scope, Hold.reason == reason.word, Hold.lifted_at.is_(None)))


def is_held(session: Session, scope: str) -> bool:
    """Whether any hold stands for this scope."""
    return session.scalar(select(Hold.id).where(Hold.scope == scope, Hold.lifted_at.is_(None)).limit(1)) is not None


def lift_expired(session: Session, now: datetime) -> None:
    """Lift the holds of caps whose time is over. A carrier out of reach is not back by the mere passing of time."""
    caps = (HoldReason.HOURLY_CAP.word, HoldReason.DAILY_CAP.word)
    over = Hold.reason.in_(caps), Hold.lifted_at.is_(None), Hold.until <= now
    session.execute(update(Hold).where(*over).values(lifted_at=now, lifted_by="system"))


def lift(session: Session, office: Office, hold_id: int, by: str, reason: str, now: datetime) -> None:
    """A named person has dialling go on, and says why.

    Raises NotFound; BadInput without a reason; NotAllowed when the hold was lifted before, or is one of a limit: then the
    limit must be raised (`campaigns.change_limits`).
    """
    if not reason.strip():
        raise BadInput("请写明原因 / a reason is needed", "reason")
    hold = session.get(Hold, hold_id, with_for_update=True)
    if hold is None:
        raise NotFound(f"没有编号为 {hold_id} 的暂缓 / there is no hold {hold_id}")
    why = HoldReason.from_word(hold.reason)
    if hold.lifted_at is not None:
        raise NotAllowed(f"暂缓 {hold_id} 已经解除 / hold {hold_id} was lifted before")
    if why in OF_LIMITS:
        raise NotAllowed(f"{why.zh}：请提高任务的上限 / {why.en}: raise the campaign's limit instead")
    end_hold(session, hold.scope, why, now, by)
    office.record(session, now, by, "hold.lift", f"hold:{hold.id}", scope=hold.scope, held_for=hold.reason, reason=reason)
