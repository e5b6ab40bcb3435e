"""What is said at a browser phone: into streams and recordings, and to the phone at the other end; and what is heard there."""

import importlib.util
import time
from contextlib import ExitStack
from itertools import pairwise

import numpy as np
import pytest

from ivr.carrier.simulator.bridge import Bridge
from ivr.carrier.simulator.line import FRAME, read_wav
from ivr.carrier.simulator.persona import Traits
from ivr.carrier.simulator.voices import WHEEL
from speech.audio import mulaw_to_pcm, pcm_to_mulaw
from tests.ivr.simulator.ears import Ears, listening
from tests.ivr.simulator.tab import Tab, opened
from tests.ivr.simulator.toy import gather

MINE, YOURS = "+8613900000001", "+8613900000002"
SOON = "+8613900000372"  # the seed has it answered after four seconds
TONE = (8000 * np.sin(np.arange(FRAME * 25) * 2 * np.pi * 440 / 8000)).astype(np.int16)  # half a second
PATIENCE = 10.0


@pytest.fixture
def live(exchange):
    exchange.schedule.run_in_real_time()
    return exchange


@pytest.fixture
def plug_in(live):
    with ExitStack() as stack:
        yield lambda number=MINE: stack.enter_context(opened(live, number))


@pytest.fixture
def answered(plug_in, call, toy, live):
    """A call to my phone that I answer; gives the tab and the call."""

    def happen(document):
        toy.pages["/steps/0"] = document
        tab = plug_in()
        sid = call(MINE)
        lift(tab)
        return tab, live.calls[sid]

    return happen


def lift(tab: Tab) -> None:
    tab.until_phase("ringing")
    tab.do("answer")
    tab.until_phase("talking")


def speak(tab: Tab, pcm: np.ndarray = TONE) -> None:
    """Say something at the pace of a microphone."""
    sound = pcm_to_mulaw(pcm)
    for start in range(0, len(sound), FRAME):
        tab.connection.send(sound[start : start + FRAME])
        time.sleep(0.02)


def until(is_so) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    assert is_so()


def loudness(tab: Tab) -> float:
    """Of the living voices that the tab got."""
    sound = b"".join(message[2:] for message in tab.sounds if message[0] == 1)
    return float(np.abs(mulaw_to_pcm(sound).astype(np.int32)).mean()) if sound else 0.0


def test_the_microphone_is_heard_in_the_calls_stream(answered, live):
    with listening(Ears()) as ears:
        start = f'<Start><Stream url="{ears.url}" name="ears"/></Start>'
        tab, _ = answered(start + gather("请说话。", "/key"))
        until(lambda: ears.streams and ears.streams[0].media)
        speak(tab)
        until(lambda: np.abs(ears.streams[0].samples()).max() > 7000)
        heard = ears.streams[0]
        until(lambda: np.count_nonzero(np.abs(heard.samples()) > 500) > 0.9 * np.count_nonzero(np.abs(TONE) > 500))
        tab.do("hang up")
        assert heard.over.wait(PATIENCE)

    timestamps = [int(media["timestamp"]) for media in heard.media]
    assert {later - earlier for earlier, later in pairwise(timestamps)} == {20}


def test_what_is_said_after_the_beep_is_in_the_recording(answered, toy, live):
    toy.pages["/done"] = "<Hangup/>"
    tab, call = answered('<Record action="/done" finishOnKey="#" timeout="30"/>')
    tab.until(lambda tab: tab.call["recording"])
    speak(tab)
    tab.do("key", key="#")
    tab.until_phase("over")

    recording = call.recordings[0]
    assert recording.spoken_seconds > 0.4
    assert 0.4 < len(read_wav(live.media.recorded(recording))) / 8000 < 0.6


def test_a_recording_goes_on_while_somebody_speaks_and_ends_in_silence(answered, toy, live):
    toy.pages["/done"] = "<Hangup/>"
    tab, call = answered('<Record action="/done" timeout="1"/>')
    tab.until(lambda tab: tab.call["recording"])
    speak(tab, np.tile(TONE, 3))
    tab.until_phase("over")

    assert call.recordings[0].spoken_seconds > 2


@pytest.mark.parametrize("verb", ["Number", "Client"])
def test_two_phones_that_are_joined_by_dial_hear_each_other(plug_in, call, toy, live, verb):
    other = YOURS if verb == "Number" else "client:desk"
    toy.pages["/steps/0"] = f'<Dial action="/after"><{verb}>{other.removeprefix("client:")}</{verb}></Dial>'
    toy.pages["/after"] = "<Say>再见。</Say><Hangup/>"
    mine, yours = plug_in(), plug_in(other)
    call(MINE)
    lift(mine)
    lift(yours)
    mine.until(lambda tab: tab.call["joined"] == [other])

    speak(mine)
    yours.until(lambda _: loudness(yours) > 2000)
    assert loudness(mine) == 0
    speak(yours)
    mine.until(lambda _: loudness(mine) > 2000)

    yours.do("hang up")
    mine.until(lambda tab: tab.words)
    assert mine.call["joined"] == []
    assert next(seen.form["DialBridged"] for seen in toy.seen if seen.path == "/after") == "true"
    yours.until_phase("over")


