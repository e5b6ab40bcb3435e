"""No page offers what the domain refuses, and none leaves out what it allows; what is forged changes nothing (O32, R35, R49)."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ivr.console.order_access import roles_of
from ivr.console.order_words import EVENTS, TABS, state
from survey import accounts, casework
from survey.casework import SealedFile
from survey.casework.changes import may_see, route_of
from survey.errors import BadInput, NotAllowed, NotFound
from survey.order_moves import MOVES, STATES, Actor
from survey.order_replies import Reply
from survey.orders import BY_HAND
from survey.store import audit
from survey.store.models import Order, OrderAppeal, OrderExtension, User
from survey.store.queries import order_lists
from survey.store.queries.order_lists import Filters, Moments
from survey.working_days import CalendarMissing
from tests.conftest import ON_SQLITE_ALONE
from tests.ivr.console.builders import NOON
from tests.ivr.console.order_desk import ADDRESS, RIGHT_UNIT, WORDS, OrderDesk, forms, offered, send, take

READERS = ("unit", "centre", "inspection", "operator", "commander", "auditor")
FILE = SealedFile("f" * 32, "attachments/ff/f.sealed", "0" * 64, "application/pdf", 9)
VISIT = Reply("substantiated", "officer", measure="批评教育", visited_on=date(2026, 11, 23), people="钱所长")


@pytest.fixture
def desk(services, clock, passwords) -> OrderDesk:
    return OrderDesk(services, clock)


def _tries(desk: OrderDesk, order_id: str, actor: Actor, version: int) -> dict[str, list[Callable[[Any], object]]]:
    """Each action of the domain, filled in well; more than one way where one may be allowed and another not."""
    office, terms, now = desk.services.office, desk.services.office.terms, desk.clock.now()
    own, other = (office, order_id, actor, version), _another_unit(desk, order_id)
    return {
        "sign": [lambda s: casework.sign(s, *own, now)],
        "take_in_hand": [lambda s: casework.take_in_hand(s, *own, now)],
        "answer": [lambda s: casework.answer(s, *own, VISIT, terms, now)],
        "ask_extension": [lambda s: casework.ask_extension(s, *own, 2, "需外地核实", terms, now)],
        "decide_extension": [
            lambda s: casework.decide_extension(s, *own, is_granted=True, reason="同意", terms=terms, now=now),
            lambda s: casework.decide_extension(s, *own, is_granted=False, reason="不同意", terms=terms, now=now),
        ],
        "appeal": [lambda s: casework.appeal(s, *own, "not_own", "非本单位处置", now)],
        "decide_appeal": [lambda s: casework.decide_appeal(s, *own, is_upheld=True, reason="属实", now=now)],
        "reassign": [lambda s: casework.reassign(s, *own, other, "在其辖区", now)],
        "return": [lambda s: casework.return_(s, *own, "措施不具体", terms, now)],
        "supervise": [lambda s: casework.supervise(s, *own, "一再拖延", terms, now)],
        "begin_recall": [lambda s: casework.begin_recall(s, office, order_id, now, actor, version)],
        "note_recall": [lambda s: casework.note_recall(s, office, order_id, "dissatisfied", terms, now, actor, version)],
        "close": [lambda s, word=word: casework.close(s, *own, word, "研究决定", now) for word in BY_HAND],
        "void": [lambda s: casework.void(s, *own, "误发", now)],
        "attach": [lambda s: casework.attach(s, *own, FILE, "现场.pdf", now)],
    }


def _accepted(desk: OrderDesk, order_id: str, actor: Actor) -> set[str]:
    """The actions that the domain lets this actor take now; everything is rolled back."""
    tries, found = _tries(desk, order_id, actor, desk.order(order_id).version), set()
    with desk.services.sessions() as session:
        audit.collect(session)
        for action, ways in tries.items():
            for way in ways:
                savepoint = session.begin_nested()
                try:
                    way(session)
                    found.add(action)
                except CalendarMissing:
                    found.add(action)  # of the calendar, not of the actor
                except (NotAllowed, BadInput, NotFound):
                    pass
                savepoint.rollback()
        session.rollback()
    return found


def _another_unit(desk: OrderDesk, order_id: str) -> int:
    """The right unit, or back to the one that had the order first."""
    with desk.services.sessions() as session:
        first = session.query(User).filter_by(name="unit").one().unit_id
    return RIGHT_UNIT if desk.order(order_id).unit_id == first else first


def _actor(desk: OrderDesk, name: str) -> Actor:
    with desk.services.sessions() as session:
        user = session.query(User).filter_by(name=name).one()
        return Actor(user.name, user.role, user.unit_id, user.is_head)


@pytest.fixture
def clients(desk, log_in) -> dict[str, FlaskClient]:
    return {role: log_in(role) for role in accounts.ROLES}


def test_every_action_of_the_domain_has_its_form_and_its_words():
    assert set(WORDS) == set(MOVES) - {"reroute", "retime"}, "what the program alone does has no form"
    assert set(MOVES) | {"issue"} == set(EVENTS)
    assert set(order_lists.TABS) | {"to_issue"} == set(TABS)
    assert all(state(word).sign != "?" for word in STATES)


def test_the_roles_of_a_page_are_those_of_the_domain(app):
    for action in WORDS:
        endings = [
            rule for rule in app.url_map.iter_rules() if str(rule).endswith(f"/{ADDRESS.get(action, action)}") and "/orders/" in str(rule)
        ]
        [view] = [app.view_functions[rule.endpoint] for rule in endings if "<" in str(rule).split("/")[2]]
        assert view.allowed_roles == set(roles_of(action)), action


@ON_SQLITE_ALONE
@pytest.mark.parametrize("abuse", [False, True], ids=["of a unit", "of inspection"])
def test_a_page_offers_exactly_what_the_domain_accepts_wherever_an_order_has_come_to(desk, clients, clock, abuse):
    """People act on it at random; after each act every reader's buttons are compared with what the domain would accept."""
    reasons = ("dissatisfied", "abuse_alleged") if abuse else ("dissatisfied",)
    desk.make_head()
    states, actions = set(), set()
    patience = timedelta(minutes=10)

    @settings(  # a life is seconds long and told by its steps: making it shorter takes minutes and tells no more
        max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True, phases=[Phase.generate]
    )  # fmt: skip
    @given(st.lists(st.tuples(st.integers(0, 99), st.booleans()), min_size=8, max_size=12), st.booleans())
    def live(picks: list[tuple[int, bool]], is_head: bool) -> None:
        clock.moment = NOON
        with desk.services.sessions.begin() as session:
            session.query(User).filter_by(name="unit").update({"is_head": is_head})
        [order_id] = desk.issued(reasons=reasons)
        for pick, is_late in picks:
            if is_late:
                with desk.services.sessions.begin() as session:  # the deadline passes: quicker than days in which nobody stays logged in
                    session.query(Order).filter_by(public_id=order_id).update({"due_at": NOON - timedelta(hours=12)})
            clock.moment = min(clock.moment + timedelta(seconds=30), NOON + patience)
            ways = _compare(desk, clients, order_id)
            states.add(desk.order(order_id).state)
            if not ways:
                return
            role, action = _choice(ways, pick)
            words = {"outcome": desk_outcome(clients[role], order_id)} if action == "close" else {}
            words |= {"unit": str(_another_unit(desk, order_id))} if action == "reassign" else {}
            assert take(clients[role], order_id, action, **words).status_code == 303, (role, action)
            actions.add(action)

    live()
    assert len(states) >= 6, states
    assert len(actions) >= 8, actions


