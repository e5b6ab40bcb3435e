"""The carrier's media-stream messages as values (twilio_voice §4). Pure; nothing in a message is trusted."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TOKEN = re.compile(r"[0-9a-f]{32}")
NAME = re.compile(r"[A-Za-z0-9-]{2,64}")
LONGEST_PROMPT_SECONDS = 300.0
MOST_PAYLOAD = 48 * 1024


class BadMessage(Exception):
    """A message that no carrier sends."""


@dataclass(frozen=True)
class Began:
    """A stream begins: whose, for which call, and what our own document gave it to say about itself."""

    account_sid: str
    call_sid: str
    stream_sid: str
    token: str
    step: int
    prompt_seconds: float


@dataclass(frozen=True)
class Sound:
    """A piece of what the caller says: 8 kHz mu-law."""

    mulaw: bytes


@dataclass(frozen=True)
class Ended:
    """The stream is over."""


@dataclass(frozen=True)
class Other:
    """A message that asks for nothing: connected, marks, keys, the other track, a word that is new to us."""


Message = Began | Sound | Ended | Other


def read(text: str) -> Message:
    """The message in a text frame. Raises BadMessage."""
    try:
        data = json.loads(text)
        match data["event"]:
            case "start":
                return _began(data["start"])
            case "media":
                return _sound(data["media"])
            case "stop":
                return Ended()
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise BadMessage(type(problem).__name__) from problem
    return Other()


def _began(start: Mapping[str, Any]) -> Began:
    given, form = start["customParameters"], start.get("mediaFormat", {})
    token, call_sid, step = str(given["token"]), str(start["callSid"]), str(given["step"])
    if (form.get("encoding", "audio/x-mulaw"), int(form.get("sampleRate", 8000))) != ("audio/x-mulaw", 8000):
        raise BadMessage("not 8 kHz mu-law")
    if not TOKEN.fullmatch(token) or not NAME.fullmatch(call_sid) or not (step.isascii() and step.isdecimal() and len(step) <= 9):
        raise BadMessage("token, step or call")
    seconds = float(given.get("prompt_seconds", "0"))
    if not 0.0 <= seconds <= LONGEST_PROMPT_SECONDS:
        raise BadMessage("prompt_seconds")
    return Began(str(start["accountSid"]), call_sid, str(start.get("streamSid", "")), token, int(step), seconds)


def _sound(media: Mapping[str, Any]) -> Sound | Other:
    if str(media.get("track", "inbound")).removesuffix("_track") != "inbound":
        return Other()
    payload = media["payload"]
    if not isinstance(payload, str) or len(payload) > MOST_PAYLOAD:
        raise BadMessage("payload")
    try:
        return Sound(base64.b64decode(payload, validate=True))
    except binascii.Error as problem:
        raise BadMessage("payload") from problem
