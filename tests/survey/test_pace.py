"""The pace of calls: never more in any window than the rate allows, and no place left empty by those who wait."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from survey.pace import Pace, pace_of

BEGIN = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
TEN_SECONDS = timedelta(seconds=10)
RATES = some.one_of(some.floats(0.05, 30.0), some.integers(1, 30).map(float))
PAUSES = some.lists(some.floats(0.0, 3.0), max_size=60)


def after(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def most_in(started: Sequence[datetime], window: timedelta) -> int:
    """The most starts in any window, found by looking back from each of them."""
    return max((sum(end - window < moment <= end for moment in started) for end in started), default=0)


def start_all(pace: Pace, pauses: Sequence[float]) -> list[datetime]:
    """Calls that want to start, each so many seconds after the one before, and wait as long as they are told to."""
    started: list[datetime] = []
    for pause in pauses:
        wanted = (started[-1] if started else BEGIN) + timedelta(seconds=pause)
        started.append(pace.opens(started, wanted))
    return started


@given(RATES, PAUSES)
def test_no_second_has_more_starts_than_the_rate_and_no_ten_seconds_ten_times_as_many(rate: float, pauses: list[float]) -> None:
    started = start_all(pace_of(rate), pauses)

    assert most_in(started, timedelta(seconds=1)) <= max(1, rate)
    assert most_in(started, TEN_SECONDS) <= math.ceil(10 * rate)


@given(RATES, PAUSES, some.floats(0.0, 3.0))
def test_a_place_opens_at_the_moment_that_is_told_and_not_before(rate: float, pauses: list[float], later: float) -> None:
    pace, started = pace_of(rate), start_all(pace_of(rate), pauses)
    now = (started[-1] if started else BEGIN) + timedelta(seconds=later)

    opens = pace.opens(started, now)

    assert now <= opens <= now + pace.window
    assert pace.room(started, opens) > 0
    assert opens == now or pace.room(started, opens - timedelta(microseconds=1)) <= 0


@given(RATES, PAUSES, some.data())
def test_those_who_wait_are_told_different_places_that_fill_the_pace(rate: float, pauses: list[float], data: some.DataObject) -> None:
    pace, started = pace_of(rate), start_all(pace_of(rate), pauses)
    now = (started[-1] if started else BEGIN) + timedelta(seconds=data.draw(some.floats(0.0, 3.0)))

    told = [pace.opens(started, now, before) for before in range(data.draw(some.integers(1, pace.starts)))]

    for place, moment in enumerate(told):
        assert pace.opens([*started, *told[:place]], moment) == moment, "the earlier ones have started, and there is room"
    assert most_in([*started, *told], pace.window) <= pace.starts


@given(RATES, some.integers(1, 40), some.lists(some.integers(0, 3), min_size=40, max_size=40))
def test_workers_who_ask_over_and_over_reach_the_full_rate_and_never_exceed_it(rate: float, calls: int, order: list[int]) -> None:
    """Several workers hold a call each, ask in any order, wait as told, and ask again: as jobs of several processes do."""
    pace, started = pace_of(rate), list[datetime]()
    waiting = dict.fromkeys(range(calls), BEGIN)  # when each asks next
    while waiting:
        asking = sorted(waiting)[:4]
        call = min(asking, key=lambda each: (waiting[each], order[each]))
        now = waiting[call]
        opens = pace.opens(started, now, sum(other < call for other in waiting))
        if opens > now:
            waiting[call] = opens
            continue
        started.append(now)
        del waiting[call]
        waiting = {other: max(moment, now) for other, moment in waiting.items()}

    assert most_in(started, pace.window) <= pace.starts
    assert started[-1] - BEGIN <= pace.window * ((calls - 1) // pace.starts)


@given(RATES, PAUSES, some.floats(0.0, 5.0), some.floats(0.0, 5.0))
def test_the_room_ahead_is_what_can_start_until_then(rate: float, pauses: list[float], later: float, ahead: float) -> None:
    pace, started = pace_of(rate), start_all(pace_of(rate), pauses)
    now = (started[-1] if started else BEGIN) + timedelta(seconds=later)
    until, more = now + timedelta(seconds=ahead), list[datetime]()
    while (opens := pace.opens([*started, *more], more[-1] if more else now)) <= until:
        more.append(opens)

    assert pace.room(started, now, until - now) <= len(more)
    assert pace.room(started, now) == sum(moment == now for moment in more)


def test_a_start_in_the_future_takes_its_place_until_the_clock_has_passed_it() -> None:
    pace = pace_of(1)

    assert pace.opens([after(3600)], after(0)) == after(3601), "the clock was set back by an hour"
    assert pace.room([after(3600)], after(0)) == 0


def test_a_pace_that_was_lowered_owes_nothing_and_lets_nobody_start_until_enough_have_left() -> None:
    started = [after(0.1 * each) for each in range(10)]

    assert pace_of(2).room(started, after(1)) == -7
    assert pace_of(2).opens(started, after(1)) == after(1.8)
    assert pace_of(2).opens(started, after(2)) == after(2)
