"""A call to the number that calls people: who it is, and the interview that they asked for by calling us (R20).

It counts for nothing in pacing, lines, tries, caps and spacing: nobody was rung. The carrier's call is its identity, so
that a repeated web-hook takes it up once.

Whoever was given up without a refusal and without a whole interview may finish it by calling us, while the campaign runs. The
case is opened for that call alone: settlement closes it again, and nobody is dialled because of it.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session, aliased

from survey.disposition import Disposition
from survey.fieldwork.beginnings import begin
from survey.fieldwork.clearance import look_up
from survey.fieldwork.dialling import release_claim
from survey.fieldwork.office import Office
from survey.fieldwork.respondents import is_reopened
from survey.fieldwork.statuses import note_event, report
from survey.fieldwork.suppressions import is_suppressed
from survey.script import SURVEY
from survey.store.models import CallAttempt, Campaign, Incident, Respondent, ScriptVersion
from survey.store.queries import dialling
from survey.store.rows import read_again
from survey.store.unit_of_work import UnitOfWork

STRANGER, KNOWN, WAITED_FOR, ON_THE_LINE, REFUSED = "stranger", "known", "waited_for", "on_the_line", "refused"
UNFINISHED = "unfinished"
"""Nobody will call them any more, but they may finish the interview in a call of their own."""
GIVEN_UP = ("finished", "declined", "max_attempts", "out_of_time", "reviewed")
"""Why a case may have been closed that its person may still finish. Who was handed over is owed a call by a person."""
CAN_BE_FINISHED = [each.word for each in Disposition if each.outcome_class in ("P", "NC", "UH", "UO")] + [Disposition.BREAK_OFF.word]
REFUSALS = [Disposition.REFUSAL.word, Disposition.REFUSAL_BEFORE.word]


@dataclass(frozen=True)
class Caller:
    """Who calls us. `standing` is one of the six words above, `language` that of the script; empty for a stranger."""

    standing: str
    language: str = ""


def recognise(session: Session, office: Office, phone_key: bytes, call_sid: str, now: datetime) -> Caller:
    """Find out what may be offered to somebody who calls from this number: the survey, if one waits for them."""
    language = _language(session, phone_key)
    if is_suppressed(session, phone_key):
        return Caller(REFUSED, language)
    live = _live(session, phone_key)
    if live is not None and live.carrier_sid == call_sid:
        return Caller(_standing(live.respondent), language)
    if live is not None and live.status != "claimed":
        return Caller(ON_THE_LINE, language)
    wanted = _wanted(session, office, phone_key, now, live.respondent_id if live is not None else None)
    if wanted is not None:
        return Caller(_standing(wanted), language)
    return Caller(KNOWN if language else STRANGER, language)


def _standing(respondent: Respondent) -> str:
    return UNFINISHED if respondent.state == "closed" or is_reopened(respondent) else WAITED_FOR


def take_up(
    work: UnitOfWork, office: Office, phone_key: bytes, call_sid: str, now: datetime, *, postponing: bool = False
) -> str | None:  # fmt: skip
    """Begin the interview with the person who calls us, inside the calling windows or outside; the attempt's token.

    `postponing`: they only want to say when to be called. A claim of ours on the number that has not been dialled yet is
    released. None: no interview is open for this number, or only one that cannot be put off, or our own call to it is under
    way.
    """
    session = work.session
    dialling.one_at_a_time(session)
    known = session.scalar(select(CallAttempt.token).where(CallAttempt.carrier_sid == call_sid, CallAttempt.direction == "in"))
    if known is not None:
        return known
    if is_suppressed(session, phone_key) or not _is_free(session, phone_key, now):
        return None
    respondent = _wanted(session, office, phone_key, now)
    if respondent is None or (postponing and respondent.state == "closed") or not _take(session, respondent):
        return None
    attempt = _attempt(session, respondent, call_sid, now)
    if postponing:
        script = office.script(session, attempt.script_version_id)
        attempt.flow_state = begin(session, attempt, script, now, postponing=True).to_json()
    office.record(
        session, now, "system", "contact.incoming", f"attempt:{attempt.id}", number=attempt.number, campaign=respondent.campaign.public_id
    )
    return attempt.token


def apply_incoming_status(
    work: UnitOfWork, call_sid: str, status: str, now: datetime, *, seconds: int | None = None, error: str = ""
) -> None:  # fmt: skip
    """Climb the ladder by a report about a call to us; one that led to no interview is of no interest."""
    mine = select(CallAttempt).where(CallAttempt.carrier_sid == call_sid, CallAttempt.direction == "in")
    attempt = work.session.scalar(mine.with_for_update())
    if attempt is not None and note_event(work.session, attempt, "status", f"{call_sid}:{status}", now):
        report(work, attempt, status, now, seconds=seconds, error=error)


def _language(session: Session, phone_key: bytes) -> str:
    """The language in which the number's owner was or is to be interviewed last."""
    spoken = select(ScriptVersion.language).join(Campaign).join(Respondent).where(Respondent.phone_key == phone_key)
    return session.scalar(spoken.order_by(Campaign.id.desc()).limit(1)) or ""


