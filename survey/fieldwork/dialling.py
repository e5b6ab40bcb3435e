"""From a due respondent to the moment before the carrier is asked: claim, check, commit the intent (design §4.4)."""

import math
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from survey.fieldwork import breaker, callbacks, limits, transfers
from survey.fieldwork.campaigns import finish_if_done, rules_of
from survey.fieldwork.clearance import is_cleared, look_up, number_of, renew_number
from survey.fieldwork.holds import lift_expired
from survey.fieldwork.office import Office
from survey.fieldwork.respondents import wait_again
from survey.pace import Pace, pace_of
from survey.store.models import CallAttempt, Campaign, Respondent
from survey.store.queries import dialling
from survey.store.queries import fieldwork as queries
from survey.store.queries.desk import open_takeover
from survey.store.rows import read_again
from survey.store.unit_of_work import UnitOfWork

CLAIM_LASTS = timedelta(seconds=5)
"""A claim older than this, or from the future, is not dialled: the process may have slept since it looked at the rules, or a
clock was set, or the clocks of two machines differ."""


@dataclass(frozen=True)
class DialOrder:
    """Everything a job needs to ask the carrier, copied out of the database; it is to ask at `at`, the attempt's `requested_at`."""

    attempt_id: int
    at: datetime
    token: str
    to: str
    caller_id: str
    ring_seconds: int
    is_by_machine: bool = True  # whether the machine talks, and not an operator, who hears for themselves who answers


@dataclass(frozen=True)
class Early:
    """The attempt may go out, but others have gone so lately that its place in the pace opens only at `until`."""

    until: datetime


def claim_due(work: UnitOfWork, office: Office, now: datetime, ahead: timedelta = timedelta(0)) -> list[int]:
    """Claim as many due respondents as lines, pace, caps, holds, windows and replicates allow; returns attempt ids.

    Claims are a small stock for the workers: as many as may start until `ahead` from now, those that wait already counted in.
    Who starts when is decided by `prepare_dial`. Lines are counted over all campaigns, which take turns; the rules hold over all
    processes because every claim is a row, and whoever counts rows to add one is alone until the commit: two sweeps at once do no
    harm.
    """
    session = work.session
    dialling.one_at_a_time(session)
    lift_expired(session, now)
    claimed: list[int] = []
    campaigns = _in_turn(queries.running_campaigns(session), dialling.last_claimer(session))
    hungry: list[Campaign] = []
    for place, campaign in enumerate(campaigns):
        room = _room(session, office, campaign, now, ahead)
        share = math.ceil(room / (len(campaigns) - place))
        found = _claim_for(work, office, campaign, share, now)
        claimed += found
        hungry += [campaign] if len(found) == share < room else []
        finish_if_done(session, office, campaign, now)
    for campaign in hungry:  # others had nobody to call, and left their share
        claimed += _claim_for(work, office, campaign, _room(session, office, campaign, now, ahead), now)
    return claimed


def _in_turn(campaigns: Sequence[Campaign], last: int) -> list[Campaign]:
    """First whoever comes after the campaign that claimed last."""
    return sorted(campaigns, key=lambda campaign: (campaign.id <= last, campaign.id))


def _claim_for(work: UnitOfWork, office: Office, campaign: Campaign, room: int, now: datetime) -> list[int]:
    session = work.session
    if room <= 0:
        return []
    due = queries.due_respondents(session, campaign.id, now, queries.open_replicate(session, campaign.id), 4 * room)
    for respondent in due:
        renew_number(respondent)
    known = look_up(session, office, due, now)
    chosen: dict[bytes | None, Respondent] = {}  # by number: two people may share one
    for respondent in due:
        if len(chosen) == room:
            break
        if respondent.phone_key not in chosen and is_cleared(session, office, known, respondent, now):
            chosen[respondent.phone_key] = respondent
    return _claim(work, campaign, list(chosen.values()), now)


def _room(session: Session, office: Office, campaign: Campaign, now: datetime, ahead: timedelta) -> int:
    """How many calls may be claimed for the campaign now."""
    lines = min(campaign.lines, office.lines or campaign.lines) - queries.lines_taken(session)
    if lines <= 0:
        return 0
    traffic = _traffic(session, office, campaign, now)
    bounds = traffic.campaigns[campaign.id], traffic.together
    room = min(lines, *(each.pace.room(each.started, now, ahead) - len(each.waiting) for each in bounds))
    if room <= 0:
        return 0
    trials = breaker.claims_left(session, now)
    left = limits.calls_left(session, campaign, now)
    if left is not None:
        room = min(room, left - dialling.claimed(session, campaign.id))
    return room if trials is None else min(room, trials)


@dataclass(frozen=True)
class _Stream:
    """Calls that one rate bounds together: when they were handed to the carrier, and the claimed attempts that are to be."""

    pace: Pace
    started: list[datetime]
    waiting: list[int]

    def ready(self, now: datetime) -> list[int]:
        """Those of the waiting that this rate would let go now."""
        return sorted(self.waiting)[: max(0, self.pace.room(self.started, now))]

    def opens(self, attempt_id: int, others: Iterable[int], now: datetime) -> datetime:
        """When an attempt may go out that lets those of the others go first that were claimed before it."""
        return self.pace.opens(self.started, now, sum(other < attempt_id for other in others))


