"""`backup` and `restore` as a person types them, on a house with its own folder."""

import base64
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, func, select

from config import backup_age
from config.cli import main
from config.occupancy import occupied
from config.settings import Settings
from config.wiring import House
from survey.disposition import Disposition
from survey.store import audit
from survey.store.migrations import current, head
from survey.store.models import AuditEntry, CallAttempt, Campaign, Incident, Recording
from tests.conftest import RING, StandingClock
from tests.survey.month import Month


def house_at(folder: Path, url: str = "", **more: str) -> House:
    given = {"HUIFANG_DATA": str(folder), "HUIFANG_PII_KEYS": RING, "HUIFANG_DATABASE_URL": url}
    return House(Settings.from_env(given | more, None), own_clock=StandingClock())


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    house = house_at(tmp_path / "data", database_url)
    with house.sessions() as session:
        month = Month(session, house.keys, {"城关所": 30}, simulated=True)
        for _ in range(12):
            month.person("城关所", Disposition.COMPLETE, ["satisfied"] * 5)
        session.scalars(select(Campaign)).one().state = "running"
        session.commit()
    yield house
    house.engine.dispose()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[House]:
    house = house_at(tmp_path / "elsewhere")
    yield house
    house.engine.dispose()


def run(house: House, *words: str) -> Result:
    return CliRunner().invoke(main, [*words], obj=house)


def backed_up(house: House, *words: str) -> str:
    result = run(house, "backup", *words)
    assert result.exit_code == 0, result.output
    found = re.search(r"backup: (\S+)", result.output)
    assert found
    return found[1]


def incidents(house: House) -> int:
    with house.sessions() as session:
        return session.scalar(select(func.count()).select_from(Incident)) or 0


def test_a_backup_lies_in_the_data_folder_says_which_keys_it_needs_and_is_found_by_its_age(house: House) -> None:
    result = run(house, "backup")

    assert "index, k1" in result.output
    assert backup_age.newest(house.settings) is not None
    with house.sessions() as session:
        assert session.scalars(select(AuditEntry.action)).all()[-1] == "backup"


def test_a_backup_that_lacks_files_which_the_database_names_says_so_and_deletes_no_older_one(house: House) -> None:
    older = backed_up(house)
    with house.sessions.begin() as session:
        attempt = session.scalars(select(CallAttempt)).first()
        session.add(Recording(
            respondent_id=attempt.respondent_id, attempt_id=attempt.id, item="remark", carrier_sid="RE1", state="kept",
            path="recordings/ab/nowhere.sealed", announced_at=house.clock.now(),
        ))  # fmt: skip
    house.clock.advance(minutes=1)
    result = run(house, "backup", "--keep", "1")

    assert result.exit_code == 1
    assert "recordings/ab/nowhere.sealed" in result.output
    assert Path(older).is_dir()


def test_it_comes_back_elsewhere_with_a_whole_trail_and_nobody_is_dialled_before_a_person_has_looked(
    house: House, elsewhere: House
) -> None:
    result = run(elsewhere, "restore", backed_up(house))

    assert result.exit_code == 0, result.output
    assert "✓ 审计链完整" in result.output
    assert incidents(elsewhere) == incidents(house) > 0
    assert current(elsewhere.engine) == head()
    with elsewhere.sessions() as session:
        assert session.scalars(select(Campaign.state)).all() == ["paused"]
        assert "restore" in session.scalars(select(AuditEntry.action)).all()
        assert list(audit.verify(session, elsewhere.audit_key)) == []


def test_a_drill_compares_everything_and_changes_nothing(house: House) -> None:
    place = backed_up(house)
    with occupied(house.data, "http://127.0.0.1:8800/"):  # also while the system runs
        result = run(house, "restore", place, "--check")

    assert result.exit_code == 0, result.output
    assert "rows equal the backup" in result.output
    with house.sessions() as session:
        assert session.scalars(select(Campaign.state)).all() == ["running"]


