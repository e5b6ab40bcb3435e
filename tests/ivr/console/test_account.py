"""The own account: another password, the second factor from its key to its code, the telephone of the desk."""

import re
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from ivr.console.app import create_console_app
from survey import accounts
from survey.accounts.people import telephone_of
from survey.store.models import AuditEntry, Base, User
from tests.conftest import ON_SQLITE_ALONE
from tests.ivr.console.conftest import post
from tests.ivr.console.pages import Page

NEW = "晴天 牛奶 铁路 9 号线"
KEY = re.compile(r'<code class="secret-key">([A-Z2-7 ]+)</code>')


@pytest.fixture
def with_factor(log_in, passwords, clock):
    """The operator's authenticator, after the second factor was set; the browser is logged out again."""
    client = log_in("operator")
    shown = post(client, "/account/second-factor", password=passwords["operator"])
    authenticator = pyotp.TOTP(KEY.search(shown.text)[1].replace(" ", ""))
    assert post(client, "/account/second-factor/confirm", code=authenticator.at(clock.now())).status_code == 303
    post(client, "/logout")
    clock.advance(seconds=30)
    return authenticator


@pytest.fixture
def half(app, with_factor, passwords):
    """A browser that has given the right password and is asked for the code."""
    client = app.test_client()
    answer = post(client, "/login", name="operator", password=passwords["operator"], next="/escalations")
    assert answer.headers["Location"] == "/login/code?next=/escalations"
    return client


def _actions(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.n)))


@ON_SQLITE_ALONE
@pytest.mark.parametrize("role", accounts.ROLES)
def test_everybody_has_an_account_page(log_in, open_page, role):
    page = open_page(log_in(role), "/account")

    assert page.one("h1").text == "我的账号"
    assert ("城南派出所" in page.text) == (role == "unit")


def test_the_own_password_is_changed_against_the_old_one_and_other_log_ins_end(log_in, app, passwords, sessions):
    here, elsewhere = log_in("operator"), log_in("operator")

    answer = post(here, "/account/password", old=passwords["operator"], new=NEW, repeated=NEW)

    assert answer.status_code == 303
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/").status_code == 303
    assert post(app.test_client(), "/login", name="operator", password=passwords["operator"]).status_code == 401
    assert post(app.test_client(), "/login", name="operator", password=NEW).status_code == 303
    assert "user.change_password" in _actions(sessions)


WRONG = [
    ({"old": "wrong"}, "old"), ({"new": "kurz", "repeated": "kurz"}, "new"), ({"new": "7" * 16, "repeated": "7" * 16}, "new"),
    ({"new": "operator is my name", "repeated": "operator is my name"}, "new"),
    ({"new": "ababababababab", "repeated": "ababababababab"}, "new"),
    ({"repeated": "something else"}, "repeated"), ({"new": "x" * 129, "repeated": "x" * 129}, "new"),
]  # fmt: skip


@ON_SQLITE_ALONE
@pytest.mark.parametrize(("typed", "field"), WRONG, ids=[f"{field}-{n}" for n, (_, field) in enumerate(WRONG)])
def test_what_is_wrong_with_a_new_password_is_said_at_its_field_and_nothing_typed_is_shown(log_in, passwords, typed, field):
    client = log_in("operator")
    form = {"old": passwords["operator"], "new": NEW, "repeated": NEW, **typed}

    answer = post(client, "/account/password", **form)

    page = Page.parse(answer.text)
    page.check()
    wrong = [one.attributes["name"] for one in page.all("input") if one.attributes.get("aria-invalid")]
    assert answer.status_code == 422
    assert wrong == [field]
    assert not any(value in answer.text for value in (form["new"], form["old"]) if len(value) > 5)


def test_the_new_password_is_not_the_old_one(log_in, passwords):
    answer = post(log_in("operator"), "/account/password", old=passwords["operator"], new=passwords["operator"], repeated="")

    assert "不能与旧密码相同" in answer.text


def test_guessing_the_old_password_locks_the_account_like_guessing_at_the_log_in(log_in, app, passwords):
    client = log_in("operator")
    for _ in range(5):
        assert post(client, "/account/password", old="wrong", new=NEW, repeated=NEW).status_code == 422

    assert post(client, "/account/password", old=passwords["operator"], new=NEW, repeated=NEW).status_code == 422
    other = app.test_client()
    other.environ_base["REMOTE_ADDR"] = "127.0.0.2"
    assert post(other, "/login", name="operator", password=passwords["operator"]).status_code == 401


