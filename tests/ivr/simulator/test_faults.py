"""Faults on demand: each one happens, and the call is still one story."""

from dataclasses import asdict
from datetime import timedelta

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from ivr.carrier.simulator.faults import CreateFates, CreateFaults, FaultPlan, HookFaults, fate_of, plan_from
from tests.ivr.simulator.conftest import OURS, SID, START
from tests.ivr.simulator.toy import TOKEN, gather, xml

STEPS = [f"/steps/{number}" for number in range(8)]


def turns(toy):
    return [seen.path for seen in toy.seen if seen.path.startswith("/steps")]


def test_a_duplicated_turn_comes_twice_with_the_same_token(story, toy, exchange):
    exchange.inflict(FaultPlan(turn=HookFaults(duplicate=1)))

    call = story("00")

    assert turns(toy) == [path for path in STEPS for _ in range(2)]
    assert len({seen.headers["I-Twilio-Idempotency-Token"] for seen in toy.seen if seen.path in STEPS}) == len(STEPS)
    assert call.repeats_differing == []


def test_a_repeat_that_is_answered_differently_is_noted(story, toy, exchange):
    exchange.inflict(FaultPlan(turn=HookFaults(duplicate=1)))
    toy.pages["/steps/0"] = lambda seen: xml(gather(f"本人?{len(toy.seen)}", "/steps/7"))

    [noted] = story("00").repeats_differing

    assert noted["url"] == f"{toy.url}/steps/0"
    assert ("本人?" in noted["first"], noted["first"] == noted["again"]) == (True, False)


def test_a_lost_reply_is_asked_for_again(story, toy, exchange):
    exchange.inflict(FaultPlan(turn=HookFaults(drop=1)))

    call = story("00")

    assert turns(toy) == [path for path in STEPS for _ in range(2)]
    assert call.status == "completed"


def test_a_late_copy_comes_after_later_turns(story, toy, exchange):
    exchange.inflict(FaultPlan(turn=HookFaults(reorder=1)))

    story("00")

    came = turns(toy)
    assert sorted(came) == sorted(STEPS * 2)
    assert came != sorted(came)


def test_a_late_turn_lengthens_the_call(story, exchange):
    quick = story("00")
    exchange.inflict(FaultPlan(turn=HookFaults(delay=1)))

    assert story("00").seconds > quick.seconds + 5


def test_dropped_statuses_never_come_and_duplicated_ones_come_twice(story, toy, exchange):
    exchange.inflict(FaultPlan(status=HookFaults(drop=1)))
    story("00")
    assert toy.statuses() == []

    exchange.inflict(FaultPlan(status=HookFaults(duplicate=1)))
    story("00")
    assert toy.statuses() == [status for status in ("initiated", "ringing", "in-progress", "completed") for _ in range(2)]
    assert [seen.form["SequenceNumber"] for seen in toy.seen if seen.path == "/status"] == list("00112233")


def test_overtaken_statuses_come_out_of_order(toy, call, exchange):
    exchange.inflict(FaultPlan(seed=3, status=HookFaults(reorder=0.5)))
    sids = [call(f"+86100000000{number:02d}") for number in range(5)]

    exchange.run_until(START + timedelta(hours=1))

    orders = [toy.statuses(sid) for sid in sids]
    assert all(sorted(order) == sorted(["initiated", "ringing", "in-progress", "completed"]) for order in orders)
    assert any(order != ["initiated", "ringing", "in-progress", "completed"] for order in orders)


@pytest.mark.parametrize("kind", ["recording", "machine"])
def test_other_callbacks_can_be_dropped(story, toy, exchange, kind):
    exchange.inflict(FaultPlan(**{kind: HookFaults(drop=1)}))

    story("40", machine_detection="Enable", async_amd="true", async_amd_status_callback=f"{toy.url}/machine")

    assert (f"/{kind}s" in toy.paths() or f"/{kind}" in toy.paths()) is False
    assert ("/machine" in toy.paths()) == (kind != "machine")


