"""What the responsible unit does with an order: sign for it, take it in hand, reply, ask for time, appeal (R49, R50, R52, R53).

Each takes the `version` that the person had on the screen, and raises NotFound, NotAllowed, Overtaken, BadInput.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import orders
from survey.casework.changes import carry_out, found, standing_of
from survey.errors import BadInput
from survey.fieldwork.office import Office
from survey.order_clock import Terms
from survey.order_moves import Actor, actions
from survey.order_replies import Reply
from survey.store.models import Order, OrderAppeal, OrderExtension, OrderReply
from survey.store.models.base import public_id
from survey.store.sealing import place

TEXTS = ("people", "place", "measure", "explanation", "improvement")
LONGEST_ARGUMENT = 2000


def sign(session: Session, office: Office, order_id: str, actor: Actor, version: int, now: datetime) -> Order:
    """The unit has received it."""
    order = found(session, order_id, actor, version)
    return carry_out(session, office, order, orders.sign(standing_of(order), actor, now))


def take_in_hand(session: Session, office: Office, order_id: str, actor: Actor, version: int, now: datetime) -> Order:
    """The unit works on it, for the first time or after it came back."""
    order = found(session, order_id, actor, version)
    return carry_out(session, office, order, orders.take_in_hand(standing_of(order), actor, now))


def may_answer(session: Session, order_id: str, actor: Actor) -> bool:
    """Whether the order takes a reply of this actor now. Raises NotFound where the actor may not know of it."""
    return "answer" in actions(standing_of(found(session, order_id, actor)), actor)


def answer(session: Session, office: Office, order_id: str, actor: Actor, version: int, reply: Reply, terms: Terms, now: datetime) -> Order:
    """Accept the unit's reply of this round; its texts are sealed, its clock stops."""
    order = found(session, order_id, actor, version)
    change, accepted = orders.answer(standing_of(order), actor, now, reply, terms)
    answered = carry_out(session, office, order, change)
    identity = public_id()
    sealed = {f"{name}_sealed": _seal(office, "order_replies", f"{name}_sealed", identity, getattr(accepted, name)) for name in TEXTS}
    session.add(OrderReply(
        public_id=identity, order_id=order.id, round=answered.replies, finding=accepted.finding, cause=accepted.cause,
        visited_on=accepted.visited_on, by=actor.name, at=now, **sealed,
    ))  # fmt: skip
    session.flush()
    return answered


def ask_extension(
    session: Session, office: Office, order_id: str, actor: Actor, version: int, days: int, reason: str, terms: Terms, now: datetime
) -> Order:
    """The unit's head asks for `days` more working days."""
    order = found(session, order_id, actor, version)
    change = orders.ask_extension(standing_of(order), actor, now, days, reason, terms)
    asked = carry_out(session, office, order, change)
    row = session.scalars(select(OrderExtension).where(OrderExtension.order_id == order.id)).one_or_none()
    if row is None:
        row = OrderExtension(order_id=order.id)
        session.add(row)
    row.days, row.reason, row.asked_by, row.asked_at, row.due_before = days, change.reason, actor.name, now, asked.due_at
    row.decision, row.decision_reason, row.decided_by, row.decided_at = "", "", None, None  # one that lapsed, or of another unit
    session.flush()
    return asked


def appeal(
    session: Session, office: Office, order_id: str, actor: Actor, version: int, ground: str, argument: str, now: datetime,
    items: Sequence[str] = (),
) -> Order:  # fmt: skip
    """The unit says that ratings are untrue (`items`; none named: those of the order) or were not about it."""
    order = found(session, order_id, actor, version)
    change = orders.appeal(standing_of(order), actor, now, ground)
    if not 2 <= len(argument.strip()) <= LONGEST_ARGUMENT:
        raise BadInput(f"请写明申诉理由（2–{LONGEST_ARGUMENT} 字） / an argument is needed, 2 to {LONGEST_ARGUMENT} characters", "argument")
    strange = [item for item in items if item not in order.items]
    if strange:
        raise BadInput(f"“{strange[0]}”不是本单的不满意项目 / “{strange[0]}” is no item of this order", "items")
    appealed = carry_out(session, office, order, change)
    identity = public_id()
    session.add(OrderAppeal(
        public_id=identity, order_id=order.id, ground=ground, items=list(items or order.items), by=actor.name, at=now,
        argument_sealed=_seal(office, "order_appeals", "argument_sealed", identity, argument.strip()),
    ))  # fmt: skip
    session.flush()
    return appealed


def _seal(office: Office, table: str, column: str, identity: str, text: str) -> bytes | None:
    return office.keys.seal(text or None, place(table, column, identity))
