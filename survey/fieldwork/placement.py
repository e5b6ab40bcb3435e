"""What came of asking the carrier for a call: accepted, refused, or unknown until it is reconciled (design §4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from survey.fieldwork.campaigns import halt
from survey.fieldwork.dialling import release_claim
from survey.fieldwork.office import Office
from survey.fieldwork.respondents import wait_again
from survey.fieldwork.statuses import report
from survey.store.models import CallAttempt
from survey.store.queries import fieldwork as queries
from survey.store.unit_of_work import UnitOfWork

BACK_OFF = timedelta(seconds=30)
HALTS = frozenset({"bad_caller_id", "credentials"})


@dataclass(frozen=True)
class SeenCall:
    """One call in the carrier's own list that may be the doubtful attempt; `status` is a word of `survey.ladder`."""

    sid: str
    caller_id: str
    status: str
    created_at: datetime | None
    seconds: int | None


def note_accepted(work: UnitOfWork, attempt_id: int, sid: str, now: datetime) -> None:
    """The carrier took the call; a callback may have told so before."""
    attempt = work.session.get_one(CallAttempt, attempt_id, with_for_update=True)
    if attempt.carrier_sid is None:
        attempt.carrier_sid = sid
    report(work, attempt, "placed", now)


def note_rejected(work: UnitOfWork, office: Office, attempt_id: int, kind: str, code: str, now: datetime) -> None:
    """The carrier refused: `kind` is one of bad_number, bad_caller_id, credentials, busy, review."""
    attempt = work.session.get_one(CallAttempt, attempt_id, with_for_update=True)
    if attempt.status != "requested":
        return
    attempt.error = code
    if kind in HALTS:
        halt(work.session, office, attempt.campaign, now, f"线路拒绝 / refused by the carrier: {kind} {code}")
    if kind in HALTS or kind == "busy":
        attempt.respondent.tries -= 1
        attempt.status = "claimed"
        release_claim(work.session, attempt, now + (BACK_OFF if kind == "busy" else timedelta(0)), now)
        return
    if kind == "review":
        attempt.respondent.state = "needs_review"
    report(work, attempt, "rejected", now)


def note_unknown(work: UnitOfWork, attempt_id: int, problem: str) -> None:
    """Nobody knows whether the call rings: wait for a callback or the carrier's list, never dial again blindly."""
    attempt = work.session.get_one(CallAttempt, attempt_id, with_for_update=True)
    if attempt.status == "requested":
        attempt.status, attempt.error = "unknown", problem[:64]


def reconcile(work: UnitOfWork, office: Office, attempt_id: int, seen: Sequence[SeenCall], now: datetime) -> str:
    """Settle a doubtful attempt by the carrier's list after the grace: `bound`, `not_placed`, `review`, or `known`.

    Exactly one matching call is ours; none means that nothing rang, so the respondent waits again; two or more
    need a person. Calls already tied to other attempts do not count.
    """
    attempt = work.session.get_one(CallAttempt, attempt_id, with_for_update=True)
    if attempt.status not in ("requested", "unknown"):
        return "known"
    since = (attempt.requested_at or attempt.claimed_at) - timedelta(seconds=2)
    matches = [
        call for call in seen
        if call.caller_id == attempt.campaign.caller_id and (call.created_at is None or call.created_at >= since)
        and not queries.is_bound(work.session, call.sid)
    ]  # fmt: skip
    if len(matches) == 1:
        attempt.carrier_sid = matches[0].sid
        report(work, attempt, "placed", now)
        report(work, attempt, matches[0].status, now, seconds=matches[0].seconds)
        return "bound"
    if matches:
        attempt.respondent.state, attempt.error = "needs_review", "several calls"
        report(work, attempt, "failed", now)
        return "review"
    attempt.status, attempt.error, attempt.live_key, attempt.settled_at = "rejected", "not placed", None, now
    wait_again(work.session, attempt.respondent, now, now)
    return "not_placed"
