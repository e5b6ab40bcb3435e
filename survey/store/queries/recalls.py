"""What the second calls ask of the tables: which orders are due, what became of those called, what was said (R51). Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload

from survey.order_moves import OPEN
from survey.script import FOLLOWUP
from survey.store.models import Answer, CallAttempt, Campaign, Escalation, Order, Recall, RecallRound, Respondent, ScriptVersion

INSPECTION = "inspection"


@dataclass(frozen=True)
class RecallCall:
    """One dialling of a second call: `disposition` is empty while it has no verdict."""

    attempt_id: int
    number: int
    direction: str
    at: datetime
    answered_at: datetime | None
    seconds: int | None
    disposition: str


@dataclass(frozen=True)
class RecallView:
    """The person of an order called again after its `round`-th answer: as which respondent, in which campaign, with what result.

    `state`, `close_reason`, `due_at` and `booked_for` are the respondent's. `answers` map item to code; `result` is empty until noted.
    """

    round: int
    respondent_id: str
    campaign_id: str
    campaign: str
    entered_at: datetime
    state: str
    close_reason: str
    due_at: datetime | None
    booked_for: datetime | None
    result: str
    noted_at: datetime | None
    answers: dict[str, str] = field(default_factory=dict)
    calls: tuple[RecallCall, ...] = ()


def orders_to_recall(session: Session, limit: int) -> Sequence[Order]:
    """Answered orders whose person is not yet to be called about that answer, longest answered first, locked.

    Those whose round of calls was stopped by a person are left to a person.
    """
    entered = select(Recall.id).where(Recall.order_id == Order.id, Recall.round == Order.replies).exists()
    rounds = select(RecallRound.campaign_id).join(Campaign, RecallRound.campaign_id == Campaign.id)
    mine = RecallRound.follows_id == Respondent.campaign_id, RecallRound.round == Order.replies
    stopped = rounds.where(*mine, Campaign.state == "stopped").exists()
    due = select(Order).join(Respondent, Order.respondent_id == Respondent.id)
    due = due.where(Order.state.in_(("answered", "recalling")), Order.answered_at.is_not(None), ~entered, ~stopped)
    ordered = due.order_by(Order.answered_at, Order.id).limit(limit)
    return session.scalars(ordered.with_for_update(skip_locked=True, of=Order)).all()


def open_recalls(session: Session) -> Sequence[Recall]:
    """Second calls whose result is not noted, oldest first, each with its order and its respondent."""
    whole = joinedload(Recall.order, innerjoin=True), joinedload(Recall.respondent, innerjoin=True)
    return session.scalars(select(Recall).options(*whole).where(Recall.noted_at.is_(None)).order_by(Recall.id)).all()


def lock_order(session: Session, order_id: int) -> Order:
    """The order, as it stands now, locked."""
    wanted = select(Order).where(Order.id == order_id).with_for_update().execution_options(populate_existing=True)
    return session.scalars(wanted).one()


def orders_alleged_against(session: Session) -> Sequence[Order]:
    """Open orders of units about which an allegation of abuse was made in a second call, and that inspection does not have (R35)."""
    alleged = select(Recall.id).join(Escalation, Escalation.respondent_id == Recall.respondent_id)
    alleged = alleged.where(Recall.order_id == Order.id, Escalation.route == INSPECTION, Escalation.state != "withdrawn")
    units = select(Order).join(Escalation, Order.escalation_id == Escalation.id).where(Escalation.route != INSPECTION)
    return session.scalars(units.where(Order.route != INSPECTION, Order.state.in_(OPEN), alleged.exists()).order_by(Order.id)).all()


def open_cases(session: Session, order_id: int) -> Sequence[Escalation]:
    """The open cases that were made in second calls about an order."""
    mine = select(Escalation).join(Recall, Recall.respondent_id == Escalation.respondent_id)
    return session.scalars(mine.where(Recall.order_id == order_id, Escalation.state == "open").order_by(Escalation.id)).all()


def cases_about(session: Session, order_id: int) -> Sequence[Escalation]:
    """Every case that was made in a second call about an order, whatever has become of it."""
    mine = select(Escalation).join(Recall, Recall.respondent_id == Escalation.respondent_id)
    return session.scalars(mine.where(Recall.order_id == order_id).order_by(Escalation.id)).all()


def asked_about(session: Session, respondent_id: int) -> Order | None:
    """The order about which the respondent was called again; None for one of a survey."""
    mine = select(Order).join(Recall, Recall.order_id == Order.id)
    return session.scalars(mine.where(Recall.respondent_id == respondent_id)).one_or_none()


def waiting_for(session: Session, respondent_id: int) -> Order | None:
    """The order that still waits for what comes of the second call of this very respondent; None for one of a survey."""
    mine = select(Order).join(Recall, (Recall.order_id == Order.id) & (Recall.round == Order.replies))
    mine = mine.where(Recall.respondent_id == respondent_id, Recall.noted_at.is_(None), Order.state == "recalling")
    return session.scalars(mine).one_or_none()


def is_of_an_order() -> ColumnElement[bool]:
    """Whether a case was made in a second call about an order that is still open, or that inspection has: it is part of that order."""
    mine = select(Recall.id).join(Order, Recall.order_id == Order.id).where(Recall.respondent_id == Escalation.respondent_id)
    return mine.where(or_(Order.state.in_(OPEN), Order.route == INSPECTION)).exists()


def about_inspection() -> ColumnElement[bool]:
    """Whether the respondent is called again about an order that inspection has (R35)."""
    mine = select(Recall.id).join(Order, Recall.order_id == Order.id).join(Escalation, Order.escalation_id == Escalation.id)
    hidden = or_(Order.route == INSPECTION, Escalation.route == INSPECTION)
    return mine.where(Recall.respondent_id == Respondent.id, hidden).exists()


def is_about_inspection(session: Session, respondent_id: int) -> bool:
    """`about_inspection` of one respondent."""
    return session.scalar(select(Respondent.id).where(Respondent.id == respondent_id, about_inspection())) is not None


def round_of(session: Session, follows_id: int, number: int) -> Campaign | None:
    """The campaign in which the people of a survey campaign are called again for the `number`-th time."""
    mine = select(Campaign).join(RecallRound, RecallRound.campaign_id == Campaign.id)
    return session.scalars(mine.where(RecallRound.follows_id == follows_id, RecallRound.round == number)).one_or_none()


def newest_script(session: Session, language: str) -> ScriptVersion | None:
    """The follow-up script of the language that was published last."""
    mine = select(ScriptVersion).where(ScriptVersion.kind == FOLLOWUP, ScriptVersion.language == language)
    return session.scalars(mine.order_by(ScriptVersion.published_at.desc(), ScriptVersion.id.desc()).limit(1)).first()


def reasons_of(session: Session, respondent_id: int) -> list[str]:
    """Why one respondent's case is before a person; nothing where it is not."""
    standing = select(Escalation.reasons).where(Escalation.respondent_id == respondent_id, Escalation.state != "withdrawn")
    return list(session.scalar(standing) or [])


