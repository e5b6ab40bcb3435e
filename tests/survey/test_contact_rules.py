from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.contact_rules import (
    FINAL,
    CallAt,
    Close,
    PastAttempt,
    Rules,
    Window,
    kind_of_day,
    may_call,
    next_call,
    next_opening,
)
from survey.disposition import Disposition
from survey.errors import BadInput
from survey.working_days import CalendarMissing, calendar

CN, WEEKDAYS = calendar("cn"), calendar("weekdays")
RULES = Rules()
SHANGHAI, LOS_ANGELES = "Asia/Shanghai", "America/Los_Angeles"


def at(text: str, zone: str = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def local(moment: datetime, zone: str = SHANGHAI) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def unanswered(*times: str) -> list[PastAttempt]:
    return [PastAttempt(at(text), Disposition.NO_ANSWER) for text in times]


def following(history: Sequence[PastAttempt], rules: Rules = RULES) -> str:
    """The next call decided right after the last attempt: its local time, or why there is none."""
    decision = next_call(rules, CN, history, history[-1].at, SHANGHAI)
    return local(decision.at) if isinstance(decision, CallAt) else decision.reason


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        ("2026-03-02 08:59:59", False), ("2026-03-02 09:00:00", True), ("2026-03-02 11:59:00", True), ("2026-03-02 12:00:00", False),
        ("2026-03-02 13:59:59", False), ("2026-03-02 14:00:00", True), ("2026-03-02 19:59:00", True), ("2026-03-02 20:00:00", False),
        ("2026-03-07 09:30:00", False), ("2026-03-07 10:00:00", True), ("2026-03-07 17:59:00", True), ("2026-03-07 18:00:00", False),
        ("2026-02-17 10:00:00", False), ("2026-10-01 15:00:00", False),
        ("2026-02-14 09:30:00", True), ("2026-02-14 12:30:00", False),
    ],
)  # fmt: skip
def test_calls_start_only_in_the_windows_of_the_kind_of_day(moment: str, allowed: bool) -> None:
    assert may_call(RULES, CN, at(moment), SHANGHAI) is allowed


def test_no_call_starts_that_could_not_ring_inside_its_window() -> None:
    assert may_call(RULES, CN, at("2026-03-02 11:59:29"), SHANGHAI)
    assert not may_call(RULES, CN, at("2026-03-02 11:59:30"), SHANGHAI)


def test_the_windows_are_those_of_the_called_partys_zone() -> None:
    moment = at("2026-03-02 10:00")
    assert may_call(RULES, CN, moment, SHANGHAI)
    assert not may_call(RULES, WEEKDAYS, moment, LOS_ANGELES)


@pytest.mark.parametrize("day", ["2026-03-06", "2026-03-09", "2026-10-30", "2026-11-02"])
def test_the_windows_keep_local_time_on_both_sides_of_daylight_saving(day: str) -> None:
    assert local(next_opening(RULES, WEEKDAYS, at(f"{day} 03:00", LOS_ANGELES), LOS_ANGELES), LOS_ANGELES) == f"{day} 09:00"


def test_the_next_opening_passes_over_lunch_night_and_a_whole_holiday() -> None:
    assert local(next_opening(RULES, CN, at("2026-03-02 12:30"), SHANGHAI)) == "2026-03-02 14:00"
    assert local(next_opening(RULES, CN, at("2026-03-02 20:30"), SHANGHAI)) == "2026-03-03 09:00"
    assert local(next_opening(RULES, CN, at("2026-09-30 20:30"), SHANGHAI)) == "2026-10-08 09:00"
    assert next_opening(RULES, CN, at("2026-03-02 10:30"), SHANGHAI) == at("2026-03-02 10:30")


def test_a_year_without_a_calendar_is_refused() -> None:
    with pytest.raises(CalendarMissing):
        next_opening(RULES, CN, at("2026-12-31 20:30"), SHANGHAI)


def test_the_first_call_waits_two_hours_after_the_incident_was_closed() -> None:
    first = next_call(RULES, CN, [], at("2026-03-02 09:30"), SHANGHAI, closed_at=at("2026-03-02 09:10"))
    assert first == CallAt(at("2026-03-02 11:10").astimezone(UTC), at("2026-03-02 11:59:30").astimezone(UTC), "morning")
    later = next_call(RULES, CN, [], at("2026-03-20 09:30"), SHANGHAI, closed_at=at("2026-03-02 09:10"))
    assert isinstance(later, CallAt)
    assert local(later.at) == "2026-03-20 09:30"


