"""Each of the further rules against a history that breaks it, and one that just keeps it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.simulation.checker import weekdays
from tests.simulation.courtesy import gave_up_early, too_little_variety

MORNING = datetime(2026, 3, 10, 2, tzinfo=UTC)  # a Tuesday, 10:00 in Shanghai


def call(sid: str, hours: float, *, rings: float = 30, status: str = "no-answer") -> dict[str, Any]:
    asked = MORNING + timedelta(hours=hours)
    times = {"created_at": asked, "ringing_at": asked, "ended_at": asked + timedelta(seconds=rings)}
    return {"sid": sid, "to": "+8610000000001", "status": status, **{name: at.isoformat() for name, at in times.items()}}


def variety(hours: list[float]) -> list[str]:
    journal = [call(f"CA{number}", at) for number, at in enumerate(hours, start=1)]
    return list(too_little_variety(journal, {}, "Asia/Shanghai", weekdays))


@pytest.mark.parametrize("status", ["no-answer", "canceled"])
def test_a_call_that_was_given_up_after_fourteen_seconds_is_found(status: str) -> None:
    assert list(gave_up_early([call("CA1", 0, rings=14, status=status)])) == ["CA1: rang for 14 s, 15 are the least"]


@pytest.mark.parametrize(("rings", "status"), [(15, "no-answer"), (2, "busy"), (2, "completed")])
def test_fifteen_seconds_are_enough_and_other_ends_are_not_ours(rings: float, status: str) -> None:
    assert list(gave_up_early([call("CA1", 0, rings=rings, status=status)])) == []


def test_five_calls_in_two_dayparts_are_found() -> None:
    assert variety([0, 4, 24, 28, 48]) == ["CA5: the fifth call of its case, all in afternoon and morning"]


def test_five_calls_all_on_days_off_are_found() -> None:
    assert variety([96, 100, 104, 120, 124]) == ["CA5: the fifth call of its case, all in day off"]


@pytest.mark.parametrize("hours", [[0, 4, 8, 24, 28], [0, 4, 24, 28, 96], [0, 4, 24, 28]], ids=["evening", "Saturday", "four calls"])
def test_a_third_daypart_or_fewer_calls_keep_the_rule(hours: list[float]) -> None:
    assert variety(hours) == []