def _live(session: Session, phone_key: bytes, *, lock: bool = False) -> CallAttempt | None:
    live = select(CallAttempt).where(CallAttempt.live_key == phone_key)
    return session.scalar(live.with_for_update() if lock else live)


def _is_free(session: Session, phone_key: bytes, now: datetime) -> bool:
    """Whether no call of ours to the number may ring; a claim that nobody has dialled yet gives way."""
    live = _live(session, phone_key, lock=True)
    if live is None:
        return True
    if live.status != "claimed":
        return False
    release_claim(session, live, now, now)
    session.flush()
    return True


def _wanted(session: Session, office: Office, phone_key: bytes, now: datetime, claimed_for: int | None = None) -> Respondent | None:
    """Whom of those with this number an interview waits for, or may still be finished by: the one whom we called last.

    Whoever was dialled for another campaign is left in peace for the time of the quarantine (R6), also if they call.
    """
    last = func.max(CallAttempt.requested_at)
    mine = select(Respondent).join(Campaign).join(Incident).outerjoin(CallAttempt, CallAttempt.respondent_id == Respondent.id)
    mine = mine.where(Respondent.phone_key == phone_key, Campaign.state == "running", Incident.exclusion.is_(None))
    mine = mine.where((Respondent.state == "waiting") | (Respondent.id == claimed_for) | _may_finish())
    found = session.scalars(mine.group_by(Respondent.id).order_by(last.is_(None), last.desc(), Respondent.id)).all()
    known = look_up(session, office, found, now)
    since = now - timedelta(days=office.quarantine_days)
    return next((each for each in found if not known.elsewhere(each, since)), None)


def _may_finish() -> ColumnElement[bool]:
    """Closed in a survey without a refusal of the person's and without a whole interview. What a second call came to is settled."""
    tried = aliased(CallAttempt)
    refused = select(tried.id).where(tried.respondent_id == Respondent.id, tried.disposition.in_(REFUSALS)).exists()
    given_up = (Respondent.state == "closed") & Respondent.close_reason.in_(GIVEN_UP)
    return given_up & Respondent.disposition.in_(CAN_BE_FINISHED) & ~refused & (Campaign.kind == SURVEY)


def _take(session: Session, respondent: Respondent) -> bool:
    """Have the respondent be on the line; False when the campaign was halted meanwhile, or somebody else was quicker."""
    read_again(session, respondent.campaign, "state", shared=True)
    as_it_was = Respondent.id == respondent.id, Respondent.state == respondent.state, Respondent.close_reason == respondent.close_reason
    taken = update(Respondent).where(*as_it_was).values(state="calling", due_at=None).returning(Respondent.id)
    return respondent.campaign.state == "running" and session.scalar(taken) is not None


def _attempt(session: Session, respondent: Respondent, call_sid: str, now: datetime) -> CallAttempt:
    attempt = CallAttempt(
        campaign_id=respondent.campaign_id, respondent_id=respondent.id, direction="in", token=uuid.uuid4().hex, carrier_sid=call_sid,
        number=dialling.last_numbers(session, [respondent.id]).get(respondent.id, 0) + 1, status="in_progress",
        phone_key=respondent.phone_key, live_key=respondent.phone_key, script_version_id=respondent.campaign.script_version_id,
        claimed_at=now, answered_at=now,
    )  # fmt: skip
    session.add(attempt)
    session.flush()
    return attempt
