"""The carrier's web-hooks. Each is one unit of work; whatever goes wrong, a person on the line hears a sentence."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from flask import Blueprint, Response, current_app, request

from ivr import measures
from ivr.nearby import is_nearby
from ivr.voice import call_status, inbound, recognised, twiml, wording
from ivr.voice.call_status import UnknownWord
from ivr.voice.guard import Guard
from ivr.voice.twiml import Ear, Hints, Urls, Voice
from survey import fieldwork, prompts
from survey.actions import SpeakingAction
from survey.errors import BadInput, UnknownAttempt
from survey.events import Answered, Event, NoInput
from survey.fieldwork import Office, TurnContext
from survey.ports import Clock
from survey.store.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)
door = Blueprint("voice", __name__)

PAUSE_BEFORE_AGAIN = 6  # seconds; with the excuse about ten, in which a database comes back
WITH_MUSIC = frozenset({"voice.tell_wait", "voice.tell_held", "voice.tell_music"})
"""Endpoints that a person hears who waits for an operator: nobody who waits hears silence (O15), also while we are in trouble."""
SPOKEN_AT_DESK = WITH_MUSIC | {"voice.whisper", "voice.accept", "voice.end_talk"}
SPOKEN = SPOKEN_AT_DESK | {"voice.take_turn", "voice.fall_back", "voice.answer_incoming", "voice.take_incoming_key"}
"""Endpoints whose answer a person hears; the body of the others is ignored by the carrier."""

MUSIC = "/voice/music.wav"
LOST_KEY = {"voice.take_incoming_key": "/voice/incoming", "voice.accept": "/voice/desk/{token}/whisper"}
"""Where to ask again for a key that a redirection loses."""


@dataclass(frozen=True)
class VoiceServices:
    """What the wiring gives to the voice door.

    `unit_of_work` opens a fresh transaction; `guard` knows the public base URL, the account and its tokens; `voices` maps
    a language (`zh`, or with region `zh-TW`) to the carrier's voice, the house's first language first; `ready` gives the
    status of `/readyz` and what was found out; `media_url` is where the carrier reaches the media server, empty without one;
    `carrier_listens` says that the carrier's own recogniser writes down what is said.
    """

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    office: Office
    guard: Guard
    voices: Mapping[str, Voice]
    ready: Callable[[], tuple[int, dict[str, str]]] | None = None
    media_url: str = ""
    carrier_listens: bool = False


@door.get("/healthz", endpoint="health")
def tell_health() -> Response:
    """The process answers."""
    return Response("ok\n", mimetype="text/plain")


@door.get("/readyz", endpoint="readiness")
def tell_readiness() -> Response:
    """Whether turns can be served, and if not, why: told to this machine alone."""
    ready = services_here().ready
    if ready is None or not is_nearby(request.environ):
        return Response(status=403)
    status, causes = ready()
    return Response(json.dumps(causes), status, mimetype="application/json", headers={"Cache-Control": "no-store"})


@door.post("/voice/attempts/<token:token>/steps/<int:step>")
def take_turn(token: str, step: int) -> Response:
    """One round trip of the conversation."""
    services = services_here()
    call_sid, event = inbound.call_sid(request.form), _event(step)
    said = recognised.speech(request.form) if services.carrier_listens and isinstance(event, NoInput) else None
    with services.unit_of_work() as work:
        clock = services.clock.now
        if said:
            asked = fieldwork.asked_at(work.session, services.office, token, step, call_sid)
            event = recognised.heard(said, asked) if asked else event
        reply = fieldwork.take_turn(work, services.office, token, step, event, call_sid, clock(), render, measures.turn_taken, clock)
    return speak(reply)


def _event(step: int) -> Event:
    try:
        return inbound.event(step, request.form)
    except UnknownWord as error:
        log.error("taken for a person: %s", error, extra={"action": "voice.unknown_word"})
        return Answered()


def render(actions: tuple[SpeakingAction, ...], next_step: int, context: TurnContext) -> str:
    """The document for these actions, in the call's own words and voice."""
    return compose(services_here(), actions, next_step, context)


def compose(services: VoiceServices, actions: tuple[SpeakingAction, ...], next_step: int, context: TurnContext) -> str:
    """The document for these actions; the voice door and the media server say the same."""
    attempt = services.guard.url_of(f"/voice/attempts/{context.token}")
    voice = wording.voice_of(services.voices, context.script.language)
    urls = replace(addresses(services, context.token), step=f"{attempt}/steps/{next_step}")
    ear = _ear(services, next_step, context, voice) if context.listens else None
    return twiml.render(actions, lambda prompt: _words(services, prompt, context), urls, voice, ear)


def _words(services: VoiceServices, prompt: str, context: TurnContext) -> str:
    house = wording.of_the_house(prompt, services.office.bureau, context.script.language)
    return prompts.speak(context.script, prompt, context.variables) if house is None else house


def addresses(services: VoiceServices, token: str) -> Urls:
    """The addresses of an attempt that do not depend on the step."""
    attempt = services.guard.url_of(f"/voice/attempts/{token}")
    return Urls(
        attempt, f"{attempt}/recordings?item=", queue=f"{attempt}/queue", room=f"room-{token}", room_events=f"{attempt}/room",
        music=f"{attempt}/music",
    )  # fmt: skip


