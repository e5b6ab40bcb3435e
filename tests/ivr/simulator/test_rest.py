"""The REST contract, as twilio's own client meets it."""

from datetime import timedelta

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from ivr.carrier.simulator.clock import ExchangeClock
from ivr.carrier.simulator.exchange import Account, Exchange, NotInProduction
from tests.ivr.simulator.conftest import OURS, SID, START
from tests.ivr.simulator.toy import TOKEN, xml


def test_it_refuses_to_run_in_production():
    with pytest.raises(NotInProduction):
        Exchange(Account(SID, TOKEN), ExchangeClock(START, lambda: 0.0), environment="production")


def test_a_created_call_is_queued_and_looks_like_the_carriers(exchange, toy):
    answer = requests.post(
        f"{exchange.base_url}/2010-04-01/Accounts/{SID}/Calls.json",
        data={"To": "+8610000000000", "From": OURS, "Url": toy.url},
        auth=(SID, TOKEN),
        timeout=5,
    )

    call = answer.json()
    assert (answer.status_code, call["status"], call["duration"], call["queue_time"]) == (201, "queued", None, "0")
    assert call["date_created"] == "Tue, 01 Sep 2026 01:00:00 +0000"
    assert call["uri"] == f"/2010-04-01/Accounts/{SID}/Calls/{call['sid']}.json"
    assert answer.headers["Twilio-Concurrent-Requests"] == "1"


def test_the_client_reads_a_finished_call(story, client):
    call = story("00")

    fetched = client.calls(call.sid).fetch()

    assert (fetched.status, fetched.direction, fetched.to) == ("completed", "outbound-api", call.order.to)
    assert int(fetched.duration) == call.seconds
    assert fetched.date_created == START


def failure(act) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as caught:
        act()
    return caught.value.status, caught.value.code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "8610"}, 21211), ({"to": "+86 100 0000 0000"}, 21211), ({"to": ""}, 21201),
        ({"from_": "abc"}, 21212), ({"from_": ""}, 21213),
        ({"url": None}, 21205), ({"url": "/steps"}, 21205), ({"status_callback": "http://a_b.example/"}, 21205),
        ({"status_callback_event": ["initiated ringing"]}, 21626), ({"to": "+15005550001"}, 21217), ({"to": "+15005550004"}, 21216),
        ({"async_amd": True, "machine_detection": "Enable"}, 20001), ({"timeout": 601}, 20001), ({"record": True}, 20001),
        ({"to": "+8610000000059"}, 21216),
    ],
)  # fmt: skip
def test_a_bad_request_is_refused_with_the_carriers_code(call, client, toy, changes, code):
    request = {"to": "+8610000000000", "from_": OURS, "url": toy.url, **changes}

    assert failure(lambda: client.calls.create(**request)) == (400, code)
    assert client.calls.list() == []


def test_only_the_accounts_own_numbers_may_call(exchange, call):
    exchange.account = Account(SID, TOKEN, caller_ids=frozenset({"+8610012345678"}))

    assert failure(call) == (400, 21210)


def test_a_wrong_token_and_a_wrong_account_are_told_apart(exchange):
    wrong, other = Client(SID, "nope", environment={}), Client(SID, TOKEN, "AC" + "b" * 32, environment={})
    wrong.api.base_url = other.api.base_url = exchange.base_url

    assert failure(lambda: wrong.calls("CA" + "0" * 32).fetch()) == (401, 20003)
    assert failure(lambda: other.calls("CA" + "0" * 32).fetch()) == (404, 20404)


def test_an_api_key_opens_the_account(exchange):
    exchange.account = Account(SID, TOKEN, keys={"SK" + "1" * 32: "secret"})
    client = Client("SK" + "1" * 32, "secret", SID, environment={})
    client.api.base_url = exchange.base_url

    assert client.calls.list() == []


def test_what_does_not_exist_is_not_found(client):
    for act in (client.calls("CA" + "0" * 32).fetch, client.recordings("RE" + "0" * 32).fetch, client.queues("QU" + "0" * 32).fetch):
        assert failure(act) == (404, 20404)


def test_lists_filter_and_page(call, client, exchange):
    sids = [call(f"+8610000000{number:03d}") for number in range(7)]
    exchange.run_until(START + timedelta(hours=1))

    assert [each.sid for each in client.calls.list(page_size=3)] == sids[::-1]
    assert [each.sid for each in client.calls.list(to="+8610000000003")] == [sids[3]]
    assert client.calls.list(status="busy") == []
    assert len(client.calls.list(from_=OURS, start_time=START)) == 7
    assert client.calls.list(start_time_after=START + timedelta(days=1)) == []
    assert client.calls.list(start_time_before=START) == []


def test_a_call_that_has_not_started_is_in_no_list_by_start_time(call, client):
    call()

    assert client.calls.list(start_time=START) == []
    assert len(client.calls.list()) == 1


