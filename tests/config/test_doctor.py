from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.doctor import GOOD, WARNING, WRONG, examine, is_wal_sound
from config.settings import Settings
from config.wiring import House
from tests import embedded
from tests.conftest import StandingClock


@pytest.mark.parametrize(
    ("version", "sound"),
    [((3, 6, 23), True), ((3, 7, 0), False), ((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 45, 0), False),
     ((3, 50, 6), False), ((3, 50, 7), True), ((3, 51, 2), False), ((3, 51, 3), True), ((3, 53, 4), True)],
    ids=str,
)  # fmt: skip
def test_the_wal_reset_bug_is_known_by_version(version: tuple[int, ...], sound: bool) -> None:
    assert is_wal_sound(version) is sound


def marks(house: House, subject: str) -> list[str]:
    return [finding.mark for finding in examine(house) if finding.subject == subject]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env({"HUIFANG_DATA": str(tmp_path)}, None)


def test_a_year_without_its_calendar_is_wrong_and_the_next_year_is_asked_for_in_november(settings: Settings) -> None:
    assert marks(House(settings, own_clock=StandingClock(datetime(2026, 10, 31, tzinfo=UTC))), "calendar") == [GOOD]
    assert marks(House(settings, own_clock=StandingClock(datetime(2026, 11, 2, tzinfo=UTC))), "calendar") == [GOOD, WARNING]
    assert marks(House(settings, own_clock=StandingClock(datetime(2027, 1, 2, tzinfo=UTC))), "calendar")[0] == WRONG


def test_a_server_that_drops_jobs_when_full_is_wrong(settings: Settings) -> None:
    with embedded.running(settings.data) as redis:
        house = House(settings)
        assert marks(house, "redis") == [GOOD]

        redis.config_set("maxmemory-policy", "allkeys-lru")

        assert marks(house, "redis") == [WRONG]


def test_a_configured_server_that_does_not_answer_is_wrong(settings: Settings) -> None:
    assert marks(House(settings), "redis") == [GOOD]
    assert marks(House(replace(settings, redis_url="redis://127.0.0.1:1/0")), "redis") == [WRONG]


def test_the_example_name_is_remarked_in_production(settings: Settings) -> None:
    assert marks(House(settings), "bureau") == []
    assert marks(House(replace(settings, environment="production")), "bureau") == [WARNING]


def test_a_speech_model_that_is_not_there_is_wrong(settings: Settings) -> None:
    assert marks(House(replace(settings, speech_model_zh=str(settings.data))), "speech zh") == [GOOD]
    assert marks(House(replace(settings, speech_model_zh="/nowhere/model")), "speech zh") == [WRONG]
