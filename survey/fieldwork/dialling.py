"""From a due respondent to the moment before the carrier is asked: claim, check, commit the intent (design §4.4)."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from survey.fieldwork import breaker, limits
from survey.fieldwork.campaigns import finish_if_done, rules_of
from survey.fieldwork.clearance import is_cleared, look_up, number_of
from survey.fieldwork.holds import lift_expired
from survey.fieldwork.office import Office
from survey.fieldwork.respondents import wait_again
from survey.store.models import CallAttempt, Campaign, Respondent
from survey.store.queries import dialling
from survey.store.queries import fieldwork as queries
from survey.store.rows import read_again
from survey.store.unit_of_work import UnitOfWork

CLAIM_LASTS = timedelta(seconds=5)
"""A claim older than this, or from the future, is not dialled: the process may have slept since it looked at the rules, or a
clock was set, or the clocks of two machines differ."""


@dataclass(frozen=True)
class DialOrder:
    """Everything a job needs to ask the carrier, copied out of the database."""

    attempt_id: int
    token: str
    to: str
    caller_id: str
    ring_seconds: int


def claim_due(work: UnitOfWork, office: Office, now: datetime) -> list[int]:
    """Claim as many due respondents as lines, calls per second, caps, holds, windows and replicates allow; returns attempt ids.

    Lines and calls per second are counted over all campaigns. The rules hold over all processes because every claim is a
    row, and whoever counts rows to add one is alone until the commit: two sweeps at once do no harm.
    """
    session = work.session
    dialling.one_at_a_time(session)
    lift_expired(session, now)
    claimed: list[int] = []
    for campaign in queries.running_campaigns(session):
        claimed += _claim_for(work, office, campaign, now)
        finish_if_done(session, office, campaign, now)
    return claimed


def _claim_for(work: UnitOfWork, office: Office, campaign: Campaign, now: datetime) -> list[int]:
    session = work.session
    room = _room(session, office, campaign, now)
    if room <= 0:
        return []
    due = queries.due_respondents(session, campaign.id, now, queries.open_replicate(session, campaign.id), 4 * room)
    known = look_up(session, office, due, now)
    chosen: dict[bytes | None, Respondent] = {}  # by number: two people may share one
    for respondent in due:
        if len(chosen) == room:
            break
        if respondent.phone_key not in chosen and is_cleared(session, office, known, respondent, now):
            chosen[respondent.phone_key] = respondent
    return _claim(work, campaign, list(chosen.values()), now)


def _room(session: Session, office: Office, campaign: Campaign, now: datetime) -> int:
    """How many calls may be claimed for the campaign now."""
    lines = min(campaign.lines, office.lines or campaign.lines) - queries.lines_taken(session)
    room = min(lines, _starts_left(office, campaign, queries.claims_since(session, _pace_start(office, campaign, now))))
    if room <= 0:
        return 0
    trials = breaker.claims_left(session, now)
    left = limits.calls_left(session, campaign, now)
    if left is not None:
        room = min(room, left - dialling.claimed(session, campaign.id))
    return room if trials is None else min(room, trials)


def _calls_per_second(office: Office, campaign: Campaign) -> float:
    return min(campaign.calls_per_second, office.calls_per_second or campaign.calls_per_second)


def _pace_start(office: Office, campaign: Campaign, now: datetime) -> datetime:
    """Start of the sliding window for calls per second: one second, longer for rates below one."""
    return now - timedelta(seconds=max(1.0, 1.0 / _calls_per_second(office, campaign)))


def _starts_left(office: Office, campaign: Campaign, started: int) -> int:
    return max(1, int(_calls_per_second(office, campaign))) - started


def _claim(work: UnitOfWork, campaign: Campaign, respondents: list[Respondent], now: datetime) -> list[int]:
    """Claim those of the respondents that still wait."""
    session = work.session
    ids = [respondent.id for respondent in respondents]
    taken, numbers = dialling.take(session, ids), dialling.last_numbers(session, ids)
    attempts = [
        CallAttempt(
            campaign_id=campaign.id, respondent_id=each.id, number=numbers.get(each.id, 0) + 1, token=uuid.uuid4().hex,
            phone_key=each.phone_key, live_key=each.phone_key, script_version_id=campaign.script_version_id, claimed_at=now,
        )
        for each in respondents if each.id in taken
    ]  # fmt: skip
    session.add_all(attempts)
    session.flush()
    for attempt in attempts:
        work.later("dial", attempt.id, attempt.epoch)
    return [attempt.id for attempt in attempts]


def prepare_dial(work: UnitOfWork, office: Office, attempt_id: int, now: datetime) -> DialOrder | None:
    """Check everything once more and commit the intent to dial; None when the carrier is not to be asked now.

    A claim that may not be dialled any more (paused, held back, window over, opted out meanwhile, refused number, too old)
    is released.
    """
    session = work.session
    dialling.one_at_a_time(session)
    attempt = session.get(CallAttempt, attempt_id, with_for_update=True)
    if attempt is None or attempt.status != "claimed":
        return None
    campaign, respondent = attempt.campaign, attempt.respondent
    if _starts_left(office, campaign, queries.requests_since(session, _pace_start(office, campaign, now))) <= 0:
        return None  # the sweep wakes the job again within a second
    read_again(session, campaign, "state", shared=True)
    to = number_of(office, respondent) if _may_request(session, office, attempt, now) else None
    if to is None:
        release_claim(session, attempt, now, now)
        return None
    attempt.status, attempt.requested_at = "requested", now
    respondent.tries += 1
    office.record(session, now, "system", "contact.dial", f"attempt:{attempt.id}", number=attempt.number, campaign=campaign.public_id)
    return DialOrder(attempt.id, attempt.token, to, campaign.caller_id, rules_of(campaign).ring_seconds)


def _may_request(session: Session, office: Office, attempt: CallAttempt, now: datetime) -> bool:
    campaign = attempt.campaign
    if abs(now - attempt.claimed_at) > CLAIM_LASTS or campaign.state != "running":
        return False
    if limits.calls_left(session, campaign, now) == 0:
        return False
    known = look_up(session, office, [attempt.respondent], now)
    if not is_cleared(session, office, known, attempt.respondent, now):
        return False
    return breaker.may_request(session, now)  # last, because it may take the one trial of the next half minute


def release_claim(session: Session, attempt: CallAttempt, due_at: datetime, now: datetime) -> None:
    """Undo a claim that never reached the carrier: the respondent waits until `due_at`, nothing counts as an attempt."""
    respondent = attempt.respondent
    if respondent.state == "calling":
        wait_again(session, respondent, due_at, now)
    session.execute(delete(CallAttempt).where(CallAttempt.id == attempt.id, CallAttempt.status == "claimed"))