def recalls_of(session: Session, order: Order) -> list[RecallView]:
    """Every second call about an order, round by round, with each dialling and what was answered. No number, no words."""
    whole = joinedload(Recall.respondent, innerjoin=True).joinedload(Respondent.campaign, innerjoin=True)
    mine = select(Recall).options(whole).where(Recall.order_id == order.id).order_by(Recall.round)
    return [_view(session, recall) for recall in session.scalars(mine)]


def _view(session: Session, recall: Recall) -> RecallView:
    person = recall.respondent
    calls = session.scalars(select(CallAttempt).where(CallAttempt.respondent_id == person.id).order_by(CallAttempt.number))
    return RecallView(
        recall.round, person.public_id, person.campaign.public_id, person.campaign.name, recall.entered_at, person.state,
        person.close_reason, person.due_at, person.booked_for, recall.result, recall.noted_at, _answers(session, person.id),
        tuple(_call(call) for call in calls),
    )  # fmt: skip


def _call(call: CallAttempt) -> RecallCall:
    at = call.requested_at or call.claimed_at
    return RecallCall(call.id, call.number, call.direction, at, call.answered_at, call.seconds, call.disposition or "")


def _answers(session: Session, respondent_id: int) -> dict[str, str]:
    rows = session.execute(select(Answer.item, Answer.code).where(Answer.respondent_id == respondent_id).order_by(Answer.id))
    return dict(rows.all())
