"""Somebody at a browser phone: rings, answers, presses keys, hangs up, over a real connection to a real exchange."""

import threading
import time
from contextlib import ExitStack

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ivr.carrier.simulator import phones
from ivr.carrier.simulator.app import create_app
from ivr.carrier.simulator.effects import Redirected, Target
from ivr.carrier.simulator.incoming import Number
from ivr.carrier.simulator.phone_page import POLICY
from tests.ivr.simulator.conftest import OURS
from tests.ivr.simulator.tab import opened
from tests.ivr.simulator.toy import gather

MINE = "+8613900000001"


@pytest.fixture
def live(exchange):
    """The exchange, in real time."""
    exchange.schedule.run_in_real_time()
    return exchange


@pytest.fixture
def plug_in(live):
    """Open a tab for a number."""
    with ExitStack() as stack:
        yield lambda number=MINE: stack.enter_context(opened(live, number))


@pytest.fixture
def answered(plug_in, call, toy, live):
    """A call to my phone which hears this document; gives the tab and the call."""

    def happen(document):
        toy.pages["/steps/0"] = document
        tab = plug_in()
        sid = call(MINE)
        tab.until_phase("ringing")
        tab.do("answer")
        tab.until_phase("talking")
        return tab, live.calls[sid]

    return happen


def ended(exchange, call):
    end = time.monotonic() + 10
    while not call.ended and time.monotonic() < end:
        time.sleep(0.01)
    return call.status


def until(is_so):
    end = time.monotonic() + 10
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    assert is_so()


def test_an_answered_call_says_its_words_in_order_and_takes_a_key_to_the_action(answered, toy, live):
    toy.pages["/key"] = "<Say>谢谢。</Say><Hangup/>"
    tab, call = answered("<Say>您好。</Say>" + gather("满意请按1。", "/key"))

    tab.until(lambda tab: len(tab.words) == 2)
    tab.do("key", key="1")
    tab.until_phase("over")

    assert tab.words == ["您好。", "满意请按1。", "谢谢。"]
    assert ended(live, call) == "completed"
    assert [(press["keys"], press["prompt"]) for press in call.presses] == [("1", "您好。满意请按1。")]
    assert next(seen.form["Digits"] for seen in toy.seen if seen.path == "/key") == "1"
    until(lambda: len(toy.statuses()) == 4)
    assert sorted(toy.statuses()) == ["completed", "in-progress", "initiated", "ringing"]
    assert call.callee == "phone"


def test_a_key_cuts_the_prompt_short(answered, toy, live):
    toy.pages["/key"] = "<Hangup/>"
    tab, call = answered(gather("满意请按1,不满意请按2。" * 40, "/key"))

    tab.until(lambda tab: tab.words)
    tab.do("key", key="2")
    tab.until_phase("over")

    assert call.presses[0]["keys"] == "2"
    assert any(message["event"] == "hush" for message in tab.told)
    assert live.clock.now() - call.answered_at < 8


def test_many_keys_are_collected_until_the_finishing_one(answered, toy):
    toy.pages["/key"] = "<Hangup/>"
    tab, call = answered('<Say>请按键。</Say><Gather action="/key" finishOnKey="#" timeout="5"/><Redirect>/key</Redirect>')

    until(lambda: call.waits)
    for key in "110#":
        tab.do("key", key=key)
        time.sleep(0.05)
    tab.until_phase("over")

    assert (call.presses[0]["keys"], call.presses[0]["finished_on"]) == ("110", "#")


def test_silence_runs_into_the_time_limit_of_the_gather(answered, toy, live):
    toy.pages["/key"] = "<Say>没有听到。</Say><Hangup/>"
    tab, call = answered('<Gather action="/key" numDigits="1" timeout="1" actionOnEmptyResult="true"/><Redirect>/key</Redirect>')

    tab.until_phase("over")

    assert tab.words == ["没有听到。"]
    assert (call.silences, call.presses) == (1, [])


def test_a_declined_call_is_busy(plug_in, call, toy, live):
    tab = plug_in()
    sid = call(MINE)
    tab.until_phase("ringing")
    tab.do("hang up")

    assert ended(live, live.calls[sid]) == "busy"
    tab.until(lambda tab: tab.call["status"] == "busy")