def test_a_queued_call_that_is_cancelled_is_never_told_of(call, client, toy, exchange):
    sid = call()

    assert client.calls(sid).update(status="canceled").status == "canceled"
    exchange.run_until(START + timedelta(hours=1))

    assert toy.seen == []
    assert exchange.calls[sid].status == "canceled"
    assert exchange.next_event_at() is None


def test_a_ringing_call_can_be_cancelled(call, client, toy, exchange):
    sid = call()
    exchange.run_until(START + timedelta(seconds=2))

    client.calls(sid).update(status="canceled")
    exchange.run_until(START + timedelta(hours=1))

    assert toy.statuses() == ["initiated", "ringing", "canceled"]


def test_canceling_does_nothing_to_an_answered_call_but_completing_ends_it(call, client, toy, exchange):
    sid = call()
    exchange.run_until(START + timedelta(seconds=20))

    assert client.calls(sid).update(status="canceled").status == "in-progress"
    assert client.calls(sid).update(status="completed").status == "completed"
    exchange.run_until(START + timedelta(hours=1))

    assert toy.statuses()[-1] == "completed"
    assert len([path for path in toy.paths() if path.startswith("/steps")]) == 1
    assert failure(lambda: client.calls(sid).update(status="completed")) == (400, 21220)


@pytest.mark.parametrize("by", ["url", "twiml"])
def test_a_live_call_goes_on_with_another_document(call, client, toy, exchange, by):
    toy.pages["/other"] = "<Hangup/>"
    sid = call()
    exchange.run_until(START + timedelta(seconds=20))

    client.calls(sid).update(**({"url": f"{toy.url}/other"} if by == "url" else {"twiml": "<Response><Hangup/></Response>"}))
    exchange.run_until(START + timedelta(hours=1))

    assert exchange.calls[sid].ended_at - START.timestamp() == pytest.approx(20, abs=1)
    assert ("/other" in toy.paths()) == (by == "url")


def test_a_call_ended_while_its_own_web_hook_is_under_way_takes_no_more_turns(call, client, toy, exchange):
    def end(seen):
        client.calls(seen.form["CallSid"]).update(status="completed")
        return xml("<Redirect>/steps/0</Redirect>")

    toy.pages["/steps/0"] = end
    sid = call()
    exchange.run_until(START + timedelta(hours=1))

    assert toy.paths().count("/steps/0") == 1
    assert (exchange.calls[sid].status, toy.statuses()[-1]) == ("completed", "completed")


def test_a_call_that_is_not_answered_cannot_be_redirected(call, client, toy):
    sid = call()

    assert failure(lambda: client.calls(sid).update(url=f"{toy.url}/other")) == (400, 21220)


def test_only_a_finished_call_can_be_deleted(call, client, exchange):
    sid = call()

    assert failure(client.calls(sid).delete) == (400, 20009)
    exchange.run_until(START + timedelta(hours=1))
    assert client.calls(sid).delete()
    assert failure(client.calls(sid).fetch) == (404, 20404)
    assert call() != sid


def test_calls_wait_their_turn_by_calls_per_second(toy, client, exchange):
    exchange.terms = type(exchange.terms)(calls_per_second=0.5)
    request = {"from_": OURS, "url": toy.url, "status_callback": f"{toy.url}/status", "status_callback_event": ["initiated"]}

    calls = [client.calls.create(to=f"+861000000000{number}", **request) for number in range(3)]
    exchange.run_until(START + timedelta(seconds=2.5))

    assert [call.queue_time for call in calls] == ["0", "2000", "4000"]
    assert len(toy.statuses()) == 2


def test_a_full_queue_refuses(call, exchange):
    exchange.terms = type(exchange.terms)(calls_per_second=0.1, queue_seconds=5)
    call()

    assert failure(lambda: call("+8610000000002")) == (429, 22005)


def test_a_queued_caller_is_taken_out_once(story, call, client, toy, exchange):
    toy.pages["/steps/0"] = '<Enqueue action="/after">desk</Enqueue>'
    toy.pages["/after"] = toy.pages["/taken"] = "<Hangup/>"
    sid = call()
    exchange.run_until(START + timedelta(seconds=30))
    queue = client.queues.list()[0]

    assert (queue.friendly_name, queue.current_size) == ("desk", 1)
    assert client.queues(queue.sid).members.list()[0].call_sid == sid
    client.queues(queue.sid).members("Front").update(url=f"{toy.url}/taken")
    assert failure(lambda: client.queues(queue.sid).members(sid).update(url=f"{toy.url}/taken"))[0] == 404
    exchange.run_until(START + timedelta(minutes=5))

    after = next(seen for seen in toy.seen if seen.path == "/after").form
    assert (after["QueueResult"], after["QueueSid"]) == ("redirected", queue.sid)
    assert "/taken" in toy.paths()
