"""The exchange's media: the streams of its calls, the voices of its callees, and what recordings contain."""

from collections.abc import Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import monotonic

from ivr.carrier.simulator import line, parameters, sound
from ivr.carrier.simulator.calls import Call, Recording, Stream
from ivr.carrier.simulator.delivery import Courier
from ivr.carrier.simulator.effects import Attach, Deliver, Detach, Measure, Utter
from ivr.carrier.simulator.line import CLEAN, Degradation
from ivr.carrier.simulator.schedule import Schedule
from ivr.carrier.simulator.signing import sign
from ivr.carrier.simulator.sockets import REFUSED, Loop, Socket
from ivr.carrier.simulator.voices import Voices
from speech.audio import mulaw_to_pcm

QUIET_BEFORE, QUIET_AFTER = 0.3, 1.0  # seconds sent around the words in virtual time; longer silences are left out
SETTLING_SECONDS = 2.0  # real: in virtual time a call waits so long for its sockets
STREAMS_A_CALL = 4
ERRORS = {REFUSED: 31920}
BROKEN_CODE = 31921


@dataclass(frozen=True)
class Speech:
    """How callees speak.

    `share` of those with keys speak instead, where they are listened to; `sounds` are WAV files for certain texts, `folder` keeps what
    is synthesised. In virtual time nothing happens for `patience_seconds` (real) after somebody has spoken, unless the call is
    redirected, and with `skips_silence` the silence since the words before is not sent.
    """

    share: float = 0.0
    line: Degradation = CLEAN
    sounds: Mapping[str, Path] = field(default_factory=dict)
    folder: Path | None = None
    patience_seconds: float = 1.5
    skips_silence: bool = True