def test_a_first_password_opens_nothing_but_the_page_on_which_it_is_changed(log_in, passwords, sessions):
    with sessions.begin() as session:
        session.query(User).filter_by(name="operator").update({"must_change": True})
    client = log_in("operator")

    assert client.get("/escalations").headers["Location"] == "/account"
    assert client.get("/escalations", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/account"
    assert "须更换初始密码" in client.get("/account").text
    assert client.get("/audit").status_code == 403
    assert post(client, "/account/password", old=passwords["operator"], new=NEW, repeated=NEW).status_code == 303
    assert client.get("/escalations").status_code == 200


def test_a_role_that_must_have_a_second_factor_sets_it_before_anything_else(services, passwords, clock):
    client = create_console_app(replace(services, second_factor_roles=frozenset({"operator"}))).test_client()
    post(client, "/login", name="operator", password=passwords["operator"])

    assert client.get("/").headers["Location"] == "/account"
    shown = post(client, "/account/second-factor", password=passwords["operator"])
    key = KEY.search(shown.text)[1].replace(" ", "")
    assert client.get("/").status_code == 303
    assert post(client, "/account/second-factor/confirm", code=pyotp.TOTP(key).at(clock.now())).status_code == 303
    assert client.get("/").status_code == 200


def test_the_key_is_shown_once_in_groups_of_four_and_as_an_address(log_in, open_page, passwords, sessions, keys):
    client = log_in("operator")

    answer = post(client, "/account/second-factor", password=passwords["operator"])
    page = Page.parse(answer.text)
    page.check()

    groups = KEY.search(answer.text)[1].split()
    assert [len(group) for group in groups] == [4] * 8
    assert f"secret={''.join(groups)}" in page.text
    assert "otpauth://totp/" in page.text
    assert groups[0] not in client.get("/account").text
    with sessions() as session:
        everything = " ".join(str(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table)))
    assert "".join(groups) not in everything


def test_a_key_that_no_code_has_confirmed_asks_for_no_code(log_in, app, passwords):
    client = log_in("operator")
    post(client, "/account/second-factor", password=passwords["operator"])

    answer = post(client, "/account/second-factor/confirm", code="000000")

    assert answer.status_code == 422
    assert "动态口令不正确" in answer.text
    assert post(app.test_client(), "/login", name="operator", password=passwords["operator"]).headers["Location"] == "/"


def test_a_key_is_given_against_the_password_alone(log_in):
    answer = post(log_in("operator"), "/account/second-factor", password="wrong")

    assert answer.status_code == 422
    assert not KEY.search(answer.text)


def test_a_second_factor_in_force_is_not_replaced_without_an_administrator(half, with_factor, passwords, clock):
    post(half, "/login/code", code=with_factor.at(clock.now()))

    answer = post(half, "/account/second-factor", password=passwords["operator"])

    assert answer.status_code == 303
    assert "须由管理员先解除" in half.get("/account").text


def test_password_and_code_open_the_page_that_was_asked_for(half, with_factor, open_page, clock, sessions):
    page = open_page(half, "/login/code?next=/escalations")
    assert page.one("h1").text == "输入动态口令"

    answer = post(half, "/login/code", code=with_factor.at(clock.now()), next="/escalations")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/escalations")
    assert half.get("/escalations").status_code == 200
    assert _actions(sessions)[-1] == "login"


def test_the_language_chosen_on_the_way_in_is_that_of_the_pages(app, with_factor, passwords, clock):
    client = app.test_client()
    post(client, "/language", language="en", next="/login")
    post(client, "/login", name="operator", password=passwords["operator"])

    assert "Enter the code" in client.get("/login/code").text
    post(client, "/login/code", code=with_factor.at(clock.now()))
    assert "My account" in client.get("/account").text


def test_a_password_that_was_renewed_or_an_account_shut_out_ends_a_half_open_log_in(half, with_factor, clock, sessions):
    with sessions.begin() as session:
        accounts.renew_password(session, "operator", clock.now())

    assert post(half, "/login/code", code=with_factor.at(clock.now())).headers["Location"] == "/login?next=/"


