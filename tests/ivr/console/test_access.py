"""Who gets in: default deny, log-in, throttle, sessions, CSRF (RS49, RS51–RS53, RS65)."""

import json
from dataclasses import replace
from http.cookies import SimpleCookie

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from ivr.console.access import OPEN_ENDPOINTS, local_address
from ivr.console.app import create_console_app
from ivr.console.navigation import MENU
from survey import accounts
from survey.store.models import AuditEntry, Base, Escalation, LoginFailure, UserSession
from tests.conftest import ON_SQLITE_ALONE
from tests.conventions.sources import ROOT
from tests.conventions.test_manuals import rows
from tests.ivr.console.builders import NOON
from tests.ivr.console.conftest import csrf_of, post

MANUALS = {"zh": ("运维手册.md", "、", "**"), "en": ("operations.md", ", ", "*")}
SOME_ID = "0" * 32
EVERYBODY, HOUSE, DESK, CASES = "aoziuck", "aozick", "aoz", "aozi"
ARGUMENTS = {
    "public_id": SOME_ID,
    "into": SOME_ID,
    "record_id": SOME_ID,
    "month": "2026-10",
    "kind": "csv",
    "form": "docx",
    "number": 1,
    "name": "operator",
}
EVERYBODY, HOUSE, DESK, CASES, ORDERS = "aoziuck", "aozick", "aoz", "aozi", "oziuck"
ALLOWED = {
    "home.index": EVERYBODY, "login.leave": EVERYBODY, "account.show": EVERYBODY, "account.password": EVERYBODY,
    "account.begin": EVERYBODY, "account.confirm": EVERYBODY, "account.telephone": EVERYBODY, "account.email": EVERYBODY,
    "notices.index": "uzi", "notices.read": "uzi", "deliveries.index": "az", "deliveries.again": "a",
    "weekly.index": "uzick", "weekly.style": "uzick", "weekly.download": "uzick",
    "campaigns.index": HOUSE, "campaigns.show": HOUSE, "campaigns.progress": HOUSE, "hearings.index": HOUSE,
    "reports.index": HOUSE, "reports.sheet": HOUSE, "reports.style": HOUSE, "reports.download": HOUSE,
    "campaigns.pause": "a", "campaigns.resume": "a", "campaigns.stop": "a", "campaigns.pace": "a", "campaigns.limits": "a",
    "campaigns.lift": "a", "suppressions.lift": "a", "alarms.index": "ak", "alarms.take": "a", "audit.index": "ak", "audit.check": "ak",
    "users.index": "a", "users.add": "a", "users.show": "a", "users.change": "a", "users.disable": "a", "users.enable": "a",
    "users.renew_password": "a", "users.remove_second_factor": "a", "units.index": "az", "units.email": "a",
    "hearings.queue": DESK, "hearings.show": DESK, "hearings.sound": DESK, "hearings.review": DESK,
    "reviews.index": DESK, "reviews.decide": DESK, "bookings.book": DESK,
    "suppressions.index": DESK, "suppressions.register": DESK, "suppressions.search": DESK,
    "remarks.index": CASES, "remarks.show": CASES, "remarks.reveal": CASES, "remarks.correct": CASES, "remarks.code": CASES,
    "calls.index": CASES, "calls.show": CASES, "calls.unmask": CASES, "calls.permit": CASES, "calls.listen": CASES, "calls.sound": CASES,
    "desk.index": DESK, "desk.board": DESK, "desk.duty": DESK, "desk.claim": DESK, "desk.decline": DESK, "desk.show": DESK,
    "desk.state": DESK, "desk.deed": DESK, "desk.answer": DESK, "desk.wrap_up": DESK,
    "takeovers.course": DESK, "takeovers.person": DESK, "takeovers.reveal": DESK, "takeovers.settle_danger": DESK,
    "takeovers.keep_draft": DESK, "callbacks.call_back": DESK,
    "register.index": EVERYBODY, "register.enter": "azu", "register.load": "azu",
    "ledger.index": EVERYBODY, "ledger.show": EVERYBODY, "ledger.export": EVERYBODY,
    "calendar.index": "a", "calendar.load": "a", "calendar.change": "a",
    "order_documents.show": "oziuck", "order_documents.download": "oziuck", "order_documents.name": "ziu",
    "escalations.index": CASES, "tickets.show": CASES, "tickets.claim": CASES, "tickets.release": CASES, "tickets.note": CASES,
    "tickets.close": CASES, "tickets.merge": CASES,
    "orders.index": ORDERS, "orders.show": ORDERS, "order_files.show": ORDERS, "orders.contact": "zui", "orders.issue": "zi",
    "order_handling.sign": "ui", "order_handling.take_in_hand": "ui", "order_handling.answer": "ui",
    "order_handling.keep_draft": "ui",
    "order_handling.ask_extension": "ui", "order_handling.appeal": "ui", "order_files.attach": "zui",
    "order_decisions.decide_extension": "zi", "order_decisions.return_": "zi", "order_decisions.void": "zi",
    "order_decisions.reassign": "zi",
    "order_decisions.decide_appeal": "zi", "order_decisions.supervise": "zi", "order_decisions.close": "zi",
    "order_decisions.begin_recall": "ozi", "order_decisions.note_recall": "ozi",
    "order_decisions.account": "zi", "order_decisions.decide_accountability": "zi",
    "live.listen": EVERYBODY, "company.of_order": ORDERS, "company.of_ticket": CASES,
    "demonstration.next_day": EVERYBODY,
    "bulk.show_urge": "zi", "bulk.urge": "zi", "bulk.show_issue": "zi", "bulk.issue": "zi", "bulk.show_assign": "azi", "bulk.assign": "azi",
    "bulk.show_print": ORDERS, "bulk.print_": ORDERS,
}  # fmt: skip
"""What each role may open: a administrator, o operator, z centre, i inspection, u unit, c commander, k auditor. A new page must be
entered here."""
LETTERS = dict(zip("aoziuck", accounts.ROLES, strict=True))


