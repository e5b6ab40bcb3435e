"""People speak while the keypad waits: the first of key and voice wins, and whatever goes wrong with a stream costs nobody anything."""

import asyncio
import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from twilio.request_validator import RequestValidator
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from ivr.carrier.base import CarrierError
from ivr.voice import listening
from ivr.voice.app import create_voice_app
from ivr.voice.listening import Listener
from ivr.voice.routes import VoiceServices
from speech.decoders import Unavailable, Utterance
from speech.transcript import Transcript, Word
from survey.store.models import Answer, Hearing
from tests import media_server
from tests.ivr.voice.conftest import ACCOUNT, NEW_TOKEN, Line, services_of, words
from tests.media_server import looping, serving_media
from tests.survey.fieldwork.conftest import Ground

URL = "wss://voice.example/voice/media"
PATIENCE = 10.0


def utterance(text: str, confidence: float = 0.95, began: float = 30.0) -> Utterance:
    said = tuple(Word(word, began, began + 0.2 * len(word), confidence) for word in text.split())
    return Utterance(Transcript(said), began, began + 0.5, 0.01, b"\xff" * 4000)


@dataclass
class Ears:
    """Stands for the decoding processes: hears what the test says, for whoever listens last."""

    loop: asyncio.AbstractEventLoop
    deaf: bool = False
    heard: asyncio.Queue[Utterance | None] = field(default_factory=asyncio.Queue)
    phrases: list[str] = field(default_factory=list)
    opened: threading.Event = field(default_factory=threading.Event)
    received: int = 0
    closed: int = 0
    waiting: bool = False

    async def open(self, language: str, phrases: Any) -> "Ears":
        if self.deaf:
            raise Unavailable(language)
        self.phrases = list(phrases)
        self.opened.set()
        return self

    async def feed(self, mulaw: bytes) -> None:
        self.received += len(mulaw)

    async def next(self) -> Utterance | None:
        self.waiting = True
        said = await self.heard.get()
        self.waiting = False
        return said

    async def close(self) -> None:
        self.closed += 1
        if self.waiting:
            self.heard.put_nowait(None)

    def hear(self, said: Utterance | None) -> None:
        self.loop.call_soon_threadsafe(self.heard.put_nowait, said)


@dataclass
class Leads:
    """The carrier as far as it is asked here: which calls were led on, and where to; it may be out of reach."""

    led: list[tuple[str, str]] = field(default_factory=list)
    is_away: bool = False

    def redirect(self, sid: str, url: str, limit_seconds: int | None = None) -> None:
        if self.is_away:
            raise CarrierError("not reachable")
        self.led.append((sid, url))


@dataclass
class Scene:
    """One call at a question, and a media server that listens."""

    ground: Ground
    line: Line
    ears: Ears
    carrier: Leads
    port: int

    @contextmanager
    def stream(self, *, url: str = URL, token: str = NEW_TOKEN, path: str = "/voice/media") -> Iterator[ClientConnection]:
        signature = RequestValidator(token).compute_signature(url, {})
        with connect(f"ws://127.0.0.1:{self.port}{path}", additional_headers={"X-Twilio-Signature": signature}, proxy=None) as opened:
            yield opened

    def start(self, step: int = 1, **changed: Any) -> str:
        start = {
            "accountSid": ACCOUNT, "callSid": self.line.sid, "streamSid": "MZ1", "tracks": ["inbound"],
            "customParameters": {"token": self.line.token, "step": str(step), "prompt_seconds": "10"},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        } | changed  # fmt: skip
        return json.dumps({"event": "start", "streamSid": "MZ1", "start": start})

    def begin(self, stream: ClientConnection, step: int = 1, **changed: Any) -> None:
        stream.send('{"event": "connected", "protocol": "Call", "version": "1.0.0"}')
        stream.send(self.start(step, **changed))
        stream.send(sound())

    def hearings(self) -> list[Hearing]:
        with self.ground.work() as work:
            return list(work.session.scalars(select(Hearing).order_by(Hearing.id)))

    def answers(self) -> dict[str, tuple[str, str, float | None]]:
        with self.ground.work() as work:
            return {row.item: (row.code, row.mode, row.confidence) for row in work.session.scalars(select(Answer))}


