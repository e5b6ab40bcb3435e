"""The lists of orders as one reader may see them: tabs that count their rows, filters, nearest deadline first (O28, O29, O41, R35)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select, true
from sqlalchemy.orm import Session

from survey.order_moves import OPEN, READERS, RUNNING, Actor
from survey.store.models import Escalation, Incident, Order, Respondent, Unit
from survey.store.queries.console import month_bounds
from survey.store.queries.console_cases import PAGE, Paged, bears, within
from survey.store.queries.orders import INSPECTION


@dataclass(frozen=True)
class Moments:
    """What sorts running orders by their deadline: up to `now` it is overdue, up to `tonight` due today, up to `soon` due soon."""

    now: datetime
    tonight: datetime
    soon: datetime


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; None: not by this. `unit` is an id, `month` (YYYY-MM) that of issue in `zone`.

    `number` is a part of an incident's number; `serial` (year, serial) an order's own, either of which is enough.
    """

    unit: int | None = None
    month: str | None = None
    state: str | None = None
    number: str | None = None
    serial: tuple[int, int] | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))


@dataclass(frozen=True)
class OrderRow:
    """An order as a row. `route` is inspection also where only its case has gone there so far."""

    public_id: str
    year: int
    serial: int
    unit: str | None
    incident_number: str
    category: str
    items: tuple[str, ...]
    reasons: tuple[str, ...]
    route: str
    state: str
    outcome: str
    issued_at: datetime
    due_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    returns: int
    supervised: bool
    extension: str
    appeal: str


@dataclass(frozen=True)
class Share:
    """What a tab holds: so many orders, of which the nearest deadline is `first_due` (None: it holds none)."""

    count: int = 0
    first_due: datetime | None = None


@dataclass(frozen=True)
class Workload:
    """The figures of a home page, each that of the tab of its name: to be signed for, running, due today, overdue, came back (C20, C27)."""

    to_sign: Share = Share()
    running: Share = Share()
    today: Share = Share()
    overdue: Share = Share()
    returned: Share = Share()


TABS = ("to_sign", "running", "today", "soon", "overdue", "returned", "requests", "answered", "recalling", "supervised", "ended", "all")
SORTS: dict[str, tuple[Any, ...]] = {
    "due": (Order.due_at, Order.id),
    "newest": (Order.issued_at.desc(), Order.id.desc()),
    "unit": (Unit.name, Order.due_at, Order.id),
}
_RUNS = Order.state.in_(RUNNING)
_INSPECTED = or_(Order.route == INSPECTION, Escalation.route == INSPECTION)


def _tab(tab: str, when: Moments) -> ColumnElement[bool]:
    conditions: dict[str, ColumnElement[bool]] = {
        "to_sign": Order.state == "issued",
        "running": _RUNS,
        "today": and_(_RUNS, Order.due_at > when.now, Order.due_at <= when.tonight),
        "soon": and_(_RUNS, Order.due_at > when.now, Order.due_at <= when.soon),
        "overdue": and_(_RUNS, Order.due_at <= when.now),
        "returned": Order.state == "returned",
        "requests": or_(
            and_(_RUNS, Order.extension == "asked"), and_(Order.state.in_((*OPEN, "closed")), Order.appeal == "asked")
        ),
        "answered": Order.state == "answered",
        "recalling": Order.state == "recalling",
        "supervised": Order.state == "supervised",
        "ended": Order.state.not_in(OPEN),
        "all": true(),
    }  # fmt: skip
    return conditions[tab]


def visible(reader: Actor) -> ColumnElement[bool]:
    """Which orders the reader may know of, over Order joined with Escalation: as `casework.changes.may_see` has it (R35)."""
    if reader.role == INSPECTION:
        return true()
    if reader.role in READERS:
        return ~_INSPECTED
    if reader.role == "unit" and reader.unit_id is not None:
        return and_(~_INSPECTED, Order.unit_id == reader.unit_id)
    return false()


