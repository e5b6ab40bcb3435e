"""A carrier whose answers are timed and counted; what it does is the carrier's behind it."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from ivr import measures
from ivr.carrier.base import Accepted, CallRequest, Carrier, CarrierCall, CarrierError, CarrierGone, Placement, Rejected, Unknown

T = TypeVar("T")


class MeasuredCarrier:
    """Hands every request on to the carrier `behind`."""

    def __init__(self, behind: Carrier) -> None:
        self.behind = behind

    def place_call(self, request: CallRequest) -> Placement:
        """Ask for one call, once."""
        return _measured("place_call", lambda: self.behind.place_call(request))

    def hang_up(self, sid: str, *, ringing_only: bool = False) -> None:
        """End a call. Raises CarrierError."""
        _measured("hang_up", lambda: self.behind.hang_up(sid, ringing_only=ringing_only))

    def redirect(self, sid: str, url: str, limit_seconds: int | None = None) -> None:
        """Have a call go on with another document. Raises CarrierError."""
        _measured("redirect", lambda: self.behind.redirect(sid, url, limit_seconds))

    def hold(self, room: str, call_sid: str, on: bool, url: str) -> None:
        """Take a call out of a room's conversation, or bring it back. Raises CarrierGone, CarrierError."""
        _measured("hold", lambda: self.behind.hold(room, call_sid, on, url))

    def mute(self, room: str, call_sid: str, on: bool) -> None:
        """Let a call in a room not be heard, or be heard again. Raises CarrierGone, CarrierError."""
        _measured("mute", lambda: self.behind.mute(room, call_sid, on))

    def fetch_call(self, sid: str) -> CarrierCall:
        """The call as the carrier sees it now. Raises CarrierGone, CarrierError."""
        return _measured("fetch_call", lambda: self.behind.fetch_call(sid))

    def find_calls(self, to: str, since: datetime) -> list[CarrierCall]:
        """Calls to a number. Raises CarrierError."""
        return _measured("find_calls", lambda: self.behind.find_calls(to, since))

    def fetch_recording(self, sid: str) -> bytes:
        """The sound of a recording. Raises CarrierGone, CarrierError."""
        return _measured("fetch_recording", lambda: self.behind.fetch_recording(sid))

    def delete_recording(self, sid: str) -> None:
        """Delete the carrier's copy. Raises CarrierError."""
        _measured("delete_recording", lambda: self.behind.delete_recording(sid))


def _measured(operation: str, ask: Callable[[], T]) -> T:
    began, outcome = time.perf_counter(), "failed"
    try:
        answer = ask()
        outcome = _outcome(answer)
        return answer
    except CarrierGone:
        outcome = "gone"
        raise
    except CarrierError:
        outcome = "error"
        raise
    finally:
        measures.carrier_asked(operation, outcome, time.perf_counter() - began)


def _outcome(answer: object) -> str:
    """One word of ours: `accepted`, `unknown`, or why the carrier rejected a call; `done` for every other request."""
    match answer:
        case Accepted():
            return "accepted"
        case Rejected(kind=kind):
            return kind
        case Unknown():
            return "unknown"
    return "done"
