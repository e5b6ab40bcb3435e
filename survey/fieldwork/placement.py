"""What came of asking the carrier for a call: accepted, refused, or unknown until it is reconciled (design §4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.fieldwork import breaker, transfers
from survey.fieldwork.alarms import raise_alarm
from survey.fieldwork.attempts import NOT_PLACED, bind_call, note_second_leg
from survey.fieldwork.callbacks import is_callback
from survey.fieldwork.campaigns import halt
from survey.fieldwork.holds import CARRIER, scope_of
from survey.fieldwork.office import Office
from survey.fieldwork.respondents import give_back, wait_again
from survey.fieldwork.reviews import CANDIDATE, ask_review
from survey.fieldwork.statuses import note_event, report
from survey.fieldwork.suppressions import is_suppressed
from survey.store.models import CallAttempt, CarrierEvent
from survey.store.queries import fieldwork as queries
from survey.store.queries.desk import open_takeover
from survey.store.unit_of_work import UnitOfWork

FIRST_BACK_OFF, LONGEST_BACK_OFF = timedelta(seconds=20), timedelta(minutes=15)
HALTS = frozenset({"bad_caller_id", "credentials"})
NOTHING_RANG = HALTS | {"busy", "unreachable"}
QUEUE_FULL = "22005"
LONGEST_QUEUE = timedelta(seconds=2)
"""A call that waits longer at the carrier rings later than we decided: our pace and the account's do not agree."""
LIST_PATIENCE = timedelta(hours=24)
CLOCKS_APART = timedelta(minutes=65)
"""How far our clock and the carrier's may differ, a wrong hour included, before one of our calls in its list is not known again."""
PROMPT, LATE_PATIENCE = timedelta(seconds=90), timedelta(seconds=60)
"""A list that is asked later than `PROMPT` after the request must be empty twice, so long apart: the clock may have been set forward."""
MOST_NOT_PLACED = 5
"""So many requests that the carrier's list never showed a respondent may have: perhaps the list is wrong, and somebody is rung again
and again."""
LIST_EMPTY = "list_empty"
"""Kind of the carrier event that keeps when the carrier's list did not show the call for the first time."""
SECOND_LEG = "second_leg"
CALLED_OFF = "call_off"
"""Kind of the carrier event that keeps that a call was called off."""


@dataclass(frozen=True)
class SeenCall:
    """One call in the carrier's own list that may be the doubtful attempt; `status` is a word of `survey.ladder`."""

    sid: str
    caller_id: str
    status: str
    created_at: datetime | None
    seconds: int | None


def note_accepted(work: UnitOfWork, attempt_id: int, sid: str, now: datetime, queue_milliseconds: int = 0) -> None:
    """The carrier took the call, which is to wait `queue_milliseconds` in its queue; a callback may have told so before."""
    attempt = work.session.get_one(CallAttempt, attempt_id, with_for_update=True)
    if not bind_call(attempt, sid):
        note_second_leg(work.session, attempt, sid, now)
    attempt.respondent.pushed_back = 0
    report(work, attempt, "placed", now)
    breaker.note_reached(work.session, now)
    if timedelta(milliseconds=queue_milliseconds) > LONGEST_QUEUE:
        raise_alarm(work.session, AlarmKind.CARRIER_QUEUES, CARRIER, now, queue_milliseconds=queue_milliseconds)


def note_rejected(work: UnitOfWork, office: Office, attempt_id: int, kind: str, code: str, now: datetime) -> None:
    """The carrier refused: `kind` is one of bad_number, bad_caller_id, credentials, busy, unreachable, review."""
    session = work.session
    attempt = session.get_one(CallAttempt, attempt_id, with_for_update=True)
    if attempt.status != "requested":
        return
    attempt.error = code
    if kind == "unreachable":
        breaker.note_unreachable(session, now)
    else:
        breaker.note_reached(session, now)
    if kind in HALTS:  # first, because it takes the campaign's row for itself
        _halt(session, office, attempt, kind, code, now)
    if kind in NOTHING_RANG and not is_callback(attempt):
        give_back(session, attempt, "rejected", now + (_back_off(attempt) if kind == "busy" else timedelta(0)), now)
    else:
        if kind == "review" and not is_callback(attempt):
            ask_review(session, attempt.respondent, "unlisted_code", now)
        report(work, attempt, "rejected", now)
    if code == QUEUE_FULL:
        raise_alarm(session, AlarmKind.CARRIER_QUEUES, CARRIER, now, code=code)


def _back_off(attempt: CallAttempt) -> timedelta:
    """How long to wait after the carrier had no room: twice as long each time, and by chance up to half as long again.

    The chance lies in the attempt's token, so that people who were pushed back together do not come back together.
    """
    chance = int(attempt.token[:8], 16) / 0x100000000
    doublings = min(attempt.respondent.pushed_back, 10)
    doubled: timedelta = min(FIRST_BACK_OFF * 2.0**doublings, LONGEST_BACK_OFF)
    attempt.respondent.pushed_back += 1
    return doubled * (1 + chance / 2)


def _halt(session: Session, office: Office, attempt: CallAttempt, kind: str, code: str, now: datetime) -> None:
    """Nothing goes out any more until a person has seen to the account (for all campaigns one alarm) or the number shown."""
    subject = CARRIER if kind == "credentials" else scope_of(attempt.campaign)
    raise_alarm(session, AlarmKind.CARRIER_REFUSED, subject, now, refusal=kind, code=code)
    halt(session, office, attempt.campaign, now, f"线路拒绝 / refused by the carrier: {kind} {code}")