def test_five_unanswered_calls_reach_every_daypart() -> None:
    history = unanswered("2026-03-02 09:00")
    times = []
    while isinstance(decision := next_call(RULES, CN, history, history[-1].at, SHANGHAI), CallAt):
        times.append((local(decision.at), decision.daypart))
        history.append(PastAttempt(decision.at, Disposition.NO_ANSWER))
    assert times == [
        ("2026-03-02 14:00", "afternoon"),
        ("2026-03-02 18:00", "evening"),
        ("2026-03-07 10:00", "weekend"),
        ("2026-03-07 13:00", "weekend"),
    ]
    assert decision == Close("max_attempts")


def test_a_busy_line_is_tried_again_after_twenty_minutes_twice_a_day() -> None:
    busy = [PastAttempt(at("2026-03-02 09:00"), Disposition.BUSY)]
    assert following(busy) == "2026-03-02 09:20"
    busy.append(PastAttempt(at("2026-03-02 09:20"), Disposition.BUSY))
    assert following(busy) == "2026-03-02 09:40"
    busy.append(PastAttempt(at("2026-03-02 09:40"), Disposition.BUSY))
    assert following(busy) == "2026-03-02 14:00"  # the two attempts left are needed for two more dayparts


def test_a_busy_line_gives_way_when_every_attempt_left_is_needed_for_a_new_daypart() -> None:
    busy = [PastAttempt(at("2026-03-02 09:00"), Disposition.BUSY)]
    assert following(busy, Rules(max_attempts=3)) == "2026-03-02 14:00"
    assert following(busy, Rules(max_attempts=4)) == "2026-03-02 09:20"
    used = [*unanswered("2026-03-02 09:00"), PastAttempt(at("2026-03-04 09:00"), Disposition.NO_ANSWER)]
    assert following(used, Rules(max_attempts=3, dayparts=2, within_days=2)) == "out_of_time"


def test_other_calls_keep_three_hours_apart() -> None:
    assert following(unanswered("2026-03-02 11:30")) == "2026-03-02 14:30"


def test_one_declined_call_is_the_last() -> None:
    assert following([PastAttempt(at("2026-03-02 09:00"), Disposition.REFUSAL_BEFORE)]) == "declined"
    assert following([PastAttempt(at("2026-03-02 09:00"), Disposition.NOT_CONFIRMED, declined=True)]) == "declined"


def test_not_now_is_called_back_in_another_daypart_and_once_only() -> None:
    history = [PastAttempt(at("2026-03-06 19:00"), Disposition.NOT_AVAILABLE, declined=True)]
    assert following(history) == "2026-03-07 10:00"
    history.append(PastAttempt(at("2026-03-07 10:00"), Disposition.NOT_AVAILABLE))
    assert following(history) == "declined"


@pytest.mark.parametrize("disposition", sorted(FINAL, key=lambda each: each.word))
def test_after_a_final_outcome_nobody_is_called_again(disposition: Disposition) -> None:
    assert following([PastAttempt(at("2026-03-02 09:00"), disposition)]) == "finished"


def test_seven_days_after_the_first_call_the_case_is_closed() -> None:
    history = unanswered("2026-03-02 09:00")
    assert next_call(RULES, CN, history, at("2026-03-09 09:01"), SHANGHAI) == Close("out_of_time")


def test_a_first_call_before_a_long_holiday_ends_without_a_second() -> None:
    assert following(unanswered("2026-09-30 19:00")) == "out_of_time"


def test_a_call_that_was_put_off_before_a_long_holiday_is_made_on_the_first_day_after_it() -> None:
    asked = [PastAttempt(at("2026-09-30 19:00"), Disposition.NOT_AVAILABLE, declined=True)]
    assert following(asked) == "2026-10-08 09:00"
    assert following([*unanswered("2026-09-29 09:00", "2026-09-30 14:00"), *asked]) == "2026-10-08 09:00"
    assert following([*asked, *unanswered("2026-10-08 09:00")]) == "out_of_time"
    assert next_call(RULES, CN, asked, at("2026-10-08 20:00"), SHANGHAI) == Close("out_of_time")  # that day is over, and so are the seven


def test_what_the_person_puts_off_in_a_call_to_us_is_no_try_and_no_postponement() -> None:
    theirs = PastAttempt(at("2026-09-30 19:00"), Disposition.NOT_AVAILABLE, declined=True, ours=False)
    assert following([*unanswered("2026-09-28 09:00"), theirs, theirs]) == "2026-10-08 09:00"
    assert following([PastAttempt(at("2026-09-28 09:00"), Disposition.NOT_AVAILABLE), theirs]) == "2026-10-08 09:00"
    assert following([theirs]) == "2026-10-08 09:00"
    assert following([*unanswered(*(f"2026-09-2{day} 09:00" for day in range(5))), theirs]) == "max_attempts"


