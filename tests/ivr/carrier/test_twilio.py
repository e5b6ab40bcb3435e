"""The carrier's adapter against a real HTTP server: every answer has one meaning, nothing is asked twice (RS3–RS8, RS61)."""

import base64
import logging
import socket
from datetime import UTC, datetime

import pytest

from ivr.carrier import media
from ivr.carrier.base import Accepted, CallRequest, Carrier, CarrierCall, CarrierError, CarrierGone, Rejected, Unknown
from ivr.carrier.twilio import BY_CODE, TwilioCarrier, is_loopback
from tests.ivr.carrier.telephone_company import Reply, opened

ACCOUNT = "AC" + "0123456789abcdef" * 2
CA = "CA" + "0a" * 16
RE = "RE" + "0b" * 16
CF = "CF" + "0c" * 16
UUID = "6f1f0a52-93b5-4a3c-9d3f-0c1b7f5a2e11"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x00" * 28
CALLED = "+8610012345678"
REQUEST = CallRequest(
    to=CALLED, caller_id="+8610000000001", answer_url="https://v.example/voice/attempts/ab/steps/0",
    fallback_url="https://v.example/voice/attempts/ab/fallback", status_url="https://v.example/voice/attempts/ab/status",
    machine_url="https://v.example/voice/attempts/ab/machine", ring_seconds=30, limit_seconds=600,
)  # fmt: skip


@pytest.fixture
def company():
    with opened() as company:
        yield company


@pytest.fixture
def carrier(company):
    return TwilioCarrier(ACCOUNT, "token", company.url, connect_seconds=5, timeout_seconds=2)


def fault(code, message="wrong"):
    return {"code": code, "message": message, "more_info": "", "status": 400}


def a_call(**fields):
    return {
        "sid": CA, "to": CALLED, "from": "+8610000000001", "status": "completed", "duration": "42", "answered_by": None,
        "date_created": "Tue, 31 Aug 2027 20:36:28 +0000", **fields,
    }  # fmt: skip


def test_it_is_a_carrier(carrier):
    accepts: Carrier = carrier

    assert accepts is carrier


