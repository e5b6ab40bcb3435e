"""The weekly list of orders as it stands at a moment: for a unit its own, for the centre all units', for inspection its own (R54)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from survey.casework.numbering import number_text
from survey.casework.reminding import Missed, audience_of, missed_by, month_counts, month_start
from survey.order_clock import Terms, days_left, last_day, list_day
from survey.order_moves import RUNNING
from survey.store.models import Order
from survey.store.queries.orders import answered_since, orders_since, overdue_since

INSPECTION = "inspection"
ALL_UNITS = "centre"


@dataclass(frozen=True)
class ListLine:
    """An order whose clock runs; `days_left` are working days, negative ones overdue. No personal data.

    `is_late` also before the first working day after the deadline is over; `extension` is a word of EXTENSIONS, or empty.
    """

    order_id: str
    number: str
    unit: str
    state: str
    issued_on: date
    due_on: date
    days_left: int
    is_late: bool
    returns: int
    extension: str


@dataclass(frozen=True)
class UnitCounts:
    """One unit's orders: in hand and late of these at this moment; issued, answered, overdue and closed in the month to date.

    Overdue are those of which this unit missed a deadline, in the total of all units also those that another has by now.
    """

    unit: str
    in_hand: int
    late: int
    issued: int
    answered: int
    overdue: int
    closed: int


@dataclass(frozen=True)
class WeeklyList:
    """The list. `office` is the unit's name; empty for the centre and inspection. `day` is the day on which the week's list is due."""

    office: str
    day: date
    at: datetime
    lines: tuple[ListLine, ...]
    counts: tuple[UnitCounts, ...]
    total: UnitCounts


def weekly_list(session: Session, terms: Terms, of: int | str, office: str, now: datetime) -> WeeklyList:
    """The list `of` a unit (its id), of ALL_UNITS or of INSPECTION: overdue orders first, then by days left.

    Raises CalendarMissing where a year's working days are not known.
    """
    since = month_start(terms, now)
    orders, answered = [order for order in orders_since(session, since) if _belongs(order, of)], answered_since(session, since)
    missed = overdue_since(session, since)
    units = sorted({(_unit(order), order.unit_id or 0) for order in orders})
    counts = tuple(
        _counts(name, [order for order in orders if (order.unit_id or 0) == unit_id], answered, _missed(missed, of, unit_id), terms, now)
        for name, unit_id in units
    )
    running = (_line(order, terms, now) for order in orders if order.state in RUNNING)
    lines = sorted(running, key=lambda line: (not line.is_late, line.days_left, line.number))
    total = _counts("", orders, answered, _missed(missed, of), terms, now)
    return WeeklyList(office, list_day(terms, now), now, tuple(lines), counts, total)


def _belongs(order: Order, of: int | str) -> bool:
    unit = audience_of(order)
    return unit is None if of == INSPECTION else unit is not None if of == ALL_UNITS else unit == of


def _missed(missed: Collection[Missed], of: int | str, unit_id: int | None = None) -> set[int]:
    """What counts as missed in a list: of one unit what that missed, of inspection what inspection did, of all units everything."""
    if of == INSPECTION:
        return missed_by(missed, None)
    if of == ALL_UNITS and unit_id is None:
        return {order for order, _ in missed}
    return missed_by(missed, unit_id or int(of))


def _unit(order: Order) -> str:
    return order.unit.name if order.unit is not None else ""


def _line(order: Order, terms: Terms, now: datetime) -> ListLine:
    issued_on, left = terms.local(order.issued_at).date(), days_left(terms, order.due_at, now)
    number, due_on = number_text(order.year, order.serial), last_day(terms, order.due_at)
    is_late = order.due_at <= now
    return ListLine(order.public_id, number, _unit(order), order.state, issued_on, due_on, left, is_late, order.returns, order.extension)


def _counts(
    unit: str, orders: Sequence[Order], answered: Collection[int], missed: Collection[int], terms: Terms, now: datetime
) -> UnitCounts:
    running = [order for order in orders if order.state in RUNNING]
    late = sum(order.due_at <= now for order in running)
    return UnitCounts(unit, len(running), late, **month_counts(orders, answered, missed, terms, now))
