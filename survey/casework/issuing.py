"""From the human queue to the unit: each dissatisfied case becomes one order, an allegation of abuse goes to inspection (R35, R47, R48)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import orders
from survey.alarms import AlarmKind
from survey.casework.changes import as_of_now, carry_out, local_year, note, standing_of
from survey.casework.numbering import next_number
from survey.errors import NotAllowed
from survey.fieldwork.alarms import clear_alarm, raise_alarm
from survey.fieldwork.escalations import HANDLING, send_second_calls
from survey.fieldwork.office import Office
from survey.order_clock import Terms
from survey.order_moves import SYSTEM, Actor, Change
from survey.store.models import Escalation, Order
from survey.store.queries.desk import is_in_hand
from survey.store.queries.orders import ORDERED, cases_to_issue, dissatisfied_items, orders_to_reroute
from survey.working_days import CalendarMissing

URGENT = ("danger", "abuse_alleged")
"""Reasons whose own deadline is the order's too; a wish to be called back binds the centre, not the unit."""

AT_ONCE = 100


@dataclass(frozen=True)
class Issued:
    """What one sweep has done: the public ids of the orders issued, and of those that inspection has taken over."""

    issued: tuple[str, ...] = ()
    rerouted: tuple[str, ...] = ()


def issue(session: Session, office: Office, case: Escalation, by: Actor, terms: Terms, now: datetime) -> Order:
    """The order of a case; the one that exists, if it was issued before.

    Raises NotAllowed when the case was withdrawn, names no unit, has no settled call or one that an operator still has, or the role may
    not; CalendarMissing.
    """
    case = session.scalars(
        select(Escalation).where(Escalation.id == case.id).with_for_update().execution_options(populate_existing=True)
    ).one()
    known = session.scalars(select(Order).where(Order.respondent_id == case.respondent_id)).one_or_none()
    if known is not None:
        return known
    _check_sorted_out(session, case)
    return _issue(session, office, case, by, as_of_now(session, terms), now)


def may_issue(session: Session, case: Escalation, by: Actor, terms: Terms, now: datetime) -> Change:
    """The first step of the case's order, if it may be issued now. Raises as `issue` does, and NotAllowed where it was issued before."""
    if session.scalar(select(Order.id).where(Order.respondent_id == case.respondent_id)) is not None:
        raise NotAllowed("已下发过交办单 / it has an order already")
    _check_sorted_out(session, case)
    return _first_step(case, by, terms, now)


def _check_sorted_out(session: Session, case: Escalation) -> None:
    """An operator who has the call may still write down ratings, and whether the person may be contacted."""
    if is_in_hand(session, case.respondent_id):
        raise NotAllowed("值班员正在接听或整理，整理后再下发 / an operator has the call: the order waits until it is sorted out")


def _first_step(case: Escalation, by: Actor, terms: Terms, now: datetime) -> Change:
    if case.state != "open" or not set(case.reasons) & set(ORDERED):
        raise NotAllowed(
            "该件已撤回或并非不满意件，不下发交办单 / the case was withdrawn or is not one of dissatisfaction: there is no order"
        )
    if case.attempt.settled_at is None:
        raise NotAllowed("通话结果尚未确定，暂不能下发 / the call has no verdict yet: its order waits for it")
    return orders.issue(_route(case), case.respondent.unit_id, case.consent, terms, _days(case.reasons, terms), by, now)


def _issue(session: Session, office: Office, case: Escalation, by: Actor, terms: Terms, now: datetime) -> Order:
    change, respondent = _first_step(case, by, terms, now), case.respondent
    year, new = local_year(office, now), change.after
    order = Order(
        year=year, serial=next_number(session, "order", year), unit_id=new.unit_id, respondent_id=respondent.id, escalation_id=case.id,
        items=dissatisfied_items(session, respondent.id), reasons=list(case.reasons), priority=case.priority, consent=new.consent,
        route=new.route, state=new.state, issued_at=now, issued_by=by.name, due_at=new.due_at, version=1,
    )  # fmt: skip
    session.add(order)
    session.flush()
    note(session, office, order, change, 1)
    return order


def _route(case: Escalation) -> str:
    return "inspection" if "abuse_alleged" in case.reasons else case.route


def _days(reasons: Iterable[str], terms: Terms) -> int:
    return min((HANDLING[reason].days or 0 for reason in reasons if reason in URGENT), default=terms.days)


def issue_due(session: Session, office: Office, terms: Terms, now: datetime, *, review: bool = False) -> Issued:
    """Issue what is ripe, at the latest a working hour after the call's end if asked that often; with `review` a person issues instead.

    Cases whose call is not settled wait, and so does one whose deadline lies in a year without a calendar: then an alarm stands.
    """
    missing: set[int] = set()
    rerouted = [_reroute(session, office, order, terms, now, missing) for order in orders_to_reroute(session, AT_ONCE)]
    cases = [] if review else cases_to_issue(session, AT_ONCE)
    issued = [_issue_one(session, office, case, terms, now, missing) for case in cases]
    if missing:
        raise_alarm(session, AlarmKind.CALENDAR_MISSING, "orders", now, year=min(missing))
    else:
        clear_alarm(session, AlarmKind.CALENDAR_MISSING, "orders", now)
    return Issued(tuple(filter(None, issued)), tuple(filter(None, rerouted)))


def _issue_one(session: Session, office: Office, case: Escalation, terms: Terms, now: datetime, missing: set[int]) -> str | None:
    try:
        return issue(session, office, case, SYSTEM, terms, now).public_id
    except CalendarMissing as problem:  # said before anything is written
        missing.add(problem.year)
        return None


def _reroute(session: Session, office: Office, order: Order, terms: Terms, now: datetime, missing: set[int]) -> str | None:
    standing = replace(standing_of(order), route=order.route)
    try:
        change = orders.reroute(standing, now, as_of_now(session, terms), HANDLING["abuse_alleged"].days or 0)
    except CalendarMissing as problem:
        missing.add(problem.year)
        return None
    send_second_calls(session, order.id)
    return carry_out(session, office, order, change).public_id