class Media:
    """All sockets and voices of an exchange. Nothing that goes wrong here disturbs a call."""

    def __init__(self, account_sid: str, auth_token: str, schedule: Schedule, courier: Courier, speech: Speech) -> None:
        self.speech = speech
        self.voices = Voices(speech.sounds, speech.folder)
        self._account_sid, self._token, self._schedule, self._courier = account_sid, auth_token, schedule, courier
        self.loop = Loop()
        self._sockets: dict[str, list[Socket]] = {}

    @property
    def is_real(self) -> bool:
        """Whether time passes by itself."""
        return self._schedule.clock.running

    def listens(self, call: Call) -> bool:
        """Whether the callee's voice reaches the application, or will once a handshake is over."""
        return any(socket.is_open or not socket.decided.is_set() for socket in self._running(call))

    def perform(self, effect: Attach | Detach | Measure | Utter) -> float | None:
        """Do what a call's story asks for; the answer of a Measure."""
        match effect:
            case Attach(call, stream):
                self._attach(call, stream)
            case Detach(call, name):
                self._detach(call, [socket for socket in self._running(call) if socket.stream.name == name], "stopped")
            case Measure(utterance):
                return self.voices.seconds(utterance)
            case Utter():
                self._utter(effect)
        return None

    def hang_up(self, call: Call) -> None:
        """The call is over, and so are its streams."""
        self._detach(call, self._running(call), "call ended")
        self._sockets.pop(call.sid, None)

    def hear(self, call: Call, frame: bytes) -> None:
        """Send a frame of somebody's living voice into the call's streams; on the loop's thread."""
        for socket in self._running(call):
            if socket.is_open and socket.stream.track != "outbound_track":
                socket.hear(frame)

    def recorded(self, recording: Recording) -> bytes:
        """A recording as a WAV file: what was said, or a murmur when there is no voice for it."""
        if recording.sound:
            return line.wav_file(mulaw_to_pcm(recording.sound))
        words = self.voices.words(recording.text, recording.voice) if recording.text and recording.voice else None
        if words is None:
            return sound.wav(recording.seconds, recording.spoken_seconds, recording.sid)
        length = recording.seconds * line.RATE
        words = line.around(words, 0.0, max(0.0, recording.seconds - len(words) / line.RATE))[:length]
        return line.wav_file(line.degraded(words, self.speech.line, recording.sid))

    def close(self) -> None:
        """End all streams and voices."""
        self.loop.close()
        self._sockets.clear()
        with self._schedule.changed:
            self._schedule.changed.notify_all()  # who waits for a redirection waits no more
        self.voices.close()

    def _running(self, call: Call) -> list[Socket]:
        return [socket for socket in self._sockets.get(call.sid, ()) if socket.stream.stopped_at is None]

    def _attach(self, call: Call, stream: Stream) -> None:
        running = self._running(call)
        if len(running) >= STREAMS_A_CALL or any(socket.stream.name == stream.name for socket in running):
            stream.ended = REFUSED
            self._note(call, stream, "stream-error", "too many streams, or two of one name", call.now)
            return
        told = partial(self._told, call, stream)
        socket = Socket(call.sid, self._account_sid, stream, told, lambda: self.is_real)
        self._sockets.setdefault(call.sid, []).append(socket)
        self.loop.do(socket.live({"X-Twilio-Signature": sign(self._token, stream.url, {})}))
        if not self.is_real:
            socket.decided.wait(SETTLING_SECONDS)

    def _detach(self, call: Call, ending: list[Socket], how: str) -> None:
        for socket in ending:
            socket.stream.stopped_at, socket.stream.ended = call.now, how
            self._post(call, socket.stream, "stream-stopped", "", call.now)
        self._settle([self.loop.do(socket.stop()) for socket in ending])

    def _settle(self, work: "list[Future[None]]") -> None:
        if not self.is_real:
            wait(work, SETTLING_SECONDS)

    def _utter(self, effect: Utter) -> None:
        call = effect.call
        sockets = [socket for socket in self._running(call) if socket.is_open and socket.stream.track != "outbound_track"]
        if self.is_real:
            words = self._mulaw(effect, 0.0, 0.0)
            for socket in sockets:
                self.loop.do(socket.play(words))
            effect.said.spoken_at = monotonic() + effect.seconds
            return
        words = self._mulaw(effect, QUIET_BEFORE, QUIET_AFTER)
        began = call.now - effect.seconds - QUIET_BEFORE
        self._settle([self.loop.do(socket.say(words, began - socket.stream.started_at, self.speech.skips_silence)) for socket in sockets])
        effect.said.spoken_at = monotonic()
        if effect.is_waiting:
            with self._schedule.changed:
                self._schedule.changed.wait_for(lambda: call.interruptions or not self.listens(call), self.speech.patience_seconds)

    def _mulaw(self, effect: Utter, before: float, after: float) -> bytes:
        utterance = effect.utterance if effect.utterance.line != CLEAN else replace(effect.utterance, line=self.speech.line)
        whole = self.voices.mulaw(utterance, before, after) or b""
        cut = round((before + effect.seconds) * line.RATE)
        return whole[:cut] + whole[len(whole) - round(after * line.RATE) :] if after else whole[:cut]

    def _told(self, call: Call, stream: Stream, event: str, problem: str) -> None:
        """A socket tells something, on the loop's thread."""
        at = self._schedule.clock.now() if self.is_real else call.now
        self._schedule.put(call, at, lambda then: self._note(call, stream, event, problem, then))

    def _note(self, call: Call, stream: Stream, event: str, problem: str, at: float) -> None:
        if event != "stream-started" and stream.stopped_at is None:
            stream.stopped_at = at
        if problem:
            call.problems.append(f"{ERRORS.get(stream.ended, BROKEN_CODE)} media stream {stream.name}: {problem} [{stream.url}]")
        self._post(call, stream, event, problem, at)

    def _post(self, call: Call, stream: Stream, event: str, problem: str, at: float) -> None:
        if stream.status is not None:
            self._courier.post(Deliver(call, "stream", stream.status, parameters.streamed(call, stream, event, problem)), at)
