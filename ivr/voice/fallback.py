"""The carrier could not use a document of ours: the door was killed in the middle of a turn, or could not be reached.

That it asks here shows that we are back. Whoever is on the line hears a short excuse and then what the call stands at, once; at
the second failure in the same place a farewell, because a person is not to be held in a circle.
"""

import logging

from flask import Response, request

from ivr.voice import inbound, twiml, wording
from ivr.voice.inbound import Failure
from ivr.voice.routes import announce, door, language_of, note_broken, render, services_here, speak, url_of
from survey import fieldwork
from survey.errors import UnknownAttempt

__all__ = ["door"]
log = logging.getLogger(__name__)
SAME_FOR_REPEATS = "I-Twilio-Idempotency-Token"


@door.post("/voice/attempts/<token:token>/fallback")
def fall_back(token: str) -> Response:
    """Go on where the call stands; without the database at the step that failed; where neither can help, say farewell."""
    failure = inbound.failure(request.form)
    log.error("the carrier fell back, error %s, attempt %s", failure.code, token[:12], extra={"action": "voice.fallback"})
    if failure.is_lasting:
        return _say_farewell(token)
    try:
        return _go_on(token, failure)
    except UnknownAttempt:
        raise
    except Exception:
        log.exception("attempt %s could not be led back", token[:12], extra={"action": "voice.not_led_back"})
    step = failure.step_of(token)
    if step is None or failure.was_excused:
        return _say_farewell(token)
    again = url_of(f"/voice/attempts/{token}/steps/{step}?again=1")
    return announce(wording.EXCUSE, then=again, language=language_of(token))


def _go_on(token: str, failure: Failure) -> Response:
    here, call_sid, repeats = services_here(), inbound.call_sid(request.form), inbound.sid(request.headers.get(SAME_FOR_REPEATS)) or ""
    with here.unit_of_work() as work:
        standing = fieldwork.lead_back(work, here.office, token, failure.step_of(token), repeats, call_sid, here.clock.now(), render)
    if standing is None:
        return announce(wording.FAREWELL, language=language_of(token))
    if not standing.is_waiting:
        return speak(standing.document)
    excuse = wording.spoken(wording.INTERRUPTED, here.voices, here.office.bureau, language_of(token))
    return speak(twiml.precede(excuse, standing.document))


def _say_farewell(token: str) -> Response:
    note_broken(token)
    return announce(wording.FAREWELL, language=language_of(token))
