"""When an operator may call a person back: hours, pauses and the number of calls, whatever has happened before (R14–R16)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.callback_rules import next_callback, reached_nobody, tries
from survey.contact_rules import Close, PastAttempt, Rules, may_call
from survey.disposition import Disposition
from survey.working_days import calendar

ZONE = "Asia/Shanghai"
RULES, DAYS = Rules(), calendar("cn")
NINE = datetime(2026, 3, 3, 9, 0, tzinfo=ZoneInfo(ZONE))
BUSY, NOBODY, TALKED = Disposition.BUSY, Disposition.NO_ANSWER, Disposition.OTHER


def past(*verdicts: Disposition, last: datetime = NINE) -> list[PastAttempt]:
    """Calls with these outcomes, one a day, the newest at `last`."""
    return [PastAttempt(last - timedelta(days=len(verdicts) - 1 - n), verdict) for n, verdict in enumerate(verdicts)]


@pytest.mark.parametrize(
    ("verdicts", "minutes"),
    [((), 1), ((TALKED,), 1), ((BUSY,), 20), ((NOBODY,), 180), ((NOBODY, NOBODY, TALKED), 1), ((TALKED, NOBODY), 180)],
)
def test_the_pause_after_a_call_is_that_of_the_contact_rules_and_none_where_somebody_picked_up(
    verdicts: tuple[Disposition, ...], minutes: int
) -> None:
    now = NINE + timedelta(minutes=1)
    wanted = NINE + timedelta(minutes=minutes)
    wanted = wanted if wanted.hour < 12 else wanted.replace(hour=14, minute=0)  # nobody is called at noon

    assert next_callback(RULES, DAYS, past(*verdicts), now, ZONE) == max(now, wanted)


def test_five_calls_in_a_row_that_reach_nobody_are_the_last_ones() -> None:
    assert next_callback(RULES, DAYS, past(*[NOBODY] * 5), NINE, ZONE) == Close("max_attempts")
    assert not isinstance(next_callback(RULES, DAYS, past(*[NOBODY] * 5, TALKED), NINE, ZONE), Close)
    assert not isinstance(next_callback(RULES, DAYS, past(*[NOBODY] * 4), NINE, ZONE), Close)


def test_a_number_that_does_not_exist_or_is_barred_is_called_once() -> None:
    assert next_callback(RULES, DAYS, past(Disposition.NO_SUCH_NUMBER), NINE, ZONE) == Close("no_such_number")
    barred = [PastAttempt(NINE, Disposition.BLOCKED, barred=True)]
    assert next_callback(RULES, DAYS, barred, NINE, ZONE) == Close("no_such_number")


@given(
    st.lists(st.sampled_from([BUSY, NOBODY, TALKED, Disposition.TECHNICAL, Disposition.COMPLETE]), max_size=8),
    st.integers(min_value=0, max_value=60 * 24 * 14),
)
def test_every_call_back_lies_within_the_hours_and_not_before_now(verdicts: list[Disposition], minutes: int) -> None:
    now = NINE + timedelta(minutes=minutes)
    history = past(*verdicts)
    found = next_callback(RULES, DAYS, history, now, ZONE)

    if isinstance(found, Close):
        assert tries(history) == RULES.max_attempts or all(map(reached_nobody, history[-RULES.max_attempts :]))
    else:
        assert found >= now
        assert may_call(RULES, DAYS, found, ZONE)