def _addresses(app: Flask) -> list[tuple[str, str, str]]:
    """Endpoint, method and an example address of every route but files."""
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        return [
            (rule.endpoint, method, adapter.build(rule.endpoint, {name: ARGUMENTS[name] for name in rule.arguments}, method))
            for rule in app.url_map.iter_rules()
            for method in sorted((rule.methods or set()) & {"GET", "POST"})
            if rule.endpoint != "static" and not rule.websocket  # sockets: test_live
        ]


def test_every_route_is_open_by_list_or_marked_with_roles(app):
    for rule in app.url_map.iter_rules():
        marked = hasattr(app.view_functions[rule.endpoint], "allowed_roles")
        assert marked != (rule.endpoint in OPEN_ENDPOINTS), rule.endpoint


def test_each_role_reaches_exactly_what_the_table_says(app):
    marks = {
        endpoint: {letter for letter, role in LETTERS.items() if role in view.allowed_roles}
        for endpoint, view in app.view_functions.items()
        if endpoint not in OPEN_ENDPOINTS
    }

    assert marks == {endpoint: set(letters) for endpoint, letters in ALLOWED.items()}


@pytest.mark.parametrize("language", MANUALS)
def test_the_manuals_tell_what_each_role_finds_in_the_menu(app: Flask, language: str) -> None:
    file, comma, mark = MANUALS[language]
    with app.test_request_context(), force_locale(language):
        menu = [(str(label), app.view_functions[endpoint].allowed_roles) for _, endpoint, label in MENU]
    found = {role: comma.join(f"{mark}{label}{mark}" for label, roles in menu if role in roles) for role in accounts.ROLES}

    told = rows((ROOT / "docs" / file).read_text("utf-8"), "roles")
    assert {role.strip("`"): entries for role, entries, _may in told} == found


def test_nobody_gets_anywhere_without_a_log_in(app):
    client = app.test_client()
    app.config["WTF_CSRF_ENABLED"] = False

    for endpoint, method, address in _addresses(app):
        if endpoint not in OPEN_ENDPOINTS:
            answer = client.open(address, method=method)
            assert answer.status_code == 303, f"{method} {address}"
            assert answer.headers["Location"].startswith("/login")


