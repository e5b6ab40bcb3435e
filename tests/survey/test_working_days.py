import csv
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey import working_days
from survey.errors import BadInput
from survey.working_days import (
    Calendar,
    CalendarMissing,
    SpecialDay,
    add_working_days,
    calendar,
    deadline,
    install,
    is_public_holiday,
    is_working_day,
    next_opening,
    read_special_days,
    year_to_load,
)

CN = calendar("cn")
WORKED_FIGURE_11 = [
    ("2025-09-26", 5, "2025-10-10"), ("2026-02-13", 5, "2026-02-27"), ("2024-04-03", 3, "2024-04-09"),
    ("2025-01-24", 5, "2025-02-07"), ("2026-09-18", 5, "2026-09-24"), ("2025-04-30", 3, "2025-05-08"),
    ("2026-10-01", 3, "2026-10-10"), ("2025-10-11", 5, "2025-10-17"),
]  # fmt: skip


@pytest.mark.parametrize(("issued", "days", "due"), WORKED_FIGURE_11)
def test_deadlines_follow_the_notices_with_their_make_up_days(issued: str, days: int, due: str) -> None:
    assert add_working_days(CN, date.fromisoformat(issued), days) == date.fromisoformat(due)


def test_the_next_opening_skips_weekends_and_holidays_and_counts_the_local_day() -> None:
    def after(moment: str) -> str:
        opening = next_opening(CN, datetime.fromisoformat(moment), time(9), "Asia/Shanghai")
        return opening.strftime("%Y-%m-%d %H:%M %z")

    assert after("2026-03-06T17:30+08:00") == "2026-03-09 09:00 +0800"
    assert after("2026-02-13T12:00+08:00") == "2026-02-14 09:00 +0800", "a Saturday that is worked"
    assert after("2026-09-30T12:00+08:00") == "2026-10-08 09:00 +0800"
    assert after("2026-03-02T23:00+00:00") == "2026-03-04 09:00 +0800", "in Shanghai it is the third already"


def test_a_year_without_a_notice_is_refused_and_named() -> None:
    with pytest.raises(CalendarMissing, match="2027"):
        is_working_day(CN, date(2027, 3, 1))
    with pytest.raises(CalendarMissing, match="2027"):
        add_working_days(CN, date(2026, 12, 30), 5)


def test_an_overlay_loads_a_year_and_wins_over_the_notice() -> None:
    days = read_special_days("\ufeffdate,kind,name\r\n2027-01-01,off,元旦\r\n2027-01-03,work,元旦\r\n2026-10-01,work,演练\r\n")
    overlaid = calendar("cn", days)
    assert is_public_holiday(overlaid, date(2027, 1, 1))
    assert is_working_day(overlaid, date(2027, 1, 3))
    assert is_working_day(overlaid, date(2026, 10, 1))
    assert not is_working_day(CN, date(2026, 10, 1))


def test_installed_days_are_in_every_calendar_that_is_asked_for_later() -> None:
    install(read_special_days("date,kind,name\n2027-01-01,off,元旦\n"))
    try:
        assert is_public_holiday(calendar("cn"), date(2027, 1, 1))
        assert is_working_day(calendar("cn"), date(2027, 1, 4))
    finally:
        install(())
    with pytest.raises(CalendarMissing, match="2027"):
        is_working_day(calendar("cn"), date(2027, 1, 4))


@pytest.mark.parametrize("text", ["date,kind\n2027-13-01,off", "date,kind\n2027-01-01,rest", "day\n2027-01-01"])
def test_a_bad_line_of_an_overlay_is_named(text: str) -> None:
    with pytest.raises(BadInput, match="line 2"):
        read_special_days(text)


def test_an_unknown_calendar_is_refused() -> None:
    with pytest.raises(BadInput, match="calendar"):
        calendar("mars")


def test_the_calendar_of_weekdays_knows_every_year_and_no_holiday() -> None:
    weekdays = calendar("weekdays")
    assert is_working_day(weekdays, date(2031, 1, 1))
    assert not is_working_day(weekdays, date(2031, 1, 4))
    assert not is_public_holiday(weekdays, date(2031, 1, 4))


def test_a_deadline_ends_at_midnight_of_the_units_own_zone() -> None:
    issued = datetime(2026, 3, 2, 15, 59, tzinfo=UTC)  # still the 2nd in Shanghai
    assert deadline(CN, issued, 1, "Asia/Shanghai").isoformat() == "2026-03-04T00:00:00+08:00"
    assert deadline(CN, issued + timedelta(minutes=1), 1, "Asia/Shanghai").isoformat() == "2026-03-05T00:00:00+08:00"


@given(st.dates(date(2004, 1, 1), date(2025, 12, 31)), st.integers(0, 30))
def test_exactly_that_many_working_days_lie_after_the_day_of_issue(day: date, count: int) -> None:
    end = add_working_days(CN, day, count)
    between = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert sum(is_working_day(CN, each) for each in between) == count
    assert count == 0 or is_working_day(CN, end)


def test_the_packaged_calendar_agrees_with_the_notices_on_file() -> None:
    path = Path(__file__).parents[3] / "shared" / "reference" / "cn_workday_calendar_2024_2026.csv"
    if not path.exists():
        pytest.skip("the calendar of 2024–2026 does not lie beside this checkout")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        day = date.fromisoformat(row["date"])
        assert is_public_holiday(CN, day) is (row["kind"] == "off"), row
        assert is_working_day(CN, day) is (row["kind"] == "work"), row
    assert {row["date"] for row in rows if row["kind"] == "off"} == {day.isoformat() for day in CN.off if 2024 <= day.year <= 2026}


def test_what_is_stored_lies_over_what_a_file_says_and_what_a_file_says_over_what_is_shipped():
    day, other = date(2026, 10, 1), date(2026, 7, 3)
    try:
        working_days.install([SpecialDay(day, "rule"), SpecialDay(other, "off", "file")])
        assert (is_working_day(calendar("cn"), day), is_working_day(calendar("cn"), other)) == (True, False)
        working_days.install([SpecialDay(day, "off", "stored"), SpecialDay(other, "rule")], "stored")
        assert (is_working_day(calendar("cn"), day), is_working_day(calendar("cn"), other)) == (False, True)
    finally:
        working_days.install((), "stored")
        working_days.install(())
    assert calendar("cn") == working_days.shipped()


def test_a_year_that_began_without_its_calendar_is_asked_for_before_the_next() -> None:
    held = Calendar("cn", years=frozenset({2026}))

    assert year_to_load(held, date(2027, 1, 4)) == 2027
    assert year_to_load(held, date(2027, 12, 1)) == 2027
    assert year_to_load(Calendar("cn", years=frozenset({2026, 2027})), date(2027, 1, 4)) is None


def test_the_next_year_is_asked_for_from_november_on_until_it_is_loaded():
    held = Calendar("cn", years=frozenset({2026}))

    assert [year_to_load(held, date(2026, month, 1)) for month in (1, 10, 11, 12)] == [None, None, 2027, 2027]
    assert year_to_load(held.with_days([SpecialDay(date(2027, 1, 1), "off")]), date(2026, 12, 1)) is None
    assert year_to_load(calendar("weekdays"), date(2026, 12, 1)) is None


def test_a_missing_year_is_told_in_two_languages_that_a_page_can_part() -> None:
    zh, separator, en = str(CalendarMissing(2027)).partition(" / ")

    assert separator
    assert not re.search("[A-Za-z]", zh)
    assert re.fullmatch("[ -~]+", en)
    assert " / " not in en
