"""The unit's reply is kept while it is typed, tells everything that it lacks at once, and is gone when it is sent (C29, R50)."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from ivr.console.services import ConsoleServices
from survey.store.models import Draft, Order, Unit
from tests.conftest import StandingClock
from tests.ivr.console.conftest import LogIn, csrf_of
from tests.ivr.console.order_desk import NAME, OrderDesk, press, take

EAST = "east"
MEASURE = f"已约谈民警，向{NAME}当面道歉"


@pytest.fixture
def desk(services: ConsoleServices, clock: StandingClock, passwords: dict[str, str]) -> OrderDesk:
    with services.sessions.begin() as session:
        session.add(Unit(code=EAST, name="城东派出所"))
    return OrderDesk(services, clock)


@pytest.fixture
def unit(desk: OrderDesk, log_in: LogIn) -> tuple[FlaskClient, str]:
    """The unit with an order in hand, and the order's address."""
    [order_id] = desk.issued()
    client = log_in("unit")
    for action in ("sign", "take_in_hand"):
        assert take(client, order_id, action).status_code == 303
    return client, f"/orders/{order_id}"


def save(client: FlaskClient, address: str, **fields: str):
    return client.post(f"{address}/answer/draft", data={"csrf_token": csrf_of(client, address), **fields})


def test_what_is_typed_is_kept_sealed_and_comes_back(unit, open_page, desk) -> None:
    client, address = unit
    told = save(client, address, by_script="1", finding="partly", measure=MEASURE)

    assert told.json == {"saved": "已保存 12:00"}
    html = client.get(address).text
    assert MEASURE in html
    assert '<option value="partly" selected>' in html
    open_page(client, address)
    with desk.services.sessions() as session:
        assert NAME.encode() not in session.scalars(select(Draft.fields_sealed)).one()


def test_nobody_else_sees_a_draft(unit, log_in: LogIn) -> None:
    client, address = unit
    save(client, address, measure=MEASURE)

    assert MEASURE not in log_in("centre").get(address).text


def test_everything_that_is_missing_is_told_at_once_and_kept(unit, open_page) -> None:
    client, address = unit
    refused = press(client, address, f"{address}/answer", cause="officer", place="城东路 1 号")

    assert refused.status_code == 422
    for told in ("请选择核查结论", "请填写上门日期", "请填写上门人员", "请填写整改措施"):
        assert refused.text.count(told) == 2, "in the list above the form, and at the field"
    assert 'href="#answer-people"' in refused.text
    assert "城东路 1 号" in refused.text
    assert "城东路 1 号" in client.get(address).text, "also after the page was closed"


def test_a_reply_that_is_sent_leaves_no_draft_and_a_late_save_brings_none_back(unit, desk) -> None:
    client, address = unit
    save(client, address, measure=MEASURE)
    assert take(client, address.rpartition("/")[2], "answer").status_code == 303

    assert save(client, address, by_script="1", measure=MEASURE).status_code == 409
    with desk.services.sessions() as session:
        assert session.scalars(select(Draft)).all() == []
        assert session.scalars(select(Order.state)).one() == "answered"


def test_another_unit_s_order_takes_no_draft(unit, desk) -> None:
    client, address = unit
    [other] = desk.issued(unit=EAST)
    answer = client.post(f"/orders/{other}/answer/draft", data={"csrf_token": csrf_of(client, address), "measure": "x"})

    assert answer.status_code == 404
    assert desk.trail("access.refused"), "and it is on record"
