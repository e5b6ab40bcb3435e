"""The live socket of each page: who may follow what, what it is told, and when there is none to be had (O3–O7, O33)."""

import json
import time
from contextlib import ExitStack
from dataclasses import replace
from socket import SHUT_RDWR

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from ivr.console import live as module
from ivr.console.app import create_console_app
from ivr.console.hub import GOING_AWAY, NOT_ALLOWED, TRY_LATER
from ivr.console.services import ConsoleServices
from survey import desk as use
from survey.store.models import AuditEntry, Escalation, Takeover, Unit, User
from tests.conftest import ON_SQLITE_ALONE, StandingClock
from tests.ivr.console.conftest import post
from tests.ivr.console.order_desk import OrderDesk, take
from tests.ivr.console.sockets import PATIENCE_SECONDS, cookie_of, end_of, next_topic, open_socket, served, status_of
from tests.ivr.console.test_desk import on_duty, waiting, with_telephones

__all__ = ["waiting", "with_telephones"]
pytestmark = ON_SQLITE_ALONE
NOWHERE = "0" * 32


@pytest.fixture
def place(app: Flask):
    with served(app) as place:
        yield place


@pytest.fixture
def desk(services: ConsoleServices, clock: StandingClock, passwords: dict[str, str]) -> OrderDesk:
    return OrderDesk(services, clock)


def eventually(condition) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def refusals(sessions: sessionmaker[Session]) -> list[tuple[str, str, str]]:
    with sessions() as session:
        noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "access.refused").order_by(AuditEntry.n))
        return [(one.actor, one.subject, json.loads(one.details)["path"]) for one in noted]


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────


def test_a_page_is_told_at_once_that_its_line_stands_and_then_of_each_change(place, services, log_in, sessions, waiting):
    client = on_duty(log_in)
    with open_socket(place, cookie_of(client), "desk") as socket:
        assert json.loads(socket.recv(timeout=PATIENCE_SECONDS)) == {"topic": "", "v": 0}

        with services.unit_of_work() as work:
            use.give_up(work, work.session.scalars(select(Takeover.id)).one())
        assert next_topic(socket) == "desk"


def test_whatever_unit_of_work_changes_the_desk_all_who_look_at_it_are_told(place, services, log_in, waiting, clock):
    """Within a second of the commit (O7), whoever commits: here another console, as the voice door or a worker might."""
    cookies = [cookie_of(on_duty(log_in)), cookie_of(on_duty(log_in, "centre"))]
    with open_socket(place, cookies[0], "desk") as one, open_socket(place, cookies[1], "desk") as other:
        for socket in (one, other):
            socket.recv(timeout=PATIENCE_SECONDS)
        with services.unit_of_work() as work:
            user = work.session.scalars(select(User).where(User.name == "operator")).one()
            use.claim(work, services.office, waiting, user, clock.now())
        assert (next_topic(one), next_topic(other)) == ("desk", "desk")


def test_a_call_in_hand_an_order_and_a_ticket_are_followed_each_alone(place, services, log_in, desk, waiting, clock):
    operator = on_duty(log_in)
    assert post(operator, f"/desk/calls/{waiting}/claim").status_code == 303
    [first, second], centre, unit = desk.issued(2), log_in("centre"), log_in("unit")
    [case] = desk.cases(reasons=("human_requested",))
    call, order, ticket = f"call:{waiting}", f"order:{first}", f"ticket:{case}"
    with open_socket(place, cookie_of(operator), call, ticket) as mine, open_socket(place, cookie_of(centre), order) as theirs:
        assert (next_topic(mine), next_topic(theirs)) == (ticket, order), "one's own coming"

        assert post(operator, f"/escalations/{case}/note", text="已致电").status_code == 303
        assert next_topic(mine) == ticket
        with services.unit_of_work() as work:
            work.session.scalars(select(Takeover)).one().muted = True
        assert next_topic(mine) == call
        assert take(unit, second, "sign").status_code == 303
        assert take(unit, first, "sign").status_code == 303
        assert next_topic(theirs) == order


