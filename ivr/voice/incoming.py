"""Web-hooks of the number itself: somebody calls the number that calls people (R20).

Everybody hears who we are and how to be left alone; whoever is still waited for may be interviewed at once or say when, and
whoever was given up may be interviewed at once.
"""

import logging

from flask import Response, request

from ivr.voice import call_status, inbound, twiml, wording
from ivr.voice.fallback import fall_back
from ivr.voice.routes import announce, door, services_here, speak, url_of
from survey import fieldwork
from survey.fieldwork.incoming import KNOWN, ON_THE_LINE, REFUSED, STRANGER, UNFINISHED, WAITED_FOR, Caller

__all__ = ["door"]
log = logging.getLogger(__name__)
KEY_TIMEOUT = 6
OFFERS = {
    STRANGER: (wording.WHO_WE_ARE, wording.NO_MORE_CALLS),
    KNOWN: (wording.WHO_WE_ARE, wording.NO_MORE_CALLS),
    WAITED_FOR: (wording.WHO_WE_ARE, wording.NOW_OR_LATER, wording.NO_MORE_CALLS),
    UNFINISHED: (wording.WHO_WE_ARE, wording.NOW, wording.NO_MORE_CALLS),
    ON_THE_LINE: (wording.WHO_WE_ARE, wording.ON_THE_LINE, wording.NO_MORE_CALLS),
}
"""What a caller hears before the wait for a key."""


@door.post("/voice/incoming")
def answer_incoming() -> Response:
    """Somebody calls: who we are, why we call, and what the calling number may choose from.

    The number's own fallback leads here too: an interview that was under way then goes on where it stands.
    """
    if interview := inbound.failure(request.form).token:
        return fall_back(interview)
    phone = inbound.phone(request.form.get("From"))
    if phone is None:
        return announce(wording.joined(wording.WHO_WE_ARE, wording.NUMBER_HIDDEN))
    caller = _recognise(phone)
    if caller.standing == REFUSED:
        return announce(wording.joined(wording.WHO_WE_ARE, wording.ALREADY_OUT), language=caller.language)
    here = services_here()
    texts = wording.spoken(wording.joined(*OFFERS[caller.standing]), here.voices, here.office.bureau, caller.language)
    action = "/voice/incoming/keys" + ("?again=1" if "again" in request.args else "")
    return speak(twiml.ask_key(texts, url_of(action), KEY_TIMEOUT))


def _recognise(phone: str) -> Caller:
    """Who it is, as far as the database can say: without it everybody is a stranger, who hears who we are all the same."""
    here, call_sid = services_here(), inbound.call_sid(request.form)
    try:
        with here.unit_of_work() as work:
            key = here.office.keys.phone_key(phone)
            return fieldwork.recognise(work.session, here.office, key, call_sid, here.clock.now())
    except Exception:
        log.exception("a caller could not be looked up", extra={"action": "voice.caller_unknown"})
        return Caller(STRANGER)


@door.post("/voice/incoming/keys")
def take_incoming_key() -> Response:
    """1: the survey now; 9: another time; 0: never again, for every number. Anything else is a farewell."""
    pressed, phone = request.form.get("Digits", ""), inbound.phone(request.form.get("From"))
    if pressed not in ("0", "1", "9"):
        return announce(wording.GOODBYE)
    if phone is None:
        return announce(wording.NUMBER_HIDDEN)
    here = services_here()
    key, now = here.office.keys.phone_key(phone), here.clock.now()
    if pressed == "0":
        with here.unit_of_work() as work:
            fieldwork.opt_out(work.session, here.office, key, "refused by calling us", now)
        return announce(wording.OPTED_OUT)
    with here.unit_of_work() as work:
        token = fieldwork.take_up(work, here.office, key, inbound.call_sid(request.form), now, postponing=pressed == "9")
    return announce(wording.GOODBYE) if token is None else speak(twiml.lead_to(url_of(f"/voice/attempts/{token}/steps/0")))


@door.post("/voice/incoming/status")
def note_incoming_status() -> Response:
    """How far a call to us has come; of those that led to no interview nothing is kept."""
    form, here = request.form, services_here()
    status = call_status.ladder_status(form.get("CallStatus", ""))
    with here.unit_of_work() as work:
        fieldwork.apply_incoming_status(
            work, inbound.call_sid(form), status, here.clock.now(),
            seconds=inbound.number(form.get("CallDuration")), error=inbound.failure_code(form),
        )  # fmt: skip
    return Response(status=204)