@ON_SQLITE_ALONE
@pytest.mark.parametrize("role", accounts.ROLES)
def test_a_role_is_refused_what_is_not_its_own(app, log_in, role):
    client = log_in(role)
    app.config["WTF_CSRF_ENABLED"] = False
    letter = {name: letter for letter, name in LETTERS.items()}[role]

    for endpoint, method, address in _addresses(app):
        if endpoint not in OPEN_ENDPOINTS and letter not in ALLOWED[endpoint]:
            assert client.open(address, method=method).status_code == 403, f"{method} {address}"


@pytest.mark.parametrize("role", accounts.ROLES)
def test_every_page_of_its_own_is_open_to_a_role(app, log_in, month, role):
    client = log_in(role)
    letter = {name: letter for letter, name in LETTERS.items()}[role]

    for endpoint, method, address in _addresses(app):
        if method == "GET" and letter in ALLOWED.get(endpoint, ""):
            assert client.get(address.replace(SOME_ID, month.campaign)).status_code in (200, 303, 404), address


def test_every_refusal_stands_in_the_trail_with_who_asked_for_what(log_in, month, sessions: sessionmaker[Session]):
    """A unit that asks for the sample list, a call or a remark gets nothing, and the attempt is on record (R12)."""
    client = log_in("unit")
    asked = [f"/campaigns/{month.campaign}/calls?page=2", f"/calls/{month.dissatisfied}", "/remarks", "/audit"]

    assert [client.get(address).status_code for address in asked] == [403] * 4
    assert post(client, f"/calls/{month.dissatisfied}/unmask", reason="想看看是谁").status_code == 403

    with sessions() as session:
        wanted = select(AuditEntry).where(AuditEntry.action == "access.refused").order_by(AuditEntry.n)
        noted = [(one.actor, one.subject, json.loads(one.details)) for one in session.scalars(wanted)]
    assert [(actor, subject) for actor, subject, _ in noted] == [
        ("unit", "page:calls.index"), ("unit", "page:calls.show"), ("unit", "page:remarks.index"), ("unit", "page:audit.index"),
        ("unit", "page:calls.unmask"),
    ]  # fmt: skip
    assert noted[0][2] == {"role": "unit", "method": "GET", "path": f"/campaigns/{month.campaign}/calls"}
    assert noted[4][2]["method"] == "POST"


def test_a_refusal_without_a_log_in_stands_in_the_log_alone(app, caplog, sessions: sessionmaker[Session]):
    with caplog.at_level("INFO", "ivr.console.access"):
        app.test_client().get("/audit?secret=1")

    record = next(one for one in caplog.records if getattr(one, "action", "") == "access.refused")
    assert (record.role, record.method, record.path) == ("nobody", "GET", "/audit")
    with sessions() as session:
        assert session.scalars(select(AuditEntry)).all() == []


def test_inspection_alone_sees_what_went_to_inspection_and_no_administrator(log_in, open_page, month, sessions: sessionmaker[Session]):
    with sessions.begin() as session:
        session.query(Escalation).update({"route": "inspection"})

    for role, status in {"administrator": 404, "inspection": 200, "operator": 404, "centre": 404}.items():
        client = log_in(role)
        assert client.get(f"/calls/{month.dissatisfied}").status_code == status, role
        assert (month.incident_number in client.get("/escalations").text) == (status == 200), role


def test_the_home_of_a_unit_says_what_it_may_not_see_and_counts_its_own_orders_alone(log_in, open_page, month):
    page = open_page(log_in("unit"), "/")

    assert page.one("h1").text == "城南派出所"
    assert "不能查看回访名单" in page.text
    figures = [one.text.split() for one in page.all("div") if one.attributes.get("class") == "figure-box"]
    assert figures == [[label, "0"] for label in ("待签收", "办理中", "今日到期", "逾期", "已退回")]
    assert "2026-10" not in page.text


def test_a_view_without_a_mark_is_refused_even_to_the_administrator(services, passwords):
    app = create_console_app(services)
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    client = app.test_client()
    post(client, "/login", name="administrator", password=passwords["administrator"])

    assert client.get("/forgotten").status_code == 403


def test_the_first_page_after_the_log_in_is_the_one_that_was_asked_for(app, passwords):
    client = app.test_client()
    asked = client.get("/audit?page=2")

    answer = post(client, "/login", name="auditor", password=passwords["auditor"], next=asked.headers["Location"].split("next=")[1])

    assert asked.headers["Location"] == "/login?next=/audit?page%3D2"
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "evil", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", None, "/\r\nSet-Cookie: a=b"]
)
def test_a_log_in_leads_nowhere_else(evil):
    assert local_address(evil) == "/"