def sound(length: int = 160) -> str:
    return json.dumps({"event": "media", "media": {"track": "inbound", "payload": base64.b64encode(b"\xff" * length).decode()}})


def is_over(stream: ClientConnection) -> bool:
    """Whether the server closes the stream."""
    try:
        while True:
            stream.recv(PATIENCE)
    except ConnectionClosed:
        return True
    except TimeoutError:
        return False


def is_refused_in_the_end(stream: ClientConnection, message: str, most: int) -> bool:
    """Whether the server hangs up on a stream that sends the same message for ever."""
    try:
        for _ in range(most):
            stream.send(message)
    except ConnectionClosed:
        return True
    return False


@pytest.fixture
def services(ground: Ground) -> VoiceServices:
    ground.office = replace(ground.office, languages=frozenset({"zh"}))
    return replace(services_of(ground), media_url=URL)


@contextmanager
def listener(services: VoiceServices, carrier: Leads) -> Iterator[tuple[Ears, int]]:
    listening_socket = socket.create_server(("127.0.0.1", 0))
    with looping() as loop:
        ears = asyncio.run_coroutine_threadsafe(_ears(loop), loop).result()
        with serving_media(loop, services, carrier, ears, listening_socket):
            yield ears, listening_socket.getsockname()[1]


async def _ears(loop: asyncio.AbstractEventLoop) -> Ears:
    return Ears(loop)


@pytest.fixture
def scene(ground: Ground, services: VoiceServices) -> Iterator[Scene]:
    """The person has answered; the first question, whether it is the right person, waits at step 1."""
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    line, carrier = Line(create_voice_app(services).test_client(), token, ground.attempt(attempt_id).carrier_sid or ""), Leads()
    line.step(0)
    with listener(services, carrier) as (ears, port):
        yield Scene(ground, line, ears, carrier, port)


def test_the_document_forks_the_callers_sound_while_the_keypad_waits(scene: Scene) -> None:
    reply = scene.line.step(0)

    start, gather, redirect = list(reply)[-3:]
    stream = start[0]
    assert (start.tag, gather.tag, redirect.tag) == ("Start", "Gather", "Redirect")
    assert (stream.get("url"), stream.get("track"), stream.get("name")) == (URL, "inbound_track", "step-1")
    assert {each.get("name"): each.get("value") for each in stream}.keys() == {"token", "step", "prompt_seconds"}
    assert "直接说" in words(scene.line.step(1, Digits="1"))


def test_the_stream_of_a_question_is_stopped_with_the_next(scene: Scene) -> None:
    stop = scene.line.step(1, Digits="1")[0]

    assert (stop.tag, stop[0].get("name")) == ("Stop", "step-1")


def test_what_is_said_is_the_answer_and_leads_the_call_on(scene: Scene) -> None:
    with scene.stream() as stream:
        scene.begin(stream)
        scene.ears.hear(utterance("是 本人"))
        assert is_over(stream)

    [(sid, url)] = scene.carrier.led
    assert sid == scene.line.sid
    assert url.partition("#")[0].endswith(f"/voice/attempts/{scene.line.token}/steps/1")
    assert scene.answers()["right_person"] == ("yes", "speech", 0.95)
    assert "第一题" in words(scene.line.step(1, Digits="")), "the redirected call hears the next question"
    [heard] = scene.hearings()
    assert (heard.code, heard.outcome, heard.item, heard.step) == ("yes", "accepted", "right_person", 1)


