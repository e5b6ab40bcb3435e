"""From a wish to a time: windows, holidays and make-up working days hold, and what is said is what was booked."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from survey.booking_times import TIMES, booking, spoken
from survey.contact_rules import Rules, may_call
from survey.working_days import calendar

ZONE = "Asia/Shanghai"
RULES = Rules()
CN = calendar("cn")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


@pytest.mark.parametrize(
    ("when", "now", "expected"),
    [
        ("later_today", "2026-03-03T10:00", "2026-03-03T11:00"),
        ("later_today", "2026-03-03T11:30", "2026-03-03T14:00"),  # the windows pause at noon
        ("later_today", "2026-03-03T19:30", "2026-03-04T09:00"),  # nothing is left of this day
        ("this_evening", "2026-03-03T10:00", "2026-03-03T18:00"),
        ("this_evening", "2026-03-03T18:20", "2026-03-03T19:20"),  # not at once
        ("this_evening", "2026-03-03T19:20", "2026-03-04T09:00"),
        ("tomorrow_morning", "2026-03-03T10:00", "2026-03-04T09:00"),
        ("tomorrow_afternoon", "2026-03-03T10:00", "2026-03-04T14:00"),
        ("tomorrow_evening", "2026-03-03T10:00", "2026-03-04T18:00"),
        ("tomorrow_evening", "2026-03-06T10:00", "2026-03-08T10:00"),  # Saturday ends at 18:00
        ("weekend", "2026-03-03T10:00", "2026-03-07T10:00"),
        ("tomorrow_morning", "2026-09-30T10:00", "2026-10-08T09:00"),  # the National Day holidays
        ("tomorrow_evening", "2026-10-09T10:00", "2026-10-10T18:00"),  # a Saturday that is worked
    ],
)
def test_the_first_opening_that_fits(when: str, now: str, expected: str) -> None:
    assert booking(RULES, CN, when, local(now), ZONE).at == local(expected)


@pytest.mark.parametrize("when", TIMES)
@pytest.mark.parametrize("now", ["2026-02-13T08:00", "2026-02-14T19:59", "2026-04-30T20:30", "2026-10-10T17:30"])
def test_a_booking_is_later_and_within_the_windows(when: str, now: str) -> None:
    booked = booking(RULES, CN, when, local(now), ZONE)

    assert booked.at >= local(now)
    assert booked.at < booked.until
    assert may_call(RULES, CN, booked.at, ZONE)


@pytest.mark.parametrize(
    ("at", "zh", "en"),
    [
        ("2026-03-03T18:00", "今天晚上", "this evening"),
        ("2026-03-04T09:00", "明天上午", "tomorrow morning"),
        ("2026-03-05T14:00", "后天下午", "on Thursday afternoon"),
        ("2026-03-08T10:00", "星期日上午", "on Sunday morning"),
        ("2026-03-10T09:00", "3月10日上午", "on the morning of 10 March"),
    ],
)
def test_the_time_is_said_by_day_and_part_of_the_day(at: str, zh: str, en: str) -> None:
    now = local("2026-03-03T10:00")

    assert spoken(local(at), now, ZONE, "zh-CN") == zh
    assert spoken(local(at), now, ZONE, "en") == en