def test_a_call_that_nobody_answers_is_no_answer_after_the_ring_time(plug_in, call, live):
    tab = plug_in()
    sid = call(MINE, timeout=5)
    tab.until_phase("ringing")

    assert ended(live, live.calls[sid]) == "no-answer"
    assert live.calls[sid].ended_at - live.calls[sid].ringing_at >= 5
    tab.until(lambda tab: tab.call["status"] == "no-answer")


def test_a_call_that_is_taken_back_stops_ringing(plug_in, call, client, live):
    tab = plug_in()
    sid = call(MINE)
    tab.until_phase("ringing")
    client.calls(sid).update(status="canceled")

    tab.until(lambda tab: (tab.call["phase"], tab.call["status"]) == ("over", "canceled"))


def test_a_second_call_finds_the_phone_busy(answered, call, live):
    tab, first = answered('<Pause length="60"/><Hangup/>')
    second = call(MINE)

    assert ended(live, live.calls[second]) == "busy"
    assert tab.call["sid"] == first.sid
    assert not first.ended


def test_hanging_up_ends_the_call_and_leaves_the_rest_unsaid(answered, toy, live):
    tab, call = answered('<Pause length="60"/><Say>没有人听到。</Say><Hangup/>')
    tab.do("hang up")

    assert ended(live, call) == "completed"
    tab.until_phase("over")
    assert tab.words == []
    until(lambda: toy.statuses()[-1:] == ["completed"])


def test_the_application_may_redirect_the_call_in_the_middle_of_a_prompt(answered, toy, live):
    toy.pages["/understood"] = "<Say>好的。</Say><Hangup/>"
    tab, call = answered(gather("满意请按1。" * 40, "/key"))
    tab.until(lambda tab: tab.words)
    live.interrupt(call, Redirected(Target(f"{toy.url}/understood")))

    tab.until_phase("over")
    assert tab.words[-1] == "好的。"
    assert any(message["event"] == "hush" for message in tab.told)


def test_a_key_ends_a_recording(answered, toy, live):
    toy.pages["/done"] = "<Hangup/>"
    tab, _ = answered('<Record action="/done" finishOnKey="#" timeout="30" maxLength="60"/>')
    tab.until(lambda tab: tab.call["recording"])
    tab.do("key", key="5")
    tab.do("key", key="#")

    tab.until_phase("over")
    assert not tab.call["recording"]
    assert next(seen.form["Digits"] for seen in toy.seen if seen.path == "/done") == "#"


def test_who_hangs_up_while_recorded_still_has_the_action_asked(answered, toy, live):
    toy.pages["/done"] = "<Hangup/>"
    tab, call = answered('<Record action="/done" timeout="30"/>')
    tab.until(lambda tab: tab.call["recording"])
    tab.do("hang up")

    assert ended(live, call) == "completed"
    until(lambda: "/done" in toy.paths())
    assert next(seen.form["Digits"] for seen in toy.seen if seen.path == "/done") == "hangup"


def test_a_page_that_is_loaded_again_returns_to_its_call(live, call, toy):
    toy.pages["/steps/0"] = '<Say>您好。</Say><Pause length="60"/><Hangup/>'
    with opened(live, MINE) as first:
        sid = call(MINE)
        first.until_phase("ringing")
        first.do("answer")
        first.until(lambda tab: tab.words)
    with opened(live, MINE) as second:
        assert (second.call["sid"], second.call["phase"], second.words) == (sid, "talking", ["您好。"])
        assert not live.calls[sid].ended


def test_a_tab_that_stays_closed_hangs_up(live, call, toy, monkeypatch):
    monkeypatch.setattr(phones, "GRACE_SECONDS", 0.2)
    toy.pages["/steps/0"] = '<Pause length="60"/><Hangup/>'
    with opened(live, MINE) as tab:
        sid = call(MINE)
        tab.until_phase("ringing")
        tab.do("answer")
        tab.until_phase("talking")

    assert ended(live, live.calls[sid]) == "completed"
    assert live.calls[sid].seconds < 30


def test_the_newest_tab_has_the_number_and_the_older_one_is_told(plug_in, call, live):
    older, newer = plug_in(), plug_in()

    older.until(lambda tab: tab.told[-1]["event"] == "replaced")
    call(MINE)
    newer.until_phase("ringing")
    assert older.call == {}


