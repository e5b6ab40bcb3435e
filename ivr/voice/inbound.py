"""What the carrier's form says, as events and values of the survey. Pure; nothing in a form is trusted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ivr.voice import call_status
from survey.errors import BadInput
from survey.events import Answered, Digits, Event, HungUp, MachineAnswered, NoInput, Recorded, TransferEnded

SID = re.compile(r"[A-Za-z0-9-]{2,64}")
KEYS = re.compile(r"[0-9A-D*#]+")
ITEM = re.compile(r"[a-z][a-z0-9_]{0,31}")
WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
STEP = re.compile(r"/voice/attempts/(?P<token>[0-9a-f]{32})/steps/(?P<step>[0-9]{1,9})\Z")
UNREACHED, TOO_MANY_REDIRECTS = 112, 11215
"""Numbers of the carrier: 112xx, but for one, say that nothing could be fetched; all others blame the document."""

LONGEST_KEYS = 32
QUEUE_FAILED = frozenset({"queue-full", "system-error"})
"""How a wait ends that never was one (twilio_voice §3.2). An `error` is a waiting document that we failed to give: once more."""
LEFT = "hangup"
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def event(step: int, form: Mapping[str, str]) -> Event:
    """What happened on the line, told by the request for a step.

    Step 0 is the answer to the call; later ones are actions of Gather or Record, or their trailing Redirect. The
    recording's address in the form is never looked at; what is no key counts as a key without meaning. How a wait for an operator, or
    the talk, has ended is not for the carrier to say: it is silence here, and the desk knows.
    Raises UnknownWord for an AnsweredBy without meaning here.
    """
    if step == 0:
        return _answer(form.get("AnsweredBy", ""))
    if "RecordingSid" in form or "RecordingUrl" in form:
        return Recorded(sid(form.get("RecordingSid")), number(form.get("RecordingDuration")), _end_of_recording(form))
    if form.get("QueueResult") in QUEUE_FAILED:
        return TransferEnded("failed")
    keys = form.get("Digits", "").strip()
    if keys and keys != LEFT:
        return Digits(keys[:LONGEST_KEYS] if KEYS.fullmatch(keys) else "")
    return HungUp() if keys == LEFT or form.get("CallStatus") in ENDED else NoInput()


def _answer(answered_by: str) -> Event:
    kind = call_status.answerer(answered_by) if answered_by else "unknown"
    return MachineAnswered(kind) if kind in ("machine", "fax") else Answered()


def _end_of_recording(form: Mapping[str, str]) -> str:
    key = form.get("Digits", "")
    if key == LEFT or form.get("CallStatus") in ENDED:
        return LEFT
    return key[0] if KEYS.fullmatch(key) else "silence"


def call_sid(form: Mapping[str, str]) -> str:
    """The carrier's name of the call. Raises BadInput when there is none that can be one."""
    found = sid(form.get("CallSid"))
    if found is None:
        raise BadInput("the request names no call")
    return found


def sid(text: str | None) -> str | None:
    """An identifier of the carrier, or None; some carriers use UUIDs instead of two letters and 32 hex digits."""
    return text if text and SID.fullmatch(text) else None


def number(text: str | None) -> int | None:
    """A whole number of at most nine digits, or None."""
    return int(text) if text and WHOLE_NUMBER.fullmatch(text) else None


def phone(text: str | None) -> str | None:
    """A number in E.164, or None (withheld, a SIP address, nonsense)."""
    return text if text and E164.fullmatch(text) else None


def item(text: str | None) -> str:
    """The item of the script that a recording belongs to. Raises BadInput."""
    if not text or not ITEM.fullmatch(text):
        raise BadInput("the request names no item")
    return text


def failure_code(form: Mapping[str, str]) -> str:
    """Why a call failed: the SIP code of the far network, else the carrier's own code, else nothing."""
    if form.get("CallStatus") not in ENDED - {"completed"}:
        return ""
    code = number(form.get("SipResponseCode")) or number(form.get("ErrorCode"))
    return str(code) if code else ""


@dataclass(frozen=True)
class Failure:
    """What the carrier says about a document that it could not use.

    `code` is its error number. Out of the address that failed: the attempt's `token`, the `step` that was asked for, and
    `was_excused`: whether that was our second try.
    """

    code: int | None
    token: str | None
    step: int | None
    was_excused: bool

    def step_of(self, token: str) -> int | None:
        """The step of this attempt that failed, if the address was one of its own."""
        return self.step if self.token == token else None

    @property
    def is_lasting(self) -> bool:
        """Whether the document itself is to blame, and not the way to it: it would fail again."""
        return self.code is not None and (self.code // 100 != UNREACHED or self.code == TOO_MANY_REDIRECTS)


def failure(form: Mapping[str, str]) -> Failure:
    """Why the carrier turned to a fallback, and where it was then."""
    path, _, query = form.get("ErrorUrl", "").partition("#")[0].partition("?")
    found = STEP.search(path)
    token, step = (found["token"], int(found["step"])) if found else (None, None)
    return Failure(number(form.get("ErrorCode")), token, step, "again=" in query)
