"""The channels for notices as settings, as `notices test` tries them, and as `doctor` sees them."""

from collections.abc import Callable
from pathlib import Path

import click.testing
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from config.channels import channels
from config.cli import main
from config.doctor import examine
from config.findings import GOOD, WARNING, Finding
from config.settings import Settings, SettingsFaulty
from config.wiring import House
from survey.store.migrations import migrate
from survey.store.models import Unit, User
from tests import certificates, hook_server, mail_server

SENDER, TO, SECRET = "huifang@police.example", "duty@police.example", "K7vq2mX9pL4wz8Rt6yB3nD5cF1gH0jSa"
Open = Callable[..., House]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """A house with these settings besides its data folder."""

    def open_house(**given: str) -> House:
        variables = {f"HUIFANG_{name}": value for name, value in {"DATA": str(tmp_path), **given}.items()}
        return House(Settings.from_env(variables, None))

    return open_house


def run(house: House, *arguments: str) -> click.testing.Result:
    return CliRunner().invoke(main, ["notices", "test", *arguments], obj=house)


def by_mail(post: mail_server.Post) -> dict[str, str]:
    return {"MAIL_HOST": "127.0.0.1", "MAIL_PORT": str(post.port), "MAIL_TLS": post.tls or "none", "MAIL_SENDER": SENDER}


def by_hook(receiver: hook_server.Receiver, scheme: str = "http") -> dict[str, str]:
    return {"NOTICE_URL": f"{scheme}://127.0.0.1:{receiver.port}/in", "NOTICE_SECRET": SECRET}


def test_one_test_notice_goes_by_each_channel(opened: Open) -> None:
    with mail_server.running(mail_server.Post()) as post, hook_server.running(hook_server.Receiver()) as receiver:
        result = run(opened(**by_mail(post), **by_hook(receiver)), "--to", TO)

    assert result.exit_code == 0, result.output
    assert [(one["To"], one["Subject"]) for one in post.mails] == [(TO, "[示范市公安局] 测试通知 / A test notice")]
    assert len(receiver.got) == 1
    assert result.output.count(GOOD) == 2


def test_what_fails_is_said_in_one_sentence_with_its_remedy_and_the_other_is_tried_all_the_same(opened: Open) -> None:
    post = mail_server.Post(answers={"RCPT": b"550 no such user"})
    with mail_server.running(post), hook_server.running(hook_server.Receiver()) as receiver:
        result = run(opened(**by_mail(post), **by_hook(receiver)), "--to", TO)

    assert result.exit_code == 1
    assert "✗ mail: 邮件服务器拒绝收件地址（550） / the mail server refuses the recipient (550)" in result.output
    assert "→ 在账号或单位名册中更正邮箱" in result.output
    assert "✓ webhook" in result.output
    assert TO not in result.output


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_with_the_bureaus_own_authority(opened: Open, tmp_path: Path, tls: str) -> None:
    certificate = certificates.make(tmp_path)
    post = mail_server.Post(tls=tls, context=certificate.server(), wants_login=True)
    login = {"MAIL_USER": mail_server.USER, "MAIL_PASSWORD": mail_server.PASSWORD}
    with mail_server.running(post), hook_server.running(hook_server.Receiver(), certificate.server()) as receiver:
        given = {**by_mail(post), **login, **by_hook(receiver, "https")}
        right = run(opened(**given, NOTICE_CA=str(certificate.authority)), "--to", TO)
        wrong = run(opened(**given), "--to", TO)

    assert (right.exit_code, wrong.exit_code) == (0, 1), right.output
    assert wrong.output.count("HUIFANG_NOTICE_CA") == 4, "in both languages, for both channels"
    assert (len(post.mails), len(receiver.got)) == (1, 1)


def test_what_is_missing_for_a_test_is_said(opened: Open) -> None:
    assert "--to" in run(opened(MAIL_HOST="127.0.0.1", MAIL_SENDER=SENDER)).output
    assert "HUIFANG_MAIL_HOST" in run(opened(), "--to", TO).output
    assert "邮箱地址" in run(opened(MAIL_HOST="127.0.0.1", MAIL_SENDER=SENDER), "--to", "a@b\nBcc: c@d").output
    nothing = run(opened())
    assert (nothing.exit_code, "控制台" in nothing.output) == (0, True)


def test_nothing_set_up_means_no_channel(opened: Open) -> None:
    assert channels(opened().settings) == {}
    assert opened().runtime().channels == {}


