"""The web-hooks of a takeover: what a waiting person hears, the operator's telephone, and the room where the two meet."""

import math

from flask import Response, request

from ivr.voice import call_status, inbound, music, twiml, wording
from ivr.voice.routes import MUSIC, addresses, announce, door, language_of, services_here, speak, url_of
from survey import desk, ladder

ACCEPT_KEY = "1"
ACCEPT_SECONDS = 8
PLACE_SAID_EVERY = 30
"""Seconds after which a waiting person hears again how many are before them, and how long it takes at most."""
LEFT_SAID_IN = 10
"""That time is said in tens of seconds."""


@door.get(MUSIC, endpoint="music")
def play_music() -> Response:
    """The music of the queue; open, because the carrier signs no fetch of a sound."""
    return Response(music.sound(), mimetype="audio/wav", headers={"Cache-Control": "public, max-age=86400"})


@door.post("/voice/attempts/<token:token>/queue")
def tell_wait(token: str) -> Response:
    """What the person hears next while waiting: their place now and then, music, or the end of the wait."""
    services = services_here()
    with services.unit_of_work() as work:
        wait = desk.wait_of(work, services.office, token, services.clock.now())
    if wait is None or wait.is_over:
        return speak(twiml.leave_queue())
    told = []
    if wait.seconds % PLACE_SAID_EVERY < music.SECONDS:
        text = wording.WAITING_BEHIND if wait.ahead else wording.WAITING_TIMED if wait.left else wording.WAITING
        left = math.ceil(wait.left / LEFT_SAID_IN) * LEFT_SAID_IN
        told = wording.spoken(text, services.voices, services.office.bureau, wait.language, ahead=wait.ahead, left=left)
    return speak(twiml.wait(told, url_of(MUSIC), url_of(request.path)))


@door.post("/voice/attempts/<token:token>/music")
def tell_music(token: str) -> Response:
    """What is heard in the room until the other is there: music, again and again, as a bare sound is played once."""
    return speak(twiml.wait([], url_of(MUSIC), url_of(request.path)))


@door.post("/voice/attempts/<token:token>/held")
def tell_held(token: str) -> Response:
    """What the person hears while the operator has put them on hold."""
    services = services_here()
    language = language_of(token) or _language_stored(token)
    told = wording.spoken(wording.HELD, services.voices, services.office.bureau, language)
    return speak(twiml.wait(told, url_of(MUSIC), url_of(request.path)))


def _language_stored(token: str) -> str:
    """The language of a call that another process has served so far."""
    services = services_here()
    with services.unit_of_work() as work:
        return desk.waits.language_of(work.session, services.office, token)


@door.post("/voice/attempts/<token:token>/room")
def note_room(token: str) -> Response:
    """Who came into the room: with the person there the two can talk."""
    form, services = request.form, services_here()
    if form.get("StatusCallbackEvent") == "participant-join" and form.get("ParticipantLabel") == twiml.PERSON:
        with services.unit_of_work() as work:
            desk.ringing.note_bridged(work, token, services.clock.now())
    return Response(status=204)


@door.post("/voice/desk/<token:token>/whisper")
def whisper(token: str) -> Response:
    """The operator has picked up: say what it is about, and wait for the key that takes the call."""
    services = services_here()
    with services.unit_of_work() as work:
        found = desk.ringing.picked_up(work, services.office, token, inbound.call_sid(request.form), services.clock.now())
    if found is None:
        return announce(wording.TAKEN_AWAY)
    language = found.language.partition("-")[0]
    reason = wording.REASONS[found.reason][language]
    whispered = wording.WHISPER_OF_CALLBACK if found.is_callback else wording.WHISPER
    told = wording.spoken(whispered, services.voices, services.office.bureau, language, unit=found.unit, reason=reason)
    action = f"/voice/desk/{token}/accept" + ("?again=1" if "again" in request.args else "")
    return speak(twiml.ask_key(told, url_of(action), ACCEPT_SECONDS))


@door.post("/voice/desk/<token:token>/accept")
def accept(token: str) -> Response:
    """The operator takes the call, or does not: then others are offered it as soon as the telephone is down."""
    services = services_here()
    if request.form.get("Digits") != ACCEPT_KEY:
        return speak(twiml.hang_up())
    with services.unit_of_work() as work:
        attempt = desk.ringing.accept(work, token, services.clock.now())
    if attempt is None:
        return announce(wording.TAKEN_AWAY)
    return speak(twiml.enter_room(addresses(services, attempt), url_of(f"/voice/desk/{token}/over")))


@door.post("/voice/desk/<token:token>/over")
def end_talk(token: str) -> Response:
    """The talk is over, or the carrier found no document for the operator: their telephone is put down."""
    return speak(twiml.hang_up())


@door.post("/voice/desk/<token:token>/status")
def note_desk_status(token: str) -> Response:
    """How far the operator's call has come; only its end matters."""
    form, services = request.form, services_here()
    status = call_status.ladder_status(form.get("CallStatus", ""))
    with services.unit_of_work() as work:
        if ladder.is_ended(status):
            desk.ringing.note_leg_over(work, services.office, token, services.clock.now())
        else:
            desk.ringing.note_rung(work, token, inbound.call_sid(form))
    return Response(status=204)