def test_what_is_rolled_back_is_told_to_nobody(services, live, waiting):
    live.hub.is_hearing()
    seat = live.hub.join({"desk": "desk"})
    with pytest.raises(ZeroDivisionError):
        _change_and_fail(services)

    assert seat.wait(0.05) == {}


def _change_and_fail(services: ConsoleServices) -> None:
    with services.unit_of_work() as work:
        work.session.scalars(select(Takeover)).one().reason = "danger"
        work.session.flush()
        raise ZeroDivisionError


# ── who may follow what ──────────────────────────────────────────────────────────────────────────────


def test_without_a_log_in_there_is_no_socket(place):
    assert status_of(place, "", "desk") == 303


@pytest.mark.parametrize(
    ("role", "topic"),
    [
        ("unit", "desk"), ("auditor", "desk"), ("commander", "ticket:{case}"), ("unit", "ticket:{case}"),
        ("administrator", "order:{order}"),
    ],
)  # fmt: skip
def test_a_topic_is_refused_to_whom_its_page_is_and_that_is_on_record(place, log_in, desk, sessions, role, topic):
    [order], [case] = desk.issued(), desk.cases()
    assert status_of(place, cookie_of(log_in(role)), topic.format(order=order, case=case)) == 403

    assert refusals(sessions) == [(role, "page:live.listen", "/live")]


def test_what_is_not_there_for_who_asks_is_not_found_and_that_is_on_record(place, log_in, desk, sessions):
    """Another unit's order, inspection's ticket, a call that nobody has (R12, R35)."""
    with sessions.begin() as session:
        session.add(Unit(code="north", name="城北派出所"))
    [foreign], [case] = desk.issued(unit="north"), desk.cases(reasons=("abuse_alleged",))
    unit, operator = cookie_of(log_in("unit")), cookie_of(log_in("operator"))

    assert status_of(place, unit, f"order:{foreign}") == 404
    assert status_of(place, operator, f"ticket:{case}") == 404
    assert status_of(place, operator, f"call:{NOWHERE}") == 404
    assert [actor for actor, _, _ in refusals(sessions)] == ["unit", "operator", "operator"]


def test_somebody_elses_call_is_refused(place, log_in, waiting):
    first, second = on_duty(log_in), on_duty(log_in, "centre")
    assert post(first, f"/desk/calls/{waiting}/claim").status_code == 303

    assert status_of(place, cookie_of(second), f"call:{waiting}") == 403
    assert status_of(place, cookie_of(first), f"call:{waiting}") == 101


@pytest.mark.parametrize("topics", [[], ["desk"] * 5])
def test_a_socket_names_between_one_and_four_topics(place, log_in, topics):
    assert status_of(place, cookie_of(log_in("operator")), *topics) == 400


@pytest.mark.parametrize("topic", ["", "desk:1", "order", "order:", "everything", "order:%27", "call:1"])
def test_a_topic_that_is_none_is_not_found(place, log_in, topic):
    assert status_of(place, cookie_of(log_in("operator")), topic) == 404


@pytest.mark.parametrize("origin", ["http://evil.example", None, "null", "http://127.0.0.1", "file://"])
def test_a_foreign_site_that_comes_with_our_cookie_gets_no_socket(place, log_in, sessions, origin):
    assert status_of(place, cookie_of(log_in("operator")), "desk", origin=origin) == 403

    assert refusals(sessions) == [], "a proxy that names another host would fill the record, a line for each retry of each page"


def test_by_https_a_page_that_came_without_is_foreign(services, passwords):
    app = create_console_app(replace(services, https=True))
    with app.test_request_context("/live", base_url="https://localhost", headers={"Origin": "http://localhost"}):
        assert not module._is_from_here()
    with app.test_request_context("/live", base_url="https://localhost", headers={"Origin": "https://localhost"}):
        assert module._is_from_here()


