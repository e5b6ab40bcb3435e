"""What an operator sees of the desk and of a call (O2, O7, O14, O20, O21). Reads only; personal data stays masked elsewhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import prompts
from survey.desk.callbacks import Course, course
from survey.desk.danger import is_dangerous, is_unsettled
from survey.desk.duty import WORKING
from survey.desk.ringing import is_steered, reason_of
from survey.desk.said import Piece, said
from survey.desk.takeovers import Taken
from survey.desk_clock import LONGEST_EXTENSIONS, given_up_at, is_wide, round_ends, round_of, talk_left
from survey.errors import NotFound
from survey.fieldwork.office import Office
from survey.recall_results import is_dissatisfied_again
from survey.script import FOLLOWUP, ChoiceStep, RecordStep, Script
from survey.store.models import Answer, CallAttempt, Duty, Escalation, Incident, Offer, OperatorAnswer, Respondent, Takeover, Unit, User
from survey.store.queries import desk as queries
from survey.store.queries.orders import dissatisfied_items
from survey.store.queries.said import danger_heard_at

HUNG_UP_SHOWN = timedelta(seconds=60)
"""How long the desk still shows that a person has hung up before anybody talked to them (O12)."""


@dataclass(frozen=True)
class WaitingCall:
    """A call that waits: why, whose unit, which items were rated badly, since when, and how long it is still offered and waits, in s."""

    public_id: str
    reason: str
    unit: str
    items: tuple[str, ...]
    seconds: int
    offered_seconds: int
    left_seconds: int
    is_wide: bool


@dataclass(frozen=True)
class HungUp:
    """Somebody who hung up before anybody talked to them; `case` is the ticket for the call back, empty for one that others have."""

    reason: str
    unit: str
    at: datetime
    case: str


@dataclass(frozen=True)
class Colleague:
    """Somebody at the desk."""

    name: str
    state: str
    since: datetime
    note: str


@dataclass(frozen=True)
class Board:
    """The desk as one operator sees it. `elsewhere`: a newer log-in has it; `mine`: the call that they are about."""

    state: str
    since: datetime | None
    note: str
    elsewhere: bool
    waiting: tuple[WaitingCall, ...]
    hung_up: tuple[HungUp, ...]
    colleagues: tuple[Colleague, ...]
    mine: str | None
    mine_state: str


@dataclass(frozen=True)
class Asked:
    """One question of the script: its words, its choices as (key, code, words), the answer that stands, and what the machine had."""

    item: str
    words: str
    choices: tuple[tuple[str, str, str], ...]
    code: str
    raw: str
    mode: str
    confidence: float | None
    before_code: str
    before_raw: str
    before_mode: str
    is_next: bool
    is_unsure: bool


@dataclass(frozen=True)
class TakeoverView:
    """A call in the hands of an operator; `language` is that of the script's words.

    `is_second`: it is about an order, and `is_dissatisfied_again` sends that order back (R51). `callback`: the operator has
    called the person, and not the other way round. `talk_seconds`: the carrier ends the talk so soon; None: not soon.
    """

    public_id: str
    respondent: str
    reason: str
    state: str
    result: str
    wish: str
    version: int
    held: bool
    muted: bool
    is_steered: bool
    opened_at: datetime
    talking_since: datetime | None
    ended_at: datetime | None
    talk_seconds: int | None
    wrap_seconds: int
    may_prolong: bool
    reasons: tuple[str, ...]
    consent: str
    disposition: str | None
    next_words: str
    asked: tuple[Asked, ...]
    said: tuple[Piece, ...]
    case: str
    is_dangerous: bool
    is_danger_open: bool
    danger_choice: str
    danger_at: datetime | None
    language: str
    is_second: bool
    is_dissatisfied_again: bool
    callback: Course | None


def board(session: Session, office: Office, user_id: int, login: str, now: datetime) -> Board:
    """The desk at `now`, for the person with this log-in."""
    duty = session.get(Duty, user_id)
    mine = queries.claimed_of(session, user_id)
    declined = set(session.scalars(select(Offer.takeover_id).where(Offer.user_id == user_id, Offer.outcome.in_(("declined", "rang_out")))))
    is_on = duty is not None and duty.state in WORKING and duty.login == login
    shown = [each for each in queries.waiting(session) if is_on and duty and _is_for(office, each, duty.state, declined, now)]
    names = session.execute(select(User.display_name, Duty).join(User, Duty.user_id == User.id).where(Duty.state != "off")).all()
    return Board(
        duty.state if duty else "off", duty.since if duty else None, duty.note if duty else "",
        duty is not None and duty.state != "off" and duty.login != login,
        tuple(_waiting(session, office, each, now) for each in shown),
        tuple(_hung_up(session, each) for each in queries.hung_up(session, user_id, now - HUNG_UP_SHOWN)),
        tuple(Colleague(name, each.state, each.since, each.note) for name, each in sorted(names, key=lambda row: row[0])),
        mine.public_id if mine else None, mine.state if mine else "",
    )  # fmt: skip


def _is_for(office: Office, takeover: Takeover, state: str, declined: set[int], now: datetime) -> bool:
    return takeover.id not in declined and (state == "free" or is_wide(office.desk, takeover.opened_at, now))


def _hung_up(session: Session, takeover: Takeover) -> HungUp:
    respondent_id, ended_at = takeover.attempt.respondent_id, takeover.ended_at or takeover.opened_at
    return HungUp(reason_of(takeover), _unit(session, respondent_id), ended_at, _ticket(_case(session, respondent_id)))


def _case(session: Session, respondent_id: int) -> Escalation | None:
    return session.scalars(select(Escalation).where(Escalation.respondent_id == respondent_id)).one_or_none()


def _ticket(case: Escalation | None) -> str:
    """The ticket to open for a call back; what went to inspection is not the desk's (R35)."""
    return case.public_id if case is not None and case.route != "inspection" else ""


