from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.clock import SharedClock, SystemClock

MARCH = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def test_a_standing_clock_shows_the_same_moment_to_every_reader(tmp_path: Path) -> None:
    writer = SharedClock.create(tmp_path / "run" / "clock", MARCH)
    reader = SharedClock(tmp_path / "run" / "clock")

    writer.stand(MARCH + timedelta(hours=1))

    assert reader.now() == MARCH + timedelta(hours=1)
    assert reader.now() == reader.now()


def test_a_running_clock_follows_real_time_from_where_it_was_set(tmp_path: Path) -> None:
    clock = SharedClock.create(tmp_path / "clock", MARCH)

    clock.run(MARCH)
    first, second = clock.now(), clock.now()

    assert MARCH <= first <= second < MARCH + timedelta(minutes=1)


def test_creating_it_again_sets_the_clock_that_others_already_read(tmp_path: Path) -> None:
    reader = SharedClock.create(tmp_path / "clock", MARCH)

    SharedClock.create(tmp_path / "clock", MARCH + timedelta(days=1))

    assert reader.now() == MARCH + timedelta(days=1)


def test_a_clock_that_nobody_made_is_missed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SharedClock(tmp_path / "clock")


def test_the_system_clock_knows_its_zone() -> None:
    assert SystemClock().now().tzinfo is UTC