def test_wrong_password_and_unknown_user_get_the_same_page(app, passwords):
    def refusal(name: str) -> tuple[int, str]:
        client = app.test_client()
        token = csrf_of(client)
        answer = client.post("/login", data={"name": name, "password": "wrong", "csrf_token": token})
        return answer.status_code, answer.text.replace(name, "NAME").replace(csrf_of(client), "TOKEN")

    known, unknown = refusal("operator"), refusal("nobody")

    assert known[0] == unknown[0] == 401
    assert "用户名或密码错误" in known[1]
    assert _without_token(known[1]) == _without_token(unknown[1])


def _without_token(html: str) -> list[str]:
    return [line for line in html.splitlines() if "csrf_token" not in line]


def test_after_five_failures_even_the_right_password_is_refused_for_fifteen_minutes(app, clock, passwords):
    client = app.test_client()
    for _ in range(5):
        assert post(client, "/login", name="operator", password="wrong").status_code == 401

    assert post(client, "/login", name="operator", password=passwords["operator"]).status_code == 401
    clock.advance(minutes=15)
    assert post(client, "/login", name="operator", password=passwords["operator"]).status_code == 303


def test_the_address_is_locked_for_all_names(app, passwords):
    client = app.test_client()
    for n in range(5):
        post(client, "/login", name=f"guess{n}", password="wrong")

    assert post(client, "/login", name="operator", password=passwords["operator"]).status_code == 401


def test_another_address_is_not_locked_with_it(app, passwords):
    guesser, colleague = app.test_client(), app.test_client()
    for n in range(5):
        post(guesser, "/login", name=f"guess{n}", password="wrong")
    colleague.environ_base["REMOTE_ADDR"] = "127.0.0.2"

    assert post(colleague, "/login", name="operator", password=passwords["operator"]).status_code == 303


def test_a_forged_forwarding_header_does_not_change_the_address(app, passwords):
    client = app.test_client()
    for n in range(5):
        token = csrf_of(client)
        client.post("/login", data={"name": f"guess{n}", "password": "x", "csrf_token": token}, headers={"X-Forwarded-For": f"10.0.0.{n}"})

    assert post(client, "/login", name="operator", password=passwords["operator"]).status_code == 401


def test_after_the_log_out_the_old_cookie_is_worth_nothing(log_in, app):
    client = log_in("operator")
    stolen = client.get_cookie("huifang")
    post(client, "/logout")
    thief = app.test_client()
    thief.set_cookie("huifang", stolen.value)

    assert client.get("/").status_code == 303
    assert thief.get("/").status_code == 303


def test_an_idle_session_ends_after_fifteen_minutes(log_in, clock):
    client = log_in("operator")

    clock.advance(minutes=14)
    assert client.get("/").status_code == 200
    clock.advance(minutes=14)
    assert client.get("/").status_code == 200
    clock.advance(minutes=15)
    assert client.get("/").status_code == 303


def test_no_session_outlives_twelve_hours_however_busy(log_in, clock):
    client = log_in("operator")
    for _ in range(71):
        clock.advance(minutes=10)
        assert client.get("/").status_code == 200

    clock.advance(minutes=10)

    assert client.get("/").status_code == 303


def test_a_page_that_refreshes_itself_does_not_keep_the_session_alive(log_in, clock, month):
    client = log_in("operator")
    for _ in range(14):
        clock.advance(minutes=1)
        assert client.get(f"/campaigns/{month.campaign}/progress", headers={"HX-Request": "true"}).status_code == 200
    clock.advance(minutes=1)

    answer = client.get(f"/campaigns/{month.campaign}/progress", headers={"HX-Request": "true"})

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/login")


def test_a_disabled_user_is_out_at_the_next_request(log_in, sessions: sessionmaker[Session]):
    client = log_in("operator")
    with sessions.begin() as session:
        accounts.disable_user(session, "operator", NOON)

    assert client.get("/").status_code == 303


