"""Our adapter and the simulated carrier: an operator is called, two calls meet in a room, are held, muted and put out."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from ivr.carrier.base import Accepted, CallRequest, CarrierError, CarrierGone
from ivr.carrier.simulator.exchange import Exchange
from ivr.carrier.simulator.persona import Traits
from ivr.carrier.twilio import TwilioCarrier
from tests.ivr.simulator.conftest import OURS, SID, START, exchange, toy
from tests.ivr.simulator.toy import TOKEN, Toy

__all__ = ["exchange", "toy"]

PERSON, OPERATOR = "+8610000000000", "sip:desk@operators.example"


@pytest.fixture
def carrier(exchange: Exchange) -> TwilioCarrier:
    return TwilioCarrier(SID, TOKEN, exchange.base_url)


@pytest.fixture
def later(exchange: Exchange) -> Callable[[float], None]:
    return lambda seconds: exchange.run_until(START + timedelta(seconds=exchange.clock.now() - START.timestamp() + seconds))


@pytest.fixture
def takeover(carrier: TwilioCarrier, exchange: Exchange, toy: Toy, later: Callable[[float], None]) -> tuple[str, str]:
    """The person was waiting, the operator was called, and both are in the room; the sids of their calls."""
    for address in (PERSON, OPERATOR):
        exchange.register(address, Traits(talk_seconds=900))
    room = "<Dial action='{}'><Conference endConferenceOnExit='true'>room-1</Conference></Dial>"
    toy.pages |= {
        "/person": "<Enqueue action='/left' waitUrl='/wait'>desk</Enqueue>", "/wait": "<Pause length='5'/>",
        "/operator": room.format("/done"), "/person/room": room.format("/next"), "/done": "<Hangup/>",
        "/next": "<Pause length='20'/><Hangup/>", "/back": "<Pause length='20'/><Hangup/>", "/hold": "<Say>请稍等。</Say>",
    }  # fmt: skip
    person, operator = place(carrier, toy, PERSON, "/person"), place(carrier, toy, OPERATOR, "/operator")
    later(40)
    carrier.redirect(person, f"{toy.url}/person/room")
    later(10)
    return person, operator


def place(carrier: TwilioCarrier, toy: Toy, to: str, path: str) -> str:
    placement = carrier.place_call(
        CallRequest(
            to=to, caller_id=OURS, answer_url=f"{toy.url}{path}", fallback_url=f"{toy.url}/fallback", status_url=f"{toy.url}/status",
            machine_url=None, ring_seconds=30, limit_seconds=3600,
        )
    )  # fmt: skip
    assert isinstance(placement, Accepted)
    return placement.sid


def test_an_operator_is_called_at_a_sip_address_whatever_its_last_characters_are(carrier, toy, exchange, later):
    for address in ("sip:desk@10.0.0.59", "sip:desk@10.0.0.60"):  # endings of numbers that the carrier refuses
        exchange.register(PERSON, Traits())
        sid = place(carrier, toy, address, "/operator")
        later(60)
        assert carrier.fetch_call(sid).status == "no-answer"


def test_a_person_is_held_and_brought_back(takeover, carrier, toy, exchange, later):
    person, operator = takeover

    carrier.hold("room-1", person, True, f"{toy.url}/hold")
    later(5)
    assert [(seen.method, seen.form["CallSid"], seen.signed) for seen in toy.seen if seen.path == "/hold"] == [("POST", person, True)]
    assert exchange.bridge.others(exchange.calls[operator]) == ()
    carrier.hold("room-1", person, False, "")

    assert exchange.bridge.others(exchange.calls[operator]) == (exchange.calls[person],)


def test_an_operator_is_muted_and_heard_again(takeover, carrier, exchange):
    _, operator = takeover
    [room] = exchange.rooms.all()

    carrier.mute("room-1", operator, True)
    assert room.members[operator].muted
    carrier.mute("room-1", operator, False)

    assert not room.members[operator].muted


def test_handing_back_ends_the_operators_call(takeover, carrier, toy, later):
    person, operator = takeover

    carrier.redirect(person, f"{toy.url}/back")
    later(5)

    assert (carrier.fetch_call(person).status, carrier.fetch_call(operator).status) == ("in-progress", "completed")
    with pytest.raises(CarrierGone):
        carrier.hold("room-1", person, True, f"{toy.url}/hold")


def test_whoever_is_not_in_the_room_is_gone(takeover, carrier):
    with pytest.raises(CarrierGone):
        carrier.mute("room-1", "CA" + "0" * 32, True)
    with pytest.raises(CarrierGone):
        carrier.mute("room-2", takeover[0], True)


def test_a_document_without_an_address_is_refused(takeover, carrier):
    with pytest.raises(CarrierError) as caught:
        carrier.hold("room-1", takeover[0], True, "/hold")

    assert not isinstance(caught.value, CarrierGone)
