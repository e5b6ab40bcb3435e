"""Speaking actions → TwiML. Pure; what must never be forgotten stands here once (twilio_voice §11, rules 3, 4, 16).

Every Gather and Record names its own action (the default is an endless loop), reports silence to us, and is followed by
a Redirect. A document without a wait ends with Hangup.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from twilio.twiml.voice_response import Dial, Gather, Start, Stop, Stream, VoiceResponse

from ivr.voice.insistence import insist
from survey import spoken_length
from survey.actions import Action, Collect, Hangup, Join, Record, Say, Transfer

UNSPEAKABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
LONG_NUMBER = re.compile(r"(?<![\w.+-])(?!\d{4}-\d\d-\d\d\b)\+?\d[\d-]{3,}\d(?![\w-])", re.ASCII)
ROOT = "<Response>"
QUEUE = "desk"
PERSON, OPERATOR = "person", "operator"
"""How the two in a room are called there."""
LONGEST_SAY = 4000
LONGEST_SPEECH = 11_000  # characters; one takes five bytes at most, the carrier takes 64 kB
SPEECH_TIMEOUT_SECONDS = "1"
COST_OF_SAY = 25  # what the tags of one Say count in characters

Speak = Callable[[str], str]
"""Gives the words of a prompt by its reference."""


@dataclass(frozen=True)
class Voice:
    """Who speaks: the carrier's language tag and voice name; an empty name leaves the choice to the carrier."""

    language: str
    name: str = ""


@dataclass(frozen=True)
class Urls:
    """Absolute addresses for one document: `step` answers the wait; `recordings`, with the item's code put behind it,
    hears when a sound file is ready; `queue` says what is heard while an operator is waited for; `room` is the name of the place where
    the two meet, `room_events` hears who comes and goes there, `music` says what is heard until the other is there."""

    step: str
    recordings: str
    queue: str = ""
    room: str = ""
    room_events: str = ""
    music: str = ""


@dataclass(frozen=True)
class Ear:
    """Where the carrier is to send what the person says while the question of `step` waits.

    `parameters` are told to whoever listens there; the prompt's length in seconds is added. A stream is called after its step.
    """

    url: str
    step: int
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Hints:
    """The carrier itself is to write down what is said: in the language of this tag, with these phrases to be expected."""

    language: str
    phrases: tuple[str, ...]


def render(actions: Sequence[Action], speak: Speak, urls: Urls, voice: Voice, ear: Ear | Hints | None = None) -> str:
    """The document that plays `actions` up to their first wait or hang-up; recording actions are passed over.

    No action at all only leads to `urls.step`. Where there is an `ear`, the stream of the step before is stopped, and one is begun for
    a wait that listens; with hints the carrier's own recogniser listens instead. The result is well-formed and shorter than 64 kB,
    whatever the prompts hold.
    """
    reply = VoiceResponse()
    if not actions:
        reply.redirect(urls.step, method="POST")
        return str(reply)
    if isinstance(ear, Ear) and ear.step > 1:
        _stop(reply, ear.step - 1)
    waiting: list[str] = []
    for action in actions:
        match action:
            case Say(prompt):
                waiting.append(prompt)
            case Collect():
                return _gather(reply, action, _texts(waiting, speak), urls, voice, ear if action.listens else None)
            case Record():
                return _record(reply, action, _texts(waiting, speak), urls, voice)
            case Transfer():
                return _enqueue(reply, _texts(waiting, speak), urls, voice)
            case Join():
                return _join(reply, _texts(waiting, speak), urls, voice)
            case Hangup():
                break
    _say(reply, _texts(waiting, speak), voice)
    reply.hangup()
    return str(reply)


def _gather(reply: VoiceResponse, wait: Collect, texts: Sequence[str], urls: Urls, voice: Voice, ear: Ear | Hints | None) -> str:
    gather = Gather(
        **_recognition(ear), num_digits=1, timeout=wait.timeout_seconds, finish_on_key="",
        action_on_empty_result=True, action=insist(urls.step), method="POST",
    )  # fmt: skip
    if wait.barge_in:
        _listen(reply, ear, sum(spoken_length.seconds(text, voice.language) for text in texts))
        _say(gather, texts, voice)
    else:
        _say(reply, texts, voice)
        _listen(reply, ear, 0.0)
    reply.append(gather)
    reply.redirect(urls.step, method="POST")
    return str(reply)


def _recognition(ear: Ear | Hints | None) -> dict[str, object]:
    """The input of a Gather: keys, and with hints words that a second of silence ends, none starred out (twilio_voice §3.2)."""
    if not isinstance(ear, Hints):
        return {"input": "dtmf"}
    return {
        "input": "dtmf speech", "language": ear.language, "hints": ",".join(ear.phrases), "speech_timeout": SPEECH_TIMEOUT_SECONDS,
        "profanity_filter": False,
    }  # fmt: skip


def _listen(reply: VoiceResponse, ear: Ear | Hints | None, prompt_seconds: float) -> None:
    """Have the caller's sound sent while the keys are waited for: `<Start>` does not hold the document up (twilio_voice §4)."""
    if not isinstance(ear, Ear):
        return
    stream = Stream(url=ear.url, name=_stream_name(ear.step), track="inbound_track")
    for name, value in {**ear.parameters, "prompt_seconds": f"{prompt_seconds:.1f}"}.items():
        stream.parameter(name=name, value=value)
    start = Start()
    start.append(stream)
    reply.append(start)


def _stop(reply: VoiceResponse, step: int) -> None:
    stop = Stop()
    stop.stream(name=_stream_name(step))
    reply.append(stop)


def _stream_name(step: int) -> str:
    return f"step-{step}"


