"""The command line's frame, and the commands of administration."""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from config.cli import COMMANDS, main, open_house
from config.settings import Settings
from config.wiring import House
from survey import working_days
from survey.errors import BadInput
from survey.store.database import open_engine
from survey.store.migrations import current, head


def feasts_of(year: int) -> str:
    return "".join(f"{year}-{month:02d}-{day:02d},off,节日\n" for month, day in working_days.FEASTS)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(Settings.from_env({"HUIFANG_DATA": str(tmp_path)}, None))


@pytest.fixture
def migrated(tmp_path: Path, database_url: str) -> Iterator[House]:
    house = House(Settings.from_env({"HUIFANG_DATA": str(tmp_path), "HUIFANG_DATABASE_URL": database_url}, None))
    yield house
    house.engine.dispose()


def run(house: House | None, *arguments: str, **variables: str) -> "click.testing.Result":
    return CliRunner().invoke(main, arguments, obj=house, env=variables or None)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_of_the_table_is_there_and_explains_itself(name: str) -> None:
    result = run(None, name, "--help")

    assert result.exit_code == 0, result.output
    assert "Usage" in result.output


def test_help_works_whatever_the_settings_say() -> None:
    assert run(None, "migrate", "--help", HUIFANG_VOICE_PORT="none").exit_code == 0


def test_wrong_settings_are_listed_without_a_traceback() -> None:
    result = run(None, "migrate", HUIFANG_VOICE_PORT="none", HUIFANG_CONSOLE_PORT="none")

    assert result.exit_code == 1
    assert "HUIFANG_VOICE_PORT" in result.output
    assert "HUIFANG_CONSOLE_PORT" in result.output
    assert "Traceback" not in result.output


def test_holidays_from_a_file_are_in_force_for_every_process_that_opens_the_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "days.csv").write_text(f"date,kind,name\n{feasts_of(2027)}2027-01-03,work,元旦\n", "utf-8-sig")
    monkeypatch.setenv("HUIFANG_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HUIFANG_SPECIAL_DAYS", str(tmp_path / "days.csv"))
    try:
        open_house()
        assert working_days.is_working_day(working_days.calendar("cn"), date(2027, 1, 3))
    finally:
        working_days.install(())