def test_the_grammar_is_that_of_the_question_in_force(scene: Scene) -> None:
    scene.line.step(1, Digits="1")
    with scene.stream() as stream:
        scene.begin(stream, step=2)
        scene.ears.hear(utterance("不 满意"))
        assert is_over(stream)

    assert "非常满意" in scene.ears.phrases
    assert scene.answers()["speed"] == ("dissatisfied", "speech", 0.95)


def test_a_key_that_comes_first_wins(scene: Scene) -> None:
    with scene.stream() as stream:
        scene.begin(stream)
        assert scene.ears.opened.wait(PATIENCE)
        scene.line.step(1, Digits="1")
        scene.ears.hear(utterance("不 是"))
        assert is_over(stream)

    assert scene.answers()["right_person"][:2] == ("yes", "keys")
    assert scene.carrier.led == []
    assert [heard.outcome for heard in scene.hearings()] == ["late"]


def test_a_key_that_comes_after_the_voice_changes_nothing(scene: Scene) -> None:
    with scene.stream() as stream:
        scene.begin(stream)
        scene.ears.hear(utterance("是 的"))
        assert is_over(stream)

    reply = scene.line.step(1, Digits="2")

    assert scene.answers()["right_person"][0] == "yes"
    assert "第一题" in words(reply)


def test_what_was_heard_with_doubt_is_asked_back_and_taken_when_it_is_right(scene: Scene) -> None:
    scene.line.step(1, Digits="1")
    with scene.stream() as stream:
        scene.begin(stream, step=2)
        scene.ears.hear(utterance("满意", 0.7))
        assert is_over(stream)
    asked_back = scene.line.step(2)
    with scene.stream() as stream:
        scene.begin(stream, step=3)
        scene.ears.hear(utterance("对"))
        assert is_over(stream)

    assert "我听到的是“满意”。是，请按2" in words(asked_back)
    assert scene.answers()["speed"] == ("satisfied", "speech", 0.7)
    assert [heard.outcome for heard in scene.hearings()] == ["doubted", "accepted"]


def test_what_means_nothing_is_passed_over_while_the_prompt_is_read_and_asked_again_after_it(scene: Scene) -> None:
    scene.line.step(1, Digits="1")
    with scene.stream() as stream:
        scene.begin(stream, step=2)
        scene.ears.hear(utterance("[unk]", began=2.0))
        scene.ears.hear(utterance("[unk]", began=12.0))
        assert is_over(stream)

    reply = scene.line.step(2)

    assert "没有收到有效的选择" in words(reply)
    assert [heard.outcome for heard in scene.hearings()] == ["unclear", "unclear"]
    assert not list(reply.iter("Stream"))[1:], "the question now wants a key: no stream is started, the last one is stopped"


def test_a_negation_before_a_pause_for_thought_belongs_to_what_follows(scene: Scene) -> None:
    scene.line.step(1, Digits="1")
    with scene.stream() as stream:
        scene.begin(stream, step=2)
        scene.ears.hear(utterance("不", began=2.0))
        scene.ears.hear(utterance("满意", began=3.4))
        assert is_over(stream)

    assert scene.answers()["speed"][0] == "dissatisfied"


def test_danger_ends_the_survey_at_any_question(scene: Scene) -> None:
    with scene.stream() as stream:
        scene.begin(stream)
        scene.ears.hear(utterance("救命", 0.7, began=1.0))
        assert is_over(stream)

    assert "1 1 0" in words(scene.line.step(1))
    assert [heard.code for heard in scene.hearings()] == ["danger"]


def test_noise_is_no_utterance(scene: Scene) -> None:
    with scene.stream() as stream:
        scene.begin(stream)
        scene.ears.hear(replace(utterance("是"), transcript=Transcript()))
        scene.ears.hear(utterance("是"))
        assert is_over(stream)

    assert len(scene.hearings()) == 1