def _asked(reader: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    asked = [visible(reader)]
    if filters.unit is not None:
        asked.append(Order.unit_id == filters.unit)
    if filters.state is not None:
        asked.append(Order.state == filters.state)
    if filters.month is not None:
        start, end = month_bounds(filters.month, filters.zone)
        asked.append(and_(Order.issued_at >= start, Order.issued_at < end))
    if filters.number is not None:
        theirs = select(Respondent.id).join(Incident, Respondent.incident_id == Incident.id).where(bears(filters.number))
        own = [and_(Order.year == filters.serial[0], Order.serial == filters.serial[1])] if filters.serial else []
        asked.append(or_(Order.respondent_id.in_(theirs), *own))
    return asked


def tab_counts(session: Session, reader: Actor, tabs: Sequence[str], filters: Filters, when: Moments) -> dict[str, int]:
    """How many orders each of the tabs holds for the reader, under the filters."""
    sums = [func.coalesce(func.sum(case((_tab(tab, when), 1), else_=0)), 0) for tab in tabs]
    counted = select(*sums).select_from(Order).join(Escalation, Order.escalation_id == Escalation.id).where(*_asked(reader, filters))
    return {tab: int(count) for tab, count in zip(tabs, session.execute(counted).one(), strict=True)}


def orders(session: Session, reader: Actor, tab: str, filters: Filters, when: Moments, page: int, sort: str = "due") -> Paged:
    """One page of a tab, nearest deadline first unless sorted otherwise. Raises KeyError for an unknown tab or sort."""
    asked = (*_asked(reader, filters), _tab(tab, when))
    counted = select(func.count(Order.id)).join(Escalation, Order.escalation_id == Escalation.id).where(*asked)
    total = session.scalar(counted) or 0
    number = within(page, total)
    found = _rows().where(*asked).order_by(*SORTS[sort]).offset((number - 1) * PAGE).limit(PAGE)
    return Paged([_row(*row) for row in session.execute(found)], number, total)


def workload(session: Session, reader: Actor, when: Moments) -> Workload:
    """The figures of a home page, over the orders that the reader sees (C27)."""
    tabs = [one.name for one in fields(Workload)]
    firsts = [func.min(case((_tab(tab, when), Order.due_at))) for tab in tabs]
    found = select(*firsts).select_from(Order).join(Escalation, Order.escalation_id == Escalation.id).where(visible(reader))
    counts = tab_counts(session, reader, tabs, Filters(), when)
    return Workload(*(Share(counts[tab], first) for tab, first in zip(tabs, session.execute(found).one(), strict=True)))


def known_to(session: Session, reader: Actor, order_ids: Collection[str]) -> set[str]:
    """Those of these orders, by public id, that the reader may know of."""
    mine = select(Order.public_id).join(Escalation, Order.escalation_id == Escalation.id)
    return set(session.scalars(mine.where(Order.public_id.in_(order_ids), visible(reader))))


def units_with_orders(session: Session, reader: Actor) -> list[tuple[int, str]]:
    """(id, name) of the units that have orders which the reader sees, by name."""
    found = select(Unit.id, Unit.name).join(Order, Order.unit_id == Unit.id).join(Escalation, Order.escalation_id == Escalation.id)
    return [(unit, name) for unit, name in session.execute(found.where(visible(reader)).distinct().order_by(Unit.name, Unit.id))]


def months_of_orders(session: Session, reader: Actor, zone: ZoneInfo) -> list[str]:
    """The local months (YYYY-MM) from the first to the last order that the reader sees, newest first."""
    span = select(func.min(Order.issued_at), func.max(Order.issued_at)).join(Escalation, Order.escalation_id == Escalation.id)
    first, last = session.execute(span.where(visible(reader))).one()
    if first is None:
        return []
    start, end = first.astimezone(zone), last.astimezone(zone)
    numbers = range(start.year * 12 + start.month - 1, end.year * 12 + end.month)
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in reversed(numbers)]


def order_of_case(session: Session, case_id: str) -> OrderRow | None:
    """The order that came out of a ticket, by the ticket's public id."""
    found = session.execute(_rows().where(Escalation.public_id == case_id)).one_or_none()
    return _row(*found) if found is not None else None


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(Order, Unit.name, Incident.number, Incident.category, Escalation.route)
        .join(Escalation, Order.escalation_id == Escalation.id)
        .join(Respondent, Order.respondent_id == Respondent.id)
        .join(Incident, Respondent.incident_id == Incident.id)
        .outerjoin(Unit, Order.unit_id == Unit.id)
    )


def _row(order: Order, unit: str | None, number: str, category: str, route: str) -> OrderRow:
    return OrderRow(
        order.public_id, order.year, order.serial, unit, number, category, tuple(order.items), tuple(order.reasons),
        INSPECTION if INSPECTION in (order.route, route) else order.route, order.state, order.outcome, order.issued_at, order.due_at,
        order.answered_at, order.closed_at, order.returns, order.supervised, order.extension, order.appeal,
    )  # fmt: skip
