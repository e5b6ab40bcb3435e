import os
import shutil
from collections import namedtuple
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text

from config import backup_age, doctor_operation, holidays
from config.doctor import examine, is_wal_sound
from config.findings import GOOD, WARNING, WRONG, Finding
from config.settings import Settings, SettingsFaulty
from config.wiring import House
from survey import accounts, working_days
from survey.accounts import people
from survey.alarms import AlarmKind
from survey.fieldwork.alarms import raise_alarm
from tests import embedded
from tests.conftest import StandingClock
from tests.survey.fieldwork.conftest import Ground, ground

__all__ = ["ground"]


def feasts_of(year: int) -> str:
    return "".join(f"{year}-{month:02d}-{day:02d},off,节日\n" for month, day in working_days.FEASTS)


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
    (tmp_path / "2027.csv").write_text(f"date,kind,name\n{feasts_of(2027)}", "gb18030")
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


def test_a_line_of_a_later_year_does_not_make_that_year_loaded(tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text(f"date,kind,name\n2027-01-01,off,元旦\n{feasts_of(2028)}", "utf-8")

    with pytest.raises(SettingsFaulty, match=r"HUIFANG_SPECIAL_DAYS.*2027 年不完整，缺少法定假日 2027-05-01") as refused:
        holidays.given(tmp_path / "days.csv")
    assert "2028" not in str(refused.value)


def test_a_year_that_is_shipped_may_be_mended_day_by_day(tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text("date,kind,name\n2026-07-03,off,演练\n", "utf-8")

    assert [special.day for special in holidays.given(tmp_path / "days.csv")] == [date(2026, 7, 3)]


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
    found = [finding for finding in examine(House(longer)) if finding.subject == "bureau"]

    assert [finding.mark for finding in found] == [WARNING, WARNING]
    assert "接处警电话回访" in found[0].text
    assert "回访复核" in found[1].text


def test_a_speech_model_that_is_not_there_is_wrong(settings: Settings) -> None:
    assert marks(House(replace(settings, speech_model_zh=str(settings.data))), "speech zh") == [GOOD]
    assert marks(House(replace(settings, speech_model_zh="/nowhere/model")), "speech zh") == [WRONG]


@pytest.fixture
def house(settings: Settings, database_url: str, clock: StandingClock) -> House:
    """A house over a migrated database on each engine."""
    return House(replace(settings, database_url=database_url), own_clock=clock)


def findings(house: House, subject: str) -> list[Finding]:
    return [finding for finding in examine(house) if finding.subject == subject]


def test_a_house_in_order_has_nothing_wrong(house: House) -> None:
    assert [finding for finding in examine(house) if finding.mark == WRONG] == []


def test_a_database_that_is_not_there_is_not_made_by_looking(settings: Settings) -> None:
    list(examine(House(settings)))

    assert list(settings.data.glob("*.sqlite*")) == []


def test_clocks_apart_by_more_than_five_seconds_are_wrong(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert marks(house, "clock") == [GOOD]

    for seconds, mark in ((4, GOOD), (7, WRONG), (-7, WRONG)):
        then = {name: f"{query} + {seconds}" for name, query in doctor_operation.NOW.items()}
        with monkeypatch.context() as moved:
            moved.setattr(doctor_operation, "NOW", then)
            assert marks(house, "clock") == [mark]


def test_a_machine_without_the_time_zone_database_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert marks(house, "zones") == [GOOD]

    def nothing(name: str) -> None:
        raise doctor_operation.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(doctor_operation, "ZoneInfo", nothing)
    assert [finding.mark for finding in doctor_operation.zones(house)] == [WRONG]


def test_a_connection_that_does_not_keep_what_it_commits_is_wrong(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "x.sqlite").touch()
    house = House(replace(settings, database_url=f"sqlite:///{tmp_path / 'x.sqlite'}"))
    assert marks(house, "connections") == [GOOD]
    house.engine.dispose()

    event.listen(house.engine, "connect", lambda connection, record: connection.execute("PRAGMA synchronous=OFF"))

    [finding] = findings(house, "connections")
    assert finding.mark == WRONG
    assert "synchronous=0" in finding.text


def test_a_database_newer_than_the_program_is_told_from_an_older_one(house: House) -> None:
    for revision, words in (("0001", "migrate"), ("9999", "update this program")):
        with house.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})

        [finding] = findings(house, "database")
        assert finding.mark == WRONG
        assert words in finding.remedy


def test_a_campaign_that_could_call_nobody_is_told(ground: Ground, settings: Settings) -> None:
    number = ground.launch(1)
    house = House(replace(settings, database_url=ground.engine.url.render_as_string(hide_password=False)))
    assert findings(house, f"campaign {number}") == []

    with ground.sessions.begin() as session:
        campaign = ground.campaign(number)
        campaign.calls_per_second, campaign.rules = 0.0, {**campaign.rules, "working_day": [], "weekend": []}
        session.merge(campaign)

    assert [finding.mark for finding in findings(house, f"campaign {number}")] == [WRONG, WRONG]


def test_in_production_an_old_backup_and_none_are_remarked(house: House) -> None:
    assert marks(house, "backup") == []
    live = House(replace(house.settings, environment="production", public_base_url="http://127.0.0.1:1"))
    assert marks(live, "backup") == [WARNING]

    file = backup_age.folder_of(live.settings) / "one" / backup_age.MANIFEST
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    assert marks(live, "backup") == [GOOD]
    old = datetime.now(UTC) - timedelta(hours=27)
    os.utime(file, (old.timestamp(), old.timestamp()))
    assert marks(live, "backup") == [WARNING]


def test_an_administrator_without_a_second_factor_is_remarked_in_production_alone(house: House) -> None:
    with house.unit_of_work() as work:
        accounts.add_user(work.session, "zhang", "administrator", "", house.clock.now())
    live = House(replace(house.settings, environment="production", public_base_url="http://127.0.0.1:1"))

    assert marks(house, "second factor") == []
    assert marks(live, "second factor") == [WARNING]
    with house.unit_of_work() as work:
        people.known(work.session, "zhang").totp_since = house.clock.now()
    assert marks(live, "second factor") == [GOOD]


def test_that_nobody_would_see_an_allegation_of_abuse_is_remarked_in_production(house: House) -> None:
    live = House(replace(house.settings, environment="production", public_base_url="http://127.0.0.1:1"))

    assert marks(house, "inspection") == []
    assert marks(live, "inspection") == [WARNING]
    with house.unit_of_work() as work:
        accounts.add_user(work.session, "he", "inspection", "", house.clock.now())
    assert marks(live, "inspection") == []


def test_the_public_address_is_tried_in_production_alone(house: House) -> None:
    assert marks(house, "public url") == []

    live = House(replace(house.settings, environment="production", public_base_url="http://127.0.0.1:1"))
    assert marks(live, "public url") == [WARNING]


def test_standing_alarms_are_findings(house: House, clock: StandingClock) -> None:
    with house.sessions.begin() as session:
        raise_alarm(session, AlarmKind.DOUBLE_RING, "attempt:1", clock.now())
        raise_alarm(session, AlarmKind.NEEDS_REVIEW, "campaign:x", clock.now())

    assert (marks(house, "alarm double_ring"), marks(house, "alarm needs_review")) == ([WRONG], [WARNING])


def test_who_may_read_the_metrics_is_said_without_the_token(house: House) -> None:
    [open_to_others] = findings(House(replace(house.settings, operations_token="t" * 40)), "operations")

    assert "令牌" in open_to_others.text
    assert "tttt" not in open_to_others.text
    assert "仅限本机" in findings(house, "operations")[0].text


def test_a_full_disk_is_wrong(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert marks(house, "disk") == [GOOD]

    usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10**11, 10**11 - 10**9, 10**9))
    assert marks(house, "disk") == [WRONG]