def post(exchange, toy, timeout=5.0):
    return requests.post(
        f"{exchange.base_url}/2010-04-01/Accounts/{SID}/Calls.json",
        data={"To": "+8610000000000", "From": OURS, "Url": f"{toy.url}/steps/0", "StatusCallback": f"{toy.url}/status",
              "StatusCallbackEvent": ["initiated", "completed"]},
        auth=(SID, TOKEN), timeout=timeout,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fate", "status", "calls"),
    [("too_many", 429, 0), ("error_before", 500, 0), ("error_after", 500, 1), ("none", 201, 1), ("callback_first", 201, 1)],
)
def test_a_creation_goes_wrong_as_asked(exchange, toy, fate, status, calls):
    exchange.inflict(FaultPlan(next_creates=(fate,)))

    answer = post(exchange, toy)

    assert (answer.status_code, len(exchange.calls)) == (status, calls)
    assert toy.statuses() == (["initiated"] if fate == "callback_first" else [])


def test_a_connection_is_cut_after_the_call_was_accepted(exchange, toy):
    exchange.inflict(FaultPlan(next_creates=("reset_after",)))

    with pytest.raises(requests.ConnectionError):
        post(exchange, toy)

    exchange.run_until(START + timedelta(hours=1))
    assert [call.status for call in exchange.calls.values()] == ["completed"]


def test_a_creation_hangs_after_the_call_was_accepted(exchange, toy):
    exchange.inflict(FaultPlan(next_creates=("hang_after",), hang_seconds=6))

    with pytest.raises(requests.ReadTimeout):
        post(exchange, toy, timeout=2)

    assert len(exchange.calls) == 1


def test_a_call_hurried_by_its_callback_still_goes_its_way(exchange, toy):
    exchange.inflict(FaultPlan(next_creates=("callback_first",)))
    post(exchange, toy)

    exchange.run_until(START + timedelta(hours=1))

    assert toy.statuses() == ["initiated", "completed"]


def test_too_many_requests_reads_as_the_carriers_error(call, exchange):
    exchange.inflict(FaultPlan(next_creates=("too_many", "too_many", "none")))

    for _ in range(2):
        with pytest.raises(TwilioRestException) as caught:
            call()
        assert (caught.value.status, caught.value.code) == (429, 20429)
    assert call()


def test_a_list_that_lags_shows_a_call_later(call, client, exchange):
    exchange.inflict(FaultPlan(list_lag_seconds=30))
    sid = call()

    assert client.calls.list() == []
    assert client.calls(sid).fetch().sid == sid
    exchange.run_until(START + timedelta(seconds=31))
    assert [each.sid for each in client.calls.list()] == [sid]


def test_the_carrier_fails_once_at_its_own_ending(call, exchange):
    with pytest.raises(TwilioRestException) as caught:
        call("+8610000000060")

    assert caught.value.status == 503
    assert call("+8610000000060")
    assert len(exchange.calls) == 1


def test_fates_are_the_same_for_the_same_seed():
    plan = FaultPlan(seed=5, turn=HookFaults(0.3, 0.3, 0.3, 0.3), create=CreateFaults(0.2, 0.2, 0.2))
    fates = [fate_of(plan, "turn", "CA1", number) for number in range(50)]
    first, second = CreateFates(plan), CreateFates(plan)

    assert fates == [fate_of(plan, "turn", "CA1", number) for number in range(50)]
    assert len(set(fates)) > 10
    assert [first.draw() for _ in range(50)] == [second.draw() for _ in range(50)]


def test_probabilities_are_kept():
    plan = FaultPlan(status=HookFaults(drop=0.2), create=CreateFaults(error_after=0.1))
    dropped = sum(fate_of(plan, "status", f"CA{number}", 0).drop for number in range(2000))
    fates = CreateFates(plan)

    assert dropped == pytest.approx(400, abs=80)
    assert sum(fates.draw() == "error_after" for _ in range(2000)) == pytest.approx(200, abs=60)


def test_a_plan_survives_json():
    plan = FaultPlan(seed=4, turn=HookFaults(duplicate=0.5), next_creates=("none", "error_after"), list_lag_seconds=2)

    assert plan_from(asdict(plan)) == plan


@pytest.mark.parametrize("wrong", [{"turns": {}}, {"turn": {"doubled": 1}}, {"next_creates": ["boom"]}])
def test_a_plan_with_unknown_names_is_refused(wrong):
    with pytest.raises(ValueError):
        plan_from(wrong)