def note_unknown(work: UnitOfWork, attempt_id: int, problem: str) -> None:
    """Nobody knows whether the call rings: wait for a callback or the carrier's list, never dial again blindly."""
    attempt = work.session.get_one(CallAttempt, attempt_id, with_for_update=True)
    if attempt.status == "requested":
        attempt.status, attempt.error = "unknown", problem[:64]


def reconcile(work: UnitOfWork, office: Office, attempt_id: int, seen: Sequence[SeenCall], now: datetime) -> str:
    """Settle a doubtful attempt by the carrier's list after the grace: `bound`, `not_placed`, `not_yet`, `review`, or `known`.

    Exactly one matching call is ours; none means that nothing rang, so the respondent waits again; two or more
    need a person. Calls already tied to other attempts do not count.
    """
    attempt = work.session.get_one(CallAttempt, attempt_id, with_for_update=True)
    if attempt.status not in ("requested", "unknown"):
        return "known"
    if attempt.carrier_sid is not None:  # a signed callback with our token told it, and no status has come since
        report(work, attempt, "placed", now)
        return "bound"
    since = (attempt.requested_at or attempt.claimed_at) - CLOCKS_APART
    matches = [
        call for call in seen
        if call.caller_id == attempt.campaign.caller_id and (call.created_at is None or call.created_at >= since)
        and not _is_known(work.session, call.sid)
    ]  # fmt: skip
    if len(matches) == 1:
        attempt.carrier_sid = matches[0].sid
        report(work, attempt, "placed", now)
        report(work, attempt, matches[0].status, now, seconds=matches[0].seconds)
        return "bound"
    if matches:
        for call in matches:
            note_event(work.session, attempt, CANDIDATE, call.sid, now)
        attempt.error = "several calls"
        _ask(work.session, attempt, "several_calls", now)
        report(work, attempt, "failed", now)
        return "review"
    if not _is_surely_empty(work.session, attempt, now):
        return "not_yet"
    attempt.status, attempt.error, attempt.live_key, attempt.settled_at = "rejected", NOT_PLACED, None, now
    if is_callback(attempt):
        transfers.leave(work, office, attempt, now, "unreachable")
        return "not_placed"
    if queries.attempts_with(work.session, attempt.respondent_id, NOT_PLACED) >= MOST_NOT_PLACED:
        ask_review(work.session, attempt.respondent, "never_listed", now)
        return "review"
    wait_again(work.session, attempt.respondent, now, now)
    return "not_placed"


def _ask(session: Session, attempt: CallAttempt, reason: str, now: datetime) -> None:
    """Leave the respondent to a person; whoever is called back is before one already, and the two calls are told by an alarm."""
    if not is_callback(attempt):
        ask_review(session, attempt.respondent, reason, now)
    elif reason == "several_calls":
        raise_alarm(session, AlarmKind.DOUBLE_RING, f"attempt:{attempt.id}", now, attempt=attempt.id)


def _is_known(session: Session, sid: str) -> bool:
    """Whether the call belongs to an attempt already: as its own, as a second leg of it, or as one of several that a person judges."""
    noted = exists().where(CarrierEvent.kind.in_((CANDIDATE, SECOND_LEG)), CarrierEvent.key == sid)
    return queries.is_bound(session, sid) or bool(session.scalar(select(noted)))


def _is_surely_empty(session: Session, attempt: CallAttempt, now: datetime) -> bool:
    if now - (attempt.requested_at or attempt.claimed_at) <= PROMPT:
        return True
    if note_event(session, attempt, LIST_EMPTY, "", now):
        return False
    first = select(CarrierEvent.at).where(CarrierEvent.attempt_id == attempt.id, CarrierEvent.kind == LIST_EMPTY)
    return now - session.scalars(first).one() >= LATE_PATIENCE


def note_asked(work: UnitOfWork, attempt_id: int, now: datetime) -> None:
    """The carrier is being asked about the attempt: not again for a while."""
    work.session.get_one(CallAttempt, attempt_id, with_for_update=True).asked_at = now


def note_unreadable(work: UnitOfWork, attempt_id: int, now: datetime) -> None:
    """The carrier's list could not be read; after a day of it a person must find out what became of the call."""
    attempt = work.session.get_one(CallAttempt, attempt_id, with_for_update=True)
    since = attempt.requested_at or attempt.claimed_at
    if attempt.status in ("requested", "unknown") and now - since >= LIST_PATIENCE:
        attempt.error = "list unreadable"
        _ask(work.session, attempt, "list_unreadable", now)
        report(work, attempt, "failed", now)


def prepare_call_off(work: UnitOfWork, attempt_id: int) -> str | None:
    """The carrier's sid of a call that shall ring no more: campaign paused or stopped, number refused, operator gone. None: let it be."""
    attempt = work.session.get(CallAttempt, attempt_id)
    if attempt is None or attempt.status not in ("placed", "initiated", "ringing"):
        return None
    if is_callback(attempt):
        is_halted = open_takeover(work.session, attempt.id) is None
    else:
        is_halted = attempt.status != "ringing" and attempt.campaign.state in ("paused", "stopped")
    return attempt.carrier_sid if is_halted or is_suppressed(work.session, attempt.phone_key) else None


def note_called_off(work: UnitOfWork, attempt_id: int, now: datetime) -> None:
    """The carrier was told to let the call be; its end is reported like any other."""
    attempt = work.session.get_one(CallAttempt, attempt_id, with_for_update=True)
    note_event(work.session, attempt, CALLED_OFF, attempt.carrier_sid or "", now)