def test_the_cookie_is_kept_from_scripts_and_foreign_sites(app, services, passwords):
    plain = _cookie_of(app, passwords)
    safe = _cookie_of(create_console_app(_with_https(services)), passwords, "https://localhost")

    assert plain["huifang"]["httponly"]
    assert plain["huifang"]["samesite"] == "Lax"
    assert not plain["huifang"]["secure"]
    assert safe["__Host-huifang"]["secure"]
    assert safe["__Host-huifang"]["path"] == "/"
    assert not safe["__Host-huifang"]["domain"]


def _with_https(services):
    return replace(services, https=True)


def _cookie_of(app: Flask, passwords: dict[str, str], base: str = "http://localhost") -> SimpleCookie:
    client = app.test_client()
    return SimpleCookie(client.get("/login", base_url=base).headers["Set-Cookie"])


def test_the_database_holds_no_token_and_no_password(log_in, passwords, sessions: sessionmaker[Session]):
    client = log_in("operator")
    with client.session_transaction() as cookie:
        token = cookie["token"]

    with sessions() as session:
        everything = " ".join(str(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table)))

    assert token not in everything
    assert passwords["operator"] not in everything


@ON_SQLITE_ALONE
@pytest.mark.parametrize("role", accounts.ROLES)
def test_every_post_without_a_token_is_refused_and_changes_nothing(app, log_in, month, sessions: sessionmaker[Session], role):
    client = log_in(role)
    before = _digest(sessions)

    for address in _own(app, role, "POST"):
        known = address.replace(SOME_ID, month.campaign)
        assert client.post(known, data={"reason": "没有令牌", "understood": "yes"}).status_code == 400, address
        assert client.post(known, data={"reason": "没有令牌", "csrf_token": "foreign"}).status_code == 400, address

    assert _digest(sessions) == before


IN_THE_TRAIL = (
    "reports.download", "calls.sound", "weekly.download", "ledger.export", "orders.show", "order_files.show", "order_documents.show",
    "order_documents.download", "tickets.show", "company.of_order", "company.of_ticket", "ledger.show",
)  # fmt: skip
"""Pages that leave their mark: files that are taken, and orders, tickets and ledgers that are not there for who asks (see test_orders)."""


@pytest.mark.parametrize("role", accounts.ROLES)
def test_reading_pages_changes_nothing_but_the_trail_of_files_taken(app, log_in, month, sessions: sessionmaker[Session], role):
    client = log_in(role)
    before = _digest(sessions)

    for address in _own(app, role, "GET", but=IN_THE_TRAIL):
        client.get(address.replace(SOME_ID, month.campaign))

    assert _digest(sessions) == before


def _own(app: Flask, role: str, wanted: str, but: tuple[str, ...] = ()) -> list[str]:
    """Addresses of what the role may open by this method."""
    return [
        address
        for endpoint, method, address in _addresses(app)
        if method == wanted and endpoint not in but and (endpoint in OPEN_ENDPOINTS or _letter(role) in ALLOWED[endpoint])
    ]


def _letter(role: str) -> str:
    return next(letter for letter, name in LETTERS.items() if name == role)


def _digest(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return [str(session.execute(text(f"SELECT * FROM {table.name}")).all()) for table in Base.metadata.sorted_tables]


def test_the_session_of_before_the_log_in_is_not_taken_along(app, passwords):
    client = app.test_client()
    before = csrf_of(client)

    post(client, "/login", name="operator", password=passwords["operator"])

    assert client.post("/logout", data={"csrf_token": before}).status_code == 400


def test_log_in_log_out_and_failure_stand_in_the_audit_trail(log_in, app, sessions: sessionmaker[Session]):
    post(app.test_client(), "/login", name="nobody", password="wrong")
    post(log_in("operator"), "/logout")

    with sessions() as session:
        entries = [(one.actor, one.action, one.subject) for one in session.scalars(select(AuditEntry).order_by(AuditEntry.n))]
        assert session.scalars(select(UserSession)).one().ended_at == NOON
        assert {one.subject for one in session.scalars(select(LoginFailure))} == {"user:nobody", "address:127.0.0.1"}

    assert entries == [
        ("console", "login.refused", "user:unknown"), ("operator", "login", "user:operator"), ("operator", "logout", "user:operator"),
    ]  # fmt: skip