def problems(**given: str) -> str:
    with pytest.raises(SettingsFaulty) as caught:
        Settings.from_env({f"HUIFANG_{name}": value for name, value in given.items()}, None)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"MAIL_HOST": "mail.example.org"}, "MAIL_SENDER"),
        ({"MAIL_HOST": "mail.example.org:25", "MAIL_SENDER": SENDER}, "MAIL_HOST"),
        ({"MAIL_HOST": "smtp://mail", "MAIL_SENDER": SENDER}, "MAIL_HOST"),
        ({"MAIL_SENDER": "Huifang <huifang@police.example>"}, "MAIL_SENDER"),
        ({"MAIL_TLS": "ssl"}, "MAIL_TLS"),
        ({"MAIL_USER": "huifang"}, "MAIL_PASSWORD"),
        ({"MAIL_PASSWORD": "x"}, "MAIL_PASSWORD"),
        ({"NOTICE_URL": "https://hooks.example.org/in"}, "NOTICE_SECRET"),
        ({"NOTICE_URL": "ftp://hooks.example.org/in", "NOTICE_SECRET": SECRET}, "NOTICE_URL"),
        ({"NOTICE_URL": "https://user:word@hooks.example.org/in", "NOTICE_SECRET": SECRET}, "NOTICE_URL"),
    ],
)
def test_half_a_channel_is_refused_with_what_is_missing(given: dict[str, str], named: str) -> None:
    assert f"HUIFANG_{named}" in problems(**given)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"NOTICE_URL": "http://hooks.example.org/in", "NOTICE_SECRET": SECRET}, "NOTICE_URL"),
        ({"NOTICE_URL": "https://hooks.example.org/in", "NOTICE_SECRET": "short"}, "NOTICE_SECRET"),
        ({"MAIL_HOST": "m.example", "MAIL_SENDER": SENDER, "MAIL_USER": "u", "MAIL_PASSWORD": "p", "MAIL_TLS": "none"}, "MAIL_TLS"),
    ],
)
def test_production_sends_neither_notices_nor_passwords_in_the_clear(given: dict[str, str], named: str) -> None:
    assert f"HUIFANG_{named}" in problems(ENVIRONMENT="production", **given)


def findings(house: House, subject: str) -> list[Finding]:
    return [finding for finding in examine(house) if finding.subject == subject]


def test_doctor_says_where_notices_go(opened: Open, tmp_path: Path) -> None:
    assert [one.mark for one in findings(opened(), "notices")] == [GOOD]
    with mail_server.running(mail_server.Post()) as post:
        house = opened(**by_mail(post), NOTICE_URL="http://127.0.0.1:1/in", NOTICE_SECRET=SECRET, NOTICE_CA=str(tmp_path / "none.pem"))
        assert [one.mark for one in findings(house, "notices")] == [WARNING]
        assert [one.mark for one in findings(house, "mail")] == [WARNING], "the authority is missing, so TLS would fail"
    assert post.mails == []


def test_doctor_says_what_is_wrong_with_the_mail_server_and_which_units_have_no_address(opened: Open) -> None:
    with mail_server.running(mail_server.Post(wants_login=True)) as post:
        house = opened(**by_mail(post), MAIL_USER="huifang", MAIL_PASSWORD="wrong")
        migrate(house.engine)
        with house.sessions.begin() as session:
            session.add_all([Unit(code="a", name="一所", email="a@police.example"), Unit(code="b", name="二所")])
        mail, units = findings(house, "mail")

    assert (mail.mark, "535" in mail.text, "HUIFANG_MAIL_PASSWORD" in mail.remedy) == (WARNING, True, True)
    assert (units.mark, "1 of 2 units" in units.text) == (WARNING, True)


def test_an_account_gets_its_address_by_the_command_too(opened: Open) -> None:
    house = opened()
    migrate(house.engine)
    added = CliRunner().invoke(main, ["user", "add", "li", "--role", "centre", "--email", TO], obj=house)
    wrong = CliRunner().invoke(main, ["user", "change", "li", "--email", "li"], obj=house)

    assert (added.exit_code, wrong.exit_code) == (0, 1), added.output
    with house.sessions() as session:
        sealed = session.scalars(select(User.email_sealed)).one()
    assert sealed is not None
    assert TO.encode() not in sealed
    assert CliRunner().invoke(main, ["user", "change", "li", "--email", ""], obj=house).exit_code == 0
    with house.sessions() as session:
        assert session.scalars(select(User.email_sealed)).one() is None
