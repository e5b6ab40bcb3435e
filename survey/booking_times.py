"""When a call-back is to ring that the person asked for: “tomorrow morning” → the first opening that fits (R14, R15, R36).

    booking(rules, calendar, "tomorrow_morning", now, zone)  ->  CallAt(at, until, daypart)

Windows, holidays and make-up working days hold as for every call. Where the asked part of the day has no window, the
nearest later opening is taken; so what is promised is worded from the result (`spoken`), never from the wish.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from survey.contact_rules import EVENING, HORIZON, NOON, CallAt, Rules, kind_of_day, next_opening, openings
from survey.errors import BadInput
from survey.working_days import ONE_DAY, Calendar

LATER = timedelta(hours=1)
"""“Later today” is not at once, nor is “this evening” when it is evening already."""
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS_ZH = "一二三四五六日"
WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NAMED_DAYS = 7  # farther days are told by their date


def _today_from(clock: time) -> Callable[[datetime, Rules, Calendar], datetime]:
    return lambda now, rules, calendar: max(now + LATER, datetime.combine(now.date(), clock, now.tzinfo))


def _tomorrow_from(clock: time) -> Callable[[datetime, Rules, Calendar], datetime]:
    return lambda now, rules, calendar: datetime.combine(now.date() + ONE_DAY, clock, now.tzinfo)


def _weekend(now: datetime, rules: Rules, calendar: Calendar) -> datetime:
    """The start of the next day off that has windows."""
    day = now.date() + ONE_DAY
    while kind_of_day(calendar, day) == "working_day" or not getattr(rules, kind_of_day(calendar, day)):
        day += ONE_DAY
        if day > now.date() + HORIZON:
            raise BadInput("weekend: 两个月内没有可拨打的休息日 (no day off with a window within two months)")
    return datetime.combine(day, time.min, now.tzinfo)


STARTS: dict[str, Callable[[datetime, Rules, Calendar], datetime]] = {
    "later_today": lambda now, rules, calendar: now + LATER,
    "this_evening": _today_from(EVENING),
    "tomorrow_morning": _tomorrow_from(time.min),
    "tomorrow_afternoon": _tomorrow_from(NOON),
    "tomorrow_evening": _tomorrow_from(EVENING),
    "weekend": _weekend,
}
"""What a script may offer → from when on an opening is looked for, in the called party's local time."""
TIMES = tuple(STARTS)


def booking(rules: Rules, calendar: Calendar, when: str, now: datetime, zone: str) -> CallAt:
    """The first opening that fits the wish `when` (one of TIMES) of somebody in `zone`; times in UTC.

    Raises CalendarMissing, BadInput when nothing opens for two months, KeyError for an unknown wish.
    """
    since = STARTS[when](now.astimezone(ZoneInfo(zone)), rules, calendar).astimezone(UTC)
    return first_opening(rules, calendar, since, zone)


def first_opening(rules: Rules, calendar: Calendar, since: datetime, zone: str) -> CallAt:
    """The first opening from `since` on with its end and daypart. Raises CalendarMissing, BadInput."""
    at = next_opening(rules, calendar, since, zone)
    return next(openings(rules, calendar, at, zone))


def spoken(at: datetime, now: datetime, zone: str, language: str) -> str:
    """Day and part of the day of `at` as they are said on `now`: 明天上午, this afternoon, on Thursday evening."""
    tz = ZoneInfo(zone)
    local, today = at.astimezone(tz), now.astimezone(tz).date()
    part = (local.time() >= NOON) + (local.time() >= EVENING)
    if language.startswith("zh"):
        return _day_zh(local.date(), today) + ("上午", "下午", "晚上")[part]
    return _day_en(local.date(), today, ("morning", "afternoon", "evening")[part])


def _day_zh(day: date, today: date) -> str:
    away = (day - today).days
    if away < 3:
        return ("今天", "明天", "后天")[max(0, away)]
    return f"星期{WEEKDAYS_ZH[day.weekday()]}" if away < NAMED_DAYS else f"{day.month}月{day.day}日"


def _day_en(day: date, today: date, part: str) -> str:
    away = (day - today).days
    if away < 2:
        return f"tomorrow {part}" if away == 1 else f"this {part}"
    if away < NAMED_DAYS:
        return f"on {WEEKDAYS_EN[day.weekday()]} {part}"
    return f"on the {part} of {day.day} {MONTHS[day.month - 1]}"