def test_a_half_open_log_in_opens_nothing_else(half):
    for address in ("/", "/escalations", "/account", "/campaigns"):
        assert half.get(address).headers["Location"].startswith("/login?next="), address


def test_a_code_is_taken_once(app, half, with_factor, passwords, clock):
    code = with_factor.at(clock.now())
    assert post(half, "/login/code", code=code).status_code == 303
    again = app.test_client()
    post(again, "/login", name="operator", password=passwords["operator"])

    answer = post(again, "/login/code", code=code)

    assert answer.status_code == 401
    assert "每个口令只能用一次" in answer.text
    clock.advance(seconds=30)
    assert post(again, "/login/code", code=with_factor.at(clock.now())).status_code == 303


@pytest.mark.parametrize(("seconds", "status"), [(-60, 401), (-30, 401), (0, 303), (30, 303), (60, 401)])
def test_a_telephone_may_be_one_step_off_but_no_code_is_older_than_the_last(half, with_factor, clock, seconds, status):
    """The step before the present one is that of the code which confirmed the key: it is used up."""
    code = with_factor.at(clock.now() + timedelta(seconds=seconds))

    assert post(half, "/login/code", code=code).status_code == status


def test_five_wrong_codes_lock_the_account_though_the_password_is_given_between(app, half, with_factor, passwords, clock, sessions):
    for n in range(5):
        half.environ_base["REMOTE_ADDR"] = f"127.0.1.{n}"
        assert post(half, "/login/code", code="000000").status_code == 401
        if n < 4:
            assert post(half, "/login", name="operator", password=passwords["operator"]).status_code == 303
    half.environ_base["REMOTE_ADDR"] = "127.0.2.1"

    assert post(half, "/login/code", code=with_factor.at(clock.now())).status_code == 401
    assert post(half, "/login", name="operator", password=passwords["operator"]).status_code == 401
    assert _actions(sessions).count("login.refused") == 7
    clock.advance(minutes=15)
    assert post(half, "/login", name="operator", password=passwords["operator"]).status_code == 303
    assert post(half, "/login/code", code=with_factor.at(clock.now())).status_code == 303


def test_five_minutes_after_the_password_the_log_in_begins_anew(half, with_factor, clock):
    clock.advance(minutes=5)

    answer = post(half, "/login/code", code=with_factor.at(clock.now()), next="/escalations")

    assert answer.headers["Location"] == "/login?next=/escalations"
    assert "请重新登录" in half.get("/login").text


def test_without_a_password_there_is_no_page_for_a_code(app):
    client = app.test_client()

    assert client.get("/login/code").headers["Location"] == "/login"
    assert post(client, "/login/code", code="123456").headers["Location"] == "/login?next=/"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("138 0013 8000", "+8613800138000"),
        ("+1 202 555 0143", "+12025550143"),
        ("sip:8012@pbx.local:5060", "sip:8012@pbx.local:5060"),
        ("", ""),
    ],
)
def test_the_telephone_of_the_desk_is_kept_sealed(log_in, sessions, keys, typed, kept):
    client = log_in("operator")

    assert post(client, "/account/telephone", telephone=typed).status_code == 303

    with sessions() as session:
        user = session.query(User).filter_by(name="operator").one()
        assert telephone_of(keys, "operator", user.telephone_sealed) == kept
        assert kept.encode() not in (user.telephone_sealed or b"") or not kept
        assert not any(kept in details for details in session.scalars(select(AuditEntry.details))) or not kept
    assert f'value="{kept}"' in client.get("/account").text


@ON_SQLITE_ALONE
@pytest.mark.parametrize("typed", ["8012", "110", "not a number", "sip:", "sip:a b@c", "sip:a@b;c=d", "+12"])
def test_what_cannot_be_dialled_is_said_at_the_field_and_shown_again(log_in, typed):
    answer = post(log_in("operator"), "/account/telephone", telephone=typed)

    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text
    assert "sip: 地址" in answer.text


def test_the_language_is_chosen_on_the_page_too(log_in, open_page):
    client = log_in("operator")

    assert post(client, "/language", language="en", next="/account").headers["Location"] == "/account"
    assert open_page(client, "/account").one("h1").text == "My account"