def test_a_call_is_asked_for_with_all_that_the_contract_needs(company, carrier):
    company.replies = [Reply(201, {"sid": CA, "status": "queued", "queue_time": "1500"})]

    assert carrier.place_call(REQUEST) == Accepted(CA, 1500)

    (asked,) = company.asked
    assert (asked.method, asked.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json")
    assert asked.headers["Authorization"] == "Basic " + base64.b64encode(f"{ACCOUNT}:token".encode()).decode()
    assert asked.form == {
        "To": [REQUEST.to], "From": [REQUEST.caller_id], "Url": [REQUEST.answer_url], "Method": ["POST"],
        "FallbackUrl": [REQUEST.fallback_url], "FallbackMethod": ["POST"], "StatusCallback": [REQUEST.status_url],
        "StatusCallbackMethod": ["POST"], "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        "Timeout": ["30"], "TimeLimit": ["600"], "MachineDetection": ["Enable"], "AsyncAmd": ["true"],
        "AsyncAmdStatusCallback": [REQUEST.machine_url], "AsyncAmdStatusCallbackMethod": ["POST"],
    }  # fmt: skip


def test_machine_detection_can_be_left_out(company, carrier):
    company.replies = [Reply(201, {"sid": CA})]

    carrier.place_call(CallRequest(**{**vars(REQUEST), "machine_url": None}))

    assert not {"MachineDetection", "AsyncAmd", "AsyncAmdStatusCallback"} & set(company.asked[0].form)


def test_an_operator_is_called_at_a_sip_address_too(company, carrier):
    company.replies = [Reply(201, {"sid": CA})]

    assert carrier.place_call(CallRequest(**{**vars(REQUEST), "to": "sip:desk@operators.example", "machine_url": None})) == Accepted(CA)
    assert company.asked[0].form["To"] == ["sip:desk@operators.example"]


def test_no_address_of_an_operator_reaches_a_message(company, carrier):
    company.replies = [Reply(400, fault(21211, "sip:desk@operators.example is not valid"))]

    placement = carrier.place_call(REQUEST)

    assert isinstance(placement, Rejected)
    assert "desk" not in placement.message


def test_an_api_key_replaces_the_token_but_not_the_account(company):
    company.replies = [Reply(201, {"sid": CA})]

    TwilioCarrier(ACCOUNT, "token", company.url, api_key="SK1", api_secret="secret").place_call(REQUEST)

    assert company.asked[0].headers["Authorization"] == "Basic " + base64.b64encode(b"SK1:secret").decode()
    assert ACCOUNT in company.asked[0].path


def test_other_carriers_name_calls_by_uuid(company, carrier):
    company.replies = [Reply(200, {"sid": UUID})]

    assert carrier.place_call(REQUEST) == Accepted(UUID, 0)


@pytest.mark.parametrize(("code", "kind"), BY_CODE.items())
def test_every_listed_code_has_its_meaning(company, carrier, code, kind):
    company.replies = [Reply(400, fault(int(code)))]

    assert carrier.place_call(REQUEST) == Rejected(kind, code, "Unable to create record: wrong")
    assert len(company.asked) == 1


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (Reply(400, fault(21999)), "review", "21999"),
        (Reply(400, "<html>"), "review", "400"),
        (Reply(422, fault(20422)), "review", "20422"),
        (Reply(401, fault(20003)), "credentials", "20003"),
        (Reply(401, "no"), "credentials", "401"),
        (Reply(403, "no"), "credentials", "403"),
        (Reply(404, fault(20404)), "credentials", "20404"),
        (Reply(429, fault(20429)), "busy", "20429"),
        (Reply(429, "slow down"), "busy", "429"),
        (Reply(500, fault(22005)), "busy", "22005"),
        (Reply(400, {"type": "t", "title": "bad", "status": 400, "code": 21211}), "bad_number", "21211"),
    ],
)
def test_a_refusal_says_what_is_to_be_done(company, carrier, reply, kind, code):
    company.replies = [reply]

    placement = carrier.place_call(REQUEST)

    assert isinstance(placement, Rejected)
    assert (placement.kind, placement.code) == (kind, code)
    assert len(company.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, fault(20500)),
        Reply(500, fault(21211)),
        Reply(502, "<html>Bad gateway</html>"),
        Reply(503, ""),
        Reply(408, ""),
        Reply(307, "", {"Location": "http://127.0.0.1:9/"}),
        Reply(201, "not JSON"),
        Reply(201, b"\xff\xfe"),
        Reply(201, {}),
        Reply(201, []),
        Reply(201, {"sid": None}),
        Reply(201, {"sid": "../x"}),
        Reply(201, {"sid": 7}),
        Reply(201, ""),
        Reply(behave="reset"),
        Reply(behave="hang"),
        Reply(201, {"sid": CA}, {"Content-Length": "9000"}),
    ],
    ids=lambda reply: f"{reply.status} {reply.body!r:.20} {reply.behave}",
)
def test_whatever_may_hide_a_ringing_call_is_unknown_and_never_repeated(company, carrier, reply):
    company.replies = [reply]

    assert isinstance(carrier.place_call(REQUEST), Unknown)
    assert len(company.asked) == 1


def test_a_refused_connection_means_that_nothing_was_sent():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

        placement = TwilioCarrier(ACCOUNT, "token", url).place_call(REQUEST)

    assert isinstance(placement, Rejected)
    assert (placement.kind, placement.code) == ("unreachable", "unreachable")


def test_an_unknown_host_means_that_nothing_was_sent():
    placement = TwilioCarrier(ACCOUNT, "token", "http://nowhere.invalid").place_call(REQUEST)

    assert isinstance(placement, Rejected)
    assert placement.kind == "unreachable"


def test_region_and_proxy_of_the_environment_do_not_bend_the_way(company, monkeypatch):
    for name, value in {"TWILIO_REGION": "ie1", "TWILIO_EDGE": "dublin", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)
    company.replies = [Reply(201, {"sid": CA})]

    assert TwilioCarrier(ACCOUNT, "token", company.url).place_call(REQUEST) == Accepted(CA, 0)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8", True), ("http://[::1]:8", True), ("http://localhost", True), ("https://api.twilio.com", False),
        ("http://127.0.0.1.evil.example", False),
    ],
)  # fmt: skip
def test_only_this_machine_is_loopback(url, loopback):
    assert is_loopback(url) is loopback