def test_a_carrier_that_cannot_be_reached_costs_a_pause_and_nothing_else(scene: Scene) -> None:
    scene.carrier.is_away = True
    with scene.stream() as stream:
        scene.begin(stream)
        scene.ears.hear(utterance("是 本人"))
        assert is_over(stream)

    assert "第一题" in words(scene.line.step(1)), "the silence after the question brings the call on"


def test_what_is_not_certain_is_kept_for_a_person_to_listen_to(scene: Scene) -> None:
    with scene.stream() as stream:
        scene.begin(stream)
        scene.ears.hear(utterance("是 本人", 0.85))
        assert is_over(stream)

    [heard] = scene.hearings()
    keys = scene.ground.office.keys
    assert heard.sound_sealed is not None
    assert keys.open_bytes(heard.sound_sealed, f"hearings.sound_sealed:{heard.public_id}") == b"\xff" * 4000


def foreign(scene: Scene) -> Iterator[tuple[str, Callable[[ClientConnection], None]]]:
    yield "another account", lambda stream: scene.begin(stream, accountSid="AC" + "f" * 32)
    yield "another call", lambda stream: scene.begin(stream, callSid="CA" + "f" * 32)
    yield "no such attempt", lambda stream: scene.begin(
        stream, customParameters={"token": "0" * 32, "step": "1", "prompt_seconds": "1"}
    )  # fmt: skip
    yield "a step that is over", lambda stream: scene.begin(stream, step=0)
    yield "a step ahead", lambda stream: scene.begin(stream, step=2)
    yield "sound without a start", lambda stream: stream.send(sound())
    yield "a binary frame", lambda stream: stream.send(b"\x00" * 160)
    yield "nonsense", lambda stream: stream.send("{")
    yield "a frame of 10 MiB", lambda stream: stream.send("x" * (10 << 20))


def test_streams_that_are_none_of_ours_are_refused_and_the_question_still_waits(scene: Scene) -> None:
    for what, misbehave in foreign(scene):
        with scene.stream() as stream:
            try:
                misbehave(stream)
            except ConnectionClosed:
                continue
            assert is_over(stream), what

    assert scene.ears.received == 0
    assert scene.hearings() == []
    assert "第一题" in words(scene.line.step(1, Digits="1"))


