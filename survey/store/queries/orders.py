"""What casework asks of the tables: cases without an order, orders whose clock runs, who is to be called again. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, Text, and_, cast, func, or_, select
from sqlalchemy.orm import Session, joinedload

from survey.order_moves import OPEN, RUNNING
from survey.scoring import ITEMS, SCALE
from survey.store.models import Answer, CallAttempt, Escalation, Incident, Order, OrderEvent, OrderReply, Respondent
from survey.store.queries.console_cases import bears
from survey.store.queries.desk import in_hand
from survey.store.queries.recalls import is_of_an_order

ORDERED = ("dissatisfied", "abuse_alleged")
"""Reasons for which a case becomes an order."""
GIVEN = ("issue", "reroute", "reassign")
"""Steps by which an office is given an order."""
SET_ANEW = ("return", "supervise", "note_recall", "reassign")
"""Steps that give an order another deadline, whether or not the one before was missed."""
DISSATISFIED = SCALE[3:]
INSPECTION = "inspection"


@dataclass(frozen=True)
class Waiting:
    """A case that has no order yet. `ended_at` is when its call ended, `has_unit` whether there is anybody to give an order
    to, `is_settled` whether the call has its verdict.
    """

    case_id: int
    public_id: str
    incident_number: str
    reasons: tuple[str, ...]
    route: str
    ended_at: datetime | None
    has_unit: bool
    is_settled: bool


def _without_order() -> tuple[ColumnElement[bool], ...]:
    named = or_(*(cast(Escalation.reasons, Text).like(f'%"{reason}"%') for reason in ORDERED))
    ordered = select(Order.id).where(Order.respondent_id == Escalation.respondent_id).exists()
    return Escalation.state == "open", named, ~ordered, ~is_of_an_order()


def cases_to_issue(session: Session, limit: int) -> Sequence[Escalation]:
    """Cases that are ripe for an order, urgent ones first, then by age, locked.

    Not those without a settled call or a unit, nor while an operator may still write down what stands in the order.
    """
    someone = or_(Escalation.route == INSPECTION, Respondent.unit_id.is_not(None))
    ripe = select(Escalation).join(Respondent).join(CallAttempt, Escalation.attempt_id == CallAttempt.id)
    ripe = ripe.where(*_without_order(), CallAttempt.settled_at.is_not(None), someone, ~in_hand(Escalation.respondent_id))
    ripe = ripe.order_by(Escalation.priority, Escalation.id).limit(limit)
    return session.scalars(ripe.with_for_update(skip_locked=True, of=Escalation)).all()


def cases_without_order(session: Session, *, inspection: bool = False, number: str = "") -> list[Waiting]:
    """Everything that waits for an order, oldest first: for review, or because no unit is named. Inspection's cases only for itself.

    `number`: only those whose incident's number has this in it.
    """
    columns = (Escalation, Incident.number, CallAttempt.ended_at, CallAttempt.settled_at, Respondent.unit_id)
    found = select(*columns).join(Respondent, Escalation.respondent_id == Respondent.id)
    found = found.join(Incident, Respondent.incident_id == Incident.id).join(CallAttempt, Escalation.attempt_id == CallAttempt.id)
    narrowed = [*([] if inspection else [Escalation.route != INSPECTION]), *([bears(number)] if number else [])]
    return [
        Waiting(case.id, case.public_id, incident, tuple(case.reasons), case.route, ended_at, unit is not None, settled_at is not None)
        for case, incident, ended_at, settled_at, unit in session.execute(found.where(*_without_order(), *narrowed).order_by(Escalation.id))
    ]


def orders_to_reroute(session: Session, limit: int) -> Sequence[Order]:
    """Open orders of units whose case has become one for inspection, because of what was found later; locked (R35)."""
    moved = and_(Order.route != INSPECTION, Escalation.route == INSPECTION, Order.state.in_(OPEN))
    taken = select(Order).join(Escalation).where(moved).order_by(Order.id).limit(limit)
    return session.scalars(taken.with_for_update(skip_locked=True, of=Order)).all()


def dissatisfied_items(session: Session, respondent_id: int) -> list[str]:
    """The items that the person rated 4 or 5, in the order of the questions."""
    low = select(Answer.item).where(Answer.respondent_id == respondent_id, Answer.code.in_(DISSATISFIED))
    return sorted(session.scalars(low), key=lambda item: ((*ITEMS, item).index(item), item))


def _orders(*conditions: ColumnElement[bool]) -> Select[Order]:
    whole = select(Order).options(joinedload(Order.escalation, innerjoin=True), joinedload(Order.unit))
    return whole.where(*conditions).order_by(Order.due_at, Order.id)


def running_orders(session: Session) -> Sequence[Order]:
    """Every order whose clock runs, nearest deadline first."""
    return session.scalars(_orders(Order.state.in_(RUNNING))).all()


def orders_since(session: Session, start: datetime) -> Sequence[Order]:
    """Orders that are open or had something happen to them since `start`: for the counts of the month to date."""
    return session.scalars(_orders(_of_since(start))).all()


def _of_since(start: datetime) -> ColumnElement[bool]:
    touched = or_(Order.issued_at >= start, Order.answered_at >= start, Order.closed_at >= start, Order.due_at >= start)
    return and_(or_(Order.state.in_(OPEN), touched), Order.state != "void")


def answered_since(session: Session, start: datetime) -> set[int]:
    """The ids of the orders of `orders_since` that were answered since `start`, whatever became of the answer."""
    mine = select(OrderReply.order_id).join(Order, OrderReply.order_id == Order.id)
    return set(session.scalars(mine.where(_of_since(start), OrderReply.at >= start)))


def overdue_since(session: Session, start: datetime) -> set[tuple[int, int | None]]:
    """Those of `orders_since` whose clock was set anew after a deadline since `start` was missed, each with the unit that missed it.

    None stands for inspection. The row of such an order knows its present deadline alone.
    """
    steps = select(OrderEvent.order_id, OrderEvent.details).join(Order, OrderEvent.order_id == Order.id)
    steps = steps.where(_of_since(start), OrderEvent.at >= start, OrderEvent.what.in_(SET_ANEW))
    told = [(order_id, details) for order_id, details in session.execute(steps) if "due_missed" in details]
    return {(order_id, details["missed_by"]) for order_id, details in told if datetime.fromisoformat(details["due_missed"]) >= start}


def given_at(session: Session) -> dict[int, datetime]:
    """When the orders that nobody has signed for were given to the office that has them: issued, or handed on to it since."""
    steps = select(OrderEvent.order_id, func.max(OrderEvent.at)).join(Order, OrderEvent.order_id == Order.id)
    unsigned = steps.where(Order.state == "issued", OrderEvent.to_state == "issued", OrderEvent.what.in_(GIVEN))
    return dict(session.execute(unsigned.group_by(OrderEvent.order_id)).all())