def test_no_number_reaches_a_log_or_a_message(company, carrier, caplog):
    caplog.set_level(logging.DEBUG)
    company.replies = [Reply(400, fault(21211, f"The 'To' number {CALLED} is not valid")), Reply(200, {"calls": []})]

    placement = carrier.place_call(REQUEST)
    carrier.find_calls(CALLED, datetime(2027, 1, 1, tzinfo=UTC))

    assert isinstance(placement, Rejected)
    assert CALLED[3:] not in caplog.text + placement.message


@pytest.mark.parametrize(("ringing_only", "status"), [(False, "completed"), (True, "canceled")])
def test_a_call_is_ended_by_its_status(company, carrier, ringing_only, status):
    company.replies = [Reply(200, a_call())]

    carrier.hang_up(CA, ringing_only=ringing_only)

    assert company.asked[0].path.endswith(f"/Calls/{CA}.json")
    assert company.asked[0].form == {"Status": [status]}


def test_ending_a_call_that_is_over_is_no_error(company, carrier):
    company.replies = [Reply(400, fault(21220))]

    carrier.hang_up(CA)

    assert len(company.asked) == 1


@pytest.mark.parametrize(
    ("reply", "error"), [(Reply(404, fault(20404)), CarrierGone), (Reply(500), CarrierError), (Reply(behave="hang"), CarrierError)]
)
def test_a_call_that_cannot_be_ended_is_told(company, carrier, reply, error):
    company.replies = [reply]

    with pytest.raises(error):
        carrier.hang_up(CA)


def test_a_call_is_read_as_the_carrier_tells_it(company, carrier):
    company.replies = [Reply(200, a_call(status="in-progress", duration=None, answered_by="human"))]

    assert carrier.fetch_call(CA) == CarrierCall(
        CA, CALLED, "+8610000000001", "in-progress", datetime(2027, 8, 31, 20, 36, 28, tzinfo=UTC), None, "human"
    )


@pytest.mark.parametrize("body", ["not JSON", "[]", "7", ""])
def test_nonsense_from_the_carrier_is_an_error(company, carrier, body):
    company.replies = [Reply(200, body)]

    with pytest.raises(CarrierError):
        carrier.fetch_call(CA)


def listed(*moments):
    calls = [a_call(sid=f"CA{place:032x}", date_created=moment) for place, moment in enumerate(moments)]
    return {"calls": calls, "page": 0, "page_size": 50, "next_page_uri": None}


def test_calls_of_a_number_are_compared_by_the_second_they_were_created_in(company, carrier):
    company.replies = [
        Reply(200, listed("Tue, 31 Aug 2027 20:36:27 +0000", "Tue, 31 Aug 2027 20:36:28 +0000", "Tue, 31 Aug 2027 20:36:30 +0000", None))
    ]

    calls = carrier.find_calls(CALLED, datetime(2027, 8, 31, 20, 36, 28, 900_000, tzinfo=UTC))

    assert [int(call.sid[2:], 16) for call in calls] == [2, 1, 3]
    assert company.asked[0].query["To"] == [CALLED]


def test_further_pages_are_read(company, carrier):
    more = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json?Page=1"
    company.replies = [
        Reply(200, listed("Tue, 31 Aug 2027 20:36:28 +0000") | {"next_page_uri": more}),
        Reply(200, listed("Tue, 31 Aug 2027 20:36:29 +0000")),
    ]

    assert len(carrier.find_calls(CALLED, datetime(2027, 8, 1, tzinfo=UTC))) == 2
    assert company.asked[1].query == {"Page": ["1"]}