def test_a_number_that_the_carrier_never_calls_is_not_asked_for_again() -> None:
    assert following([PastAttempt(at("2026-03-02 09:00"), Disposition.BLOCKED)]) == "2026-03-02 14:00"
    assert following([PastAttempt(at("2026-03-02 09:00"), Disposition.BLOCKED, barred=True)]) == "finished"


def test_rules_survive_json_and_fill_in_defaults() -> None:
    rules = Rules(calendar="weekdays", working_day=(Window(time(10), time(20, 30)),), max_attempts=3)
    assert Rules.from_json(rules.to_json()) == rules
    assert Rules.from_json({}) == RULES
    assert rules.to_json()["working_day"] == [["10:00", "20:30"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("working_day", [["07:59", "12:00"]]), ("weekend", [["10:00", "21:01"]]), ("public_holiday", [["12:00", "11:00"]]),
        ("working_day", [["09:00", "12:00"], ["11:00", "13:00"]]), ("working_day", "09:00-12:00"), ("weekend", [["9", "18"]]),
        ("weekend", [[9, 18]]), ("max_attempts", 6), ("max_attempts", 0), ("within_days", 8), ("spacing_minutes", 60),
        ("ring_seconds", 14), ("busy_a_day", 3), ("busy_minutes", 5), ("calendar", "mars"), ("start_delay_minutes", True),
        ("max_attempts", "5"), ("holidays", 1),
    ],
)  # fmt: skip
def test_a_bad_rule_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(BadInput, match=f"^{field}"):
        Rules.from_json({field: value})


def test_windows_that_cannot_reach_the_dayparts_are_refused() -> None:
    with pytest.raises(BadInput, match="dayparts"):
        Rules(working_day=(Window(time(9), time(12)),))
    with pytest.raises(BadInput, match="working_day"):
        Rules(working_day=(), weekend=(), public_holiday=(Window(time(10), time(12)),))


RETRIED = sorted(set(Disposition) - FINAL, key=lambda each: each.word)
MOMENTS = st.integers(0, 1065 * 24 * 60).map(lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))
ZONES = st.sampled_from([(SHANGHAI, CN), (LOS_ANGELES, WEEKDAYS), ("Europe/London", WEEKDAYS), ("Australia/Lord_Howe", WEEKDAYS)])
RULE_SETS = st.builds(
    lambda **given: replace(RULES, **given),
    max_attempts=st.integers(1, 5), within_days=st.integers(1, 7), dayparts=st.integers(1, 4),
    spacing_minutes=st.integers(180, 600), busy_a_day=st.integers(0, 2), postponements=st.integers(0, 3),
)  # fmt: skip


@given(MOMENTS, ZONES, RULE_SETS, st.lists(st.sampled_from(RETRIED), min_size=5, max_size=5), st.data())
def test_every_course_of_calls_keeps_all_rules(moment: datetime, place: tuple, rules: Rules, outcomes: list, data: st.DataObject) -> None:
    zone, days = place
    history: list[PastAttempt] = []
    parts: list[str] = []
    while isinstance(decision := next_call(rules, days, history, moment, zone), CallAt):
        assert moment <= decision.at < decision.until
        assert may_call(rules, days, decision.at, zone)
        assert 8 <= decision.at.astimezone(ZoneInfo(zone)).hour < 21
        if history:
            gap = decision.at - history[-1].at
            least = 20 if history[-1].disposition is Disposition.BUSY else rules.spacing_minutes
            assert gap >= timedelta(minutes=least)
            asked = history[-1].disposition is Disposition.NOT_AVAILABLE
            assert asked or decision.at - history[0].at <= timedelta(days=rules.within_days)
        parts.append(decision.daypart)
        history.append(PastAttempt(decision.at, outcomes[len(history)]))
        moment = decision.at + timedelta(minutes=data.draw(st.integers(0, 600)))
    assert len(history) <= rules.max_attempts
    if len(history) == rules.max_attempts:
        assert len(set(parts)) >= min(rules.dayparts, rules.max_attempts)


@given(MOMENTS, ZONES)
def test_the_next_opening_is_the_first_moment_that_may_be_called(moment: datetime, place: tuple) -> None:
    zone, days = place
    opening = next_opening(RULES, days, moment, zone)
    assert may_call(RULES, days, opening, zone)
    if opening > moment:
        assert not may_call(RULES, days, moment, zone)
        assert not may_call(RULES, days, opening - timedelta(seconds=1), zone)


def test_the_kind_of_day_follows_the_calendar() -> None:
    kinds = [kind_of_day(CN, at(f"2026-02-{day} 12:00").date()) for day in (13, 14, 17, 21)]
    assert kinds == ["working_day", "working_day", "public_holiday", "public_holiday"]
    assert kind_of_day(WEEKDAYS, at("2026-02-14 12:00").date()) == "weekend"
