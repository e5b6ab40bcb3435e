"""Accounts and units in the console: each act works, is on record with who did it, and never shows or keeps a secret."""

import json
import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from survey.accounts import second_factor
from survey.accounts.emails import email_of
from survey.accounts.people import found, telephone_of
from survey.store.models import AuditEntry, User
from tests.ivr.console.builders import NOON
from tests.ivr.console.conftest import OWN_UNIT, post
from tests.ivr.console.pages import Page

PASSWORD = re.compile(r'<code class="secret-key">([a-z0-9]{4}(?:-[a-z0-9]{4}){3})</code>')


@pytest.fixture
def admin(log_in):
    """The administrator's browser."""
    return log_in("administrator")


def _entries(sessions: sessionmaker[Session]) -> list[tuple[str, str, str]]:
    with sessions() as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.action.like("user.%")).order_by(AuditEntry.n))
        return [(one.actor, one.action, one.subject) for one in rows]


def _user(sessions: sessionmaker[Session], name: str) -> User:
    with sessions() as session:
        return session.query(User).filter_by(name=name).one()


def _give_second_factor(sessions, keys, name: str) -> None:
    with sessions.begin() as session:
        user = found(session, name)
        second_factor.begin(keys, user, "x")
        user.totp_since = NOON


def test_the_list_shows_who_may_log_in_as_what(admin, open_page, sessions, keys):
    _give_second_factor(sessions, keys, "auditor")
    post(admin, "/users/operator/change", display_name="李接听", role="operator", unit="", telephone="13800138000")

    page = open_page(admin, "/users")

    rows = [one.text.split() for one in page.all("tr")[1:]]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert ["operator", "李接听", "值班员", "—", "**********8000", "—", "–", "未启用", "✓", "正常", "—"] in rows
    assert any(row[0] == "unit" and "城南派出所" in row for row in rows)
    assert any(row[0] == "auditor" and "已启用" in row for row in rows)


def test_a_new_account_gets_a_password_that_is_shown_once_and_must_be_changed(admin, app, open_page, sessions):
    answer = post(admin, "/users", name="wang.li", role="unit", display_name="王丽", unit=OWN_UNIT, telephone="sip:12@pbx")
    Page.parse(answer.text).check()
    password = PASSWORD.search(answer.text)[1]

    assert answer.status_code == 200
    assert password not in admin.get("/users").text
    client = app.test_client()
    assert post(client, "/login", name="wang.li", password=password).status_code == 303
    assert client.get("/").headers["Location"] == "/account"
    assert _entries(sessions) == [("administrator", "user.add", "user:wang.li")]


WRONG = [
    ({"name": "王丽"}, "name"), ({"name": "operator"}, "name"), ({"role": "root"}, "role"), ({"role": "unit"}, "unit"),
    ({"unit": OWN_UNIT}, "unit"), ({"role": "unit", "unit": "nowhere"}, "unit"), ({"telephone": "110"}, "telephone"),
    ({"display_name": "x" * 40}, "display_name"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "field"), WRONG, ids=[f"{field}-{n}" for n, (_, field) in enumerate(WRONG)])
def test_what_is_wrong_with_a_new_account_is_said_at_its_field(admin, sessions, typed, field):
    answer = post(admin, "/users", **{"name": "wang.li", "role": "operator", "display_name": "王丽", "unit": "", "telephone": "", **typed})

    page = Page.parse(answer.text)
    page.check()
    assert answer.status_code == 422
    assert [one.attributes["name"] for one in page.elements if one.attributes.get("aria-invalid")] == [field]
    assert _entries(sessions) == []