def test_an_ordinary_request_for_the_sockets_address_is_no_page(log_in):
    assert log_in("operator").get("/live").status_code == 400


# ── how it ends ──────────────────────────────────────────────────────────────────────────────────────


def test_who_logs_out_loses_the_socket(place, log_in, monkeypatch):
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.1)
    client = log_in("operator")
    with open_socket(place, cookie_of(client), "desk") as socket:
        socket.recv(timeout=PATIENCE_SECONDS)
        assert post(client, "/logout").status_code == 303
        assert end_of(socket) == NOT_ALLOWED


def test_beyond_the_share_of_sockets_a_page_is_refused_until_another_goes(place, live, log_in):
    cookie = cookie_of(log_in("operator"))
    with ExitStack() as open_ones:
        held = [open_ones.enter_context(open_socket(place, cookie, "desk")) for _ in range(live.hub.most)]
        eventually(lambda: live.hub.open == live.hub.most)
        assert status_of(place, cookie, "desk") == 503

        held[0].close()
        eventually(lambda: live.hub.open < live.hub.most)
        assert status_of(place, cookie, "desk") == 101


def test_a_page_that_is_gone_leaves_its_seat(place, live, log_in):
    cookie = cookie_of(log_in("operator"))
    with open_socket(place, cookie, "desk") as socket:
        eventually(lambda: live.hub.open == 1)
        socket.socket.shutdown(SHUT_RDWR)

        eventually(lambda: live.hub.open == 0)


def test_while_announcements_cannot_be_heard_pages_lose_their_sockets_and_get_none(place, live, log_in):
    cookie = cookie_of(log_in("operator"))
    with open_socket(place, cookie, "desk") as socket:
        socket.recv(timeout=PATIENCE_SECONDS)
        live.announcer.is_silent = True
        assert end_of(socket) == TRY_LATER
    assert status_of(place, cookie, "desk") == 503

    live.announcer.is_silent = False
    eventually(lambda: status_of(place, cookie, "desk") == 101)


def test_a_socket_that_is_refused_again_and_again_is_no_sign_of_life(place, live, log_in, clock):
    client = log_in("operator")
    live.announcer.is_silent = True
    for _ in range(14):
        clock.advance(minutes=1)
        assert status_of(place, cookie_of(client), "desk") == 503
    clock.advance(minutes=1)

    assert client.get("/").status_code == 303


def test_a_server_that_stops_ends_its_sockets_first(place, app, log_in):
    with open_socket(place, cookie_of(log_in("operator")), "desk") as socket:
        socket.recv(timeout=PATIENCE_SECONDS)
        app.end_lasting()
        assert end_of(socket) == GOING_AWAY
    assert status_of(place, cookie_of(log_in("centre")), "desk") == 503


def test_a_house_that_tells_nobody_has_no_sockets(services, passwords):
    app = create_console_app(replace(services, live=None))
    client = app.test_client()
    post(client, "/login", name="operator", password=passwords["operator"])
    with served(app) as place:
        assert status_of(place, cookie_of(client), "desk") == 503


# ── who else is looking ──────────────────────────────────────────────────────────────────────────────


