"""Settings: one table, all problems at once, nothing secret shown, nothing guessed in production."""

import os
import stat
import threading
from collections.abc import Callable
from dataclasses import fields
from datetime import time
from pathlib import Path

import pytest

from config import settings as table
from config.own_secrets import FILE, kept
from config.setting_rows import row_of
from config.settings import Settings, SettingsFaulty
from config.wiring import House
from survey.store.sealing import KeyRing

PRODUCTION = {
    "HUIFANG_ENVIRONMENT": "production",
    "HUIFANG_PUBLIC_BASE_URL": "https://voice.example.org",
    "HUIFANG_TWILIO_ACCOUNT_SID": "AC" + "0a1b2c3d" * 4,
    "HUIFANG_TWILIO_AUTH_TOKEN": "4f6d1c0b9a8e7f5d3c2b1a0918273645",
    "HUIFANG_CALLER_ID": "+861055550100",
    "HUIFANG_SECRET_KEY": "q8Zr3LxVt1Nw5Ky7Hb2Mc9Pd4Fg6Js0T",
}


@pytest.fixture
def production(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Variables with which production starts, changed as asked."""
    return lambda **changes: {**PRODUCTION, "HUIFANG_DATA": str(tmp_path), "HUIFANG_PII_KEYS": KeyRing.generate(), **changes}


def problems_of(variables: dict[str, str], dotenv: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsFaulty) as caught:
        Settings.from_env(variables, dotenv)
    return caught.value.problems


def test_a_demonstration_needs_no_setting_at_all(tmp_path: Path) -> None:
    settings = Settings.from_env({}, tmp_path / ".env")

    assert settings.environment == "demo"
    assert settings.data == tmp_path / "data"
    assert settings.database_url == f"sqlite:///{tmp_path}/data/huifang.sqlite"
    assert settings.public_base_url == "http://127.0.0.1:8801"
    assert settings.caller_id.startswith("+86100")


def test_production_starts_when_everything_is_given(production: Callable[..., dict[str, str]]) -> None:
    assert Settings.from_env(production(), None).environment == "production"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HUIFANG_PUBLIC_BASE_URL", "http://voice.example.org"),
        ("HUIFANG_PUBLIC_BASE_URL", ""),
        ("HUIFANG_TWILIO_API_URL", "http://127.0.0.1:9000"),
        ("HUIFANG_TWILIO_AUTH_TOKEN", "short"),
        ("HUIFANG_TWILIO_AUTH_TOKEN", ""),
        ("HUIFANG_SECRET_KEY", "short"),
        ("HUIFANG_SECRET_KEY", "changeme-changeme-changeme-changeme"),
        ("HUIFANG_SECRET_KEY", "a" * 40),
        ("HUIFANG_PII_KEYS", ""),
        ("HUIFANG_PII_KEYS", "index:AAAA,k1:AAAA"),
        ("HUIFANG_CALLER_ID", ""),
        ("HUIFANG_CALLER_ID", "01055550100"),
        ("HUIFANG_CLOCK_FILE", "/nowhere/clock"),
        ("HUIFANG_CALLS_PER_SECOND", "0"),
        ("HUIFANG_QUARANTINE_DAYS", "0"),
        ("HUIFANG_QUARANTINE_DAYS", "29"),
        ("HUIFANG_QUARANTINE_DAYS", "366"),
        ("HUIFANG_TWILIO_AUTH_TOKEN_OLD", "short"),
        ("HUIFANG_TWILIO_API_SECRET", "4f6d1c0b9a8e7f5d3c2b1a0918273645"),
    ],
)
def test_production_refuses(production: Callable[..., dict[str, str]], name: str, value: str) -> None:
    assert any(problem.startswith(name) for problem in problems_of(production(**{name: value})))


def test_all_problems_come_in_one_list(production: Callable[..., dict[str, str]]) -> None:
    found = problems_of(production(HUIFANG_PUBLIC_BASE_URL="http://x.org", HUIFANG_SECRET_KEY="", HUIFANG_CLOCK_FILE="/c"))

    assert len(found) == 3


def test_roles_that_must_have_a_second_factor_are_roles(tmp_path: Path) -> None:
    variables = {"HUIFANG_DATA": str(tmp_path), "HUIFANG_SECOND_FACTOR_ROLES": "administrator, inspection"}

    assert Settings.from_env(variables, None).second_factor_roles == ("administrator", "inspection")
    assert "HUIFANG_SECOND_FACTOR_ROLES" in problems_of({**variables, "HUIFANG_SECOND_FACTOR_ROLES": "admin"})[0]


def test_a_misspelt_name_is_refused_with_the_right_one() -> None:
    assert any("HUIFANG_CALLER_ID" in problem for problem in problems_of({"HUIFANG_CALER_ID": "+861055550100"}))


def test_an_env_file_open_to_the_world_is_refused_in_production(tmp_path: Path, production: Callable[..., dict[str, str]]) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("HUIFANG_VOICE_PORT=9001\n")
    dotenv.chmod(0o644)
    assert "chmod 600" in problems_of(production(), dotenv)[0]

    dotenv.chmod(0o600)
    assert Settings.from_env(production(), dotenv).voice_port == 9001


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("HUIFANG_VOICE_PORT=9001\nHUIFANG_CONSOLE_PORT=9002\n")

    settings = Settings.from_env({"HUIFANG_VOICE_PORT": "9003"}, dotenv)

    assert (settings.voice_port, settings.console_port) == (9003, 9002)


def test_a_data_folder_in_the_file_lies_beside_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("HUIFANG_DATA=elsewhere\n")

    assert Settings.from_env({}, dotenv).data == tmp_path / "elsewhere"


def test_secrets_never_show_in_repr(tmp_path: Path) -> None:
    settings = Settings.from_env({"HUIFANG_DATA": str(tmp_path), "HUIFANG_DATABASE_URL": "postgresql://u:hidden@h/d"}, None)

    shown = repr(settings)
    secrets = [getattr(settings, item.name) for item in fields(Settings) if row_of(item).secret]
    assert "hidden" not in shown
    assert not [secret for secret in secrets if secret and secret in shown]


def test_settings_survive_the_way_to_a_child_process(tmp_path: Path) -> None:
    settings = Settings.from_env({"HUIFANG_DATA": str(tmp_path), "HUIFANG_CLOCK_FILE": str(tmp_path / "clock")}, None)

    assert Settings.from_env(settings.as_environment(), None) == settings


def test_a_demonstration_keeps_its_secrets_to_its_owner_and_for_the_next_run(tmp_path: Path) -> None:
    first = Settings.from_env({"HUIFANG_DATA": str(tmp_path)}, None)
    second = Settings.from_env({"HUIFANG_DATA": str(tmp_path)}, None)

    assert (first.secret_key, first.pii_keys) == (second.secret_key, second.pii_keys)
    assert len(first.secret_key) >= 32
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree_on_the_secrets(tmp_path: Path) -> None:
    found = []
    threads = [threading.Thread(target=lambda: found.append(dict(kept(tmp_path)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert all(secrets == found[0] for secrets in found)
    assert os.listdir(tmp_path) == [FILE]


def test_an_account_without_its_token_is_refused(tmp_path: Path) -> None:
    found = problems_of({"HUIFANG_DATA": str(tmp_path), "HUIFANG_TWILIO_ACCOUNT_SID": PRODUCTION["HUIFANG_TWILIO_ACCOUNT_SID"]})

    assert "HUIFANG_TWILIO_AUTH_TOKEN" in found[0]


def test_a_demonstration_may_call_a_number_again_at_once_but_not_after_a_week(tmp_path: Path) -> None:
    def given(days: str) -> dict[str, str]:
        return {"HUIFANG_DATA": str(tmp_path), "HUIFANG_QUARANTINE_DAYS": days}

    assert [Settings.from_env(given(days), None).quarantine_days for days in ("0", "30", "365")] == [0, 30, 365]
    assert "30–365" in problems_of(given("7"))[0]


@pytest.mark.parametrize("name", ["HUIFANG_PUBLIC_BASE_URL", "HUIFANG_TWILIO_API_URL"])
@pytest.mark.parametrize(
    "url",
    ["https://回访.example.org", "https://voice_door.example.org", "https://user:word@voice.example.org", "https://user@voice.example.org",
     "https://voice.example.org/?a=1", "https://voice.example.org/x#part", "https://voice.example.org/x?", "https://voice.example.org/x#",
     "https://voice.example.org/", "https://voice.example.org/a b", "https://voice.example.org/回访", "ftp://voice.example.org",
     "https://-voice.example.org", "https://voice.example.org:99999", "voice.example.org", "https://"],
)  # fmt: skip
def test_an_address_that_a_carrier_cannot_use_is_refused(production: Callable[..., dict[str, str]], name: str, url: str) -> None:
    assert any(problem.startswith(name) for problem in problems_of(production(**{name: url})))


@pytest.mark.parametrize(
    "url", ["https://voice.example.org", "https://voice.example.org:8443/door-1", "https://192.0.2.7", "https://[2001:db8::7]:8443"]
)
def test_a_plain_address_is_accepted(production: Callable[..., dict[str, str]], url: str) -> None:
    assert Settings.from_env(production(HUIFANG_PUBLIC_BASE_URL=url), None).public_base_url == url


def test_a_called_back_person_hears_one_day_and_the_emergency_number_of_the_country(tmp_path: Path) -> None:
    settings = Settings.from_env({"HUIFANG_DATA": str(tmp_path)}, None)

    assert (settings.callback_days, settings.emergency_number) == (1, "110")
    assert "HUIFANG_EMERGENCY_NUMBER" in problems_of({"HUIFANG_EMERGENCY_NUMBER": "nine-one-one"})[0]


def test_every_default_is_accepted_by_its_own_reader() -> None:
    for item in fields(Settings):
        row_of(item).read(row_of(item).default)


def test_postgresql_means_the_driver_that_is_installed(tmp_path: Path) -> None:
    settings = Settings.from_env({"HUIFANG_DATA": str(tmp_path), "HUIFANG_DATABASE_URL": "postgresql://u@h/d"}, None)

    assert settings.database_url == "postgresql+psycopg://u@h/d"


def test_the_table_for_readers_has_one_row_for_each_setting() -> None:
    assert len(table.markdown_table("zh").splitlines()) == len(fields(Settings)) + 2


@pytest.mark.parametrize("hours", ["18:00-08:30", "08:30", "8:30-18:00", "08:30-24:00", "08:30-08:30", "08:60-18:00"])
def test_office_hours_open_before_they_close(tmp_path: Path, hours: str) -> None:
    (problem,) = problems_of({"HUIFANG_DATA": str(tmp_path), "HUIFANG_OFFICE_HOURS": hours})

    assert problem.startswith("HUIFANG_OFFICE_HOURS：须为 08:30-18:00 的形式")


def test_the_terms_of_orders_are_settings_and_come_through_to_the_office(tmp_path: Path) -> None:
    given = {
        "HUIFANG_DATA": str(tmp_path), "HUIFANG_ORDER_DAYS": "3", "HUIFANG_EXTENSION_DAYS": "2", "HUIFANG_ORDER_RETURNS": "1",
        "HUIFANG_WEEKLY_LIST_DAY": "5", "HUIFANG_OFFICE_HOURS": "09:00-17:30",
    }  # fmt: skip
    again = Settings.from_env(Settings.from_env(given, None).as_environment(), None)

    terms = House(again).office.terms

    assert (terms.days, terms.extension_days, terms.returns, terms.weekday) == (3, 2, 1, 4)
    assert (terms.opening, terms.closing) == (time(9), time(17, 30))
