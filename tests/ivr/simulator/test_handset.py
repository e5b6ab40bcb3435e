"""What a handset does with documents: faults, fallback, recordings, redirection."""

import io
import socket
import threading
import wave
from datetime import timedelta

import pytest
import requests
from werkzeug.wrappers import Response

from ivr.carrier.simulator.persona import Traits
from tests.ivr.simulator.conftest import START
from tests.ivr.simulator.toy import gather, xml


def turns(toy):
    return [seen for seen in toy.seen if seen.path not in ("/status", "/recordings", "/machine")]


def test_every_request_is_signed_and_carries_the_standard_fields(story, toy):
    call = story("40")

    assert all(seen.signed for seen in toy.seen)
    first = turns(toy)[0].form
    assert (first["CallSid"], first["To"], first["Called"], first["CallStatus"]) == (call.sid, call.order.to, call.order.to, "in-progress")
    assert first["ToCity"] == ""
    assert first["Direction"] == "outbound-api"


def test_a_document_by_get_puts_the_fields_into_the_query(story, toy):
    toy.pages["/steps/0"] = '<Redirect method="GET">/again?x=%E4%BD%A0</Redirect>'
    toy.pages["/again"] = "<Hangup/>"

    call = story()

    again = turns(toy)[1]
    assert again.method == "GET"
    assert again.query.startswith("x=%E4%BD%A0&FromCity=&FromState=")
    assert f"CallSid={call.sid}" in again.query


def test_a_redirect_of_http_loses_the_fields(story, toy):
    toy.pages["/steps/1"] = lambda seen: Response("", 302, {"Location": "/moved"})
    toy.pages["/moved"] = "<Hangup/>"

    story()

    moved = turns(toy)[-1]
    assert (moved.method, moved.form, moved.query) == ("GET", {}, "")


def test_more_than_ten_redirects_are_an_error(story, toy):
    toy.pages["/steps/0"] = lambda seen: Response("", 302, {"Location": "/steps/0"})

    call = story()

    assert call.problems[0].startswith("11215")
    assert turns(toy)[-1].path == "/fallback"


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("<Speak>x</Speak>", "12200"),
        (lambda seen: Response("broken", 500), "11200"),
        (lambda seen: Response("{}", content_type="application/json"), "12300"),
        (lambda seen: Response("<Response>", content_type="text/xml"), "12100"),
    ],
    ids=["bad verb", "500", "JSON", "not XML"],
)
def test_a_faulty_document_leads_to_the_fallback_and_is_noted(story, toy, client, page, code):
    toy.pages["/steps/0"] = page

    call = story()

    fallback = turns(toy)[-1]
    assert (fallback.path, fallback.form["ErrorCode"], fallback.form["ErrorUrl"]) == ("/fallback", code, f"{toy.url}/steps/0")
    assert call.problems
    assert client.calls(call.sid).notifications.list()[0].error_code == code


def test_without_a_usable_fallback_the_call_ends(story, toy):
    toy.pages["/steps/0"] = toy.pages["/fallback"] = "<Nonsense/>"

    call = story()

    assert call.status == "completed"
    assert len(call.problems) == 4


def test_an_application_that_hangs_is_given_up(story, toy, exchange):
    release = threading.Event()

    def hang(seen):
        release.wait(60)
        return xml("<Hangup/>")

    toy.pages["/steps/0"] = hang
    call = story(url=f"{toy.url}/steps/0#rt=300")
    release.set()

    assert call.problems[0].startswith("11200")
    assert turns(toy)[-1].path == "/fallback"


def test_an_application_that_is_not_there_is_given_up(story, toy, exchange):
    call = story(url="http://127.0.0.1:9/none")

    assert call.problems[0].startswith("11205")
    assert turns(toy)[-1].path == "/fallback"


def test_cookies_are_kept_during_a_call(story, toy):
    toy.pages["/steps/0"] = lambda seen: _with_cookie(seen)
    toy.pages["/next"] = "<Hangup/>"

    story()

    assert "who=me" in turns(toy)[1].headers["Cookie"]


def _with_cookie(seen):
    response = xml("<Redirect>/next</Redirect>")
    response.set_cookie("who", "me")
    return response


def test_repeats_asked_for_in_the_address_keep_the_token(story, toy):
    answers = iter([Response("", 503), Response("", 503), xml("<Hangup/>")])
    toy.pages["/flaky"] = lambda seen: next(answers)

    call = story(url=f"{toy.url}/flaky#rc=3&rp=5xx")

    asked = [seen for seen in toy.seen if seen.path == "/flaky"]
    assert len(asked) == 3
    assert len({seen.headers["I-Twilio-Idempotency-Token"] for seen in asked}) == 1
    assert call.problems == []