@dataclass(frozen=True)
class _Traffic:
    """Each campaign's own calls at its own rate, and all calls `together` at the greatest rate that runs."""

    campaigns: dict[int, _Stream]
    together: _Stream


def _traffic(session: Session, office: Office, campaign: Campaign, now: datetime) -> _Traffic:
    """The calls and claims of the campaign and of all that run; no rate exceeds the account's."""
    most = office.calls_per_second or math.inf
    rates = {campaign.id: campaign.calls_per_second} | dialling.rates(session)
    together, own = pace_of(min(max(rates.values()), most)), {each: pace_of(min(rate, most)) for each, rate in rates.items()}
    longer = {each: now - pace.window for each, pace in own.items() if pace.window > together.window}
    rows = dialling.traffic(session, now - together.window, longer)
    streams = {each: _stream(pace, [row for row in rows if row[0] == each]) for each, pace in own.items()}
    return _Traffic(streams, _stream(together, rows))


def _stream(pace: Pace, traffic: Sequence[tuple[int, int, datetime | None]]) -> _Stream:
    return _Stream(pace, [at for _, _, at in traffic if at is not None], [attempt for _, attempt, at in traffic if at is None])


def _opening(session: Session, office: Office, attempt: CallAttempt, now: datetime) -> datetime:
    """When the attempt may go out; those that were claimed before it go first, so that workers who wait do not wait for one place.

    In the pace of all together only those go first whose own campaign lets them go: a slow one's claim holds up nobody.
    """
    traffic = _traffic(session, office, attempt.campaign, now)
    own = traffic.campaigns[attempt.campaign_id]
    ready = [each for stream in traffic.campaigns.values() for each in stream.ready(now)]
    return max(own.opens(attempt.id, own.waiting, now), traffic.together.opens(attempt.id, ready, now))


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


def look_ahead(session: Session, office: Office, attempt_id: int, now: datetime) -> Early | None:
    """When a claimed attempt's place in the pace opens, if not yet; without the lock that all diallers share. `prepare_dial` decides."""
    attempt = session.get(CallAttempt, attempt_id)
    if attempt is None or attempt.status != "claimed" or not _is_fresh(attempt, now):
        return None
    opening = _opening(session, office, attempt, now)
    return Early(opening) if opening > now else None


def prepare_dial(work: UnitOfWork, office: Office, attempt_id: int, now: datetime) -> DialOrder | Early | None:
    """Check everything once more for a call that starts at `now`, and commit the intent; Early or None: do not ask the carrier.

    A claim that may not be dialled any more (paused, held back, window over, opted out meanwhile, refused or corrected number, too
    old) is released.
    """
    session = work.session
    dialling.one_at_a_time(session)
    dialling.hold_takeover(session, attempt_id)
    attempt = dialling.take_claimed(session, attempt_id)
    if attempt is None:
        return None
    if callbacks.is_callback(attempt):
        return _prepare_callback(work, office, attempt, now)
    campaign, respondent = attempt.campaign, attempt.respondent
    if _is_fresh(attempt, now) and (opening := _opening(session, office, attempt, now)) > now:
        return Early(opening)
    read_again(session, campaign, "state", shared=True)
    to = number_of(office, respondent) if _may_request(session, office, attempt, now) else None
    if to is None:
        release_claim(session, attempt, now, now)
        return None
    attempt.status, attempt.requested_at = "requested", now
    respondent.tries += 1
    office.record(session, now, "system", "contact.dial", f"attempt:{attempt.id}", number=attempt.number, campaign=campaign.public_id)
    return DialOrder(attempt.id, now, attempt.token, to, campaign.caller_id, rules_of(campaign).ring_seconds)


def _prepare_callback(work: UnitOfWork, office: Office, attempt: CallAttempt, now: datetime) -> DialOrder | Early | None:
    """The same for the call of an operator who waits on the line, whatever its campaign does; one that must not go out any more is over."""
    session, respondent = work.session, attempt.respondent
    takeover = open_takeover(session, attempt.id)
    why = callbacks.obstacle(session, office, attempt, takeover, now)
    if why == callbacks.WAIT:
        return None
    if why:
        if takeover is not None:
            transfers.close(work, office, takeover, why, now)
        return None
    if (opening := _opening(session, office, attempt, now)) > now:
        return Early(opening)
    to, key = number_of(office, respondent), respondent.incident.phone_key
    if to is None or key is None:
        return None
    if not breaker.may_request(session, now):
        if takeover is not None and callbacks.has_waited(takeover, now):
            transfers.close(work, office, takeover, "unreachable", now)
        return None
    attempt.phone_key = attempt.live_key = key
    attempt.status, attempt.requested_at = "requested", now
    office.record(session, now, "system", "contact.dial", f"attempt:{attempt.id}", number=attempt.number, purpose=attempt.purpose)
    seconds = rules_of(attempt.campaign).ring_seconds
    return DialOrder(attempt.id, now, attempt.token, to, attempt.campaign.caller_id, seconds, is_by_machine=False)


def _is_fresh(attempt: CallAttempt, now: datetime) -> bool:
    return abs(now - attempt.claimed_at) <= CLAIM_LASTS and attempt.campaign.state == "running"


def _may_request(session: Session, office: Office, attempt: CallAttempt, now: datetime) -> bool:
    campaign = attempt.campaign
    if not _is_fresh(attempt, now) or attempt.phone_key != attempt.respondent.incident.phone_key:
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
