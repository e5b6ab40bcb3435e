"""Whole calls: the ladder of statuses, machine detection, virtual and real time, the journal, the control routes."""

import threading
from datetime import timedelta

import pytest
import requests

from ivr.carrier.simulator import callees
from ivr.carrier.simulator.app import create_app
from ivr.carrier.simulator.incoming import Number
from ivr.carrier.simulator.persona import Persona
from ivr.carrier.simulator.phone import Person
from tests.ivr.simulator.conftest import OURS, START
from tests.ivr.simulator.toy import ITEMS, gather, xml


def test_statuses_are_told_in_order_with_their_numbers(story, toy):
    call = story("00")

    told = [seen.form for seen in toy.seen if seen.path == "/status"]
    assert [form["CallStatus"] for form in told] == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in told] == ["0", "1", "2", "3"]
    assert {form["CallbackSource"] for form in told} == {"call-progress-events"}
    assert (told[-1]["CallDuration"], told[-1]["SipResponseCode"]) == (str(call.seconds), "200")
    assert told[-1]["Duration"] == str(-(-call.seconds // 60))


def test_only_the_events_asked_for_are_told(story, toy):
    story("00", status_callback_event=["answered"])

    assert toy.statuses() == ["in-progress"]


def test_without_a_list_of_events_only_the_end_is_told(story, toy):
    story("72", status_callback_event=None)

    assert toy.statuses() == ["busy"]


def test_a_failing_status_callback_does_not_harm_the_call(story, toy):
    del toy.pages["/status"]

    call = story("00")

    assert call.status == "completed"
    assert "404" in call.problems[0]


@pytest.mark.parametrize(("ending", "by"), [("00", "human"), ("61", "machine_start"), ("66", "fax")])
def test_asynchronous_detection_tells_four_fields_while_the_call_goes_on(story, toy, ending, by):
    call = story(ending, machine_detection="Enable", async_amd="true", async_amd_status_callback=f"{toy.url}/machine")

    told = next(seen for seen in toy.seen if seen.path == "/machine").form
    assert set(told) == {"CallSid", "AccountSid", "AnsweredBy", "MachineDetectionDuration"}
    assert (told["AnsweredBy"], call.answered_by) == (by, by)
    assert toy.paths().index("/steps/0") < toy.paths().index("/machine")


def test_detection_in_line_comes_with_the_first_document(story, toy):
    story("61", machine_detection="DetectMessageEnd")

    assert next(seen for seen in toy.seen if seen.path == "/steps/0").form["AnsweredBy"] == "machine_end_beep"


def test_a_machine_listens_until_its_tape_is_full(story, toy):
    toy.pages["/steps/0"] = gather("本人?", "/steps/0")

    call = story("61")

    assert (call.status, call.seconds, call.presses) == ("completed", 60, [])


def test_a_call_ends_at_its_time_limit(story, toy):
    toy.pages["/steps/0"] = "<Pause length='600'/><Hangup/>"

    call = story("00", time_limit=90)

    assert (call.seconds, toy.statuses()[-1]) == (90, "completed")


def test_a_persons_ring_is_cut_by_the_timeout(story):
    call = story("00", timeout=3)

    assert (call.status, call.ended_at - call.ringing_at) == ("no-answer", 3)


def test_nothing_is_left_to_happen_after_a_call(story, exchange):
    story("00", time_limit=3600)

    assert exchange.next_event_at() is None
    assert exchange.live_calls() == []


def test_a_call_moves_only_when_time_is_moved(call, exchange, toy):
    call()

    assert exchange.next_event_at() == START
    assert [each.status for each in exchange.live_calls()] == ["queued"]
    exchange.run_until(START + timedelta(seconds=1))
    assert [each.status for each in exchange.live_calls()] == ["ringing"]
    assert exchange.clock.now() == START.timestamp() + 1


def test_in_real_time_calls_live_by_themselves(call, exchange, toy):
    done = threading.Event()
    toy.pages["/status"] = lambda seen: (done.set() if seen.form["CallStatus"] == "ringing" else None) or xml("")
    exchange.schedule.run_in_real_time()

    sid = call()

    assert done.wait(20)
    exchange.schedule.freeze()
    assert exchange.calls[sid].ringing_at is not None
    exchange.schedule.run_in_real_time()
    with pytest.raises(RuntimeError):
        exchange.run_until(START)


def test_the_same_seed_gives_the_same_month(call, exchange, toy):
    for number in range(20):
        call(f"+8610000000{number:03d}")
    exchange.run_until(START + timedelta(hours=1))
    first = {row["to"]: (row["sid"], row["status"], [press["keys"] for press in row["presses"]]) for row in exchange.journal()}

    again = Persona(callees.kind_of("+8610000000014").traits, "+8610000000014", exchange.seed, 1)
    keys = [again.at_keys(prompt).keys for prompt in ITEMS.values()]
    assert keys == first["+8610000000014"][2][1:6]


def test_three_hundred_calls_happen_and_every_key_arrives(call, exchange, toy):
    numbers = [f"+861000000{number:04d}" for number in range(300) if number % 100 not in (59, 60)]
    for number in numbers:
        call(number)

    exchange.run_until(START + timedelta(hours=1))

    rows = exchange.journal()
    assert (len(rows), exchange.live_calls(), exchange.next_event_at()) == (len(numbers), [], None)
    assert all(row["problems"] == [] for row in rows)
    came = [(seen.form["CallSid"], toy.url + seen.path, seen.form["Digits"]) for seen in toy.seen if seen.form.get("msg")]
    pressed = sorted((row["sid"], press["url"], press["keys"]) for row in rows for press in row["presses"] if press["keys"])
    assert sorted(each for each in came if each[2]) == pressed
    assert all(seen.signed for seen in toy.seen)


def test_retries_reach_who_did_not_answer_first(story):
    outcomes = [(story("12").status, story("25").status, story("45").presses[0]["keys"]) for _ in range(3)]

    assert [first for first, _, _ in outcomes] == ["no-answer", "no-answer", "completed"]
    assert [second for _, second, _ in outcomes] == ["busy", "completed", "completed"]
    assert [third for _, _, third in outcomes] == ["9", "1", "1"]


def test_the_control_routes_move_the_clock_and_tell_the_journal(call, exchange):
    sid = call()
    base = f"{exchange.base_url}/simulator"

    until = (START + timedelta(hours=1)).isoformat()
    clock = requests.post(f"{base}/clock", json={"until": until}, timeout=30).json()

    assert clock == {"now": until, "next_event_at": None, "live_calls": 0, "at_phones": 0, "mode": "virtual"}
    rows = requests.get(f"{base}/journal", timeout=5).json()["calls"]
    assert [(row["sid"], row["status"], row["callee"]) for row in rows] == [(sid, "completed", "satisfied")]
    assert {press["item"] for press in rows[0]["presses"]} >= set(ITEMS)
    assert requests.get(f"{base}/journal?since=1", timeout=5).json() == {"calls": []}
    assert len(requests.get(f"{base}/callees", timeout=5).json()["callees"]) == len(callees.TABLE)
    assert requests.post(f"{base}/clock", json={"until": "soon"}, timeout=5).status_code == 400
    assert requests.post(f"{base}/clock", json={"mode": "real"}, timeout=5).json()["mode"] == "real"
    assert requests.post(f"{base}/clock", json={"mode": "virtual"}, timeout=5).json()["mode"] == "virtual"


def test_a_kind_of_callee_is_put_at_a_number_by_its_route(call, exchange):
    base = f"{exchange.base_url}/simulator/people"
    number = "+8610000000000"  # of somebody who is satisfied with everything, by the table

    told = requests.post(base, json={"callee": "wants_operator", "numbers": [number]}, timeout=5)
    sid = call(number)
    exchange.run_until(START + timedelta(minutes=10))

    assert told.status_code == 200
    assert {press["keys"] for press in exchange.calls[sid].presses if press["item"] == "speed"} == {"4"}
    assert requests.post(base, json={"callee": "nobody", "numbers": [number]}, timeout=5).status_code == 400
    assert requests.post(base, json={}, timeout=5).status_code == 400


def test_everybody_hangs_up_on_request_but_who_is_at_a_browser_phone(call, exchange, toy):
    exchange.number = Number(f"{toy.url}/steps/0", None)
    sid = call()
    exchange.run_until(START + timedelta(seconds=30))
    at_phone = exchange.receive("+8613900000001", OURS, Person("+8613900000001"))

    requests.post(f"{exchange.base_url}/simulator/calls/end", timeout=5)
    exchange.run_until(START + timedelta(seconds=31))

    assert (exchange.calls[sid].status, at_phone.ended) == ("completed", False)
    clock = requests.get(f"{exchange.base_url}/simulator/clock", timeout=5).json()
    assert (clock["live_calls"], clock["at_phones"]) == (1, 1)


def test_faults_are_set_by_their_route(exchange):
    base = f"{exchange.base_url}/simulator/faults"

    told = requests.post(base, json={"turn": {"duplicate": 0.5}, "list_lag_seconds": 3}, timeout=5).json()

    assert (told["turn"]["duplicate"], told["list_lag_seconds"]) == (0.5, 3)
    assert requests.get(base, timeout=5).json() == told
    assert requests.post(base, json={"nonsense": 1}, timeout=5).status_code == 400


def test_the_control_routes_are_for_this_machine_alone(exchange):
    client = create_app(exchange).test_client()

    assert client.get("/simulator/clock", environ_base={"REMOTE_ADDR": "10.1.2.3"}).status_code == 403
    assert client.get("/simulator/clock", environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 200