def look(client: FlaskClient, page: str, seen: int = 99) -> str:
    answer = client.get(f"{page}/company?seen={seen}", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.text


def test_two_people_on_one_order_see_each_other_and_are_told_when_somebody_comes(place, log_in, desk):
    [order_id] = desk.issued()
    centre, unit = log_in("centre"), log_in("unit")
    page, topic = f"/orders/{order_id}", f"order:{order_id}"
    with open_socket(place, cookie_of(centre), topic) as socket:
        assert next_topic(socket) == topic, "one's own coming"
        assert "也在查看" not in look(centre, page)

        assert "测试centre 也在查看" in look(unit, page)
        assert next_topic(socket) == topic
        assert "测试unit 也在查看" in look(centre, page)


def test_who_closes_the_page_is_seen_no_more(place, log_in, desk):
    [order_id] = desk.issued()
    centre, unit = log_in("centre"), log_in("unit")
    page, topic = f"/orders/{order_id}", f"order:{order_id}"
    with open_socket(place, cookie_of(unit), topic) as socket:
        next_topic(socket)
        assert "测试unit 也在查看" in look(centre, page)

    eventually(lambda: "也在查看" not in look(centre, page))


def test_what_others_did_since_the_page_was_opened_is_said_with_who_and_when(log_in, desk):
    [order_id] = desk.issued()
    centre, unit = log_in("centre"), log_in("unit")
    assert "变动" not in look(centre, f"/orders/{order_id}", seen=1)
    assert take(unit, order_id, "sign").status_code == 303

    told = look(centre, f"/orders/{order_id}", seen=1)
    assert "测试unit 签收" in told
    assert f'href="/orders/{order_id}"' in told
    assert "变动" not in look(centre, f"/orders/{order_id}", seen=2)


def test_a_ticket_has_company_too(log_in, desk):
    [case] = desk.cases(reasons=("human_requested",))
    operator, centre = log_in("operator"), log_in("centre", "en")
    page = f"/escalations/{case}"
    assert f"{page}/company?seen=0" in operator.get(page).text
    assert post(operator, f"{page}/note", text="已致电").status_code == 303
    look(operator, page)

    told = look(centre, page, seen=0)
    assert "also looking: 测试operator" in told
    assert "Changed since you opened this page" in told
    assert "已致电" not in told


@pytest.mark.parametrize("kind", ["order", "ticket"])
def test_an_open_page_that_goes_to_inspection_stops_asking_and_is_on_record_once(log_in, desk, sessions, kind):
    """Else each reader's page would write twelve refusals a minute, and take the chain's lock for each (R12, R35)."""
    centre = log_in("centre")
    page = f"/orders/{desk.issued()[0]}" if kind == "order" else f"/escalations/{desk.cases(reasons=('human_requested',))[0]}"
    assert centre.get(page).status_code == 200
    look(centre, page)
    with sessions.begin() as session:
        session.query(Escalation).update({"route": "inspection"})

    answers = [centre.get(f"{page}/company?seen=1", headers={"HX-Request": "true"}) for _ in range(5)]

    assert [one.status_code for one in answers] == [286] * 5, "htmx shows it and asks no more"
    assert "已不再对您开放" in answers[0].text
    assert [path for _, _, path in refusals(sessions)] == [f"{page}/company"]
    assert centre.get(page).status_code == 404
    assert len(refusals(sessions)) == 2, "whoever asks for the page itself is written down each time"


def test_a_desk_that_is_open_when_its_reader_gets_another_role_stops_asking_and_is_on_record_once(log_in, sessions):
    client = log_in("operator")
    assert client.get("/desk/board", headers={"HX-Request": "true"}).status_code == 200
    with sessions.begin() as session:
        session.scalars(select(User).where(User.name == "operator")).one().role = "commander"

    assert {client.get("/desk/board", headers={"HX-Request": "true"}).status_code for _ in range(5)} == {286}
    assert refusals(sessions) == [("operator", "page:desk.board", "/desk/board")]


def test_whoever_tries_one_order_after_the_other_is_on_record_for_each_though_they_say_that_a_page_asks(log_in, desk, sessions):
    with sessions.begin() as session:
        session.add(Unit(code="north", name="城北派出所"))
    unit = log_in("unit")
    for order_id in desk.issued(3, unit="north"):
        assert unit.get(f"/orders/{order_id}/company", headers={"HX-Request": "true"}).status_code == 286

    assert len(refusals(sessions)) == 3


def test_the_page_of_an_order_asks_from_the_version_that_it_shows(log_in, desk):
    [order_id] = desk.issued()
    unit = log_in("unit")
    take(unit, order_id, "sign")

    html = unit.get(f"/orders/{order_id}").text
    assert f'data-topic="order:{order_id}"' in html
    assert f"/orders/{order_id}/company?seen=2" in html
