"""What the centre does with an order: decide, return, supervise, close, void; for allegations of abuse inspection does it (R51–R53).

Each takes the `version` that the person had on the screen (None: the program acts on what it finds), and raises NotFound,
NotAllowed, Overtaken, BadInput, and where a deadline is given CalendarMissing.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import orders
from survey.casework.changes import as_of_now, carry_out, found, standing_of
from survey.errors import BadInput, NotAllowed
from survey.fieldwork.office import Office
from survey.order_clock import Terms
from survey.order_moves import SYSTEM, Actor
from survey.store.models import Order, OrderAppeal, OrderExtension, Unit


def decide_extension(
    session: Session, office: Office, order_id: str, actor: Actor, version: int, *, is_granted: bool, reason: str, terms: Terms,
    now: datetime,
) -> Order:  # fmt: skip
    """Grant or refuse the extension that was asked for (R52)."""
    order = found(session, order_id, actor, version)
    asked = session.scalars(select(OrderExtension).where(OrderExtension.order_id == order.id)).one_or_none()
    if asked is None:
        raise NotAllowed("没有待审批的延期申请 / no extension waits for a decision")
    change = orders.decide_extension(
        standing_of(order), actor, now, is_granted=is_granted, days=asked.days, asked_by=asked.asked_by, reason=reason,
        terms=as_of_now(session, terms),
    )  # fmt: skip
    decided = carry_out(session, office, order, change)
    asked.decision, asked.decision_reason = change.after.extension, change.reason
    asked.decided_by, asked.decided_at = actor.name, now
    session.flush()
    return decided


def decide_appeal(
    session: Session, office: Office, order_id: str, actor: Actor, version: int, *, is_upheld: bool, reason: str, now: datetime,
    unit_id: int | None = None,
) -> Order:  # fmt: skip
    """Uphold or reject the unit's appeal; an order of which other items are left goes on (R53).

    Where it was not its own and the right one is known, `unit_id` gets the order in its stead.
    """
    order = found(session, order_id, actor, version)
    asked = session.scalars(select(OrderAppeal).where(OrderAppeal.order_id == order.id)).one_or_none()
    if asked is None:
        raise NotAllowed("没有待裁定的申诉 / no appeal waits for a decision")
    heir = unit_id if is_upheld and asked.ground == "not_own" and order.state != "closed" else None
    about_all = heir is None and orders.is_about_all(asked.ground, asked.items, order.items)
    change = orders.decide_appeal(
        standing_of(order), actor, now, is_upheld=is_upheld, about_all=about_all, asked_by=asked.by, reason=reason,
    )  # fmt: skip
    decided = carry_out(session, office, order, change)
    asked.decision, asked.decision_reason = change.after.appeal, change.reason
    asked.decided_by, asked.decided_at = actor.name, now
    session.flush()
    return decided if heir is None else reassign(session, office, order_id, actor, decided.version, heir, reason, now)


def reassign(
    session: Session, office: Office, order_id: str, actor: Actor, version: int, unit_id: int, reason: str, now: datetime
) -> Order:
    """Give the order to the unit whose affair it is (R47)."""
    order, unit = found(session, order_id, actor, version), session.get(Unit, unit_id)
    if unit is None:
        raise BadInput("请选择责任单位 / choose the responsible unit", "unit")
    change = orders.reassign(standing_of(order), actor, now, unit.id, reason, as_of_now(session, office.terms))
    names = {"from": order.unit.name if order.unit else "", "to": unit.name}
    return carry_out(session, office, order, replace(change, details={**change.details, **names}))


def return_(session: Session, office: Office, order_id: str, actor: Actor, version: int, reason: str, terms: Terms, now: datetime) -> Order:
    """Send an insufficient reply back to the unit, with a new deadline (R51)."""
    order = found(session, order_id, actor, version)
    return carry_out(session, office, order, orders.return_(standing_of(order), actor, now, reason, as_of_now(session, terms)))


def supervise(
    session: Session, office: Office, order_id: str, actor: Actor, version: int, reason: str, terms: Terms, now: datetime
) -> Order:
    """Put it under the supervision of leadership (R51)."""
    order = found(session, order_id, actor, version)
    return carry_out(session, office, order, orders.supervise(standing_of(order), actor, now, reason, as_of_now(session, terms)))


def close(session: Session, office: Office, order_id: str, actor: Actor, version: int, outcome: str, reason: str, now: datetime) -> Order:
    """Close it by hand as `unverified`, `no_recall_wanted` or, after supervision, `explained`."""
    order = found(session, order_id, actor, version)
    return carry_out(session, office, order, orders.close(standing_of(order), actor, now, outcome, reason))


def void(session: Session, office: Office, order_id: str, actor: Actor, version: int, reason: str, now: datetime) -> Order:
    """It was issued by mistake; the number stays taken and the case keeps its one order."""
    order = found(session, order_id, actor, version)
    return carry_out(session, office, order, orders.void(standing_of(order), actor, now, reason))


def begin_recall(
    session: Session, office: Office, order_id: str, now: datetime, actor: Actor = SYSTEM, version: int | None = None
) -> Order:
    """The person of an answered order is to be called again (R51)."""
    order = found(session, order_id, actor, version)
    return carry_out(session, office, order, orders.begin_recall(standing_of(order), actor, now))


def note_recall(
    session: Session, office: Office, order_id: str, result: str, terms: Terms, now: datetime, actor: Actor = SYSTEM,
    version: int | None = None,
) -> Order:  # fmt: skip
    """What came of calling again, one of `orders.RECALLED`: closed, returned, or under supervision (R51)."""
    order = found(session, order_id, actor, version)
    return carry_out(session, office, order, orders.note_recall(standing_of(order), actor, now, result, as_of_now(session, terms)))
