"""Cells: what is invisible goes, what is meant stays."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.incidents.cells import age, clean, code, moment

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("王芳", "王芳"), ("  王芳\t", "王芳"), ("王\u202e芳", "王芳"), ("a\r\nb\x1b[31m", "ab[31m"), ("e\u0301", "é"),
        ("\ufeff110", "110"), ("x" * 300, "x" * 255), (datetime(2025, 3, 1, 8, tzinfo=UTC), "2025-03-01 08:00:00+00:00"),
    ],
)  # fmt: skip
def test_a_text_loses_what_could_deceive_a_reader_or_a_log(cell, text):
    assert clean(cell) == text


def test_a_code_is_the_same_in_full_width():
    assert code("４１５Ｎ") == code(" 415N ") == "415N"
    assert code("415n") != code("415N")


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text):
    assert clean(clean(text)) == clean(text)
    assert clean(text).encode().decode() == clean(text)


@given(st.datetimes(datetime(1991, 1, 1), datetime(2099, 12, 30)))  # noqa: DTZ001 -- local times
def test_a_time_written_is_the_time_read(at):
    at = at.replace(microsecond=0)

    read = moment(f"{at:%Y-%m-%d %H:%M:%S}", ("%Y-%m-%d %H:%M:%S",), ZONE)

    assert read == at.replace(tzinfo=ZONE).astimezone(UTC)


@given(st.integers(32_874, 73_000), st.integers(0, 86_399))
def test_a_spreadsheets_day_number_is_read_to_the_second(day, second):
    read = moment(f"{day + second / 86400:.9f}", ("excel",), ZoneInfo("UTC"))

    assert (read - datetime(1899, 12, 30, tzinfo=UTC)).total_seconds() == day * 86400 + second


def test_a_sheets_time_is_rounded_to_the_second_that_was_meant():
    assert moment(datetime(2025, 3, 1, 7, 59, 59, 999_995), (), ZONE) == moment("2025-03-01 08:00:00", ("iso",), ZONE)  # noqa: DTZ001


@pytest.mark.parametrize("text", ["12345.5", "99999", "1e5", "", "2025"])
def test_a_number_that_is_no_day_is_no_time(text):
    with pytest.raises(ValueError):
        moment(text, ("excel", "iso"), ZONE)


@pytest.mark.parametrize(("cell", "years"), [("17", 17), ("１７", 17), ("17岁", 17), ("17.0", 17), ("", None), ("0", 0)])
def test_an_age_is_a_number_of_years(cell, years):
    assert age(cell) == years


@pytest.mark.parametrize("cell", ["成年", "-3", "17.5", "1990-01-01"])
def test_what_is_no_age_is_refused(cell):
    with pytest.raises(ValueError):
        age(cell)