@pytest.mark.parametrize("reply", [Reply(429, fault(20429)), Reply(500), Reply(200, "{}"), Reply(behave="reset")])
def test_a_list_that_cannot_be_read_is_an_error_not_an_empty_list(company, carrier, reply):
    company.replies = [reply]

    with pytest.raises(CarrierError):
        carrier.find_calls(CALLED, datetime(2027, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("sid", [RE, UUID])
def test_a_recording_is_fetched_from_the_configured_host_with_our_credentials(company, carrier, sid):
    company.replies = [Reply(200, WAV, {"Content-Type": "audio/x-wav"})]

    assert carrier.fetch_recording(sid) == WAV
    assert company.asked[0].path == f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{sid}"
    assert company.asked[0].headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    "sid", ["", "../Calls", "http://169.254.169.254/", "file:///etc/passwd", f"{RE}?x", f"{RE}/../..", "RE\r\nHost: evil"]
)
def test_no_name_of_a_recording_leads_anywhere_else(company, carrier, sid):
    with pytest.raises(CarrierError):
        carrier.fetch_recording(sid)

    assert company.asked == []


def test_a_redirect_to_another_host_is_not_followed(company, carrier):
    with opened() as elsewhere:
        elsewhere.replies = [Reply(200, WAV)]
        company.replies = [Reply(302, "", {"Location": f"{elsewhere.url}/stolen"})]

        with pytest.raises(CarrierError, match="another host"):
            carrier.fetch_recording(RE)

        assert elsewhere.asked == []


@pytest.mark.parametrize(
    "location", ["http://evil.example@127.0.0.1:9/", "//169.254.169.254/x", "file:///etc/passwd", "https://127.0.0.1/x"]
)
def test_a_redirect_in_disguise_is_not_followed(company, carrier, location):
    company.replies = [Reply(302, "", {"Location": location})]

    with pytest.raises(CarrierError, match="another host"):
        carrier.fetch_recording(RE)


def test_a_redirect_within_the_host_is_followed(company, carrier):
    company.replies = [Reply(307, "", {"Location": "/media/1.wav"}), Reply(200, WAV)]

    assert carrier.fetch_recording(RE) == WAV
    assert company.asked[1].path == "/media/1.wav"


def test_redirects_come_to_an_end(company, carrier):
    company.replies = [Reply(302, "", {"Location": "/again"})]

    with pytest.raises(CarrierError, match="redirects"):
        carrier.fetch_recording(RE)


def test_a_recording_beyond_the_cap_is_given_up(company, carrier, monkeypatch):
    monkeypatch.setattr(media, "LARGEST", 100_000)
    company.replies = [Reply(200, WAV + b"\x00" * 200_000)]

    with pytest.raises(CarrierError, match="too large"):
        carrier.fetch_recording(RE)


def test_a_recording_that_drips_is_given_up(company, carrier, monkeypatch):
    monkeypatch.setattr(media, "LONGEST_SECONDS", -1.0)
    company.replies = [Reply(200, WAV)]

    with pytest.raises(CarrierError, match="too slow"):
        carrier.fetch_recording(RE)


@pytest.mark.parametrize("body", [b"", b"<html>", b"ID3", b"RIFF", b"RIFF1234AVI "])
def test_what_is_no_sound_is_not_kept(company, carrier, body):
    company.replies = [Reply(200, body)]

    with pytest.raises(CarrierError, match="not a WAV"):
        carrier.fetch_recording(RE)


def test_a_recording_that_is_not_there_is_gone(company, carrier):
    company.replies = [Reply(404)]

    with pytest.raises(CarrierGone):
        carrier.fetch_recording(RE)


@pytest.mark.parametrize("reply", [Reply(401), Reply(500), Reply(behave="reset"), Reply(behave="hang")])
def test_a_recording_that_cannot_be_had_is_an_error(company, carrier, reply):
    company.replies = [reply]

    with pytest.raises(CarrierError):
        carrier.fetch_recording(RE)


@pytest.mark.parametrize("reply", [Reply(204), Reply(404, fault(20404))])
def test_a_deleted_recording_is_gone_whoever_deleted_it(company, carrier, reply):
    company.replies = [reply]

    carrier.delete_recording(RE)

    assert (company.asked[0].method, company.asked[0].path) == ("DELETE", f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RE}.json")


def test_a_deletion_that_failed_is_told(company, carrier):
    company.replies = [Reply(500)]

    with pytest.raises(CarrierError):
        carrier.delete_recording(RE)


def rooms(*statuses, name="room-1"):
    found = [{"sid": CF[:-1] + str(place), "friendly_name": name, "status": status} for place, status in enumerate(statuses)]
    return Reply(200, {"conferences": found, "page": 0, "page_size": 20, "next_page_uri": None})


HOLD = "https://v.example/voice/hold"
MOVES = {
    "hold": lambda carrier: carrier.hold("room-1", CA, True, HOLD),
    "mute": lambda carrier: carrier.mute("room-1", CA, True),
}


@pytest.mark.parametrize(
    ("move", "path", "form"),
    [
        (MOVES["hold"], f"/Participants/{CA}.json", {"Hold": ["true"], "HoldUrl": [HOLD], "HoldMethod": ["POST"]}),
        (lambda carrier: carrier.hold("room-1", CA, False, "https://v.example/"), f"/Participants/{CA}.json", {"Hold": ["false"]}),
        (MOVES["mute"], f"/Participants/{CA}.json", {"Muted": ["true"]}),
        (lambda carrier: carrier.mute("room-1", CA, False), f"/Participants/{CA}.json", {"Muted": ["false"]}),
    ],
)
def test_a_room_is_found_by_its_name_and_changed_once(company, carrier, move, path, form):
    company.replies = [rooms("in-progress"), Reply(200, {"sid": CF, "call_sid": CA})]

    move(carrier)

    looked, changed = company.asked
    assert (looked.method, looked.query["FriendlyName"]) == ("GET", ["room-1"])
    assert (changed.method, changed.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Conferences/{CF[:-1]}0{path}")
    assert changed.form == form


@pytest.mark.parametrize(("limit", "form"), [(None, {}), (3600, {"TimeLimit": ["3600"]})])
def test_a_call_goes_on_elsewhere_and_lasts_as_long_as_it_is_given(company, carrier, limit, form):
    company.replies = [Reply(200, {"sid": CA})]

    carrier.redirect(CA, HOLD, limit)

    assert company.asked[0].form == {"Url": [HOLD], "Method": ["POST"], **form}


def test_of_rooms_with_one_name_the_one_counts_that_is_not_over(company, carrier):
    company.replies = [rooms("completed", "init", "completed"), Reply(200, {"sid": CF, "call_sid": CA})]

    carrier.mute("room-1", CA, True)

    assert company.asked[1].path.endswith(f"/Conferences/{CF[:-1]}1/Participants/{CA}.json")


@pytest.mark.parametrize("found", [rooms(), rooms("completed"), rooms("in-progress", name="another")], ids=["none", "over", "another"])
@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_room_that_is_not_there_is_gone_and_nothing_is_changed(company, carrier, move, found):
    company.replies = [found]

    with pytest.raises(CarrierGone):
        move(carrier)
    assert [asked.method for asked in company.asked] == ["GET"]


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_whoever_has_left_the_room_is_gone(company, carrier, move):
    company.replies = [rooms("in-progress"), Reply(404, fault(20404))]

    with pytest.raises(CarrierGone):
        move(carrier)


@pytest.mark.parametrize(
    "reply", [Reply(429, fault(20429)), Reply(500), Reply(200, "not JSON"), Reply(behave="reset"), Reply(behave="hang")],
    ids=["429", "500", "nonsense", "reset", "hang"],
)  # fmt: skip
@pytest.mark.parametrize("is_found", [False, True], ids=["looking", "changing"])
@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_room_that_cannot_be_reached_is_an_error_and_not_gone(company, carrier, move, is_found, reply):
    company.replies = [rooms("in-progress"), reply] if is_found else [reply]

    with pytest.raises(CarrierError) as caught:
        move(carrier)
    assert not isinstance(caught.value, CarrierGone)
    assert len(company.asked) == 1 + is_found


@pytest.mark.parametrize("sid", ["", "../../Calls", "CA1/x", "CA?x"])
def test_no_name_of_a_participant_leads_anywhere_else(company, carrier, sid):
    company.replies = [rooms("in-progress")]

    for move in (lambda: carrier.mute("room-1", sid, True), lambda: carrier.hold("room-1", sid, True, "https://v.example/")):
        with pytest.raises(CarrierError, match="not a name"):
            move()
    assert {asked.method for asked in company.asked} <= {"GET"}
