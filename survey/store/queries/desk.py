"""What the desk asks the database: who is free, which calls wait and in which order, what is due there."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Exists, case, exists, func, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from survey.accounts.logins import IDLE, stands
from survey.accounts.roles import DESK
from survey.callback_rules import CALLBACK
from survey.store.models import CallAttempt, Duty, Offer, OperatorAnswer, Takeover, User, UserSession

IN_HAND = ("claimed", "ready", "talking", "wrap")
URGENCY = case((Takeover.reason == "danger", 0), else_=1)
WAITS = (Takeover.state == "waiting", Takeover.result == "")

ATTENDED = timedelta(minutes=2)
"""How long ago the desk on duty may have shown life. It asks every five seconds, which is noted every thirty; a browser asks for a tab
in the background once a minute."""


def is_operator_free(session: Session, now: datetime) -> bool:
    """Whether anybody on duty could take a call now, and sits at an open desk."""
    return bool(session.scalar(select(exists().where(Duty.state == "free", has_log_in(now, ATTENDED)))))


def has_log_in(now: datetime, idle: timedelta = IDLE) -> ColumnElement[bool]:
    """The condition that the log-in with which somebody is on duty stands, and that they still may work at the desk."""
    mine = (UserSession.token_digest == Duty.login, User.id == Duty.user_id, UserSession.user_id == User.id)
    return exists().where(*mine, User.disabled_at.is_(None), User.role.in_(DESK), stands(now, idle)).correlate(Duty)


def open_takeover(session: Session, attempt_id: int) -> Takeover | None:
    """The call's takeover whose conversation is not over, locked."""
    return _locked(session, Takeover.attempt_id == attempt_id, Takeover.ended_at.is_(None))


def last_takeover(session: Session, attempt_id: int) -> Takeover | None:
    """The newest takeover of the call, over or not."""
    return session.scalars(select(Takeover).where(Takeover.attempt_id == attempt_id).order_by(Takeover.id.desc()).limit(1)).one_or_none()


def locked(session: Session, takeover_id: int) -> Takeover | None:
    """The takeover, locked, as it is now."""
    return _locked(session, Takeover.id == takeover_id)


def lock_call(session: Session, public_id: str) -> None:
    """Lock the call of a takeover before the takeover itself, as each turn of the call does: for who changes both."""
    theirs = select(CallAttempt.id).join(Takeover, Takeover.attempt_id == CallAttempt.id).where(Takeover.public_id == public_id)
    session.execute(theirs.with_for_update(of=CallAttempt))


def by_ring(session: Session, token: str) -> Takeover | None:
    """The takeover for which a telephone was rung with this token, locked; None for a ring that counts no more."""
    return _locked(session, Takeover.ring_token == token)


def _locked(session: Session, *which: ColumnElement[bool]) -> Takeover | None:
    wanted = select(Takeover).where(*which).with_for_update()
    return session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()


def written_answers(session: Session, takeover_id: int) -> dict[str, str]:
    """What the operator has written down: item to code, the last word of each."""
    rows = select(OperatorAnswer.item, OperatorAnswer.code).where(OperatorAnswer.takeover_id == takeover_id).order_by(OperatorAnswer.id)
    return {row.item: row.code for row in session.execute(rows)}


def waiting(session: Session) -> Sequence[Takeover]:
    """The calls that wait for an operator, the most urgent first."""
    return session.scalars(select(Takeover).where(*WAITS).order_by(URGENCY, Takeover.opened_at, Takeover.id)).all()


def ahead_of(session: Session, takeover: Takeover) -> int:
    """How many calls are served before this one."""
    mine = literal(0 if takeover.reason == "danger" else 1)
    earlier = (mine > URGENCY) | ((mine == URGENCY) & (Takeover.opened_at < takeover.opened_at))
    rows = select(func.count()).select_from(Takeover).where(*WAITS, earlier)
    return session.scalar(rows) or 0


def hung_up(session: Session, user_id: int, since: datetime) -> Sequence[Takeover]:
    """Calls offered to an operator, and not declined, whose person hung up after that moment and before anybody talked to them."""
    offered = exists().where(Offer.takeover_id == Takeover.id, Offer.user_id == user_id, Offer.outcome != "declined")
    left = (Takeover.state == "done", Takeover.result == "left", Takeover.joined_at.is_(None), Takeover.ended_at > since)
    return session.scalars(select(Takeover).where(*left, offered).order_by(Takeover.ended_at.desc())).all()


def claimed_of(session: Session, user_id: int) -> Takeover | None:
    """The call that an operator is about: claimed, talked, or to be sorted out; the newest first."""
    mine = select(Takeover).where(Takeover.operator_id == user_id, Takeover.state.in_(IN_HAND))
    return session.scalars(mine.order_by(Takeover.claimed_at.desc(), Takeover.id.desc()).limit(1)).one_or_none()


def is_sorting_another(session: Session, takeover: Takeover) -> bool:
    """Whether the operator of this call has another one to sort out.

    Locks the operator: of two calls that end at once each would think the other unfinished, and nobody would free them.
    """
    session.execute(select(Duty.user_id).where(Duty.user_id == takeover.operator_id).with_for_update())
    other = exists().where(Takeover.operator_id == takeover.operator_id, Takeover.state == "wrap", Takeover.id != takeover.id)
    return bool(session.scalar(select(other)))


def is_call_in_hand(session: Session) -> bool:
    """Whether any operator is about a call: claimed, talked, or to be sorted out."""
    return bool(session.scalar(select(exists().where(Takeover.state.in_(IN_HAND)))))


