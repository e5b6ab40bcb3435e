"""The first days of a year whose holidays nobody has loaded: every page still opens, and what cannot be counted is left out (A42, R48)."""

from datetime import UTC, datetime

import pytest

from ivr.console.order_access import MAY_READ
from survey import accounts
from tests.conftest import ON_SQLITE_ALONE, StandingClock
from tests.ivr.console.every_page import EXAMPLES
from tests.ivr.console.full_house import furnished, logged_in
from tests.ivr.console.order_desk import OrderDesk, take

MONDAY = datetime(2027, 1, 4, 2, tzinfo=UTC)
"""Ten o'clock in Shanghai, in a year of which no calendar is shipped."""
SAYS_SO = "weekly.index"
"""The one page that is nothing without working days: it answers 503, with the year."""


@pytest.fixture
def desk(services, clock, passwords) -> OrderDesk:
    return OrderDesk(services, clock)


def test_an_overdue_order_is_listed_shown_and_printed_for_everybody_who_reads_orders(desk, log_in, open_page, clock):
    [order_id] = desk.issued()
    clock.moment = MONDAY

    for role in MAY_READ:
        client = log_in(role)
        open_page(client, "/")
        assert order_id in client.get("/orders?tab=overdue").text
        assert "逾期" in open_page(client, f"/orders/{order_id}").text
        assert client.get(f"/orders/{order_id}/print").status_code == 200
        assert client.get(f"/orders/{order_id}/document.docx").status_code == 200


def test_what_a_year_without_calendar_forbids_is_refused_on_the_orders_page(desk, log_in, clock):
    [order_id] = desk.issued()
    unit = log_in("unit")
    for action in ("sign", "take_in_hand", "answer"):
        assert take(unit, order_id, action).status_code == 303
    clock.moment = MONDAY
    centre = log_in("centre")

    answer = take(centre, order_id, "return")

    assert answer.status_code == 409
    assert "期限落在 2027 年" in answer.text
    assert "措施不具体" in answer.text


@ON_SQLITE_ALONE
def test_no_page_of_the_console_fails_on_such_a_day(services, clock: StandingClock):
    house = furnished(services, clock)
    clock.moment = MONDAY
    clients = {role: logged_in(house, role) for role in accounts.ROLES}

    for endpoint, examples in EXAMPLES.items():
        for example in examples:
            if example.form or example.role not in clients:
                continue
            answer = clients[example.role].get(example.path.format(**house.names))
            expected = 503 if endpoint == SAYS_SO else example.status
            assert answer.status_code == expected, f"{example.title} answered {answer.status_code}"
