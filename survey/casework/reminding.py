"""What offices are reminded of, worked out anew at each tick from how the orders stand; nothing is said twice (R54, O31, C28).

Whatever was missed while nothing ran is made up for where it still helps: the day before a deadline until that deadline, the
weekly list until the next one, that nobody has signed until somebody does. An overdue day that has passed is not.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.casework.changes import route_of, standing_of
from survey.casework.numbering import number_text
from survey.fieldwork.alarms import clear_alarm, raise_alarm
from survey.fieldwork.office import Office
from survey.order_clock import Terms, days_left, eve, has_passed, is_office_open, last_day, list_day, week_of
from survey.order_moves import OPEN, RUNNING, SYSTEM
from survey.orders import is_overdue
from survey.store.models import Notice, Order
from survey.store.queries.notices import CENTRE, LEADER, told
from survey.store.queries.orders import answered_since, given_at, orders_since, overdue_since, running_orders
from survey.working_days import CalendarMissing

Missed = tuple[int, int | None]
"""An order of which a deadline was missed, and the unit that missed it; None: inspection."""
COUNTED = {"issued": "交办", "answered": "回复", "overdue": "逾期", "closed": "办结"}


UNSIGNED, URGE = "unsigned", "urge"
EVE, OVERDUE = "eve", "overdue"
KINDS = (UNSIGNED, LEADER, EVE, OVERDUE, "weekly", URGE)
SIGNED_WITHIN = {UNSIGNED: 1, LEADER: 2}
"""Working days after which the office, and then its leader, is told that nobody has signed for an order (C28)."""


@dataclass(frozen=True)
class Reminder:
    """Something to tell an office: a unit; where `unit_id` is None the centre, if it is the subject, else inspection.

    `key` is its identity for all time.
    """

    kind: str
    subject: str
    unit_id: int | None
    key: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)


def reminders(session: Session, office: Office, terms: Terms, now: datetime) -> list[str]:
    """Write a notice for all that is to be said at `now`; the keys of those that are new. Outside of office hours there are none."""
    try:
        if not is_office_open(terms, now):
            return []
        since = month_start(terms, now)
        wanted = [
            *_of_orders(running_orders(session), given_at(session), terms, now),
            *_weekly(orders_since(session, since), answered_since(session, since), overdue_since(session, since), terms, now),
        ]
    except CalendarMissing as missing:
        raise_alarm(session, AlarmKind.CALENDAR_MISSING, "reminders", now, year=missing.year)
        return []
    clear_alarm(session, AlarmKind.CALENDAR_MISSING, "reminders", now)
    said = told(session, [reminder.key for reminder in wanted])
    return [reminder.key for reminder in (_of_its_office(one, said) for one in wanted) if put(session, office, reminder, now)]


def _of_its_office(reminder: Reminder, said: Mapping[str, int | None]) -> Reminder:
    """With a key of its own where the same deadline was told to the office that had the order before: who is given it knows nothing yet."""
    if reminder.kind not in (EVE, OVERDUE) or said.get(reminder.key, reminder.unit_id) == reminder.unit_id:
        return reminder
    deadline, _, day = reminder.key.rpartition(":")
    return replace(reminder, key=f"{deadline}:{office_word(reminder.unit_id)}:{day}")


def _of_orders(orders: Iterable[Order], given: Mapping[int, datetime], terms: Terms, now: datetime) -> Iterator[Reminder]:
    today = terms.local(now).date()
    for order in orders:
        yield from _of_unsigned(order, given.get(order.id, order.issued_at), terms, now)
        number, last = number_text(order.year, order.serial), last_day(terms, order.due_at)
        if is_overdue(standing_of(order), now):
            late = -days_left(terms, order.due_at, now)
            text = f"交办单 {number} 已逾期 {late} 个工作日，请立即办理 / order {number} is {late} working days overdue"
            yield _of_order(order, OVERDUE, f"{today}", text, {"days": -late})
        elif today >= eve(terms, order.due_at):
            text = f"交办单 {number} 将于 {last} 24 时到期 / order {number} is due at the end of {last}"
            yield _of_order(order, EVE, f"{last}", text, {"due_on": str(last)})


def _of_unsigned(order: Order, given_at: datetime, terms: Terms, now: datetime) -> Iterator[Reminder]:
    """Once to the office and once to its leader, when nobody has signed for the order by the end of so many working days (C28)."""
    number, given_on = number_text(order.year, order.serial), terms.local(given_at).date()
    for kind, days in SIGNED_WITHIN.items():
        if order.state == "issued" and has_passed(terms, given_at, days, now):
            zh = f"交办单 {number} 于 {given_on} 下发，满 {days} 个工作日仍未签收，请" + ("督促签收" if kind == LEADER else "尽快签收")
            en = f"order {number} was issued on {given_on}; after {days} working {'day' if days == 1 else 'days'} nobody has signed for it"
            yield _of_order(order, kind, f"{given_on}", f"{zh} / {en}", {"days": days})


def _of_order(order: Order, kind: str, day: str, text: str, details: dict[str, Any]) -> Reminder:
    return Reminder(kind, f"order:{order.public_id}", audience_of(order), f"{kind}:{order.public_id}:{day}", text, details)


def audience_of(order: Order) -> int | None:
    """The unit that an order is the affair of; None: inspection's (R35)."""
    return None if route_of(order) == "inspection" else order.unit_id