def open_callback(session: Session, respondent_id: int) -> Takeover | None:
    """The call of an operator to the respondent that is under way."""
    mine = select(Takeover).join(CallAttempt, Takeover.attempt_id == CallAttempt.id)
    mine = mine.where(CallAttempt.respondent_id == respondent_id, CallAttempt.purpose == CALLBACK, Takeover.state != "done")
    return session.scalars(mine.order_by(Takeover.id).limit(1)).first()


def stuck_callbacks(session: Session, before: datetime) -> Sequence[int]:
    """Calls back in which the operator is on the line since before that moment, and nobody else has come."""
    ready = select(Takeover.id).join(CallAttempt, Takeover.attempt_id == CallAttempt.id)
    return session.scalars(ready.where(CallAttempt.purpose == CALLBACK, Takeover.state == "ready", Takeover.ready_at < before)).all()


def in_hand(respondent_id: ColumnElement[int] | InstrumentedAttribute[int]) -> Exists:
    """The condition that a call of the respondent is still before an operator: waited for, talked, or to be sorted out."""
    mine = select(Takeover.id).join(CallAttempt, Takeover.attempt_id == CallAttempt.id)
    return mine.where(CallAttempt.respondent_id == respondent_id, Takeover.state != "done").exists()


def is_in_hand(session: Session, respondent_id: int) -> bool:
    """Whether a call of the respondent is still before an operator."""
    return bool(session.scalar(select(in_hand(literal(respondent_id)))))


def last_verdict(session: Session, respondent_id: int) -> str:
    """What an operator made of the last talk with the respondent; empty where none was sorted out, or they waited for one of us again."""
    last = last_asking(session, respondent_id)
    return "" if last is None else last.verdict


def last_asking(session: Session, respondent_id: int) -> Takeover | None:
    """The last time that the respondent waited for one of ours or talked with one; a call back only where it has come to a talk."""
    mine = select(Takeover).join(CallAttempt, Takeover.attempt_id == CallAttempt.id)
    mine = mine.where(CallAttempt.respondent_id == respondent_id, or_(Takeover.verdict != "", CallAttempt.purpose != CALLBACK))
    return session.scalars(mine.order_by(Takeover.id.desc()).limit(1)).first()


def offered_users(session: Session, takeover_id: int) -> dict[int, set[str]]:
    """Which outcomes the offers of a call have had, by operator."""
    found: dict[int, set[str]] = {}
    for user_id, outcome in session.execute(select(Offer.user_id, Offer.outcome).where(Offer.takeover_id == takeover_id)):
        found.setdefault(user_id, set()).add(outcome)
    return found


def put_offer(session: Session, takeover_id: int, user_id: int, number: int, now: datetime, until: datetime) -> None:
    """Show a call to an operator in one round; one that is shown already, perhaps at this very moment, stays as it is."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {"takeover_id": takeover_id, "user_id": user_id, "round": number, "offered_at": now, "until": until, "outcome": "open"}
    once = dialect.insert(Offer).values(values).on_conflict_do_nothing(index_elements=["takeover_id", "user_id", "round"])
    session.execute(once)


def unrung(session: Session) -> Sequence[int]:
    """Claimed calls for which no telephone was rung yet."""
    return session.scalars(select(Takeover.id).where(Takeover.state == "claimed", Takeover.ring_asked_at.is_(None))).all()


def rung_in_vain(session: Session, rung_before: datetime, picked_up_before: datetime) -> Sequence[int]:
    """Claimed calls whose operator does not come: claimed or rung before a moment and not picked up, or picked up before another."""
    unanswered = Takeover.picked_up_at.is_(None) & (func.coalesce(Takeover.ring_asked_at, Takeover.claimed_at) < rung_before)
    late = unanswered | (Takeover.picked_up_at < picked_up_before)
    return session.scalars(select(Takeover.id).where(Takeover.state == "claimed", late)).all()


def kept_waiting(session: Session, now: datetime, patience: timedelta) -> Sequence[int]:
    """Calls whose person is to be brought on, and was not for so long: to the operator, out of the queue, back to the script,
    out of a room in which nobody is any more."""
    taken_over = select(CallAttempt.id).where(CallAttempt.id == Takeover.attempt_id, CallAttempt.purpose != CALLBACK).exists()
    ready = (Takeover.state == "ready") & (Takeover.ready_at < now - patience) & taken_over
    asked = (Takeover.result == "nobody") | ((Takeover.state == "talking") & (Takeover.wish != ""))
    alone = (Takeover.state == "talking") & (Takeover.released_at < now - patience)
    return session.scalars(select(Takeover.id).where(Takeover.ended_at.is_(None), ready | asked | alone)).all()


def unsteered(session: Session) -> Sequence[int]:
    """Talks in which the carrier is not known to hold and to mute as the operator wants it."""
    differs = Takeover.held_there.is_distinct_from(Takeover.held) | Takeover.muted_there.is_distinct_from(Takeover.muted)
    return session.scalars(select(Takeover.id).where(Takeover.state == "talking", differs)).all()


def unreleased(session: Session, before: datetime) -> Sequence[int]:
    """Calls that were over before that moment while the operator's telephone may still be connected."""
    late = (Takeover.ended_at < before) & Takeover.ring_asked_at.is_not(None) & Takeover.released_at.is_(None)
    return session.scalars(select(Takeover.id).where(late)).all()


def unsorted(session: Session, now: datetime) -> Sequence[int]:
    """Calls that were talked and whose time to be sorted out is over."""
    return session.scalars(select(Takeover.id).where(Takeover.state == "wrap", Takeover.wrap_until <= now)).all()
