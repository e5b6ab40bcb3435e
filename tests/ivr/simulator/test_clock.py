import math
from datetime import UTC, datetime, timedelta

from config.clock import SharedClock
from ivr.carrier.simulator.clock import LAYOUT, ExchangeClock

START = datetime(2026, 9, 1, tzinfo=UTC)


class Wall:
    """A wall clock that moves when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_frozen_clock_moves_only_forward_and_only_when_told():
    wall = Wall()
    clock = ExchangeClock(START, wall)

    wall.seconds += 60
    clock.advance(START.timestamp() + 5)
    clock.advance(START.timestamp() + 2)

    assert clock.now() == START.timestamp() + 5


def test_a_running_clock_goes_with_the_wall_and_stops_where_it_is():
    wall = Wall()
    clock = ExchangeClock(START, wall)

    clock.run()
    wall.seconds += 60
    clock.freeze()
    wall.seconds += 60

    assert clock.now() == START.timestamp() + 60


def test_other_processes_read_the_same_time_from_the_file(tmp_path):
    clock = ExchangeClock(START, Wall(), tmp_path / "clock")
    shared = SharedClock(tmp_path / "clock")

    clock.advance(START.timestamp() + 90)

    assert shared.now() == START + timedelta(seconds=90)
    assert math.isnan(LAYOUT.unpack((tmp_path / "clock").read_bytes())[1])


def test_a_file_made_before_is_taken_over_in_place(tmp_path):
    shared = SharedClock.create(tmp_path / "clock", START)

    ExchangeClock(START + timedelta(days=1), Wall(), tmp_path / "clock")

    assert shared.now() == START + timedelta(days=1)
