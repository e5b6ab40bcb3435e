"""Media streams: the protocol, how they end, and callees who are heard through them."""

import base64
import threading
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from ivr.carrier.simulator.effects import Redirected, Target
from ivr.carrier.simulator.incoming import Number
from ivr.carrier.simulator.media import Speech
from ivr.carrier.simulator.persona import Traits
from ivr.carrier.simulator.voices import voice_for
from speech.audio import mulaw_to_pcm
from tests.ivr.simulator.conftest import SID
from tests.ivr.simulator.ears import Ears, listening
from tests.ivr.simulator.toy import ITEMS, gather, xml

SPEAKER = "+8610000000600"
HOUR = timedelta(hours=1)


@pytest.fixture
def ears():
    with listening(Ears()) as server:
        yield server


def stream(url, name="ears", attributes="", **parameters):
    """A document's Start with one stream."""
    given = "".join(f'<Parameter name="{key}" value="{value}"/>' for key, value in parameters.items())
    return f'<Start><Stream url="{url}" name="{name}" {attributes}>{given}</Stream></Start>'


@pytest.fixture
def speak(exchange, toy, ears):
    """Let somebody with these traits answer one question that is listened to; gives the call."""

    def happen(place, speech=None, prompt=ITEMS["speed"], after="<Hangup/>", **traits):
        exchange.register(SPEAKER, Traits(**{"speaks": "zh", "manner": "plain", "ratings": {"speed": "4"}, **traits}))
        if speech is not None:
            exchange.media.speech = speech
        toy.pages["/steps/0"] = stream(ears.url, step="speed") + gather(prompt, "/end")
        toy.pages["/understood"] = toy.pages["/last"] = '<Stop><Stream name="ears"/></Stop><Hangup/>'
        toy.pages["/end"] = after
        sid = place(SPEAKER)
        exchange.run_until(exchange.next_event_at() + HOUR)
        return exchange.calls[sid]

    return happen


def redirecting(exchange, toy, after=20):
    """A reaction that redirects the call after so many frames."""

    def react(ears, heard):
        if len(heard.media) == after:
            call = exchange.calls[heard.start["callSid"]]
            exchange.interrupt(call, Redirected(Target(f"{toy.url}/understood")))

    return react


def test_a_stream_says_who_it_is_and_counts_what_it_sends(speak, call, ears):
    speak(call)

    heard = ears.streams[0]
    assert heard.over.wait(5)
    assert [message["event"] for message in heard.messages[:3]] == ["connected", "start", "media"]
    assert heard.messages[0] == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert heard.messages[-1]["event"] == "stop"
    assert [message["sequenceNumber"] for message in heard.messages[1:]] == [str(number) for number in range(1, len(heard.messages))]
    assert [media["chunk"] for media in heard.media] == [str(number) for number in range(1, len(heard.media) + 1)]
    assert {later - earlier for earlier, later in pairwise(int(media["timestamp"]) for media in heard.media)} == {20}
    assert heard.signed


