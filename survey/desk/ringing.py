"""The operator's telephone: rung after the claim, answered by a key, brought together with the person, let go (O13).

Each ring has a token of its own, so that a telephone which rang in vain opens nothing any more.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from survey.accounts.people import telephone_of
from survey.alarms import AlarmKind
from survey.errors import CannotUnseal
from survey.fieldwork import transfers
from survey.fieldwork.alarms import clear_alarm, raise_alarm
from survey.fieldwork.callbacks import is_callback
from survey.fieldwork.office import Office
from survey.flow_operator import DESK
from survey.script import FOLLOWUP, WAITING
from survey.store.models import CallAttempt, Duty, Incident, Offer, Respondent, Takeover, Unit, User
from survey.store.queries import desk as queries
from survey.store.unit_of_work import UnitOfWork

DISSATISFIED_AGAIN = "dissatisfied_again"
OURS = frozenset({"bad_caller_id", "credentials", "review"})
"""Refusals of the carrier that no operator can mend."""
DESK_LINE = "desk"
"""What the alarm of such a refusal is about."""
STRAY = timedelta(minutes=1)
"""How much longer than its ringing a ring may be under way: the carrier is asked for it first, and its word may be late."""


@dataclass(frozen=True)
class RingOrder:
    """What a job needs to ring an operator's telephone: E.164 or `sip:`, the number shown, the longest ringing in seconds."""

    takeover_id: int
    token: str
    to: str
    caller_id: str
    seconds: int


@dataclass(frozen=True)
class Whisper:
    """What the operator hears before the bridge: the unit complained of, and why the call is transferred; the script's language.

    `is_callback`: the person is dialled only then.
    """

    unit: str
    reason: str
    language: str
    is_callback: bool = False


@dataclass(frozen=True)
class WayOn:
    """The person's call that is to go on at once: the carrier's sid, the attempt's token and id, the step at which it stands.

    `is_to_talk`: it goes on to the operator, and is a talk between people from then on.
    """

    sid: str
    token: str
    step: int
    attempt_id: int
    is_to_talk: bool = False


def reason_of(takeover: Takeover) -> str:
    """Why the call comes to an operator, as it is said: who is dissatisfied in a second call has rated nothing."""
    is_again = takeover.reason == "dissatisfied" and takeover.attempt.campaign.kind == FOLLOWUP
    return DISSATISFIED_AGAIN if is_again else takeover.reason


def prepare_ring(work: UnitOfWork, office: Office, takeover_id: int, now: datetime) -> RingOrder | None:
    """Decide to ring the claimant's telephone; nothing where it was rung already, or the call is claimed no more."""
    takeover = queries.locked(work.session, takeover_id)
    if takeover is None or takeover.state != "claimed" or takeover.ring_asked_at is not None or takeover.operator is None:
        return None
    to = _telephone(office, takeover.operator)
    if not to:
        take_back(work, office, takeover_id, "rang_out", now)
        return None
    takeover.ring_token, takeover.ring_asked_at, takeover.operator_sid = uuid.uuid4().hex, now, None
    takeover.rings += 1
    takeover.version += 1
    return RingOrder(takeover.id, takeover.ring_token, to, takeover.attempt.campaign.caller_id, office.desk.ring)


def _telephone(office: Office, operator: User) -> str:
    """Where the operator is rung; empty also for a number that cannot be read: the call must not wait for that."""
    try:
        return telephone_of(office.keys, operator.name, operator.telephone_sealed)
    except CannotUnseal:
        return ""


def note_rung(work: UnitOfWork, token: str, sid: str) -> None:
    """The carrier has taken the operator's call. It is put down at once where the person has gone while it was being ordered."""
    takeover = queries.by_ring(work.session, token)
    if takeover is not None and takeover.operator_sid is None:
        takeover.operator_sid = sid
        if takeover.ended_at is not None and takeover.released_at is None:
            work.later("let_go", takeover.id)


def note_accepted(work: UnitOfWork, token: str, sid: str, now: datetime) -> None:
    """The carrier has accepted a call to an operator: whatever it refused before is mended."""
    clear_alarm(work.session, AlarmKind.CARRIER_REFUSED, DESK_LINE, now)
    note_rung(work, token, sid)


