from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config import holidays
from config.doctor import GOOD, WARNING, WRONG, examine, is_wal_sound
from config.settings import Settings, SettingsFaulty
from config.wiring import House
from survey import working_days
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


def test_the_notice_of_the_next_year_is_loaded_from_a_file(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "2027.csv").write_text("date,kind,name\n2027-01-01,off,元旦\n", "gb18030")
    house = House(settings, own_clock=StandingClock(datetime(2026, 11, 2, tzinfo=UTC)))
    assert "HUIFANG_SPECIAL_DAYS" in "".join(finding.remedy for finding in examine(house) if finding.subject == "calendar")

    working_days.install(holidays.given(tmp_path / "2027.csv"))
    try:
        assert marks(house, "calendar") == [GOOD, GOOD]
    finally:
        working_days.install(holidays.given(None))


@pytest.mark.parametrize("content", [b"", b"date,kind,name\n", b"date,kind,name\n2027-13-01,off,x\n", b"\xff\xff\xff", None])
def test_a_file_of_holidays_that_cannot_be_used_is_named_with_its_setting(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "days.csv").write_bytes(content)

    with pytest.raises(SettingsFaulty, match=r"HUIFANG_SPECIAL_DAYS.*days\.csv"):
        holidays.given(tmp_path / "days.csv")


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


def test_a_name_that_makes_the_opening_too_long_is_told(settings: Settings) -> None:
    longer = replace(settings, bureau_name="内蒙古自治区呼伦贝尔市莫力达瓦达斡尔族自治旗公安局")
    [finding] = [finding for finding in examine(House(longer)) if finding.subject == "bureau"]

    assert finding.mark == WARNING
    assert "接处警电话回访" in finding.text


def test_a_speech_model_that_is_not_there_is_wrong(settings: Settings) -> None:
    assert marks(House(replace(settings, speech_model_zh=str(settings.data))), "speech zh") == [GOOD]
    assert marks(House(replace(settings, speech_model_zh="/nowhere/model")), "speech zh") == [WRONG]