def _choice(ways: set[tuple[str, str]], pick: int) -> tuple[str, str]:
    """One of them; what ends an order, begins it anew or leaves it where it is only now and then, so that lives are long."""
    moving = sorted(way for way in ways if way[1] not in ("attach", "void", "close", "reassign"))
    return moving[pick % len(moving)] if moving and pick < 90 else sorted(ways)[pick % len(ways)]


def desk_outcome(client: FlaskClient, order_id: str) -> str:
    """The first outcome that the page offers."""
    html = client.get(f"/orders/{order_id}").text
    part = html.partition('id="close-outcome"')[2].partition("</select>")[0]
    return next(word for word in BY_HAND if f'value="{word}"' in part)


def _compare(desk: OrderDesk, clients: dict[str, FlaskClient], order_id: str) -> set[tuple[str, str]]:
    """What each role may do now; its page says the same."""
    ways = set()
    for role in READERS:
        answer, actor = clients[role].get(f"/orders/{order_id}"), _actor(desk, role)
        accepted = _accepted(desk, order_id, actor)
        if answer.status_code == 404:
            assert not may_see(route_of(desk.order(order_id)), desk.order(order_id).unit_id, actor)
            assert accepted == set()
            continue
        assert offered(answer.text, order_id) == accepted, (role, desk.order(order_id).state)
        ways |= {(role, action) for action in accepted}
    return ways


