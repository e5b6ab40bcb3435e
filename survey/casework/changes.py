"""One step of an order in the database: seen by whom, guarded against another's change, written to timeline and trail (O33, O38, R65)."""

from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from survey.casework.numbering import next_number
from survey.errors import NotAllowed, NotFound
from survey.fieldwork.office import Office
from survey.order_clock import Terms
from survey.order_moves import LAPSED, READERS, Actor, Change, Standing
from survey.store.calendar_overlay import in_force
from survey.store.models import Escalation, Order, OrderAppeal, OrderEvent, OrderExtension
from survey.store.queries.desk import last_verdict
from survey.store.queries.orders import ORDERED
from survey.store.queries.recalls import open_cases

ENDED = ("closed", "void")
"""States in which there is nothing left to do for anybody: the case leaves the human queue with its order."""
ABUSE = "abuse_alleged"
TALKED = ("resolved", "order", "no_contact")
"""What operators make of a talk after which no further one was promised."""
FIELDS = tuple(field.name for field in fields(Standing))


class Overtaken(NotAllowed):
    """Somebody else has changed the order meanwhile.

    `seen` is the version that the save started from, `present` the one that stands, made by `by` at `at` with the action `what`.
    """

    def __init__(self, seen: int, last: OrderEvent) -> None:
        zh = f"您打开的是第 {seen} 版，{last.actor} 已改为第 {last.number} 版，请刷新后重试"
        en = f"you started from version {seen}, {last.actor} has made version {last.number}: look again before you save"
        super().__init__(f"{zh} / {en}")
        self.seen, self.present = seen, last.number
        self.by, self.at, self.what = last.actor, last.at, last.what


def may_see(route: str, unit_id: int | None, actor: Actor) -> bool:
    """Whether the actor may know of an order at all (R35)."""
    if actor.role == "inspection":
        return True
    if route == "inspection":
        return actor.role == "system"
    return actor.role in READERS or (actor.role == "unit" and unit_id is not None and actor.unit_id == unit_id)


def route_of(order: Order) -> str:
    """The order's route; where its case has gone to inspection, that holds before the order itself is rerouted."""
    return "inspection" if "inspection" in (order.route, order.escalation.route) else "centre"


def standing_of(order: Order) -> Standing:
    """The row as the rules want to see it: of inspection as soon as its case is, with the consent that the case holds now."""
    standing = Standing(**{name: getattr(order, name) for name in FIELDS})
    return replace(standing, route=route_of(order), consent=order.escalation.consent)


def as_of_now(session: Session, terms: Terms) -> Terms:
    """The terms for whoever gives a deadline, with the calendar that is stored.

    What this process holds may be some seconds old, and whoever changed the calendar has moved only the deadlines that were given before.
    """
    return terms if terms.own_calendar else replace(terms, own_calendar=in_force(session))


def found(session: Session, order_id: str, actor: Actor, version: int | None = None) -> Order:
    """The order, as it is now. Raises NotFound where the actor may not know of it, Overtaken when it is not at `version`."""
    wanted = select(Order).where(Order.public_id == order_id).execution_options(populate_existing=True)
    order = session.scalars(wanted).one_or_none()
    if order is None or not may_see(route_of(order), order.unit_id, actor):
        raise NotFound("没有这张交办单 / there is no such order")
    if version is not None and version != order.version:
        raise Overtaken(version, _last_event(session, order.id))
    return order


def carry_out(session: Session, office: Office, order: Order, change: Change) -> Order:
    """Write a change of the order that `found` gave, unless another came first. Raises Overtaken."""
    assert change.before is not None
    before, after, version = change.before, change.after, order.version
    new = {name: getattr(after, name) for name in FIELDS if getattr(after, name) != getattr(before, name)}
    guard = (Order.id == order.id, Order.version == version, Order.state == before.state)
    statement = update(Order).where(*guard).values(version=version + 1, **new, **_archived(session, office, order, change))
    written = session.execute(statement.execution_options(synchronize_session=False))
    if not written.rowcount:  # type: ignore[attr-defined]
        raise Overtaken(version, _last_event(session, order.id))
    note(session, office, order, change, version + 1)
    if before.extension == "asked" and after.extension in ("", LAPSED):
        _lapse(session, OrderExtension, order, change.at)
    if before.appeal == "asked" and after.appeal == LAPSED:
        _lapse(session, OrderAppeal, order, change.at)
    if after.state in ENDED and before.state not in ENDED:
        _close_cases(session, order, after)
    return session.scalars(select(Order).where(Order.id == order.id).execution_options(populate_existing=True)).one()


def _lapse(session: Session, request: type[OrderExtension | OrderAppeal], order: Order, at: datetime) -> None:
    """The unit's request, on which nobody has decided and nobody will."""
    undecided = update(request).where(request.order_id == order.id, request.decision == "")
    session.execute(undecided.values(decision=LAPSED, decided_at=at))


def _close_cases(session: Session, order: Order, after: Standing) -> None:
    """The cases of an order that has ended leave the human queue with it, also those of its second calls.

    What a person is owed beside it stays there; so does an allegation against a unit, because inspection gets an order of its own.
    """
    for case in (order.escalation, *open_cases(session, order.id)):
        is_new = case is not order.escalation and ABUSE in case.reasons and after.route != "inspection"
        if case.state == "open" and not is_new and not is_call_owed(session, case):
            case.state = "closed"
    session.flush()


def is_call_owed(session: Session, case: Escalation) -> bool:
    """Whether a person of ours still has to talk with the one of this case, whatever becomes of its order (R34, R36).

    Who waited for somebody in vain after a talk is owed another.
    """
    return bool(set(case.reasons) - set(ORDERED)) and last_verdict(session, case.respondent_id) not in TALKED


def note(session: Session, office: Office, order: Order, change: Change, number: int) -> None:
    """Add the step to the order's timeline and to the audit trail; the reason stands in the timeline alone."""
    before, actor = change.before, change.actor
    session.add(OrderEvent(
        order_id=order.id, number=number, at=change.at, actor=actor.name, role=actor.role, from_state=before.state if before else None,
        to_state=change.after.state, what=change.action, reason=change.reason, details=change.details,
    ))  # fmt: skip
    session.flush()
    subject = f"order:{order.public_id}"
    office.record(
        session, change.at, actor.name, f"order.{change.action}", subject, version=number, state=change.after.state, **change.details
    )


def _archived(session: Session, office: Office, order: Order, change: Change) -> dict[str, Any]:
    if change.after.state != "closed" or order.archive_number is not None:
        return {}
    year = local_year(office, change.at)
    return {"archive_number": f"{year}-{next_number(session, 'archive', year):04d}"}


def local_year(office: Office, at: datetime) -> int:
    """The year of a moment on the bureau's calendar."""
    return at.astimezone(office.bureau.tzinfo).year


def _last_event(session: Session, order_id: int) -> OrderEvent:
    last = select(func.max(OrderEvent.number)).where(OrderEvent.order_id == order_id).scalar_subquery()
    return session.scalars(select(OrderEvent).where(OrderEvent.order_id == order_id, OrderEvent.number == last)).one()
