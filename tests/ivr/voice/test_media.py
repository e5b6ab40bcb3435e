"""What the carrier's stream says is read strictly: whatever no carrier sends is refused, never guessed (RS34)."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.voice.media import BadMessage, Began, Ended, Other, Sound, read

START: dict[str, Any] = {
    "event": "start", "sequenceNumber": "1", "streamSid": "MZ1",
    "start": {
        "accountSid": "AC1", "streamSid": "MZ1", "callSid": "CA1", "tracks": ["inbound"],
        "customParameters": {"token": "ab" * 16, "step": "3", "prompt_seconds": "4.5"},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    },
}  # fmt: skip


def start(**parameters: Any) -> str:
    return json.dumps({**START, "start": {**START["start"], "customParameters": {**START["start"]["customParameters"], **parameters}}})


def media(payload: Any, track: str = "inbound") -> str:
    return json.dumps({"event": "media", "media": {"track": track, "chunk": "1", "timestamp": "0", "payload": payload}})


def test_a_stream_tells_whose_it_is_and_for_which_question() -> None:
    assert read(start()) == Began("AC1", "CA1", "MZ1", "ab" * 16, 3, 4.5)


def test_sound_is_that_of_the_caller_alone() -> None:
    assert read(media(base64.b64encode(b"\xff" * 160).decode())) == Sound(b"\xff" * 160)
    assert read(media("AAAA", track="outbound")) == Other()


def test_words_that_ask_for_nothing_are_passed_over() -> None:
    assert read('{"event": "stop", "stop": {}}') == Ended()
    for event in ("connected", "dtmf", "mark", "something new"):
        assert read(json.dumps({"event": event})) == Other()


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "3", "{", "[" * 100_000, '{"event": "start"}', '{"event": ["start"]}', '{"event": "media"}', media(7), media("a"),
        media("A" * 100_000), start(token="no token"), start(token=None), start(step="-1"), start(step="1" * 10), start(step="²"),
        start(prompt_seconds="nan"), start(prompt_seconds="1e9"), start().replace("8000", "16000"), start().replace("x-mulaw", "opus"),
        start().replace('"callSid": "CA1"', '"callSid": "../1"'),
    ],
)  # fmt: skip
def test_what_no_carrier_sends_is_refused(text: str) -> None:
    if text.startswith('{"event": ["start"]'):
        assert read(text) == Other()
        return
    with pytest.raises(BadMessage):
        read(text)


@given(
    st.one_of(st.text(), st.recursive(st.none() | st.floats() | st.text(), lambda inner: st.dictionaries(st.text(), inner)).map(json.dumps))
)
def test_any_text_is_a_message_or_refused(text: str) -> None:
    with suppress(BadMessage):
        assert isinstance(read(text), Began | Sound | Ended | Other)
