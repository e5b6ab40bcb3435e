"""From a due respondent to the moment before the carrier is asked: claim, check, commit the intent (design §4.4)."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from survey import phone
from survey.contact_rules import may_call, next_opening
from survey.disposition import Disposition
from survey.fieldwork.campaigns import finish_if_done, rules_of
from survey.fieldwork.office import Office
from survey.fieldwork.respondents import change_disposition, close, wait_again
from survey.fieldwork.statuses import report
from survey.fieldwork.suppressions import is_suppressed
from survey.store.models import CallAttempt, Campaign, Respondent
from survey.store.queries import fieldwork as queries
from survey.store.sealing import place
from survey.store.unit_of_work import UnitOfWork
from survey.working_days import calendar

CLAIM_LASTS = timedelta(seconds=5)
"""A claim older than this is not dialled: the process may have slept since it looked at the rules."""


@dataclass(frozen=True)
class DialOrder:
    """Everything a job needs to ask the carrier, copied out of the database."""

    attempt_id: int
    token: str
    to: str
    caller_id: str
    ring_seconds: int


def claim_due(work: UnitOfWork, office: Office, now: datetime) -> list[int]:
    """Claim as many due respondents as lines, calls per second, windows and replicates allow; returns attempt ids.

    The rules hold over all workers because every claim is a row, and one sweep at a time holds the lease.
    """
    claimed: list[int] = []
    for campaign in queries.running_campaigns(work.session):
        claimed += _claim_for(work, office, campaign, now)
    return claimed


def _claim_for(work: UnitOfWork, office: Office, campaign: Campaign, now: datetime) -> list[int]:
    session = work.session
    started = queries.claims_since(session, _pace_start(campaign, now))
    free = min(campaign.lines - queries.lines_taken(session), _starts_left(campaign, started))
    if free <= 0:
        return []
    replicate = queries.open_replicate(session, campaign.id)
    claimed: dict[bytes | None, int] = {}  # by number: two people may share one
    for respondent in queries.due_respondents(session, campaign.id, now, replicate, 4 * free):
        if len(claimed) == free:
            break
        if respondent.phone_key not in claimed and _is_allowed(session, office, respondent, now):
            claimed[respondent.phone_key] = _claim(work, campaign, respondent, now)
    finish_if_done(session, office, campaign, now)
    return list(claimed.values())


def _pace_start(campaign: Campaign, now: datetime) -> datetime:
    """Start of the sliding window for calls per second: one second, longer for rates below one."""
    return now - timedelta(seconds=max(1.0, 1.0 / campaign.calls_per_second))


def _starts_left(campaign: Campaign, started: int) -> int:
    return max(1, int(campaign.calls_per_second)) - started


def _is_allowed(session: Session, office: Office, respondent: Respondent, now: datetime) -> bool:
    """Check the rules of contact for one respondent; whoever must not be called is closed or put off."""
    rules = rules_of(respondent.campaign)
    key = respondent.phone_key
    if key is None or is_suppressed(session, key):
        close(respondent, "opted_out" if key else "no_number", now)
    elif queries.called_elsewhere_since(session, key, respondent.campaign_id, now - timedelta(days=office.quarantine_days)):
        change_disposition(session, respondent, Disposition.DUPLICATE, now, None)
        close(respondent, "quarantine", now)
    elif not may_call(rules, calendar(rules.calendar), now, respondent.incident.zone):
        respondent.state = "waiting"
        respondent.due_at = next_opening(rules, calendar(rules.calendar), now, respondent.incident.zone)
    else:
        return True
    return False


def _claim(work: UnitOfWork, campaign: Campaign, respondent: Respondent, now: datetime) -> int:
    attempt = CallAttempt(
        campaign_id=campaign.id, respondent_id=respondent.id, number=respondent.tries + 1, token=uuid.uuid4().hex,
        phone_key=respondent.phone_key, live_key=respondent.phone_key, script_version_id=campaign.script_version_id, claimed_at=now,
    )  # fmt: skip
    work.session.add(attempt)
    guarded = update(Respondent).where(Respondent.id == respondent.id, Respondent.state == "waiting").values(state="calling", due_at=None)
    work.session.execute(guarded)
    work.session.flush()
    work.later("dial", attempt.id, attempt.epoch)
    return attempt.id


def prepare_dial(work: UnitOfWork, office: Office, attempt_id: int, now: datetime) -> DialOrder | None:
    """Check everything once more and commit the intent to dial; None when the carrier is not to be asked now.

    A claim that may not be dialled any more (paused, window over, opted out meanwhile, refused number, too old) is released.
    """
    session = work.session
    attempt = session.get(CallAttempt, attempt_id, with_for_update=True)
    if attempt is None or attempt.status != "claimed":
        return None
    campaign, respondent = attempt.campaign, attempt.respondent
    if _starts_left(campaign, queries.requests_since(session, _pace_start(campaign, now))) <= 0:
        return None  # the sweep wakes the job again within a second
    session.refresh(campaign, ["state"], with_for_update={"read": True})
    stale = now - attempt.claimed_at > CLAIM_LASTS
    if stale or campaign.state != "running" or not _is_allowed(session, office, respondent, now):
        release_claim(session, attempt, now, now)
        return None
    to = _number(office, attempt)
    if to is None:
        _refuse_number(work, office, attempt, now)
        return None
    attempt.status, attempt.requested_at = "requested", now
    respondent.tries += 1
    office.record(session, now, "system", "contact.dial", f"attempt:{attempt.id}", number=attempt.number, campaign=campaign.public_id)
    return DialOrder(attempt.id, attempt.token, to, campaign.caller_id, rules_of(campaign).ring_seconds)


def _number(office: Office, attempt: CallAttempt) -> str | None:
    incident = attempt.respondent.incident
    e164 = office.keys.open(incident.phone_sealed, place("incidents", "phone_sealed", incident.public_id))
    return None if e164 is None or phone.check(e164, office.numbers) else e164


def _refuse_number(work: UnitOfWork, office: Office, attempt: CallAttempt, now: datetime) -> None:
    """The stored number must not be dialled whatever the data say (R7): close without asking the carrier."""
    attempt.error = "refused_number"
    report(work, attempt, "rejected", now)


def release_claim(session: Session, attempt: CallAttempt, due_at: datetime, now: datetime) -> None:
    """Undo a claim that never reached the carrier: the respondent waits until `due_at`, nothing counts as an attempt."""
    respondent = attempt.respondent
    if respondent.state == "calling":
        wait_again(session, respondent, due_at, now)
    session.execute(delete(CallAttempt).where(CallAttempt.id == attempt.id, CallAttempt.status == "claimed"))
