"""Operators' telephones, people to whom an operator is offered, and what they hear while they wait."""

import pytest

from ivr.carrier.simulator import callees, desk_telephones
from ivr.carrier.simulator.calls import MUSIC, TALK
from ivr.carrier.simulator.listening import key_for, question_in
from ivr.carrier.simulator.persona import Persona, Press, Silence, Traits
from ivr.voice.wording import WHISPER
from tests.ivr.simulator.toy import gather

OFFER = "现在有值班员可以听您说。转接值班员请按1，不用转接请按2。"
OFFERS = [
    OFFER, "没有收到有效的选择。和值班员通话请按1，继续自动回访请按2。",
    "An officer is free to listen to you now. To talk to the officer, press 1. To go on without, press 2.",
    "We received no valid choice. To talk to an officer, press 1. To go on with the survey, press 2.",
]  # fmt: skip
WHISPERED = "回访来电，城东派出所，评分不满意。接听请按1，不接请挂断。"


def test_every_number_of_the_range_reaches_exactly_one_kind():
    numbers = [f"{desk_telephones.RANGE}{number:02d}" for number in range(100)]

    assert sorted(ending for kind in desk_telephones.TABLE for ending in kind.endings) == [number[-2:] for number in numbers]
    assert all(desk_telephones.kind_of(number).name.startswith("desk_") for number in numbers)
    assert all(kind.zh and kind.en for kind in desk_telephones.TABLE)


@pytest.mark.parametrize("number", ["+8610000000060", "+861009999006", "+8610099990", "client:9999", "+86100999900601"])
def test_a_number_beside_the_range_is_a_callee_s(number):
    assert desk_telephones.kind_of(number) == callees.kind_of(number)


@pytest.mark.parametrize("heard", OFFERS)
@pytest.mark.parametrize(
    ("traits", "key"),
    [
        (Traits(), "2"), (Traits(wants_operator=True), "1"), (Traits(asks_for="human", asks_at="remark"), "1"),
        (Traits(wants_operator=True, presses="wrong first"), "5"),
    ],
)  # fmt: skip
def test_an_offer_is_taken_or_declined_by_the_traits_and_by_what_is_heard(heard, traits, key):
    reaction = Persona(traits, "+8610000000014", 1, 1).at_keys(heard)

    assert question_in(heard) == "operator"
    assert isinstance(reaction, Press)
    assert reaction.keys == key


def test_the_keys_of_an_offer_are_those_that_it_names():
    turned = "不用转接请按1，转接值班员请按2。"

    assert Persona(Traits(wants_operator=True), "+8610000000014", 1, 1).at_keys(turned).keys == "2"
    assert Persona(Traits(), "+8610000000014", 1, 1).at_keys(turned).keys == "1"


def test_some_of_those_that_are_drawn_take_an_offer_and_some_do_not():
    drawn = [Persona(Traits(wants_operator=None), f"+86100{number:08d}", 1, 1).at_keys(OFFER).keys for number in range(60)]

    assert 15 < drawn.count("1") < 45
    assert set(drawn) == {"1", "2"}


@pytest.mark.parametrize("whisper", WHISPER.values())
def test_what_is_whispered_names_its_key_and_asks_nothing_else(whisper):
    said = whisper.format(unit="城东派出所", reason="评分不满意")

    assert (question_in(said), key_for("take", said)) == (None, "1")


@pytest.mark.parametrize(
    ("name", "status", "pressed"),
    [
        ("desk_takes", "completed", ["1"]), ("desk_takes_slowly", "completed", ["1"]), ("desk_wrong_key", "completed", ["5"]),
        ("desk_silent", "completed", []), ("desk_hangs_up", "completed", []), ("desk_busy", "busy", []),
        ("desk_no_answer", "no-answer", []),
    ],
)  # fmt: skip
def test_a_telephone_of_the_desk_does_what_its_row_says(call, exchange, toy, name, status, pressed):
    toy.pages |= {"/steps/0": gather(WHISPERED, "/accept"), "/accept": "<Hangup/>"}
    sid = call(desk_telephones.number_of(name))
    exchange.run_until(exchange.next_event_at().replace(hour=23))

    made = exchange.calls[sid]
    assert (made.callee, made.status, [press["keys"] for press in made.presses]) == (name, status, pressed)


def test_who_is_at_no_desk_takes_nothing_that_is_whispered():
    assert isinstance(Persona(Traits(), "+8610000000000", 1, 1).at_keys(WHISPERED), Silence)


QUEUED = '<Enqueue action="/after" waitUrl="/wait">desk</Enqueue>'


def test_a_person_waits_no_longer_than_they_have_patience_also_where_the_music_leads_to_itself(call, exchange, toy):
    toy.pages |= {"/steps/0": QUEUED, "/wait": "<Say>请稍候。</Say><Pause length='7'/><Redirect>/wait</Redirect>"}
    exchange.register("+8610000000000", Traits(patience_seconds=30))
    sid = call()
    exchange.run_until(exchange.next_event_at().replace(hour=23))

    assert 30 <= exchange.calls[sid].seconds <= 40
    assert "/after" not in toy.paths()


def test_a_wait_without_a_document_ends_with_the_word_for_it_and_the_call_goes_on(call, exchange, toy):
    toy.pages |= {"/steps/0": QUEUED, "/wait": "<Enqueue>desk</Enqueue><Play", "/after": "<Say>没有人。</Say><Hangup/>"}
    sid = call()
    exchange.run_until(exchange.next_event_at().replace(hour=23))

    [after] = [seen.form for seen in toy.seen if seen.path == "/after"]
    assert after["QueueResult"] == "error"
    assert [heard.text for heard in exchange.calls[sid].heard] == ["没有人。"]


def test_what_was_heard_is_kept_with_its_times(call, exchange, toy):
    toy.pages |= {"/steps/0": "<Say>你好。</Say><Pause length='4'/><Say>再见。</Say><Hangup/>"}
    sid = call()
    exchange.run_until(exchange.next_event_at().replace(hour=23))

    first, second = exchange.calls[sid].heard
    assert (first.text, second.text) == ("你好。", "再见。")
    assert second.at - (first.at + first.seconds) == pytest.approx(4)
    assert {MUSIC, TALK}.isdisjoint({first.text, second.text})