def _ear(services: VoiceServices, next_step: int, context: TurnContext, voice: Voice) -> Ear | Hints | None:
    """Who listens at the next question: the carrier where the house leaves it to it, else our media server, or nobody."""
    if services.carrier_listens:
        return recognised.hints(context.script, voice.language)
    return Ear(services.media_url, next_step, {"token": context.token, "step": str(next_step)}) if services.media_url else None


@door.post("/voice/attempts/<token:token>/status")
def note_status(token: str) -> Response:
    """How far the call has come."""
    form, services = request.form, services_here()
    status = call_status.ladder_status(form.get("CallStatus", ""))
    with services.unit_of_work() as work:
        fieldwork.apply_status(
            work, token, inbound.call_sid(form), status, services.clock.now(),
            seconds=inbound.number(form.get("CallDuration")),
            error=inbound.failure_code(form),
        )  # fmt: skip
    return Response(status=204)


@door.post("/voice/attempts/<token:token>/machine")
def note_machine(token: str) -> Response:
    """Who the carrier believes to have answered."""
    services = services_here()
    kind = call_status.answerer(request.form.get("AnsweredBy", ""))
    with services.unit_of_work() as work:
        fieldwork.apply_machine(work, services.office, token, inbound.call_sid(request.form), kind, services.clock.now())
    return Response(status=204)


@door.post("/voice/attempts/<token:token>/recordings")
def note_recording(token: str) -> Response:
    """A recording of the person's words is ready, or never will be; its address in the form is not looked at."""
    form, services = request.form, services_here()
    sid = inbound.sid(form.get("RecordingSid"))
    if sid is None:
        raise BadInput("the request names no recording")
    status = call_status.recording_status(form.get("RecordingStatus", "completed"))
    if status == "completed":
        item, seconds = inbound.item(request.args.get("item")), inbound.number(form.get("RecordingDuration"))
        with services.unit_of_work() as work:
            fieldwork.announce_recording(work, token, item, sid, seconds, services.clock.now())
    elif status == "absent":
        with services.unit_of_work() as work:
            fieldwork.note_absent(work, token, sid, services.clock.now())
    return Response(status=204)


def note_broken(token: str) -> None:
    """Remember, if the database can be reached, that it was us who ended the call: then it may be made again."""
    try:
        with services_here().unit_of_work() as work:
            fieldwork.note_broken(work.session, token, services_here().clock.now())
    except Exception:
        log.exception("the end of attempt %s could not be noted", token[:12], extra={"action": "voice.end_not_noted"})


@door.errorhandler(UnknownAttempt)
def forget_attempt(error: UnknownAttempt) -> Response:
    """A signed request for an attempt that does not exist: a harmless answer, counted in the log."""
    log.warning("unknown attempt at %s", request.endpoint, extra={"action": "voice.unknown_attempt"})
    return speak(twiml.hang_up()) if request.endpoint in SPOKEN else Response(status=204)


@door.errorhandler(BadInput)
def refuse(error: BadInput) -> Response:
    """A signed request that lacks what it must have."""
    log.warning("refused at %s: %s", request.endpoint, error, extra={"action": "voice.bad_input"})
    return Response(status=400)


@door.errorhandler(UnknownWord)
def pass_over(error: UnknownWord) -> Response:
    """A word of the carrier's that we do not know: repeating it would not help, so it is only told to the operators."""
    log.error("passed over at %s: %s", request.endpoint, error, extra={"action": "voice.unknown_word"})
    return Response(status=204)


def apologise(error: Exception) -> Response:
    """Anything else: the person hears an excuse and the same step is tried once more, then a farewell; never an error page.

    A callback is answered with 503 so that the carrier may send it again.
    """
    token = (request.view_args or {}).get("token", "")
    measures.hook_failed((request.endpoint or "none").removeprefix("voice."))
    log.exception("%s failed, attempt %s", request.endpoint, token[:12], extra={"action": "voice.failed"})
    if request.endpoint not in SPOKEN:
        return Response(status=503)
    if "again" not in request.args:
        then = url_of(LOST_KEY.get(request.endpoint or "", request.path).format(token=token) + "?again=1")
        return announce(wording.EXCUSE, then=then, language=language_of(token))
    if token:
        note_broken(token)
    return announce(wording.FAREWELL, language=language_of(token))


def language_of(token: str) -> str:
    """The language of a call that this process has served before; else nothing, and people hear every one."""
    context = services_here().office.contexts.get(token)
    return context.script.language if context else ""


def announce(texts: dict[str, str], *, then: str = "", language: str = "") -> Response:
    """Say the sentence and after some seconds go on at `then`, for who waits with music until then; without it, hang up."""
    spoken = wording.spoken(texts, services_here().voices, services_here().office.bureau, language)
    if then and request.endpoint in WITH_MUSIC:
        return speak(twiml.wait(spoken, url_of(MUSIC), then))
    return speak(twiml.announce(spoken, pause_seconds=PAUSE_BEFORE_AGAIN if then else 0, then=then))


def speak(document: str) -> Response:
    """The document as the carrier takes it."""
    return Response(document, mimetype="text/xml", headers={"Cache-Control": "no-store"})


def services_here() -> VoiceServices:
    """What the wiring gave to the app that serves this request."""
    services: VoiceServices = current_app.extensions["voice"]
    return services


def url_of(path: str) -> str:
    """The address of a path as the carrier knows it."""
    return services_here().guard.url_of(path)
