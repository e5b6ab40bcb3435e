"""What the guards of dialling ask: calls started, money talked away, silence heard, numbers rung lately.

Only our own dialling counts (`direction` out), and of it only what rang or may have: a request that the carrier refused
for the moment is settled without a disposition. The one exception is how long a number is left in peace by others.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from survey.callback_rules import CALLBACK, ORDINARY
from survey.disposition import Disposition
from survey.store.models import CallAttempt, Campaign, CarrierEvent, Hold, Respondent, Suppression, Takeover, table_of

DIALLING = 0x68756966616E67
"""The advisory lock of PostgreSQL that everybody takes who counts lines or calls and then adds one."""
MACHINES = ("machine", "fax")
CLAIMED = CallAttempt.status == "claimed"
INTERVIEWS = [each.word for each in Disposition if each.outcome_class in ("I", "P")]


def one_at_a_time(session: Session) -> None:
    """Let nobody else count and add calls until this transaction ends. On SQLite a writing transaction is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(DIALLING)))


def _ours(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    rang = or_(CallAttempt.disposition.is_not(None), CallAttempt.settled_at.is_(None))
    return and_(CallAttempt.direction == "out", rang, *conditions)


def interviewed_by_calling_us() -> ColumnElement[bool]:
    """Whether the attempt is a call to us that became an interview: its person has been asked, though nobody was dialled."""
    return and_(CallAttempt.direction == "in", CallAttempt.disposition.in_(INTERVIEWS))


def started_since(session: Session, campaign_id: int, moment: datetime) -> int:
    """Calls of the campaign that were handed to the carrier after `moment`."""
    ours = _ours(CallAttempt.campaign_id == campaign_id, CallAttempt.requested_at > moment)
    return session.scalar(select(func.count()).select_from(CallAttempt).where(ours)) or 0


def start_after(session: Session, campaign_id: int, moment: datetime, place: int) -> datetime | None:
    """When the call in this place (0: the oldest) of those started after `moment` was handed to the carrier."""
    ours = _ours(CallAttempt.campaign_id == campaign_id, CallAttempt.requested_at > moment)
    return session.scalar(select(CallAttempt.requested_at).where(ours).order_by(CallAttempt.requested_at).offset(place).limit(1))


def traffic(session: Session, since: datetime, longer: Mapping[int, datetime]) -> list[tuple[int, int, datetime | None]]:
    """Campaign and id of all attempts that were handed to the carrier after `since`, refused ones too, and when; and of the claimed.

    Those of the campaigns in `longer` are read since the moment that stands there.
    """
    late = [and_(CallAttempt.campaign_id == campaign, CallAttempt.requested_at > moment) for campaign, moment in longer.items()]
    known = select(CallAttempt.campaign_id, CallAttempt.id, CallAttempt.requested_at)
    rows = session.execute(known.where(or_(CLAIMED, CallAttempt.requested_at > since, *late)))
    return [(row[0], row[1], row[2]) for row in rows]


def take_claimed(session: Session, attempt_id: int) -> CallAttempt | None:
    """A claimed attempt with everything that must be known to dial it, locked; None when it is claimed no more."""
    whole = joinedload(CallAttempt.respondent, innerjoin=True).joinedload(Respondent.incident, innerjoin=True)
    wanted = select(CallAttempt).options(whole, joinedload(CallAttempt.campaign, innerjoin=True))
    wanted = wanted.where(CallAttempt.id == attempt_id, CLAIMED).with_for_update(of=CallAttempt)
    return session.scalar(wanted.execution_options(populate_existing=True))


def hold_takeover(session: Session, attempt_id: int) -> None:
    """Lock the call's takeover before the call: the desk takes the two in this order. On SQLite a writing transaction is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        mine = Takeover.attempt_id == attempt_id, Takeover.ended_at.is_(None)
        session.execute(select(Takeover.id).where(*mine).with_for_update())


def rates(session: Session) -> dict[int, float]:
    """The calls a second of each campaign that runs."""
    running = select(Campaign.id, Campaign.calls_per_second).where(Campaign.state == "running")
    return {row[0]: row[1] for row in session.execute(running)}


def last_claimer(session: Session) -> int:
    """The campaign of the newest attempt of ours; 0 when there is none."""
    newest = select(CallAttempt.campaign_id).where(CallAttempt.direction == "out").order_by(CallAttempt.id.desc()).limit(1)
    return session.scalar(newest) or 0


def claimed(session: Session, campaign_id: int | None = None) -> int:
    """Attempts that are claimed and not yet handed to the carrier, of one campaign or of all."""
    waiting = select(func.count()).select_from(CallAttempt).where(CLAIMED)
    return session.scalar(waiting if campaign_id is None else waiting.where(CallAttempt.campaign_id == campaign_id)) or 0


def minutes_talked(session: Session, campaign_id: int) -> int:
    """Started minutes of talk in the campaign's settled calls, as a carrier bills them."""
    minutes = func.sum((CallAttempt.seconds + 59) // 60)
    ours = _ours(CallAttempt.campaign_id == campaign_id, CallAttempt.settled_at.is_not(None), CallAttempt.seconds > 0)
    return int(session.scalar(select(minutes).where(ours)) or 0)


def silence_since(session: Session, campaign_id: int, moment: datetime) -> tuple[int, int]:
    """Of the campaign's settled calls that a person answered after `moment`: how many heard us too late, and how many there are."""
    living = or_(CallAttempt.answered_by.is_(None), CallAttempt.answered_by.not_in(MACHINES))
    ours = _ours(CallAttempt.campaign_id == campaign_id, CallAttempt.answered_at > moment, CallAttempt.settled_at.is_not(None), living)
    counts = select(func.count().filter(CallAttempt.abandoned), func.count()).select_from(CallAttempt).where(ours)
    abandoned, answered = session.execute(counts).one()
    return abandoned, answered


def suppressed(session: Session, phone_keys: Collection[bytes]) -> set[bytes]:
    """Which of the numbers are on the refusal list."""
    standing = Suppression.phone_key.in_(phone_keys), Suppression.lifted_at.is_(None)
    return set(session.scalars(select(Suppression.phone_key).where(*standing)))


def abandoned_at(session: Session, phone_keys: Collection[bytes], moment: datetime) -> dict[bytes, datetime]:
    """When each of the numbers last answered one of our calls after `moment` and heard nothing in time."""
    silent = _ours(CallAttempt.phone_key.in_(phone_keys), CallAttempt.abandoned.is_(True), CallAttempt.answered_at > moment)
    last = select(CallAttempt.phone_key, func.max(CallAttempt.answered_at)).where(silent).group_by(CallAttempt.phone_key)
    return {key: at for key, at in session.execute(last) if at is not None}


def rung_at(session: Session, phone_keys: Collection[bytes], moment: datetime) -> list[tuple[bytes, int, int, str, datetime]]:
    """When each of the numbers was last dialled after `moment`, or interviewed on a call to us.

    Number, campaign, respondent, kind of campaign, time.
    """
    at = func.coalesce(CallAttempt.requested_at, CallAttempt.claimed_at)
    mine = CallAttempt.phone_key.in_(phone_keys)
    rung = or_(_ours(mine, CallAttempt.requested_at > moment), and_(mine, interviewed_by_calling_us(), CallAttempt.claimed_at > moment))
    whom = CallAttempt.phone_key, CallAttempt.campaign_id, CallAttempt.respondent_id, Campaign.kind
    last = select(*whom, func.max(at)).join(Campaign, CallAttempt.campaign_id == Campaign.id).where(rung).group_by(*whom)
    return [(key, campaign, respondent, kind, at) for key, campaign, respondent, kind, at in session.execute(last) if at is not None]


def last_numbers(session: Session, respondent_ids: Collection[int]) -> dict[int, int]:
    """The number of each respondent's last attempt; who has none is not there."""
    last = select(CallAttempt.respondent_id, func.max(CallAttempt.number)).where(CallAttempt.respondent_id.in_(respondent_ids))
    return {respondent_id: number for respondent_id, number in session.execute(last.group_by(CallAttempt.respondent_id)) if number}


def take(session: Session, respondent_ids: Collection[int]) -> set[int]:
    """Have those of the respondents that still wait be called; tells which."""
    waiting = Respondent.id.in_(respondent_ids), Respondent.state == "waiting"
    taken = update(Respondent).where(*waiting).values(state="calling", due_at=None).returning(Respondent.id)
    return set(session.scalars(taken))


def to_be_called_off(session: Session) -> list[int]:
    """Calls that the carrier has taken and that nobody has answered, and that were not called off.

    In paused and stopped campaigns those that do not ring yet; everywhere those to a number that has been refused meanwhile, and the calls
    back whose operator is gone.
    """
    asked = select(CarrierEvent.id).where(CarrierEvent.attempt_id == CallAttempt.id, CarrierEvent.kind == "call_off").exists()
    refused = select(Suppression.id).where(Suppression.phone_key == CallAttempt.phone_key, Suppression.lifted_at.is_(None)).exists()
    taken = CallAttempt.status.in_(("placed", "initiated", "ringing")), CallAttempt.direction == "out", CallAttempt.carrier_sid.is_not(None)
    halted = and_(Campaign.state.in_(("paused", "stopped")), CallAttempt.status != "ringing", CallAttempt.purpose == ORDINARY)
    waited_for = select(Takeover.id).where(Takeover.attempt_id == CallAttempt.id, Takeover.ended_at.is_(None)).exists()
    left = and_(CallAttempt.purpose == CALLBACK, ~waited_for)
    wanted = select(CallAttempt.id).join(Campaign).where(*taken, or_(halted, refused, left), ~asked)
    return list(session.scalars(wanted.order_by(CallAttempt.id)))


def put_hold(session: Session, values: dict[str, Any]) -> bool:
    """Open a hold; False when it stands already."""
    holds = table_of(Hold)
    fresh = postgresql.insert(holds) if session.get_bind().dialect.name == "postgresql" else sqlite.insert(holds)
    once = fresh.on_conflict_do_nothing(index_elements=["scope", "reason"], index_where=holds.c.lifted_at.is_(None))
    return session.execute(once.values(values).returning(holds.c.id)).one_or_none() is not None


def end_hold(session: Session, scope: str, reason: str, by: str, now: datetime) -> bool:
    """Lift a hold; False when it does not stand."""
    standing = Hold.scope == scope, Hold.reason == reason, Hold.lifted_at.is_(None)
    lifted = session.execute(update(Hold).where(*standing).values(lifted_at=now, lifted_by=by))
    return bool(lifted.rowcount)  # type: ignore[attr-defined]


def take_probe(session: Session, hold_id: int, now: datetime, pause: timedelta) -> bool:
    """Take the one call that may try whether the carrier can be reached again; False when it is not yet time, or another was first."""
    due = Hold.id == hold_id, Hold.lifted_at.is_(None), Hold.until <= now
    taken = session.execute(update(Hold).where(*due).values(until=now + pause))
    return bool(taken.rowcount)  # type: ignore[attr-defined]