@pytest.mark.parametrize(("wishes", "problems"), [("rt=2000&rp=ct,rt", []), ("rt=2000", ["11200"])])
def test_a_turn_that_takes_too_long_is_asked_again_only_where_the_address_wishes_it(story, toy, wishes, problems):
    release, asked = threading.Event(), []

    def hang_once(seen):
        asked.append(seen)
        if len(asked) == 1:
            release.wait(60)
        return xml("<Hangup/>")

    toy.pages["/slow"] = hang_once

    call = story(url=f"{toy.url}/slow#{wishes}")
    release.set()

    assert [problem[:5] for problem in call.problems] == problems


def test_a_connection_that_breaks_after_the_request_is_not_asked_again(story, toy):
    asked = []

    def drop(environ, start_response):
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError

    toy.pages["/broken"] = lambda seen: asked.append(seen) or drop

    call = story(url=f"{toy.url}/broken#rc=2&rp=all")

    assert len(asked) == 1
    assert call.problems[0].startswith("11200")
    assert turns(toy)[-1].path == "/fallback"


def test_a_script_that_circles_is_stopped(story, toy):
    toy.pages["/steps/0"] = "<Redirect>/steps/0</Redirect>"

    call = story()

    assert call.ended
    assert "documents in one call" in call.problems[-1]


def test_play_fetches_the_sound_without_fields_and_lasts_as_long(story, toy):
    toy.pages["/steps/0"] = "<Play>/sound.ul</Play><Hangup/>"
    toy.pages["/sound.ul"] = lambda seen: Response(b"\xff" * 16000, content_type="audio/basic")

    call = story()

    sound = next(seen for seen in toy.seen if seen.path == "/sound.ul")
    assert (sound.form, sound.query, "X-Twilio-Signature" in sound.headers) == ({}, "", False)
    assert call.ended_at - call.answered_at == pytest.approx(2.0)


def test_the_remark_is_recorded_announced_fetched_and_deleted(story, toy, client, exchange):
    call = story("40")

    action = next(seen for seen in toy.seen if seen.path == "/steps/7").form
    told = next(seen for seen in toy.seen if seen.path == "/recordings").form
    assert (action["Digits"], action["RecordingDuration"], told["RecordingStatus"]) == ("#", "9", "completed")
    assert toy.paths().index("/recordings") > toy.paths().index("/steps/7")
    address, who = told["RecordingUrl"], (exchange.account.sid, exchange.account.auth_token)
    sound = requests.get(address, auth=who, timeout=5)
    with wave.open(io.BytesIO(sound.content)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels(), file.getnframes()) == (8000, 2, 1, 72000)
    assert requests.get(address, timeout=5).status_code == 401
    assert client.calls(call.sid).recordings.list()[0].sid == told["RecordingSid"]
    assert client.recordings(told["RecordingSid"]).delete()
    assert requests.get(address + ".wav", auth=who, timeout=5).status_code == 404
    assert client.recordings.list() == []


def test_hanging_up_in_a_recording_still_asks_the_action(story, toy):
    call = story("43")

    action = next(seen for seen in toy.seen if seen.path == "/steps/7").form
    assert (action["Digits"], action["CallStatus"], call.status) == ("hangup", "completed", "completed")
    assert toy.statuses()[-1] == "completed"
    assert call.recordings[0].seconds == 7


def test_silence_ends_a_recording_without_a_key(story, toy):
    story("44")

    action = next(seen for seen in toy.seen if seen.path == "/steps/7").form
    assert "Digits" not in action
    assert action["RecordingDuration"] == "5"


def test_a_document_given_with_the_call_is_obeyed(story, toy):
    document = (
        f"<Response><Gather action='{toy.url}/steps/7' numDigits='1'><Say>本人?</Say></Gather><Redirect>{toy.url}/x</Redirect></Response>"
    )

    call = story(url=None, twiml=document)

    assert turns(toy)[0].path == "/steps/7"
    assert call.problems == []


def test_a_registered_person_answers_instead_of_the_table(story, exchange):
    exchange.register("+8610000000080", Traits(ratings={"speed": "5"}))

    assert any(press["keys"] == "5" for press in story("80").presses)


def test_a_dialled_person_is_joined_and_the_action_hears_of_it(story, toy, exchange):
    exchange.register("client:desk", Traits(talk_seconds=30))
    toy.pages["/steps/0"] = '<Dial action="/after" timeout="20"><Client statusCallback="/status">desk</Client></Dial>'
    toy.pages["/after"] = "<Hangup/>"

    call = story()

    after = next(seen for seen in toy.seen if seen.path == "/after").form
    assert (after["DialCallStatus"], after["DialBridged"], after["DialCallDuration"]) == ("completed", "true", "30")
    leg = exchange.calls[after["DialCallSid"]]
    assert (leg.parent, leg.direction, leg.status) == (call, "outbound-dial", "completed")