def test_the_phone_calls_our_number(plug_in, toy, live):
    toy.pages["/incoming"] = gather("接受回访,请按1。", "/key")
    toy.pages["/key"] = "<Say>开始。</Say><Hangup/>"
    live.number = Number(f"{toy.url}/incoming", f"{toy.url}/status")
    tab = plug_in()
    tab.do("dial", to=OURS)
    tab.until(lambda tab: tab.words)
    tab.do("key", key="1")
    tab.until_phase("over")

    assert tab.words == ["接受回访,请按1。", "开始。"]
    assert (tab.call["peer"], tab.call["is_outgoing"]) == (OURS, True)
    assert (toy.seen[0].form["From"], toy.seen[0].form["Direction"]) == (MINE, "inbound")


def test_a_number_without_an_address_is_told_apart(plug_in):
    tab = plug_in()
    tab.do("dial", to=OURS)

    tab.until(lambda tab: tab.told[-1] == {"event": "problem", "what": "no number"})


def test_in_virtual_time_nobody_is_called_here(exchange, call, toy):
    exchange.number = Number(f"{toy.url}/incoming")
    with opened(exchange, MINE) as tab:
        assert tab.told[0]["real"] is False
        sid = call(MINE)
        tab.do("dial", to=OURS)
        tab.until(lambda tab: tab.told[-1] == {"event": "problem", "what": "virtual"})
        assert exchange.calls[sid].callee != "phone"

        exchange.schedule.run_in_real_time()
        tab.until(lambda tab: tab.told[-1] == {"event": "clock", "real": True})


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "http://127.0.0.1:1", None], ids=["foreign", "other port", "none"])
def test_pages_from_elsewhere_are_refused(exchange, origin):
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{exchange.phones.door.address()}?number=%2B8613900000001", origin=origin)

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("number", ["", "110", "+86139' or"])
def test_a_number_that_is_none_is_refused(exchange, number):
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{exchange.phones.door.address()}?number={number.replace('+', '%2B').replace(' ', '%20')}", origin=exchange.base_url)

    assert refused.value.response.status_code == 400


def test_other_machines_do_not_get_the_page(exchange):
    page = create_app(exchange).test_client().get("/phone", environ_overrides={"REMOTE_ADDR": "192.0.2.7"})

    assert page.status_code == 403


@pytest.mark.parametrize(("asked", "said"), [("lang=zh", "模拟电话"), ("lang=en", "Simulated phone"), ("", "模拟电话")])
def test_the_page_says_in_both_languages_that_it_is_a_simulation(exchange, asked, said):
    page = requests.get(f"{exchange.base_url}/phone?number=%2B8613900000001&{asked}", timeout=10)

    assert f"<h1>{said}</h1>" in page.text
    socket = exchange.phones.door.address().rstrip("/")
    assert page.headers["Content-Security-Policy"] == POLICY.format(socket=socket)
    assert "<script>" not in page.text


def test_without_a_number_the_page_asks_for_one(exchange):
    page = requests.get(f"{exchange.base_url}/phone", timeout=10)
    wrong = requests.get(f"{exchange.base_url}/phone?number=<b>", timeout=10)

    assert 'id="number"' in page.text
    assert "phone.js" not in page.text
    assert "<b>" not in wrong.text
    assert "aria-invalid" in wrong.text


def test_a_page_never_shows_an_older_state_after_a_newer_one(answered, live):
    """What a page is told is looked at when its turn comes, not when it was asked for: several threads ask."""
    tab, _ = answered('<Pause length="60"/><Hangup/>')
    phone, held, seen = live.phones._phones[MINE], threading.Event(), len(tab.told)

    async def hold() -> None:
        held.wait(10)

    live.media.loop.do(hold())
    phone.tab.push_newest(lambda: live.phones.state(phone))
    phone.person.phase = "over"
    phone.tab.push_newest(lambda: live.phones.state(phone))
    held.set()

    tab.until(lambda tab: len(tab.told) >= seen + 2)
    assert [message["call"]["phase"] for message in tab.told[seen:] if message["event"] == "state"] == ["over", "over"]
