"""People who call our number, as the exchange lives it."""

from datetime import timedelta
from xml.sax.saxutils import escape

import pytest
import requests

from ivr.carrier.simulator.callees import endings_of
from ivr.carrier.simulator.incoming import NoNumber, Number
from tests.ivr.simulator.conftest import OURS
from tests.ivr.simulator.toy import gather

THEIRS = "+8610000000042"
GREETING = "您好,这里是市公安局回访专线。现在接受回访,请按1。改天再接,请按9。今后不希望接到回访电话,请按0。"


@pytest.fixture
def number(exchange, toy):
    """Our number, with the toy behind it: key 1 leads to the survey."""
    toy.pages["/incoming"] = gather(GREETING, "/keys")
    toy.pages["/keys"] = f"<Redirect>{escape(toy.url)}/steps/0</Redirect>"
    exchange.number = Number(f"{toy.url}/incoming", f"{toy.url}/status")
    return exchange.number


def ask(exchange, route, **wish):
    return requests.post(f"{exchange.base_url}/simulator/{route}", json=wish, timeout=10)


def let_happen(exchange):
    exchange.run_until(exchange.next_event_at() + timedelta(hours=1))


def test_a_caller_hears_our_document_and_presses_the_given_keys(exchange, toy, number):
    sid = ask(exchange, "incoming", **{"from": THEIRS, "to": OURS, "keys": "1112345"}).json()["sid"]
    let_happen(exchange)

    call = exchange.calls[sid]
    assert [press["keys"] for press in call.presses] == list("1112345")
    assert (call.status, call.direction, call.order.to, call.order.caller_id) == ("completed", "inbound", OURS, THEIRS)
    assert all(seen.signed for seen in toy.seen)
    first = toy.seen[0].form
    assert (first["From"], first["To"], first["Direction"], first["CallStatus"]) == (THEIRS, OURS, "inbound", "ringing")
    assert toy.statuses() == ["completed"]


def test_a_kind_of_callee_takes_the_survey_that_is_offered(exchange, number):
    sid = ask(exchange, "incoming", **{"from": THEIRS, "to": OURS, "callee": "satisfied"}).json()["sid"]
    let_happen(exchange)

    journal = {call["sid"]: call for call in exchange.journal()}
    assert journal[sid]["direction"] == "inbound"
    assert [(press["intent"], press["item"]) for press in journal[sid]["presses"]][:3] == [
        ("now", None), ("answer", "right_person"), ("answer", "speed"),
    ]  # fmt: skip


def test_who_wants_no_calls_presses_the_key_for_it(exchange, number):
    sid = ask(exchange, "incoming", **{"from": THEIRS, "to": OURS, "callee": "never"}).json()["sid"]
    let_happen(exchange)

    assert exchange.calls[sid].presses[0]["keys"] == "0"


@pytest.mark.parametrize("wish", [{"from": THEIRS}, {"to": OURS}, {"from": THEIRS, "to": OURS, "callee": "nobody"}])
def test_a_wish_without_meaning_is_refused(exchange, number, wish):
    assert ask(exchange, "incoming", **wish).status_code == 400
    assert exchange.journal() == []


def test_nobody_calls_a_number_without_an_address(exchange):
    with pytest.raises(NoNumber):
        exchange.receive(THEIRS, OURS)


def test_the_numbers_address_is_set_as_at_the_carriers_console(exchange, toy):
    assert ask(exchange, "number", voice_url="nonsense").status_code == 400
    assert ask(exchange, "number", voice_url=f"{toy.url}/incoming").json() == {"voice_url": f"{toy.url}/incoming", "status_url": None}


def test_one_kind_of_callee_calls_back_after_a_missed_call(exchange, number, story):
    missed = story(endings_of("calls_back")[0])

    assert missed.status == "no-answer"
    (call,) = [call for call in exchange.calls.values() if call.direction == "inbound"]
    assert (call.order.caller_id, call.order.to) == (missed.order.to, OURS)
    assert call.created_at == missed.ended_at + 1500
    assert len(call.presses) > 6


def test_nobody_calls_back_where_the_number_has_no_address(exchange, story):
    story(endings_of("calls_back")[0])

    assert [call.direction for call in exchange.calls.values()] == ["outbound-api"]


def test_the_carriers_list_of_calls_to_a_person_shows_none_of_theirs_to_us(exchange, number, client, story):
    missed = story(endings_of("calls_back")[0])

    assert [call.sid for call in client.calls.list(to=missed.order.to)] == [missed.sid]
    assert {call.direction for call in client.calls.list()} == {"inbound", "outbound-api"}