def note_refused(work: UnitOfWork, office: Office, token: str, kind: str, code: str, now: datetime) -> None:
    """The carrier has refused the operator's call: `kind` as in `fieldwork.note_rejected`. It is not rung again for this operator."""
    if kind in OURS:
        raise_alarm(work.session, AlarmKind.CARRIER_REFUSED, DESK_LINE, now, refusal=kind, code=code)
    _unrung(work, office, token, "ring_refused" if kind == "bad_number" else "ring_failed", now)
    takeover = queries.by_ring(work.session, token)
    if takeover is not None and takeover.ended_at is not None:
        takeover.released_at = takeover.released_at or now  # nothing rings that would have to be put down


def note_unrung(work: UnitOfWork, office: Office, token: str, now: datetime) -> None:
    """Nobody knows whether the operator's telephone rings: it is not rung again for this operator."""
    _unrung(work, office, token, "ring_failed", now)


def _unrung(work: UnitOfWork, office: Office, token: str, why: str, now: datetime) -> None:
    takeover = queries.by_ring(work.session, token)
    if takeover is not None and takeover.state == "claimed":
        take_back(work, office, takeover.id, why, now)


def picked_up(work: UnitOfWork, office: Office, token: str, sid: str, now: datetime) -> Whisper | None:
    """What to whisper to the operator who has picked up; None where the call is theirs no more.

    Also to one whose key was heard and whose way into the room was lost: it is asked for once more.
    """
    takeover = queries.by_ring(work.session, token)
    if takeover is None or not _is_theirs(takeover):
        return None
    takeover.operator_sid, takeover.picked_up_at = takeover.operator_sid or sid, now
    attempt = takeover.attempt
    wanted = select(Unit.name).join(Incident, Incident.unit_id == Unit.id).join(Respondent, Respondent.incident_id == Incident.id)
    unit = work.session.scalar(wanted.where(Respondent.id == attempt.respondent_id)) or ""
    return Whisper(unit, reason_of(takeover), office.script(work.session, attempt.script_version_id).language, is_callback(attempt))


def accept(work: UnitOfWork, token: str, now: datetime) -> str | None:
    """The operator has pressed the key: the room to enter, named by the attempt's token; None where the call is theirs no more.

    Pressed again, or asked by the carrier once more when the two talk already, it names the same room.
    """
    takeover = queries.by_ring(work.session, token)
    if takeover is None or not _is_theirs(takeover):
        return None
    if takeover.state == "claimed":
        takeover.state, takeover.ready_at = "ready", now
        takeover.version += 1
        _bring_person(work, takeover, now)
    return takeover.attempt.token


def _is_theirs(takeover: Takeover) -> bool:
    return takeover.state in ("claimed", "ready", "talking") and takeover.ended_at is None


def _bring_person(work: UnitOfWork, takeover: Takeover, now: datetime) -> None:
    """The person comes out of the queue; one who is called back is dialled now."""
    attempt = takeover.attempt
    if not is_callback(attempt):
        work.later("leave_desk", takeover.id)
    elif attempt.status == "planned":
        attempt.status, attempt.claimed_at = "claimed", now
        work.later("dial", attempt.id, attempt.epoch)


def note_leg_over(work: UnitOfWork, office: Office, token: str, now: datetime) -> None:
    """The operator's call has ended: before the talk the person waits on, for others; afterwards there is nothing left to let go.

    Who has come into the room only then is fetched out of it by `offers.STEPS`.
    """
    takeover = queries.by_ring(work.session, token)
    if takeover is None:
        return
    takeover.released_at = takeover.released_at or now
    if takeover.state == "ready" and takeover.ended_at is None and is_callback(takeover.attempt):
        transfers.close(work, office, takeover, "called_off", now)
    elif takeover.state in ("claimed", "ready") and takeover.ended_at is None:
        take_back(work, office, takeover.id, "rang_out", now)


def note_bridged(work: UnitOfWork, attempt_token: str, now: datetime) -> None:
    """The person has come into the room in which the operator waits."""
    attempt_id = work.session.scalar(select(CallAttempt.id).where(CallAttempt.token == attempt_token))
    takeover = queries.open_takeover(work.session, attempt_id) if attempt_id is not None else None
    if takeover is not None and takeover.bridged_at is None:
        takeover.bridged_at = now
        takeover.version += 1