def _unit(session: Session, respondent_id: int) -> str:
    unit = select(Unit.name).join(Incident, Incident.unit_id == Unit.id).join(Respondent, Respondent.incident_id == Incident.id)
    return session.scalar(unit.where(Respondent.id == respondent_id)) or ""


def _waiting(session: Session, office: Office, takeover: Takeover, now: datetime) -> WaitingCall:
    respondent_id, terms, opened = takeover.attempt.respondent_id, office.desk, takeover.opened_at
    return WaitingCall(
        takeover.public_id, reason_of(takeover), _unit(session, respondent_id),
        tuple(dissatisfied_items(session, respondent_id)), _seconds(now - opened),
        _seconds(round_ends(terms, opened, round_of(terms, opened, now)) - now),
        _seconds(given_up_at(terms, opened) - now), is_wide(terms, opened, now),
    )  # fmt: skip


def _seconds(span: timedelta) -> int:
    return max(0, int(span.total_seconds()))


def view(session: Session, office: Office, public_id: str, user: User, now: datetime) -> TakeoverView:
    """The operator's own call. Raises NotFound, Taken for somebody else's."""
    takeover = own_call(session, public_id, user)
    attempt = takeover.attempt
    script = office.script(session, attempt.script_version_id)
    asked = _asked(session, office, takeover, script)
    case = _case(session, attempt.respondent_id)
    reasons = tuple(case.reasons) if case else ()
    return TakeoverView(
        takeover.public_id, attempt.respondent.public_id, reason_of(takeover), takeover.state, takeover.result, takeover.wish,
        takeover.version, takeover.held, takeover.muted, is_steered(takeover), takeover.opened_at,
        takeover.bridged_at or takeover.joined_at, takeover.ended_at,
        _talk_seconds(takeover, now), _seconds(takeover.wrap_until - now) if takeover.wrap_until else 0,
        takeover.extensions < LONGEST_EXTENSIONS, reasons, case.consent if case else "unasked", attempt.disposition,
        next((each.words for each in asked if each.is_next), ""), asked, said(session, office, attempt), _ticket(case),
        is_dangerous(takeover, reasons), is_unsettled(takeover, reasons, danger_heard_at(session, attempt.id)),
        takeover.danger_choice, takeover.danger_at,
        script.language, attempt.campaign.kind == FOLLOWUP,
        is_dissatisfied_again({each.item: each.code for each in asked if each.code}),
        course(session, office, takeover, now),
    )  # fmt: skip


def _talk_seconds(takeover: Takeover, now: datetime) -> int | None:
    began = [moment for moment in (takeover.attempt.answered_at, takeover.picked_up_at) if moment is not None]
    left = talk_left(min(began), now) if takeover.state == "talking" and began else None
    return _seconds(left) if left is not None else None


def own_call(session: Session, public_id: str, user: User) -> Takeover:
    """The row of the operator's own call. Raises NotFound, Taken for somebody else's."""
    takeover = session.scalars(select(Takeover).where(Takeover.public_id == public_id)).one_or_none()
    if takeover is None:
        raise NotFound("没有这个来电 / there is no such call")
    if takeover.operator_id != user.id:
        raise Taken(takeover.operator.display_name if takeover.operator else "")
    return takeover


def _asked(session: Session, office: Office, takeover: Takeover, script: Script) -> tuple[Asked, ...]:
    """Every question with its exact words, those that do not arise left out."""
    attempt = takeover.attempt
    answers = {each.item: each for each in session.scalars(select(Answer).where(Answer.respondent_id == attempt.respondent_id))}
    written = select(OperatorAnswer).where(OperatorAnswer.takeover_id == takeover.id).order_by(OperatorAnswer.id)
    before: dict[str, OperatorAnswer] = {}
    for each in session.scalars(written):
        before.setdefault(each.item, each)
    codes = {item: each.code for item, each in answers.items()}
    given = _variables(office, attempt, script)
    found: list[Asked] = []
    for question in script.questions:
        if not script.holds(question.when, codes) and question.item not in answers:
            continue
        is_next = question.item not in answers and not any(each.is_next for each in found)
        words, item, sure = prompts.speak(script, question.id, given), question.item, script.understanding.accept
        found.append(_one(question, words, answers.get(item), before.get(item), is_next, sure))
    return tuple(found)


def _one(
    question: ChoiceStep | RecordStep, words: str, answer: Answer | None, before: OperatorAnswer | None, is_next: bool, sure: float
) -> Asked:  # fmt: skip
    choices = tuple((each.key, each.code, each.say) for each in getattr(question, "choices", ()))
    confidence = answer.confidence if answer else None
    return Asked(
        question.item, words, choices, answer.code if answer else "", answer.raw if answer else "", answer.mode if answer else "",
        confidence, (before.before_code or "") if before else "", (before.before_raw or "") if before else "",
        (before.before_mode or "") if before else "", is_next, confidence is not None and confidence < sure,
    )  # fmt: skip


def _variables(office: Office, attempt: CallAttempt, script: Script) -> prompts.Variables:
    incident = attempt.respondent.incident
    return prompts.variables(script, office.bureau, incident.occurred_at, incident.zone)