LIVES = {
    "issued": [], "signed": [("unit", "sign")], "in_hand": [("unit", "sign"), ("unit", "take_in_hand")],
    "answered": [("unit", "sign"), ("unit", "take_in_hand"), ("unit", "answer")],
    "recalling": [("unit", "sign"), ("unit", "take_in_hand"), ("unit", "answer"), ("operator", "begin_recall")],
    "returned": [("unit", "sign"), ("unit", "take_in_hand"), ("unit", "answer"), ("centre", "return")],
    "closed": [("unit", "sign"), ("unit", "take_in_hand"), ("unit", "answer"), ("centre", "close")],
    "void": [("centre", "void")],
}  # fmt: skip


@pytest.mark.parametrize("standing", LIVES)
def test_what_is_forged_in_any_state_by_any_role_is_refused_and_changes_nothing(desk, clients, standing):
    """The table of role × action × state: whatever a page does not offer, the server refuses."""
    [order_id] = desk.issued()
    for role, action in LIVES[standing]:
        assert take(clients[role], order_id, action).status_code == 303
    before = _everything(desk, order_id)
    refusals = 0

    for role, client in clients.items():
        html = client.get(f"/orders/{order_id}").text
        token = next(iter(forms(html).values()), {}).get("csrf_token", "") or _token(client)
        for action in WORDS:
            if action in offered(html, order_id):
                continue
            address = f"/orders/{order_id}/{ADDRESS.get(action, action)}"
            words = {"csrf_token": token, "version": str(before[1])}
            answer = send(client, address, words, files=[(b"%PDF-", "a.pdf")] if action == "attach" else (), **WORDS[action])
            expected = {409} if role in roles_of(action) else {403}
            assert answer.status_code in expected, (role, action, answer.status_code)
            refusals += 1

    assert _everything(desk, order_id) == before
    assert refusals > 60


def _token(client: FlaskClient) -> str:
    return next(fields["csrf_token"] for fields in forms(client.get("/account").text).values())


def _everything(desk: OrderDesk, order_id: str) -> tuple[object, ...]:
    order = desk.order(order_id)
    with desk.services.sessions() as session:
        requests = [session.query(model).count() for model in (OrderExtension, OrderAppeal)]
    return (order.state, order.version, order.due_at, order.outcome, order.extension, order.appeal, *requests)


def test_the_lists_show_exactly_the_orders_that_may_be_opened(desk, clients, month):
    """SQL and rule say the same: the month brings orders of other units."""
    desk.issued(2)
    desk.issued(reasons=("dissatisfied", "abuse_alleged"))
    actors = {role: _actor(desk, role) for role in accounts.ROLES}
    with desk.services.reads() as session:
        every = [(order, route_of(order)) for order in session.query(Order)]
        assert len({order.unit_id for order, _ in every}) > 2
        for role, actor in actors.items():
            seen = {row.public_id for row in order_lists.orders(session, actor, "all", Filters(), Moments(NOON, NOON, NOON), 1).rows}
            assert seen == {order.public_id for order, route in every if may_see(route, order.unit_id, actor)}, role
