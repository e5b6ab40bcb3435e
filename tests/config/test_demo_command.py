"""What `demo` finds out before it starts a single process, and the words it uses."""

import csv
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask_babel import force_locale

from config import demo as play
from config.channels import channels
from config.cli import main
from config.commands.demo import stage
from config.demo_parts import PARTS, display_name
from config.demo_visitors import visitors
from config.settings import Settings
from config.wiring import House
from ivr.console.words import ROLES
from survey.incidents.made_up import MAPPING, UNITS, write_month
from tests.conftest import StandingClock


@pytest.fixture
def house(tmp_path: Path) -> House:
    settings = Settings.from_env({"HUIFANG_DATA": str(tmp_path / "data"), "HUIFANG_ENVIRONMENT": "test"}, tmp_path / ".env")
    return House(settings, own_clock=StandingClock(datetime(2025, 4, 2, 1, tzinfo=UTC)))


@pytest.mark.parametrize("from_file", [False, True])
def test_too_few_people_for_the_units_are_refused_before_anything_is_made(house: House, tmp_path: Path, from_file: bool) -> None:
    write_month(tmp_path / "三月.csv", "2025-03", seed=7)
    file = ("--incidents", str(tmp_path / "三月.csv"), "--mapping", "police-110-zh") if from_file else ()

    result = CliRunner().invoke(main, ["demo", "--exit", "--calls", str(len(UNITS) - 1), *file], obj=house)

    assert result.exit_code == 1
    assert result.output.startswith("Error: --calls：")
    assert f"最少须为 {len(UNITS)} / " in result.output
    assert not (house.settings.data / "demo").exists()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_accounts_have_the_titles_by_which_the_console_calls_their_roles(house: House, language: str) -> None:
    titles = {(each.role, each.title) for each in PARTS}
    with house.console_app().test_request_context(), force_locale(language):
        shown = {role: str(ROLES[role]) for role, _ in titles}

    assert {(role, title) for _, role, title in play.ACCOUNTS} <= titles
    assert {role: display_name(role, title, language) for role, title in titles} == shown


def test_no_secret_of_a_real_line_reaches_the_simulated_one(house: House, tmp_path: Path) -> None:
    given = {"HUIFANG_TWILIO_API_KEY": "SK1", "HUIFANG_TWILIO_API_SECRET": "real", "HUIFANG_TWILIO_AUTH_TOKEN_OLD": "real"}
    real = Settings.from_env({**given, "HUIFANG_DATA": str(tmp_path / "data")}, None)

    staged = stage(real, tmp_path / "demo", "Asia/Shanghai")

    assert (staged.twilio_api_key, staged.twilio_api_secret, staged.twilio_auth_token_old) == ("", "", "")


FILLED = {
    "MAIL_HOST": "mail.example.org", "MAIL_SENDER": "huifang@example.org", "MAIL_USER": "huifang", "MAIL_PASSWORD": "word",
    "NOTICE_URL": "https://oa.example.org/in", "NOTICE_SECRET": "n" * 32, "PUBLIC_MEDIA_URL": "wss://voice.example.org/voice/media",
    "PUBLIC_BASE_URL": "https://voice.example.org", "CONSOLE_HTTPS": "yes", "TRUSTED_PROXIES": "1", "SECOND_FACTOR_ROLES": "administrator",
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "TWILIO_AUTH_TOKEN": "t" * 32, "RECOGNISER": "carrier", "BACKUP_FOLDER": "/mnt/backups",
    "OPERATIONS_TOKEN": "o" * 32, "SECRET_KEY": "s" * 48, "DATABASE_URL": "postgresql+psycopg://huifang:word@db/huifang",
    "REDIS_URL": "redis://queue:6379/0", "BUREAU_NAME": "临江市公安局", "CONSOLE_PORT": "18800", "ORDER_DAYS": "4",
}  # fmt: skip


def test_a_demonstration_beside_a_bureaus_settings_reaches_nobody_keeps_nobody_out_and_bears_its_name(tmp_path: Path) -> None:
    given = {f"HUIFANG_{name}": value for name, value in FILLED.items()}
    filled = Settings.from_env({**given, "HUIFANG_DATA": str(tmp_path / "data")}, None)

    staged = stage(filled, tmp_path / "demo", "Asia/Shanghai")

    assert channels(filled)
    assert not channels(staged)
    assert House(staged).media_url.startswith("ws://127.0.0.1:")
    assert not staged.console_https
    assert staged.second_factor_roles == ()
    assert staged.trusted_proxies == 0
    assert (staged.bureau_name, staged.order_days) == ("临江市公安局", 4)
    inherited = [
        item.name for item in fields(Settings)
        if item.name.upper() in FILLED and getattr(staged, item.name) == getattr(filled, item.name)
    ]  # fmt: skip
    assert set(inherited) <= {"bureau_name", "console_port", "order_days"}


def test_visitors_are_called_in_english_only_beside_chinese_people_some_of_whom_speak() -> None:
    chinese = play.Plan("", MAPPING, "2025-03", 60, 5, True, "Asia/Shanghai", speakers=0.1)

    assert chinese.has_visitors
    assert not replace(chinese, speakers=0.0).has_visitors
    assert not replace(chinese, zone="America/Los_Angeles").has_visitors


def test_the_visitors_have_english_names_in_a_month_before_those_of_the_sheet(tmp_path: Path) -> None:
    given = visitors(tmp_path, "2025-02", "Asia/Shanghai", seed=5)

    rows = list(csv.DictReader(given.incidents.read_text("utf-8-sig").splitlines()))
    assert (given.month, given.language) == ("2024-11", "en")
    assert {row["报警时间"][:7] for row in rows} == {"2024-11"}
    assert all(row["报警人"].isascii() and " " in row["报警人"] for row in rows)