@pytest.mark.parametrize(
    "how", [{"token": "a stranger's"}, {"url": "wss://elsewhere.example/voice/media"}, {"path": "/voice/media?x=1"}, {"path": "/other"}]
)
def test_a_handshake_that_the_carrier_has_not_signed_is_refused(scene: Scene, how: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused, scene.stream(**how):
        pass

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("url", [URL, URL + "/", "https://voice.example/voice/media", "https://voice.example:443/voice/media"])
def test_each_way_in_which_the_carrier_may_sign_the_handshake_holds(scene: Scene, url: str) -> None:
    with scene.stream(url=url) as stream:
        scene.begin(stream)
        scene.ears.hear(utterance("是"))
        assert is_over(stream)

    assert scene.answers()["right_person"][0] == "yes"


def test_a_second_stream_for_the_same_question_is_refused_and_the_first_one_stays(scene: Scene) -> None:
    with scene.stream() as first, scene.stream() as second:
        scene.begin(first)
        assert scene.ears.opened.wait(PATIENCE)
        scene.begin(second)
        assert is_over(second)
        scene.ears.hear(utterance("是"))
        assert is_over(first)

    assert len(scene.hearings()) == 1


def test_a_stream_that_falls_silent_or_never_ends_is_let_go(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "IDLE_SECONDS", 0.2)
    with scene.stream() as stream:
        scene.begin(stream)
        assert is_over(stream)
    monkeypatch.setattr(listening, "MOST_BYTES", 40_000)
    with scene.stream() as stream:
        scene.begin(stream)
        assert is_refused_in_the_end(stream, sound(8000), 10_000)

    assert "第一题" in words(scene.line.step(1, Digits="1"))


def test_a_stream_that_chatters_for_ever_without_a_sound_is_let_go(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LONGEST_SECONDS", 0.3)
    with scene.stream() as stream:
        scene.begin(stream)
        assert is_refused_in_the_end(stream, '{"event": "mark", "mark": {"name": "x"}}', 300_000)

    assert "第一题" in words(scene.line.step(1, Digits="1"))


MISBEHAVIOUR: dict[str, Callable[[Scene], str | bytes]] = {
    "a second start": lambda scene: scene.start(),
    "the start of another question": lambda scene: scene.start(step=2),
    "a binary frame": lambda _: b"\x00" * 160,
    "nonsense": lambda _: "{",
    "no base64": lambda _: '{"event": "media", "media": {"track": "inbound", "payload": "?"}}',
    "a payload above its limit": lambda _: sound(40_000),
    "a frame of 10 MiB": lambda _: "x" * (10 << 20),
}


@pytest.mark.parametrize("what", MISBEHAVIOUR)
def test_a_stream_that_was_let_in_and_then_misbehaves_is_closed_and_makes_room_for_another(scene: Scene, what: str) -> None:
    with scene.stream() as stream:
        scene.begin(stream)
        assert scene.ears.opened.wait(PATIENCE)
        with suppress(ConnectionClosed):
            stream.send(MISBEHAVIOUR[what](scene))
        assert is_over(stream)
    with scene.stream() as another:
        scene.begin(another)
        scene.ears.hear(utterance("是"))
        assert is_over(another)

    assert len(scene.hearings()) == 1


@pytest.fixture
def one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_server, "Listener", partial(Listener, most_streams=1))


@pytest.mark.usefixtures("one_place")
def test_more_streams_than_there_are_places_are_refused_and_those_that_are_in_stay(scene: Scene) -> None:
    with scene.stream() as first:
        scene.begin(first)
        assert scene.ears.opened.wait(PATIENCE)
        with pytest.raises(InvalidStatus) as refused, scene.stream():
            pass
        scene.ears.hear(utterance("是"))
        assert is_over(first)

    assert refused.value.response.status_code == 503
    assert len(scene.hearings()) == 1


def test_a_stream_of_a_call_that_is_over_is_refused(scene: Scene) -> None:
    assert "不再" in words(scene.line.step(1, Digits="0"))
    with scene.stream() as stream:
        scene.begin(stream, step=2)
        assert is_over(stream)

    assert not scene.ears.opened.is_set()
    assert scene.hearings() == []


def test_a_stream_that_does_not_say_whose_it_is_is_let_go(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "START_SECONDS", 0.2)
    with scene.stream() as stream:
        assert is_over(stream)


@pytest.fixture
def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "START_SECONDS", 0.2)


@pytest.mark.usefixtures("in_haste")
@pytest.mark.parametrize("begun", [b"", b"GET /voice/media HTTP/1.1\r\nUpgrade: websocket\r\n"])
def test_who_connects_and_does_not_finish_the_handshake_is_let_go(scene: Scene, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", scene.port), PATIENCE) as connection:
        connection.sendall(begun)
        while connection.recv(1024):
            pass

    assert "第一题" in words(scene.line.step(1, Digits="1"))


def test_where_nobody_can_listen_the_question_goes_on_by_keys(scene: Scene) -> None:
    scene.ears.deaf = True
    with scene.stream() as stream:
        scene.begin(stream)
        assert is_over(stream)

    assert "第一题" in words(scene.line.step(1, Digits="1"))


def test_a_call_that_hangs_up_in_mid_word_leaves_nothing_behind(scene: Scene) -> None:
    with scene.stream() as stream:
        scene.begin(stream)
        stream.send('{"event": "stop", "stop": {}}')
        assert is_over(stream)

    assert scene.ears.closed == 1
    with scene.stream() as again:
        scene.begin(again)
        scene.ears.hear(utterance("是"))
        assert is_over(again)