def test_a_running_system_is_not_restored_under_its_feet(house: House) -> None:
    place = backed_up(house)
    with occupied(house.data, "http://127.0.0.1:8800/"):
        result = run(house, "restore", place, "--replace")

    assert result.exit_code == 1
    assert "8800" in result.output


def test_a_postgresql_that_others_use_is_not_restored_under_their_feet(tmp_path: Path, house: House) -> None:
    if house.engine.dialect.name != "postgresql":
        pytest.skip("SQLite is guarded by the data folder's lock: the test before")
    place = backed_up(house)
    other = house_at(tmp_path / "other machine", house.settings.database_url)
    with house.engine.connect():
        result = run(other, "restore", place, "--replace")
    other.engine.dispose()

    assert result.exit_code == 1
    assert "stop the system first" in result.output


def test_a_database_with_rows_is_replaced_only_on_demand_and_then_kept_aside(house: House, elsewhere: House, tmp_path: Path) -> None:
    place = backed_up(house)
    run(elsewhere, "user", "add", "wang", "--role", "operator")

    refused = run(elsewhere, "restore", place)
    assert refused.exit_code == 1
    assert "--replace" in refused.output

    assert run(elsewhere, "restore", place, "--replace").exit_code == 0
    assert incidents(elsewhere) == incidents(house)
    [aside] = [path for path in (tmp_path / "elsewhere").glob("*.before-*") if path.suffix[-1].isdigit()]
    assert sqlite3.connect(aside).execute("SELECT name FROM users").fetchall() == [("wang",)]


def test_a_postgresql_is_replaced_on_demand_and_then_kept_aside(house: House, tmp_path: Path, postgres_engine: Engine) -> None:
    url = postgres_engine.url.render_as_string(hide_password=False)
    postgres_engine.dispose()  # nobody else may be there
    there = house_at(tmp_path / "there", url)
    place = backed_up(house)
    assert run(there, "restore", place).exit_code == 0
    there.engine.dispose()
    refused, done = run(there, "restore", place), run(there, "restore", place, "--replace")
    there.engine.dispose()

    assert refused.exit_code == 1
    assert done.exit_code == 0, done.output
    assert "before_" in done.output
    with there.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {re.search(r'before_[0-9]+', done.output)[0]} CASCADE")  # type: ignore[index]
    there.engine.dispose()


def test_a_journal_that_another_database_left_behind_is_removed(house: House, elsewhere: House) -> None:
    stale = elsewhere.data / "huifang.sqlite-wal"
    stale.write_bytes(b"left behind by a database that is gone")

    assert run(elsewhere, "restore", backed_up(house)).exit_code == 0
    assert incidents(elsewhere) == incidents(house)
    assert b"left behind" not in (stale.read_bytes() if stale.exists() else b"")


def test_keys_that_are_missing_are_named_before_anything_is_touched(house: House, tmp_path: Path) -> None:
    place = backed_up(house)
    other_key = base64.b64encode(b"o" * 32).decode()
    stranger = house_at(tmp_path / "stranger", HUIFANG_PII_KEYS=f"{RING.split(',')[0]},k9:{other_key}")
    result = run(stranger, "restore", place)

    with house.sessions() as session:
        is_personal = session.scalar(select(func.count()).where(Incident.phone_sealed.is_not(None)))
    assert is_personal
    assert result.exit_code == 1
    assert "k1" in result.output
    assert not (tmp_path / "stranger" / "huifang.sqlite").exists()


def test_a_sealed_backup_needs_its_key(tmp_path: Path, elsewhere: House) -> None:
    key = base64.b64encode(b"s" * 32).decode()
    sealing = house_at(tmp_path / "sealing", HUIFANG_BACKUP_KEY=key)
    assert run(sealing, "user", "add", "wang", "--role", "operator").exit_code == 0
    place = backed_up(sealing)
    refused = run(elsewhere, "restore", place)
    opened = run(house_at(tmp_path / "opened", HUIFANG_BACKUP_KEY=key), "restore", place)

    assert "HUIFANG_BACKUP_KEY" in refused.output
    assert opened.exit_code == 0, opened.output