@pytest.mark.parametrize(("ending", "status"), [("72", "busy"), ("80", "no-answer"), ("67", "failed")])
def test_a_dialled_person_who_is_not_there(story, toy, ending, status):
    toy.pages["/steps/0"] = f'<Dial action="/after" timeout="20"><Number>+86100000000{ending}</Number></Dial>'
    toy.pages["/after"] = "<Hangup/>"

    story()

    after = next(seen for seen in toy.seen if seen.path == "/after").form
    assert (after["DialCallStatus"], after["DialBridged"]) == (status, "false")


def test_the_first_of_several_wins_and_the_others_are_let_go(story, toy, exchange):
    for name in ("client:a", "client:b"):
        exchange.register(name, Traits(talk_seconds=10))
    toy.pages["/steps/0"] = '<Dial action="/after"><Client>a</Client><Client>b</Client></Dial>'
    toy.pages["/after"] = "<Hangup/>"

    call = story()

    legs = [each.status for each in exchange.calls.values() if each.parent is call]
    assert sorted(legs) == ["canceled", "completed"]


def test_nobody_answers_where_nobody_was_put(story, toy):
    toy.pages["/steps/0"] = '<Dial action="/after" timeout="10"><Client><Identity>desk</Identity></Client></Dial>'
    toy.pages["/after"] = "<Hangup/>"

    call = story()

    assert next(seen for seen in toy.seen if seen.path == "/after").form["DialCallStatus"] == "no-answer"
    assert call.seconds == 15


@pytest.mark.parametrize(
    ("seconds", "status", "bridged"), [(40, "completed", "true"), (16, "canceled", "false")], ids=["talking", "ringing"]
)
def test_a_leg_that_is_ended_by_request_gives_the_caller_back(call, client, toy, exchange, seconds, status, bridged):
    exchange.register("client:desk", Traits(talk_seconds=600))
    toy.pages["/steps/0"] = '<Dial action="/after"><Client statusCallback="/status">desk</Client></Dial>'
    toy.pages["/after"] = "<Hangup/>"
    sid = call()
    exchange.run_until(START + timedelta(seconds=seconds))

    leg = next(each for each in exchange.calls.values() if each.parent)
    client.calls(leg.sid).update(status="completed")
    exchange.run_until(START + timedelta(hours=1))

    after = next(seen for seen in toy.seen if seen.path == "/after").form
    assert (after["DialCallStatus"], after["DialBridged"]) == (status, bridged)
    assert toy.statuses(leg.sid) == [leg.status]
    assert exchange.calls[sid].seconds < 60


def test_a_whisper_that_hangs_up_refuses_the_call(story, toy, exchange):
    exchange.register("client:desk", Traits())
    toy.pages["/steps/0"] = '<Dial action="/after"><Client url="/whisper">desk</Client></Dial>'
    toy.pages["/whisper"] = "<Say>x</Say><Hangup/>"
    toy.pages["/after"] = "<Hangup/>"

    story()

    assert next(seen for seen in toy.seen if seen.path == "/after").form["DialBridged"] == "false"


def test_a_queued_caller_hears_the_waiting_document_until_it_says_leave(story, toy):
    rounds = iter(["<Say>请稍候</Say>", "<Say>请稍候</Say>", "<Leave/>"])
    toy.pages["/steps/0"] = '<Enqueue action="/after" waitUrl="/wait">desk</Enqueue>'
    toy.pages["/wait"] = lambda seen: xml(next(rounds))
    toy.pages["/after"] = "<Hangup/>"

    call = story()

    waits = [seen.form for seen in toy.seen if seen.path == "/wait"]
    after = next(seen for seen in toy.seen if seen.path == "/after").form
    assert [form["QueuePosition"] for form in waits] == ["1", "1", "1"]
    assert after["QueueResult"] == "leave"
    assert call.problems == []


def test_who_waits_too_long_hangs_up(story, toy, exchange):
    toy.pages["/steps/0"] = "<Enqueue>desk</Enqueue><Hangup/>"

    call = story()

    assert call.ended_at - call.answered_at == pytest.approx(180)
    assert not exchange.waiting_line("desk").members


def test_speech_before_a_wait_counts_as_its_prompt(story, toy):
    toy.pages["/steps/0"] = "<Say>第二题,民警的态度。</Say>" + gather("按1到5。", "/steps/7")

    call = story()

    assert (call.presses[0]["item"], call.presses[0]["prompt"]) == ("attitude", "第二题,民警的态度。按1到5。")