def test_role_unit_and_telephone_change_at_once_and_the_trail_says_what_but_no_number(admin, log_in, open_page, sessions, keys):
    client = log_in("operator")

    answer = post(admin, "/users/operator/change", display_name="", role="unit", unit=OWN_UNIT, telephone="+8613800138000")

    user = _user(sessions, "operator")
    assert answer.status_code == 303
    assert (user.role, user.unit_id is not None, telephone_of(keys, "operator", user.telephone_sealed)) == ("unit", True, "+8613800138000")
    assert client.get("/escalations").status_code == 403
    with sessions() as session:
        details = json.loads(session.scalars(select(AuditEntry.details).where(AuditEntry.action == "user.change")).one())
    assert details == {"changed": ["display_name", "role", "telephone", "unit"], "role": "unit", "unit": user.unit_id}


def test_a_role_without_a_unit_leaves_the_unit(admin, sessions):
    post(admin, "/users/unit/change", role="operator", unit="")

    assert _user(sessions, "unit").unit_id is None


def test_nothing_changed_is_nothing_recorded(admin, sessions):
    post(admin, "/users/operator/change", display_name="测试operator", role="operator", unit="", telephone="")

    assert _entries(sessions) == []


def _form(page: Page) -> dict[str, str]:
    """The form of an account as a browser would send it back untouched."""
    fields = {one.attributes["name"]: one.attributes.get("value", "") for one in page.all("input") if "name" in one.attributes}
    for name, options in re.findall(r'<select[^>]* name="(\w+)".*?>(.*?)</select>', page.html, re.S):
        chosen = re.search(r'value="(\w*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return fields


def test_an_older_page_does_not_undo_what_another_administrator_has_done_meanwhile(admin, log_in, open_page, sessions, keys):
    """One takes the administrator's role away; another corrects the e-mail address on a page that still shows it."""
    with sessions.begin() as session:
        found(session, "operator").role = "administrator"
    other = log_in("administrator")
    older = _form(open_page(other, "/users/operator"))

    assert post(admin, "/users/operator/change", **{**_form(open_page(admin, "/users/operator")), "role": "operator"}).status_code == 303
    answer = post(other, "/users/operator/change", **{**older, "email": "new@police.example"})

    page = Page.parse(answer.text)
    page.check()
    assert answer.status_code == 409
    assert "角色：原为“管理员”，现为“值班员”" in page.text
    assert (_user(sessions, "operator").role, _user(sessions, "operator").email_sealed) == ("operator", None)
    again = _form(page)
    assert (again["role"], again["email"]) == ("operator", "new@police.example"), "what one has typed is kept, all else is as it stands"

    assert post(other, "/users/operator/change", **again).status_code == 303
    user = _user(sessions, "operator")
    assert (user.role, email_of(keys, "operator", user.email_sealed)) == ("operator", "new@police.example")


def test_an_account_whose_page_is_sent_back_untouched_stays_as_it_is(admin, open_page, sessions):
    for name in ("operator", "unit", "administrator"):
        assert post(admin, f"/users/{name}/change", **_form(open_page(admin, f"/users/{name}"))).status_code == 303

    assert _entries(sessions) == []


@pytest.mark.parametrize(("typed", "field"), [({"role": "unit", "unit": ""}, "unit"), ({"telephone": "x"}, "telephone")])
def test_what_is_wrong_with_a_change_is_said_at_its_field_and_changes_nothing(admin, sessions, typed, field):
    answer = post(admin, "/users/operator/change", **{"display_name": "新", **typed})

    assert answer.status_code == 422
    wrong = [one.attributes["name"] for one in Page.parse(answer.text).elements if one.attributes.get("aria-invalid")]
    assert wrong == [field]
    assert _user(sessions, "operator").display_name == "测试operator"


def test_a_disabled_account_is_out_at_once_and_comes_back_with_its_password(admin, app, log_in, passwords, sessions):
    client = log_in("operator")

    post(admin, "/users/operator/disable")
    assert client.get("/").status_code == 303
    assert post(app.test_client(), "/login", name="operator", password=passwords["operator"]).status_code == 401
    assert "已停用" in admin.get("/users/operator").text

    post(admin, "/users/operator/enable")
    assert post(app.test_client(), "/login", name="operator", password=passwords["operator"]).status_code == 303
    assert [action for _, action, _ in _entries(sessions)] == ["user.disable", "user.enable"]


def test_a_renewed_password_ends_the_log_ins_and_must_be_changed(admin, app, log_in, passwords, sessions):
    client = log_in("operator")

    answer = post(admin, "/users/operator/renew-password")

    assert client.get("/").status_code == 303
    assert post(app.test_client(), "/login", name="operator", password=passwords["operator"]).status_code == 401
    entered = app.test_client()
    assert post(entered, "/login", name="operator", password=PASSWORD.search(answer.text)[1]).status_code == 303
    assert entered.get("/").headers["Location"] == "/account"
    assert _entries(sessions) == [("administrator", "user.renew_password", "user:operator")]


def test_a_lost_telephone_is_helped_by_removing_the_second_factor(admin, app, log_in, passwords, sessions, keys):
    client = log_in("operator")
    _give_second_factor(sessions, keys, "operator")

    post(admin, "/users/operator/remove-second-factor")

    user = _user(sessions, "operator")
    assert (user.totp_secret_sealed, user.totp_since, user.totp_step) == (None, None, None)
    assert client.get("/").status_code == 303
    assert post(app.test_client(), "/login", name="operator", password=passwords["operator"]).headers["Location"] == "/"
    assert _entries(sessions) == [("administrator", "user.remove_second_factor", "user:operator")]


def test_a_second_factor_that_is_not_there_is_not_removed(admin, sessions):
    post(admin, "/users/operator/remove-second-factor")

    assert "未启用动态口令" in admin.get("/users/operator").text
    assert _entries(sessions) == []


def test_nobody_shuts_out_or_demotes_themselves(admin, open_page, sessions):
    page = open_page(admin, "/users/administrator")
    assert not [one for one in page.all("form") if one.attributes["action"].endswith(("/disable", "/renew-password"))]
    assert "role" not in [one.attributes.get("name") for one in page.all("select")]

    post(admin, "/users/administrator/disable")
    post(admin, "/users/administrator/change", role="operator", unit="")

    user = _user(sessions, "administrator")
    assert (user.role, user.disabled_at) == ("administrator", None)
    assert _entries(sessions) == []


def test_nobody_gives_themselves_a_password_without_the_old_one_or_takes_off_their_own_second_factor(admin, open_page, sessions, keys):
    _give_second_factor(sessions, keys, "administrator")
    before = _user(sessions, "administrator")

    assert post(admin, "/users/administrator/renew-password").status_code == 303
    assert "不能重设自己的密码" in open_page(admin, "/users/administrator").text
    assert post(admin, "/users/administrator/remove-second-factor").status_code == 303
    assert "不能解除自己的动态口令" in open_page(admin, "/users/administrator").text

    user = _user(sessions, "administrator")
    assert (user.password_hash, user.totp_since) == (before.password_hash, before.totp_since)
    assert _entries(sessions) == []


def test_an_account_that_does_not_exist_is_not_found(admin):
    assert admin.get("/users/nobody").status_code == 404
    for act in ("change", "disable", "enable", "renew-password", "remove-second-factor"):
        assert post(admin, f"/users/nobody/{act}").status_code == 404, act


@pytest.mark.parametrize("path", ["/users/operator/renew-password", "/users"])
def test_the_language_is_switched_from_the_answer_to_a_form_too(admin, path):
    page = Page.parse(post(admin, path).text)

    back = next(one.attributes["value"] for one in page.all("input") if one.attributes.get("name") == "next")
    assert admin.get(back).status_code == 200
    assert back == path.removesuffix("/renew-password")


def test_units_are_listed_with_their_accounts_and_incidents(log_in, open_page, month):
    page = open_page(log_in("centre"), "/units")

    rows = [one.text.split() for one in page.all("tr")[1:]]
    assert [OWN_UNIT, "城南派出所", "1", "0", "—"] in rows
    assert any(row[1:] == ["城东派出所", "0", "12", "—"] for row in rows)