def test_a_dialled_phone_that_declines_is_busy(plug_in, call, toy):
    toy.pages["/steps/0"] = f'<Dial action="/after"><Number>{YOURS}</Number></Dial>'
    toy.pages["/after"] = "<Hangup/>"
    mine, yours = plug_in(), plug_in(YOURS)
    call(MINE)
    lift(mine)
    yours.until_phase("ringing")
    yours.do("hang up")

    mine.until_phase("over")
    assert next(seen.form["DialCallStatus"] for seen in toy.seen if seen.path == "/after") == "busy"


def test_the_first_of_two_dialled_phones_is_joined_and_the_other_let_go(plug_in, call, toy):
    toy.pages["/steps/0"] = f"<Dial><Number>{YOURS}</Number><Client>desk</Client></Dial><Hangup/>"
    mine, yours, desk = plug_in(), plug_in(YOURS), plug_in("client:desk")
    call(MINE)
    lift(mine)
    yours.until_phase("ringing")
    lift(desk)

    yours.until(lambda tab: (tab.call["phase"], tab.call["status"]) == ("over", "canceled"))
    mine.do("hang up")
    desk.until_phase("over")


def test_a_waiting_phone_and_the_one_that_takes_it_from_the_queue_hear_each_other(plug_in, call, toy, live):
    toy.pages["/steps/0"] = '<Enqueue action="/after">desk</Enqueue>'
    toy.pages["/take"] = "<Dial><Queue>desk</Queue></Dial><Say>又有空了。</Say><Hangup/>"
    toy.pages["/after"] = "<Hangup/>"
    mine, yours = plug_in(), plug_in(YOURS)
    call(MINE)
    lift(mine)
    until(lambda: live.waiting_line("desk").members)
    call(YOURS, url=f"{toy.url}/take")
    lift(yours)
    mine.until(lambda tab: tab.call["joined"] == [YOURS])

    speak(yours)
    mine.until(lambda _: loudness(mine) > 2000)
    mine.do("hang up")

    yours.until(lambda tab: tab.words == ["又有空了。"])


def test_phones_in_one_conference_hear_each_other(plug_in, call, toy):
    toy.pages["/steps/0"] = "<Dial><Conference>room</Conference></Dial><Hangup/>"
    mine, yours = plug_in(), plug_in(YOURS)
    for number, tab in ((MINE, mine), (YOURS, yours)):
        call(number)
        lift(tab)
    mine.until(lambda tab: tab.call["joined"] == [YOURS])

    speak(mine)
    yours.until(lambda _: loudness(yours) > 2000)
    mine.do("hang up")
    yours.until(lambda tab: tab.call["joined"] == [])


def test_a_person_of_the_table_ends_the_talk_when_it_is_over(plug_in, call, toy, live):
    live.register(SOON, Traits(talk_seconds=1.0))
    toy.pages["/steps/0"] = f'<Dial action="/after"><Number>{SOON}</Number></Dial>'
    toy.pages["/after"] = "<Hangup/>"
    tab = plug_in()
    call(MINE)
    lift(tab)
    tab.do("key", key="5")
    tab.until(lambda tab: tab.call["joined"])
    tab.until(lambda tab: not tab.call["joined"])


@pytest.mark.skipif(importlib.util.find_spec(WHEEL) is None, reason="espeakng-loader is not installed")
def test_prompts_are_heard_as_a_voice(answered):
    tab, _ = answered("<Say>您好,这里是市公安局。</Say><Hangup/>")
    tab.until_phase("over")

    sound = mulaw_to_pcm(tab.sounds[0][2:])
    assert tab.sounds[0][0] == 0
    assert 1 < len(sound) / 8000 < 6
    assert np.abs(sound).max() > 5000


def test_a_room_is_shared_by_all_who_are_joined(story):
    one, two, three = story(), story(), story()
    bridge = Bridge()
    bridge.join(one, two)
    bridge.join(two, three)

    assert bridge.others(one) == (two, three)
    assert bridge.part(two) == (one, three)
    assert bridge.others(one) == (three,)
    assert bridge.part(three) == (one,)
    assert bridge.others(one) == bridge.part(one) == bridge.others(two) == ()