def office_word(unit_id: int | None) -> str:
    """The audience of an order as a word of a key."""
    return "inspection" if unit_id is None else str(unit_id)


def _weekly(
    orders: Sequence[Order], answered: Collection[int], missed: Collection[Missed], terms: Terms, now: datetime
) -> Iterator[Reminder]:
    """The list of each unit and of inspection that has orders in hand, and the centre's of all units' orders."""
    day = list_day(terms, now)
    waiting = {audience_of(order) for order in orders if order.state in OPEN and terms.local(order.issued_at).date() <= day}
    for unit in sorted(waiting, key=lambda unit: (unit is not None, unit)):
        office = f"unit:{unit}" if unit is not None else "route:inspection"
        mine = [order for order in orders if audience_of(order) == unit]
        yield _list(office, unit, mine, answered, missed_by(missed, unit), terms, now)
    if waiting - {None}:
        units = [order for order in orders if audience_of(order) is not None]
        yield _list(CENTRE, None, units, answered, {order for order, _ in missed}, terms, now)


def _list(
    office: str, unit: int | None, orders: Sequence[Order], answered: Collection[int], missed: Collection[int], terms: Terms, now: datetime
) -> Reminder:
    lines = [_line(order, terms, now) for order in orders if order.state in RUNNING]
    counts = month_counts(orders, answered, missed, terms, now)
    key = f"weekly:{office}:{week_of(terms, now)}"
    return Reminder("weekly", office, unit, key, _summary(lines, counts), {"open": lines, **counts})


def _summary(lines: Sequence[dict[str, Any]], counts: dict[str, int]) -> str:
    late = sum(line["late"] for line in lines)
    zh = f"未办结 {len(lines)} 件，其中逾期 {late} 件；本月" + "、".join(f"{zh} {counts[word]}" for word, zh in COUNTED.items())
    en = f"{len(lines)} orders in hand, {late} overdue; this month " + ", ".join(f"{counts[word]} {word}" for word in COUNTED)
    return f"{zh} / {en}"


def _line(order: Order, terms: Terms, now: datetime) -> dict[str, Any]:
    return {
        "order": order.public_id, "number": number_text(order.year, order.serial), "state": order.state,
        "days_left": days_left(terms, order.due_at, now), "late": order.due_at <= now, "extension": order.extension,
    }  # fmt: skip


def missed_by(missed: Collection[Missed], unit: int | None) -> set[int]:
    """The orders of which this unit (None: inspection) missed a deadline: who is given an overdue order has missed nothing."""
    return {order for order, by in missed if by == unit}


def month_counts(
    orders: Sequence[Order], answered: Collection[int], missed: Collection[int], terms: Terms, now: datetime
) -> dict[str, int]:
    """Of these orders, how many were issued, answered, overdue and closed from the first of the local month to `now` (R54).

    `answered` are the ids of those with an answer of this month, also one that was sent back, `missed` of those of which a deadline of
    this month was missed and another given since.
    """
    since = month_start(terms, now)
    return {
        "issued": sum(order.issued_at >= since for order in orders),
        "answered": sum(order.id in answered for order in orders),
        "overdue": sum(order.id in missed or (since <= order.due_at <= now and is_overdue(standing_of(order), now)) for order in orders),
        "closed": sum(order.closed_at is not None and order.closed_at >= since for order in orders),
    }


def month_start(terms: Terms, now: datetime) -> datetime:
    """The first moment of the local month."""
    return datetime.combine(terms.local(now).date().replace(day=1), time.min, ZoneInfo(terms.zone))


def put(session: Session, office: Office, reminder: Reminder, now: datetime, by: str = SYSTEM.name) -> bool:
    """Write the notice unless one with its key is there; whether it is new."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {
        "kind": reminder.kind, "subject": reminder.subject, "unit_id": reminder.unit_id, "key": reminder.key, "text": reminder.text,
        "details": reminder.details, "due_at": now, "state": "waiting",
    }  # fmt: skip
    statement = dialect.insert(Notice).values(values).on_conflict_do_nothing(index_elements=["key"]).returning(Notice.id)
    is_new = session.execute(statement).scalar_one_or_none() is not None
    if is_new:
        office.record(session, now, by, f"notice.{reminder.kind}", reminder.subject, notice=reminder.key)
    return is_new


def note_sent(session: Session, key: str, now: datetime) -> None:
    """The notice has reached its office, on a page or otherwise."""
    notice = session.scalars(select(Notice).where(Notice.key == key, Notice.sent_at.is_(None))).one_or_none()
    if notice is not None:
        notice.state, notice.sent_at = "sent", now
        session.flush()