def test_a_domain_error_is_one_line_and_status_one(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def fails() -> None:
        raise BadInput("line 3: no such day")

    monkeypatch.setattr("config.commands.migrate.migrate_command", fails)
    result = run(house, "migrate")

    assert (result.exit_code, result.output) == (1, "Error: line 3: no such day\n")


def test_an_unknown_command_is_a_usage_error(house: House) -> None:
    assert run(house, "fly").exit_code == 2


def test_a_database_without_tables_is_explained(house: House) -> None:
    result = run(house, "audit", "verify")

    assert result.exit_code == 1
    assert "./huifang migrate" in result.output


@pytest.mark.parametrize(
    "words",
    [("user", "add", "admin", "--role", "administrator"), ("draw", "--month", "2025-03"), ("campaign", "status"),
     ("import", "nothing.csv", "--mapping", "police-110-zh")],
    ids=lambda words: words[0],
)  # fmt: skip
def test_the_first_command_in_a_fresh_folder_makes_the_database_and_says_so_once(house: House, words: tuple[str, ...]) -> None:
    first, second = run(house, *words), run(house, *words)

    assert current(house.engine) == head()
    assert "huifang.sqlite" in first.output.splitlines()[0]
    assert "migrate" not in first.output + second.output
    assert "huifang.sqlite" not in second.output


def test_help_makes_no_database(house: House) -> None:
    assert run(house, "user", "add", "--help").exit_code == 0
    assert not (house.settings.data / "huifang.sqlite").exists()


def test_an_older_database_is_not_changed_unasked(house: House) -> None:
    with house.engine.begin() as connection:
        connection.execute(text("CREATE TABLE users (id INTEGER)"))

    assert "./huifang migrate" in run(house, "draw", "--month", "2025-03").output
    assert current(house.engine) is None


def test_an_empty_postgresql_is_left_to_migrate(tmp_path: Path, postgres_engine: Engine) -> None:
    url = postgres_engine.url.render_as_string(hide_password=False)
    house = House(Settings.from_env({"HUIFANG_DATA": str(tmp_path), "HUIFANG_DATABASE_URL": url}, None))

    assert "./huifang migrate" in run(house, "draw", "--month", "2025-03").output
    assert current(house.engine) is None
    house.engine.dispose()


def test_migrate_can_be_repeated(house: House) -> None:
    assert run(house, "migrate").exit_code == 0
    assert "nothing to do" in run(house, "migrate").output


def test_a_new_user_gets_a_password_once_and_an_entry_in_the_trail(migrated: House) -> None:
    first = run(migrated, "user", "add", "wang.li", "--role", "operator", "--display", "王丽")
    again = run(migrated, "user", "add", "wang.li", "--role", "operator")

    assert first.exit_code == 0
    assert "密码 / password: " in first.output
    assert again.exit_code == 1
    with migrated.engine.connect() as connection:
        assert connection.execute(text("SELECT action, subject FROM audit_entries")).all() == [("user.add", "user:wang.li")]


def test_a_renewed_password_is_another_one(migrated: House) -> None:
    first = run(migrated, "user", "add", "wang.li", "--role", "operator").output
    second = run(migrated, "user", "renew-password", "wang.li")

    assert second.exit_code == 0
    assert second.output.splitlines()[1] != first.splitlines()[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [(("add", "王丽", "--role", "operator"), "用户名"), (("disable", "nobody"), "没有用户"), (("renew-password", "x"), "没有用户")],
)
def test_what_cannot_be_done_with_a_user_is_one_line_in_chinese_and_english(migrated: House, words: tuple[str, ...], said: str) -> None:
    output = run(migrated, "user", *words).output

    assert len(output.splitlines()) == 1
    assert said in output.partition(" / ")[0]


def test_a_user_is_changed_listed_shut_out_and_let_in_again(migrated: House) -> None:
    with migrated.engine.begin() as connection:
        connection.execute(text("INSERT INTO units (code, name) VALUES ('east', '城东派出所')"))
    run(migrated, "user", "add", "wang.li", "--role", "operator", "--telephone", "13800138000")

    assert run(migrated, "user", "change", "wang.li", "--role", "unit").exit_code == 1
    assert run(migrated, "user", "change", "wang.li", "--role", "unit", "--unit", "east", "--display", "王丽").exit_code == 0
    listed = run(migrated, "user", "list").output.split()
    assert listed == ["wang.li", "unit", "east", "**********8000", "王丽"]
    assert run(migrated, "user", "disable", "wang.li").exit_code == 0
    assert "disabled" in run(migrated, "user", "list").output
    assert run(migrated, "user", "enable", "wang.li").exit_code == 0
    assert "disabled" not in run(migrated, "user", "list").output
    with migrated.engine.connect() as connection:
        actions = connection.execute(text("SELECT action FROM audit_entries ORDER BY n")).scalars().all()
    assert actions == ["user.add", "user.change", "user.disable", "user.enable"]


def test_a_second_factor_that_nobody_set_cannot_be_removed(migrated: House) -> None:
    run(migrated, "user", "add", "wang.li", "--role", "operator")

    removed = run(migrated, "user", "remove-second-factor", "wang.li")

    assert removed.exit_code == 1
    assert "has no second factor" in removed.output


def test_a_user_who_does_not_exist_cannot_be_shut_out(migrated: House) -> None:
    assert run(migrated, "user", "disable", "nobody").exit_code == 1


def test_a_whole_trail_is_verified_and_an_altered_one_is_not(migrated: House) -> None:
    for name in ("anna", "bert", "carl"):
        run(migrated, "user", "add", name, "--role", "operator")
    assert run(migrated, "audit", "verify").exit_code == 0

    with migrated.engine.begin() as connection:
        connection.execute(text("UPDATE audit_entries SET subject = 'user:nobody' WHERE n = 2"))
    result = run(migrated, "audit", "verify")

    assert result.exit_code == 1
    assert "2: was altered" in result.output


def test_doctor_shows_the_settings_but_no_secret(migrated: House) -> None:
    result = run(migrated, "doctor")

    assert result.exit_code == 0, result.output
    assert "HUIFANG_VOICE_PORT=8801" in result.output
    for secret in (migrated.settings.secret_key, migrated.settings.twilio_auth_token, migrated.settings.pii_keys):
        assert secret not in result.output


def test_doctor_ends_with_one_when_the_database_is_behind(migrated: House) -> None:
    with migrated.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))

    result = run(migrated, "doctor")

    assert result.exit_code == 1
    assert "✗ database" in result.output


def test_doctor_lists_what_is_wrong_with_the_settings() -> None:
    result = run(None, "doctor", HUIFANG_VOICE_PORT="none", HUIFANG_ENVIRONMENT="holiday")

    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 2


def test_doctor_hides_the_password_in_the_database_url(tmp_path: Path) -> None:
    given = {"HUIFANG_DATA": str(tmp_path), "HUIFANG_DATABASE_URL": "postgresql://user:hidden@127.0.0.1:1/none"}
    result = run(House(Settings.from_env(given, None)), "doctor")

    assert result.exit_code == 1
    assert "hidden" not in result.output


def test_the_module_can_be_run(tmp_path: Path) -> None:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "config.cli", "--help"], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0
    assert "./huifang" in done.stdout


def test_a_folder_with_spaces_and_han_characters_holds_a_database(tmp_path: Path) -> None:
    house = House(Settings.from_env({"HUIFANG_DATA": str(tmp_path / "数 据 50%")}, None))

    assert run(house, "migrate").exit_code == 0
    assert (tmp_path / "数 据 50%" / "huifang.sqlite").exists()
    assert open_engine(house.settings.database_url).url.database == str(tmp_path / "数 据 50%" / "huifang.sqlite")
