"""The media server of the voice door: hears what people say while the keypad waits (design §4.6).

One socket a question. Whatever goes wrong with it, the question goes on by keys: nobody on the line notices. What is understood is taken
as the turn of its step, exactly as a key is, so that of key and voice the first one wins; then the call is led on by the carrier's REST.
"""

import asyncio
import logging
import time
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from socket import socket
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from ivr import measures
from ivr.carrier.base import Carrier, CarrierError
from ivr.voice.expectations import Expectations, expectations, listened_for, meant
from ivr.voice.guard import LONGEST_SIGNATURE
from ivr.voice.insistence import insist
from ivr.voice.media import BadMessage, Began, Ended, Sound, read
from ivr.voice.routes import VoiceServices, compose
from speech.decoders import Decoders, Hearing, Unavailable, Utterance
from speech.meaning import Meaning
from speech.transcript import Transcript
from survey import fieldwork
from survey.actions import SpeakingAction
from survey.events import Heard
from survey.fieldwork import Asked, Spoken, TurnContext

log = logging.getLogger(__name__)

LARGEST_MESSAGE = 64 * 1024
MOST_WAITING = 64
"""Messages that wait to be read: more than a second of sound; then the carrier is held back."""

START_SECONDS, IDLE_SECONDS, LONGEST_SECONDS = 5.0, 10.0, 180.0
"""Until the stream says whose it is; between two messages; in all: longer than any prompt with its time to answer."""

ONE_THOUGHT_SECONDS = 1.5
"""Utterances that follow each other so soon are one."""

BYTES_A_SECOND = 8000
MOST_BYTES = int(LONGEST_SECONDS * BYTES_A_SECOND)
MOST_STREAMS = 200
REFUSED = 1008


class Refused(Exception):
    """A stream that is none of ours, or comes at the wrong time."""


@dataclass
class Arrivals:
    """When which second of a stream arrived, so that the time from the end of the speech to the decision can be told."""

    seconds: list[float] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    total: int = 0

    def note(self, length: int, moment: float) -> None:
        """So many bytes have come."""
        self.total += length
        self.seconds.append(self.total / BYTES_A_SECOND)
        self.moments.append(moment)

    def moment_of(self, second: float) -> float:
        """When that second of the stream was here."""
        index = min(bisect_left(self.seconds, second), len(self.moments) - 1)
        return self.moments[index] if index >= 0 else time.monotonic()


