"""Forms of the carrier, of other carriers, and of nobody honest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.voice import inbound
from ivr.voice.call_status import UnknownWord
from survey import events
from survey.errors import BadInput
from survey.events import Answered, Digits, HungUp, MachineAnswered, NoInput, Recorded

RE = "RE" + "0a" * 16
UUID = "6f1f0a52-93b5-4a3c-9d3f-0c1b7f5a2e11"


@pytest.mark.parametrize(
    ("form", "event"),
    [
        ({}, Answered()),
        ({"AnsweredBy": "human"}, Answered()),
        ({"AnsweredBy": "unknown"}, Answered()),
        ({"AnsweredBy": "machine_start"}, MachineAnswered("machine")),
        ({"AnsweredBy": "fax"}, MachineAnswered("fax")),
        ({"Digits": "1"}, Answered()),
    ],
)
def test_step_zero_is_the_answer_to_the_call(form, event):
    assert inbound.event(0, form) == event


@pytest.mark.parametrize(
    ("form", "event"),
    [
        ({"Digits": "5"}, Digits("5")),
        ({"Digits": "*"}, Digits("*")),
        ({"Digits": "#"}, Digits("#")),
        ({"Digits": "99999"}, Digits("99999")),
        ({"Digits": " 3\r\n"}, Digits("3")),
        ({"Digits": "٣"}, Digits("")),
        ({"Digits": "１"}, Digits("")),
        ({"Digits": "x'; DROP TABLE--"}, Digits("")),
        ({"Digits": ""}, NoInput()),
        ({}, NoInput()),
        ({"msg": "Gather End", "FinishedOnKey": ""}, NoInput()),
        ({"Digits": "hangup"}, HungUp()),
        ({"CallStatus": "completed"}, HungUp()),
        ({"CallStatus": "completed", "Digits": "4"}, Digits("4")),
        ({"CallStatus": "in-progress"}, NoInput()),
        ({"AnsweredBy": "machine_start", "Digits": "2"}, Digits("2")),
    ],
)
def test_keys_and_silence_are_told_apart(form, event):
    assert inbound.event(3, form) == event


def test_many_keys_are_cut():
    assert inbound.event(1, {"Digits": "1" * 10_000}) == Digits("1" * 32)


@pytest.mark.parametrize(
    ("form", "ended_by"),
    [
        ({"Digits": "#"}, "#"),
        ({"Digits": "hangup"}, "hangup"),
        ({}, "silence"),
        ({"Digits": ""}, "silence"),
        ({"Digits": "#", "CallStatus": "completed"}, "hangup"),
    ],
)
def test_a_recording_ends_by_key_silence_or_leaving(form, ended_by):
    event = inbound.event(7, {"RecordingSid": RE, "RecordingDuration": "12", **form})

    assert event == Recorded(RE, 12, ended_by)


def test_other_carriers_name_recordings_by_uuid():
    assert inbound.event(7, {"RecordingSid": UUID}) == Recorded(UUID, None, "silence")


@pytest.mark.parametrize("sid", ["", "../../etc/passwd", "RE 1", "RE\x00", "x" * 65, "http://evil"])
def test_a_name_that_cannot_be_a_recording_is_dropped(sid):
    assert inbound.event(7, {"RecordingSid": sid}) == Recorded(None, None, "silence")


def test_the_address_of_a_recording_is_never_taken():
    event = inbound.event(7, {"RecordingUrl": "http://169.254.169.254/latest", "RecordingDuration": "3"})

    assert event == Recorded(None, 3, "silence")


def test_an_unknown_answerer_is_an_error():
    with pytest.raises(UnknownWord):
        inbound.event(0, {"AnsweredBy": "parrot"})


@pytest.mark.parametrize("form", [{}, {"CallSid": ""}, {"CallSid": "CA 1"}, {"CallSid": "CA\x00"}, {"CallSid": "C" * 65}])
def test_a_request_that_names_no_call_is_refused(form):
    with pytest.raises(BadInput):
        inbound.call_sid(form)


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("", None), (None, None), ("-1", None), ("1.5", None), ("9" * 30, None), ("٣", None)]
)
def test_numbers_are_whole_and_not_endless(text, number):
    assert inbound.number(text) == number


@pytest.mark.parametrize(
    ("text", "phone"), [("+8610012345678", "+8610012345678"), ("anonymous", None), ("sip:a@b", None), ("+0123456789", None), (None, None)]
)
def test_a_withheld_or_foreign_caller_is_no_number(text, phone):
    assert inbound.phone(text) == phone


NAMES = ["Digits", "RecordingSid", "RecordingUrl", "RecordingDuration", "CallStatus", "Other"]


@given(st.integers(1, 99), st.dictionaries(st.sampled_from(NAMES), st.text(max_size=80)))
def test_whatever_a_form_holds_it_is_an_event_that_can_be_stored(step, form):
    event = inbound.event(step, form)

    assert events.from_json(events.to_json(event)) == event
    assert "\x00" not in str(events.to_json(event))
