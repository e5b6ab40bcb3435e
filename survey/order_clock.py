"""When an order is due, what counts as late, and when an office may be reminded of it (R47, R48, R52, R54; O31). Pure.

A deadline is the end of a working day: the first moment after it, 00:00 of the next day, is late. Whatever counts working days
raises CalendarMissing for a year without a calendar: a deadline is refused, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from survey.errors import BadInput
from survey.working_days import ONE_DAY, Calendar, add_working_days, calendar, deadline, is_working_day, working_days_between

LAST_MOMENT = timedelta(microseconds=1)
BOUNDS = {"days": (1, 60), "extension_days": (1, 60), "returns": (0, 9), "weekday": (0, 6)}


@dataclass(frozen=True)
class Terms:
    """The bureau's settings for orders, by the calendar and clock of `zone`. Building one checks it: BadInput names the field.

    `days` and `extension_days` are working days, `returns` how often an order may go back to the unit, `weekday` the day of the
    weekly list (0 is Monday), `opening` to `closing` when offices are reminded. `own_calendar` stands for the one in force.
    With `review` a person issues each order (R47).
    """

    own_calendar: Calendar | None = field(default=None, repr=False)
    zone: str = "Asia/Shanghai"
    days: int = 5
    extension_days: int = 5
    returns: int = 2
    weekday: int = 0
    opening: time = time(8, 30)
    closing: time = time(18)
    review: bool = False

    def __post_init__(self) -> None:
        for name, (least, most) in BOUNDS.items():
            if not least <= getattr(self, name) <= most:
                raise BadInput(f"{name}: 须为 {least}–{most} 的整数 / needs a whole number from {least} to {most}", name)
        if not self.opening < self.closing:
            raise BadInput("closing: 须晚于 opening / must be later than opening", "closing")

    @property
    def calendar(self) -> Calendar:
        """The calendar of working days: its own, else the one that is in force at this moment."""
        return self.own_calendar or calendar("cn")

    def local(self, at: datetime) -> datetime:
        """The moment on the bureau's clock."""
        return at.astimezone(ZoneInfo(self.zone))


def due(terms: Terms, at: datetime, days: int) -> datetime:
    """The end of the `days`-th working day after the day of `at`; 0 is the end of that day (R48)."""
    return deadline(terms.calendar, at, days, terms.zone)


def has_passed(terms: Terms, at: datetime, days: int, now: datetime) -> bool:
    """Whether `due` has come. Only days gone by are asked about: where it lies in a year without a calendar, it has not come yet."""
    since, yesterday = terms.local(at).date(), terms.local(now).date() - ONE_DAY
    return since <= yesterday and len(working_days_between(terms.calendar, since, yesterday)) >= days


def tonight(terms: Terms, at: datetime) -> datetime:
    """The end of the day of `at`, worked or not: no calendar is asked."""
    return datetime.combine(terms.local(at).date() + ONE_DAY, time.min, ZoneInfo(terms.zone))


def last_day(terms: Terms, due_at: datetime) -> date:
    """The day at whose end an order is due."""
    return terms.local(due_at - LAST_MOMENT).date()


def extended(terms: Terms, due_at: datetime, days: int) -> datetime:
    """The deadline `days` working days further on (R52). Raises BadInput outside of 1 to the setting."""
    if not 1 <= days <= terms.extension_days:
        most = terms.extension_days
        raise BadInput(f"延期须为 1–{most} 个工作日 / an extension is 1 to {most} working days", "days")
    return due(terms, due_at - LAST_MOMENT, days)


def retimed(terms: Terms, before: Calendar, since: datetime, due_at: datetime) -> datetime:
    """The deadline by the calendar of `terms`, where it was counted by `before`: as many working days after `since` as then (R48)."""
    start, last = terms.local(since).date(), last_day(terms, due_at)
    return due(terms, since, len(working_days_between(before, start, last)))


def days_left(terms: Terms, due_at: datetime, now: datetime) -> int:
    """Working days until the deadline, today not counted; negative: working days that it is overdue by, today counted (R54)."""
    count = len(days_counted(terms, due_at, now))
    return count if terms.local(now).date() <= last_day(terms, due_at) else -count


def days_counted(terms: Terms, due_at: datetime, now: datetime) -> tuple[date, ...]:
    """The days that `days_left` counts: the working days to come up to the deadline's, or those gone by since it (O30)."""
    after, until = sorted((terms.local(now).date(), last_day(terms, due_at)))
    return working_days_between(terms.calendar, after, until)


def eve(terms: Terms, due_at: datetime) -> date:
    """The last working day before the day at whose end an order is due."""
    day = last_day(terms, due_at) - ONE_DAY
    while not is_working_day(terms.calendar, day):
        day -= ONE_DAY
    return day


def is_office_open(terms: Terms, now: datetime) -> bool:
    """Whether offices may be reminded now: on working days, from opening to closing (O31)."""
    local = terms.local(now)
    return terms.opening <= local.time() < terms.closing and is_working_day(terms.calendar, local.date())


def week_of(terms: Terms, now: datetime) -> date:
    """The set weekday that the week of the weekly list began with (R54)."""
    today = terms.local(now).date()
    return today - timedelta(days=(today.weekday() - terms.weekday) % 7)


def list_day(terms: Terms, now: datetime) -> date:
    """The day of the weekly list: the set weekday, or where that is off the next working day (R54)."""
    day = week_of(terms, now)
    return day if is_working_day(terms.calendar, day) else add_working_days(terms.calendar, day, 1)


def after_office_time(terms: Terms, since: datetime, length: timedelta = timedelta(hours=1)) -> datetime:
    """The moment at which offices have been open for `length` after `since`: by then an order is issued (R47)."""
    tz = ZoneInfo(terms.zone)
    day = terms.local(since).date()
    while True:
        if is_working_day(terms.calendar, day):
            start = max(datetime.combine(day, terms.opening, tz), terms.local(since))
            end = datetime.combine(day, terms.closing, tz)
            if start + length <= end:
                return start + length
            length -= max(end - start, timedelta())
        day = add_working_days(terms.calendar, day, 1)