def test_the_start_carries_the_call_and_the_parameters(speak, call, ears):
    told = speak(call)

    start = ears.streams[0].start
    assert (start["callSid"], start["accountSid"], start["tracks"]) == (told.sid, SID, ["inbound"])
    assert start["customParameters"] == {"step": "speed"}
    assert start["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    assert start["streamSid"] == told.streams[0].sid


def test_a_callee_is_heard_as_quiet_words_quiet(speak, call, ears):
    speak(call)

    samples = ears.streams[0].samples()
    loud = [number for number, sample in enumerate(samples) if abs(sample) > 1000]
    assert 2200 <= loud[0] <= 2900
    assert 7500 <= len(samples) - loud[-1] <= 8800


def test_who_has_heard_enough_redirects_the_call_in_the_middle_of_the_wait(speak, call, exchange, toy, ears):
    ears.react = redirecting(exchange, toy)

    told = speak(call)

    assert "/understood" in toy.paths()
    assert "/end" not in toy.paths()
    assert [(said.item, said.text, said.meant) for said in told.said] == [("speed", told.said[0].text, "4")]
    assert told.said[0].text in ("不满意", "不太满意")
    assert (told.presses, told.silences) == ([], 0)
    assert exchange.journal()[0]["said"][0]["understood"]
    assert exchange.journal()[0]["said"][0]["seconds_to_redirect"] < 1


def test_virtual_time_stands_at_the_end_of_the_words_while_somebody_listens(speak, call, exchange, toy, ears):
    understood = speak(call, prompt="民警的速度?")
    ears.react = redirecting(exchange, toy)
    redirected = speak(call, prompt="民警的速度?")

    assert understood.ended_at - understood.answered_at > redirected.ended_at - redirected.answered_at > 1.5
    assert redirected.said[0].at - redirected.answered_at < 5


def test_the_timer_of_the_keys_runs_on_after_the_patience(speak, call, toy):
    told = speak(call, speech=Speech(patience_seconds=0.05), prompt="民警的速度?")

    form = next(seen for seen in toy.seen if seen.path == "/end").form
    assert form["Digits"] == ""
    assert round(told.ended_at - told.answered_at, 2) == round(6 / 4.5 + 5, 2) or told.ended_at - told.answered_at > 6
    assert not told.said[0].redirected_at


def test_who_is_not_listened_to_presses_keys(exchange, toy, call):
    exchange.register(SPEAKER, Traits(speaks="zh", ratings={"speed": "4"}))
    toy.pages["/steps/0"] = gather(ITEMS["speed"], "/end")

    sid = call(SPEAKER)
    exchange.run_until(exchange.next_event_at() + HOUR)

    assert [press["keys"] for press in exchange.calls[sid].presses] == ["4"]
    assert exchange.calls[sid].said == []


def test_a_refused_stream_is_noted_and_the_call_goes_on_by_keys(speak, call, exchange, ears, toy):
    ears.refuse = True
    toy.pages["/stream"] = ""
    told = speak(call)

    assert (told.status, told.streams[0].ended, told.streams[0].frames) == ("completed", "refused", 0)
    assert [problem[:5] for problem in told.problems] == ["31920"]
    assert [press["keys"] for press in told.presses] == ["4"]


@pytest.mark.parametrize("ending", ["break", "close"])
def test_a_stream_that_ends_early_does_not_disturb_the_call(speak, call, ears, ending):
    def react(ears, heard):
        if len(heard.media) == 5:
            heard.connection.socket.close() if ending == "break" else heard.connection.close()

    ears.react = react

    told = speak(call, speech=Speech(patience_seconds=5))

    assert told.status == "completed"
    assert told.streams[0].ended == ("broken" if ending == "break" else "closed by the application")
    assert [problem[:5] for problem in told.problems] == (["31921"] if ending == "break" else [])
    assert told.streams[0].stopped_at is not None


def test_start_and_stop_are_told_with_the_streams_name(exchange, toy, call, ears):
    toy.pages["/stream"] = ""
    toy.pages["/steps/0"] = (
        stream(ears.url, attributes='statusCallback="/stream"') + "<Pause length='2'/><Stop><Stream name='ears'/></Stop><Hangup/>"
    )
    sid = call(SPEAKER)
    exchange.run_until(exchange.next_event_at() + HOUR)

    kept = exchange.calls[sid].streams[0]
    told = [seen.form for seen in toy.seen if seen.path == "/stream"]
    assert [(form["StreamEvent"], form["StreamName"], form["StreamSid"]) for form in told] == [
        ("stream-started", "ears", kept.sid), ("stream-stopped", "ears", kept.sid),
    ]  # fmt: skip
    assert (kept.ended, kept.stopped_at - kept.started_at) == ("stopped", 2.0)
    assert exchange.calls[sid].problems == []


def test_a_stream_that_nobody_takes_is_an_error_of_its_own(exchange, toy, call):
    toy.pages["/stream"] = ""
    toy.pages["/steps/0"] = stream("ws://127.0.0.1:9/media", attributes='statusCallback="/stream"') + "<Pause length='2'/><Hangup/>"

    sid = call(SPEAKER)
    exchange.run_until(exchange.next_event_at() + HOUR)

    told = [seen.form for seen in toy.seen if seen.path == "/stream"]
    assert [(form["StreamEvent"], form["StreamError"][:16]) for form in told] == [("stream-error", "handshake failed")]
    assert exchange.calls[sid].status == "completed"


def test_stopping_what_is_not_there_is_nothing(exchange, toy, call):
    toy.pages["/steps/0"] = "<Stop><Stream name='nobody'/></Stop><Hangup/>"

    sid = call(SPEAKER)
    exchange.run_until(exchange.next_event_at() + HOUR)

    assert (exchange.calls[sid].problems, exchange.calls[sid].streams) == ([], [])


def test_the_end_of_a_call_ends_its_streams(exchange, toy, call, ears):
    toy.pages["/steps/0"] = stream(ears.url, "one", step="one") + stream(ears.url, "two", step="two") + "<Hangup/>"

    sid = call(SPEAKER)
    exchange.run_until(exchange.next_event_at() + HOUR)

    assert [(each.name, each.ended) for each in exchange.calls[sid].streams] == [("one", "call ended"), ("two", "call ended")]
    assert all(heard.over.wait(5) and heard.messages[-1]["event"] == "stop" for heard in ears.streams)
    assert exchange.next_event_at() is None


def test_a_name_is_given_once_at_a_time(exchange, toy, call, ears):
    again = stream(ears.url, "one")
    toy.pages["/steps/0"] = f"{again}{again}<Stop><Stream name='one'/></Stop>{again}<Hangup/>"

    sid = call(SPEAKER)
    exchange.run_until(exchange.next_event_at() + HOUR)

    assert [each.ended for each in exchange.calls[sid].streams] == ["stopped", "refused", "call ended"]
    assert [problem[:5] for problem in exchange.calls[sid].problems] == ["31920"]


def test_the_silence_before_the_words_is_skipped_or_sent(speak, call, ears):
    speak(call, speech=Speech(patience_seconds=0.05))
    speak(call, speech=Speech(patience_seconds=0.05, skips_silence=False))

    skipped, sent = (heard.media for heard in ears.streams)
    assert abs(int(skipped[-1]["timestamp"]) - int(sent[-1]["timestamp"])) <= 20
    assert len(sent) == int(sent[-1]["timestamp"]) // 20 + 1 > len(skipped) + 200


def test_who_says_and_presses_is_a_race_that_the_key_may_win(speak, call, toy):
    told = speak(call, manner="says_and_presses")

    assert [(said.meant, said.also_pressed) for said in told.said] == [("4", "4")]
    assert [press["keys"] for press in told.presses] == ["4"]
    assert next(seen for seen in toy.seen if seen.path == "/end").form["Digits"] == "4"


def test_who_is_asked_again_after_mumbling_presses_the_key(speak, call, toy):
    again = "您没有选择。民警的速度,请直接按键。"

    told = speak(call, speech=Speech(patience_seconds=0.05), manner="mumbles", after=gather(again, "/last"))

    assert [(said.manner, said.then) for said in told.said] == [("mumbles", again)]
    assert [press["keys"] for press in told.presses] == ["4"]


def test_who_strays_says_the_answer_or_presses_it_when_asked_again(speak, call, toy):
    told = speak(call, speech=Speech(patience_seconds=0.05), manner="strays", after=gather(ITEMS["speed"], "/last"))

    assert told.said[0].meant == ""
    assert [said.meant for said in told.said[1:]] + [press["keys"] for press in told.presses] == ["4"]


def hearing_out(exchange, toy):
    """A reaction that redirects the call when somebody has spoken and is quiet again for 0.35 s."""

    def react(ears, heard):
        if heard.messages[-1]["event"] != "media" or heard.done:
            return
        loudest = np.abs(mulaw_to_pcm(base64.b64decode(heard.messages[-1]["media"]["payload"])).astype(int)).max()
        heard.loud.append(loudest > 1000)
        if any(heard.loud) and not any(heard.loud[-18:]):
            heard.done = True
            exchange.interrupt(exchange.calls[heard.start["callSid"]], Redirected(Target(f"{toy.url}/understood")))

    return react


def test_twenty_at_once_in_real_time_are_heard_at_the_pace_of_the_line(exchange, toy, ears, record_property):
    toy.pages["/steps/0"] = stream(ears.url) + gather("民警的速度?", "/end")
    toy.pages["/end"] = toy.pages["/understood"] = '<Stop><Stream name="ears"/></Stop><Hangup/>'
    ended = threading.Semaphore(0)
    toy.pages["/status"] = lambda seen: ended.release() or xml("")
    exchange.number = Number(f"{toy.url}/steps/0", f"{toy.url}/status")
    ears.react = hearing_out(exchange, toy)
    numbers = [f"+861000000{number:04d}" for number in range(1000, 1020)]
    for number in numbers:
        exchange.register(number, Traits(speaks="zh", manner="plain"))
    exchange.schedule.run_in_real_time()

    calls = [exchange.receive(number, "+8610099999900") for number in numbers]

    assert all(ended.acquire(timeout=120) for _ in calls)
    assert [len(call.said) for call in calls] == [1] * 20
    assert all(call.said[0].seconds_to_redirect > 0.2 for call in calls)
    assert [call.streams[0].ended for call in calls] == ["stopped"] * 20
    spans = [(heard.at[-2] - heard.at[2], len(heard.media) * 0.02) for heard in ears.streams]
    assert all(real > sent - 0.5 for real, sent in spans), "none is faster than the line; how much slower, a busy machine decides"
    late = max(real - sent for real, sent in spans)
    slowest = max(call.said[0].seconds_to_redirect for call in calls)
    record_property("told", f"twenty streams at once: {late:.2f} s behind the line at most, understood after {slowest:.2f} s at most")


def test_nothing_is_left_behind(exchange, toy, call, ears):
    before = {thread.name for thread in threading.enumerate()}
    toy.pages["/steps/0"] = stream(ears.url) + "<Pause length='60'/><Hangup/>"
    call(SPEAKER)
    exchange.run_until(exchange.next_event_at() + timedelta(seconds=30))
    exchange.media.voices.words("满意", voice_for("zh", 0.1))
    assert "exchange-streams" in {thread.name for thread in threading.enumerate()}
    program = exchange.media.voices._program

    exchange.close()

    assert ears.streams[0].over.wait(60)
    assert program.poll() is not None
    for thread in threading.enumerate():
        if thread.name not in before | {"carrier"}:
            thread.join(60)
            assert not thread.is_alive(), thread.name