def take_back(work: UnitOfWork, office: Office, takeover_id: int, why: str, now: datetime) -> None:
    """Put a claimed call back at the head of the queue, for the other operators (O13); a call back is over: nobody was dialled.

    `why` is what the operator reads: rang_out, ring_refused (the number), ring_failed (the line).
    """
    session = work.session
    takeover = queries.locked(session, takeover_id)
    if takeover is None or takeover.state not in ("claimed", "ready") or takeover.ended_at is not None:
        return
    operator_id = takeover.operator_id
    if is_callback(takeover.attempt):
        _set_away(session, operator_id, why, now)
        transfers.close(work, office, takeover, why, now)
        return
    theirs = (Offer.takeover_id == takeover.id, Offer.user_id == operator_id, Offer.outcome == "claimed")
    session.execute(update(Offer).where(*theirs).values(outcome="rang_out"))
    others = (Offer.takeover_id == takeover.id, Offer.outcome == "taken", Offer.until > now)
    session.execute(update(Offer).where(*others).values(outcome="open", offered_at=now))
    _set_away(session, operator_id, why, now)
    takeover.state, takeover.operator_id, takeover.claimed_at = "waiting", None, None
    takeover.ring_token = takeover.operator_sid = takeover.ring_asked_at = takeover.picked_up_at = None
    takeover.ready_at = takeover.released_at = None
    takeover.version += 1
    session.flush()
    office.record(session, now, "system", "takeover.return", f"takeover:{takeover.public_id}", outcome=why)


def _set_away(session: Session, operator_id: int | None, note: str, now: datetime) -> None:
    session.execute(update(Duty).where(Duty.user_id == operator_id, Duty.state == "talking").values(state="away", since=now, note=note))


def way_on(work: UnitOfWork, takeover_id: int) -> WayOn | None:
    """Where the person's call is to go on, when the desk has something to tell it; nothing where it has gone on already."""
    takeover = queries.locked(work.session, takeover_id)
    if takeover is None or takeover.ended_at is not None:
        return None
    attempt = takeover.attempt
    node = (attempt.flow_state or {}).get("node", "")
    is_awaited = node == WAITING and (takeover.state == "ready" or takeover.result != "")
    is_called_back = node in DESK and node != WAITING and (takeover.wish != "" or takeover.released_at is not None)
    if attempt.carrier_sid is None or not (is_awaited or is_called_back):
        return None
    return WayOn(attempt.carrier_sid, attempt.token, attempt.step, attempt.id, is_to_talk=is_awaited and takeover.result == "")


@dataclass(frozen=True)
class RoomOrder:
    """How the room of a talk is to be: who is in it, by the carrier's sids, whether the person is held and the operator muted."""

    token: str
    person_sid: str
    operator_sid: str
    held: bool
    muted: bool


def prepare_steer(work: UnitOfWork, takeover_id: int) -> RoomOrder | None:
    """How the room is to be now, where the carrier is not known to have it so; None where nobody talks any more.

    What the carrier has is unknown from here on: who is asked and does not answer may have done it.
    """
    takeover = queries.locked(work.session, takeover_id)
    if takeover is None or takeover.state != "talking" or takeover.operator_sid is None or takeover.attempt.carrier_sid is None:
        return None
    if is_steered(takeover):
        return None
    takeover.held_there = takeover.muted_there = None
    attempt = takeover.attempt
    return RoomOrder(attempt.token, attempt.carrier_sid or "", takeover.operator_sid, takeover.held, takeover.muted)


def note_steered(work: UnitOfWork, takeover_id: int, order: RoomOrder) -> None:
    """The carrier has the room as the order said."""
    takeover = queries.locked(work.session, takeover_id)
    if takeover is not None:
        takeover.held_there, takeover.muted_there = order.held, order.muted
        takeover.version += 1


def is_steered(takeover: Takeover) -> bool:
    """Whether the carrier has accepted hold and mute as the operator wants them."""
    return (takeover.held_there, takeover.muted_there) == (takeover.held, takeover.muted)


def leg_to_release(work: UnitOfWork, office: Office, takeover_id: int, now: datetime) -> str | None:
    """The operator's call that is to be ended after the talk. None where there is none, which is then noted, or where it is not known yet.

    A ring that is just being ordered has no name until the carrier answers; the sweep asks again until none can be under way.
    """
    takeover = queries.locked(work.session, takeover_id)
    if takeover is None or takeover.ended_at is None or takeover.released_at is not None:
        return None
    asked = takeover.ring_asked_at
    if takeover.operator_sid is None and (asked is None or now >= asked + timedelta(seconds=office.desk.ring) + STRAY):
        takeover.released_at = now
    return takeover.operator_sid


def note_released(work: UnitOfWork, takeover_id: int, now: datetime) -> None:
    """The operator's call is over at the carrier."""
    takeover = queries.locked(work.session, takeover_id)
    if takeover is not None:
        takeover.released_at = takeover.released_at or now