class Listener:
    """Takes streams, one for each question of each call, and decides. `voice` is what the voice door has; `carrier` leads calls on."""

    def __init__(self, voice: VoiceServices, carrier: Carrier, decoders: Decoders, most_streams: int = MOST_STREAMS) -> None:
        self._voice, self._carrier, self._decoders, self._most_streams = voice, carrier, decoders, most_streams
        self._open: dict[str, tuple[int, ServerConnection]] = {}
        self._path = urlsplit(voice.media_url).path

    async def serve(self, listening: socket) -> Server:
        """Take streams on a socket that listens; close the server to end."""
        return await serve(
            self._attend, sock=listening, process_request=self._check, max_size=LARGEST_MESSAGE, max_queue=MOST_WAITING, compression=None,
            open_timeout=START_SECONDS, close_timeout=1, ping_interval=None, logger=log.getChild("sockets"), server_header=None,
        )  # fmt: skip

    def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        """Before anything else: the carrier's signature over the address that it was given."""
        signature = request.headers.get("X-Twilio-Signature", "")
        fits = 0 < len(signature) <= LONGEST_SIGNATURE and signature.isascii() and request.path.rstrip("/") == self._path.rstrip("/")
        if not fits or not self._voice.guard.is_signed_stream(self._voice.media_url, signature):
            measures.stream_refused("handshake")
            return connection.respond(HTTPStatus.FORBIDDEN, "")
        if len(self._open) >= self._most_streams:
            measures.stream_refused("full")
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
        return None

    async def _attend(self, connection: ServerConnection) -> None:
        token, code = "", 1000
        try:
            began = await asyncio.wait_for(_await_start(connection), START_SECONDS)
            token = began.token
            asked = await self._admit(connection, began)
            await asyncio.wait_for(self._listen(connection, began, asked), LONGEST_SECONDS)
        except (BadMessage, Refused) as problem:
            measures.stream_refused("message" if isinstance(problem, BadMessage) else "token")
            code = REFUSED if isinstance(problem, BadMessage) else code  # who comes late for a question has done nothing wrong
            log.warning("a stream was refused: %s", problem, extra={"action": "media.refused"})
        except (TimeoutError, ConnectionClosed):
            log.debug("a stream ended by itself", extra={"action": "media.ended"})
        except Unavailable as problem:
            log.warning("nobody listens, the question goes on by keys: %s", problem, extra={"action": "media.unavailable"})
        except Exception:
            log.exception("a stream failed, the question goes on by keys", extra={"action": "media.failed"})
        finally:
            if token and self._open.get(token, (0, None))[1] is connection:
                del self._open[token]
            await connection.close(code)

    async def _admit(self, connection: ServerConnection, began: Began) -> Asked:
        """Let in one stream for the question that is in force; one of an earlier question is over. Raises Refused."""
        if began.account_sid != self._voice.guard.account_sid:
            raise Refused("another account")
        asked = await asyncio.to_thread(self._look_up, began)
        if asked is None:
            raise Refused("no question waits for it")
        step, earlier = self._open.get(began.token, (-1, None))
        if step >= began.step:
            raise Refused("a second stream for the same question")
        self._open[began.token] = began.step, connection
        if earlier is not None:
            await earlier.close()
        return asked

    def _look_up(self, began: Began) -> Asked | None:
        with self._voice.unit_of_work() as work:
            return fieldwork.asked_at(work.session, self._voice.office, began.token, began.step, began.call_sid)

    async def _listen(self, connection: ServerConnection, began: Began, asked: Asked) -> None:
        expected, arrivals = expectations(asked), Arrivals()
        hearing = await self._decoders.open(asked.script.language.partition("-")[0], listened_for(expected))
        pump = asyncio.create_task(_pump(connection, hearing, arrivals))
        ears = asyncio.create_task(self._hear(hearing, arrivals, began, asked, expected))
        try:
            done, _ = await asyncio.wait((pump, ears), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await hearing.close()
            pump.cancel()
            await asyncio.gather(pump, ears, return_exceptions=True)  # a decision that has begun is carried out

    async def _hear(self, hearing: Hearing, arrivals: Arrivals, began: Began, asked: Asked, expected: Expectations) -> None:
        """Decide on one utterance after the other, until one moves the call on."""
        earlier: Utterance | None = None
        while (utterance := await hearing.next()) is not None:
            if not utterance.transcript.words:
                continue
            earlier = utterance = _continued(earlier, utterance)
            meaning = meant(utterance.transcript, expected)
            moves = _moves(meaning, asked, utterance, began)
            if await asyncio.to_thread(self._decide, began, asked, utterance, meaning, moves, arrivals.moment_of(utterance.ended)):
                return

    def _decide(
        self, began: Began, asked: Asked, utterance: Utterance, meaning: Meaning, moves: bool, spoken_at: float
    ) -> bool:  # fmt: skip
        """Store what was heard and, where it moves the call, take the turn and lead the call on; whether it did."""
        spoken = _spoken(asked, utterance, meaning, spoken_at)
        if not moves:
            with self._voice.unit_of_work() as work:
                fieldwork.note_hearing(work.session, self._voice.office, asked, began.step, spoken, self._voice.clock.now())
            measures.heard(spoken.outcome, spoken.latency_ms / 1000)
            return False
        spoken = self._take_turn(began, asked, meaning, spoken)
        measures.heard(spoken.outcome, spoken.latency_ms / 1000)
        if spoken.outcome != "late":
            self._lead_on(began)
        return True

    def _take_turn(self, began: Began, asked: Asked, meaning: Meaning, spoken: Spoken) -> Spoken:
        kinds: list[str] = []
        voice, event = self._voice, Heard(meaning.code, meaning.confidence, meaning.evidence)
        with voice.unit_of_work() as work:
            now = voice.clock.now()
            fieldwork.take_turn(
                work, voice.office, began.token, began.step, event, began.call_sid, now, self._render, kinds.append
            )  # fmt: skip
            if kinds != ["new"]:
                spoken = replace(spoken, outcome="late")
            fieldwork.note_hearing(work.session, voice.office, asked, began.step, spoken, now)
        if spoken.outcome != "late":
            measures.turn_taken("new")
        return spoken

    def _render(self, actions: tuple[SpeakingAction, ...], next_step: int, context: TurnContext) -> str:
        return compose(self._voice, actions, next_step, context)

    def _lead_on(self, began: Began) -> None:
        """Have the carrier ask for the step again: it gets the reply that is stored. If this fails, the keypad's silence does it."""
        address = self._voice.guard.url_of(f"/voice/attempts/{began.token}/steps/{began.step}")
        try:
            self._carrier.redirect(began.call_sid, insist(address))
        except CarrierError as problem:
            log.warning("attempt %s could not be led on: %s", began.token[:12], problem, extra={"action": "media.not_led_on"})


async def _await_start(connection: ServerConnection) -> Began:
    while True:
        message = read(_text(await connection.recv()))
        if isinstance(message, Began):
            return message
        if isinstance(message, Sound | Ended):
            raise BadMessage("no start")


async def _pump(connection: ServerConnection, hearing: Hearing, arrivals: Arrivals) -> None:
    """Pass the caller's sound on until the stream ends. Raises BadMessage, TimeoutError, ConnectionClosed."""
    while True:
        async with asyncio.timeout(IDLE_SECONDS):  # `wait_for` forgets that it was cancelled when a message has just come
            frame = await connection.recv()
        match read(_text(frame)):
            case Sound(mulaw):
                arrivals.note(len(mulaw), time.monotonic())
                if arrivals.total > MOST_BYTES:
                    raise BadMessage("too much sound")
                await hearing.feed(mulaw)
            case Ended():
                return
            case Began():
                raise BadMessage("a second start")


def _text(frame: str | bytes) -> str:
    if isinstance(frame, bytes):
        raise BadMessage("a binary frame")
    return frame


def _continued(earlier: Utterance | None, utterance: Utterance) -> Utterance:
    """The utterance, with what was said a moment before it: 不 … 满意, with a pause for thought between, is one answer."""
    if earlier is None or utterance.began - earlier.ended > ONE_THOUGHT_SECONDS:
        return utterance
    words = earlier.transcript.words + utterance.transcript.words
    return replace(utterance, transcript=Transcript(words), began=earlier.began, sound=earlier.sound + utterance.sound)


def _moves(meaning: Meaning, asked: Asked, utterance: Utterance, began: Began) -> bool:
    """Whether this is worth a turn: what is understood, even with doubt; what is not, only when the prompt is over.

    Before that somebody may be talking to others in the room, and the question would be cut off in its middle.
    """
    if meaning.code is not None and meaning.confidence >= asked.script.understanding.confirm:
        return True
    return utterance.began >= began.prompt_seconds


def _spoken(asked: Asked, utterance: Utterance, meaning: Meaning, spoken_at: float) -> Spoken:
    limits = asked.script.understanding
    sure, likely = meaning.confidence >= limits.accept, meaning.confidence >= limits.confirm
    outcome = "unclear" if meaning.code is None or not likely else "accepted" if sure or meaning.code == "danger" else "doubted"
    latency = max(0.0, time.monotonic() - spoken_at)
    seconds = len(utterance.sound) / BYTES_A_SECOND
    return Spoken(meaning.code, meaning.confidence, meaning.evidence, outcome, round(latency * 1000), seconds, utterance.sound)