def _record(reply: VoiceResponse, wait: Record, texts: Iterable[str], urls: Urls, voice: Voice) -> str:
    _say(reply, texts, voice)
    reply.record(
        action=insist(urls.step), method="POST", finish_on_key=wait.end_key, max_length=wait.max_seconds, timeout=wait.silence_seconds,
        play_beep=True, trim="trim-silence", recording_status_callback=insist(urls.recordings + quote(wait.item, safe="")),
        recording_status_callback_method="POST", recording_status_callback_event="completed absent",
    )  # fmt: skip
    reply.redirect(urls.step, method="POST")
    return str(reply)


def _enqueue(reply: VoiceResponse, texts: Iterable[str], urls: Urls, voice: Voice) -> str:
    """Wait in the desk's queue; whichever way the wait ends, the step hears of it (twilio_voice §3.2)."""
    _say(reply, texts, voice)
    reply.enqueue(QUEUE, action=insist(urls.step), method="POST", wait_url=insist(urls.queue), wait_url_method="POST")
    reply.redirect(urls.step, method="POST")
    return str(reply)


def _join(reply: VoiceResponse, texts: Iterable[str], urls: Urls, voice: Voice) -> str:
    """Meet the operator, with whom the room ends, and the step hears of it.

    It does not end with the person: who is led out of it late, by a redirect that was asked for in the queue, comes in again.
    """
    _say(reply, texts, voice)
    _confer(reply, urls.step, urls, PERSON, is_ended_by_leaving=False)
    reply.redirect(urls.step, method="POST")
    return str(reply)


def enter_room(urls: Urls, after: str) -> str:
    """The document that brings the operator into the room; `after` hears when the talk is over."""
    reply = VoiceResponse()
    _confer(reply, after, urls, OPERATOR, is_ended_by_leaving=True)
    reply.hangup()
    return str(reply)


def _confer(reply: VoiceResponse, action: str, urls: Urls, label: str, *, is_ended_by_leaving: bool) -> None:
    dial = Dial(action=insist(action), method="POST")
    dial.conference(
        urls.room, beep="false", start_conference_on_enter=True, end_conference_on_exit=is_ended_by_leaving,
        wait_url=insist(urls.music), wait_method="POST", participant_label=label, status_callback=insist(urls.room_events),
        status_callback_method="POST", status_callback_event="join leave end",
    )  # fmt: skip
    reply.append(dial)


def wait(texts: Iterable[tuple[str, Voice]], music: str, then: str) -> str:
    """What a person hears who waits: the texts, then music, and on at the address `then`."""
    reply = VoiceResponse()
    for text, voice in texts:
        _say(reply, [speakable(text)], voice)
    reply.play(music)
    reply.redirect(then, method="POST")
    return str(reply)


def leave_queue() -> str:
    """The document that ends the wait."""
    reply = VoiceResponse()
    reply.leave()
    return str(reply)


def hang_up() -> str:
    """The document that says nothing and ends the call."""
    reply = VoiceResponse()
    reply.hangup()
    return str(reply)


def lead_to(address: str) -> str:
    """The document that says nothing and goes on at another address."""
    reply = VoiceResponse()
    reply.redirect(address, method="POST")
    return str(reply)


def announce(texts: Iterable[tuple[str, Voice]], *, pause_seconds: int = 0, then: str = "") -> str:
    """Say each text with its voice, wait, and go on at the address `then`; without one, hang up."""
    reply = VoiceResponse()
    for text, voice in texts:
        _say(reply, [speakable(text)], voice)
    if pause_seconds:
        reply.pause(length=pause_seconds)
    if then:
        reply.redirect(then, method="POST")
    else:
        reply.hangup()
    return str(reply)


def precede(texts: Iterable[tuple[str, Voice]], document: str) -> str:
    """The document with the texts said before all else."""
    reply = VoiceResponse()
    for text, voice in texts:
        _say(reply, [speakable(text)], voice)
    said = reply.to_xml(xml_declaration=False).removeprefix(ROOT).removesuffix("</Response>")
    return document.replace(ROOT, ROOT + said, 1)


def ask_key(texts: Iterable[tuple[str, Voice]], action: str, timeout_seconds: int) -> str:
    """Say each text with its voice and wait for one key, which `action` hears; silence too."""
    reply = VoiceResponse()
    gather = Gather(
        input="dtmf", num_digits=1, timeout=timeout_seconds, finish_on_key="", action_on_empty_result=True, action=insist(action),
        method="POST",
    )  # fmt: skip
    for text, voice in texts:
        _say(gather, [speakable(text)], voice)
    reply.append(gather)
    reply.redirect(action, method="POST")
    return str(reply)


def _texts(prompts: Sequence[str], speak: Speak) -> list[str]:
    room, texts = LONGEST_SPEECH, []
    for text in filter(None, (speakable(speak(prompt)) for prompt in prompts)):
        room -= COST_OF_SAY
        if room <= 0:
            break
        texts.append(text[:room])
        room -= len(text)
    return texts


def speakable(text: str) -> str:
    """The text as the carrier can take and say it.

    Characters that XML forbids, or that only steer a screen, go; digits of a telephone number (five and more in a row)
    are set apart, or they would be read as one number.
    """
    return LONG_NUMBER.sub(_spell, UNSPEAKABLE.sub("", text)).strip()[:LONGEST_SAY]


def _spell(number: re.Match[str]) -> str:
    return " ".join(number[0].replace("-", ""))


def _say(verb: Any, texts: Iterable[str], voice: Voice) -> None:
    for text in texts:
        verb.say(text, language=voice.language, voice=voice.name or None)
