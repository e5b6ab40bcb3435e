"""What we ask of a telephone company, and the three ways it can answer: accepted, rejected, unknown."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class CallRequest:
    """One call to be placed. All URLs are absolute and carry the attempt's token, nothing about the person."""

    to: str  # E.164, or an operator's `sip:` address
    caller_id: str  # E.164
    answer_url: str
    fallback_url: str
    status_url: str
    machine_url: str | None  # asynchronous machine detection; None switches it off
    ring_seconds: int
    limit_seconds: int


@dataclass(frozen=True)
class Accepted:
    """The carrier took the call: it rings, or will."""

    sid: str
    queue_milliseconds: int = 0


@dataclass(frozen=True)
class Rejected:
    """The carrier refused; nothing rings. `kind` says what to do.

    bad_number: close the respondent; bad_caller_id, credentials: halt the campaign;
    busy: not processed, try again later; unreachable: the request never left; review: unlisted code, a person must look.
    """

    kind: str
    code: str
    message: str


@dataclass(frozen=True)
class Unknown:
    """Nobody knows whether it rings: time-out, reset, 5xx, unreadable answer. Never dial again blindly."""

    problem: str


Placement = Accepted | Rejected | Unknown


@dataclass(frozen=True)
class CarrierCall:
    """A call as the carrier's own list tells it. `status` is the carrier's word."""

    sid: str
    to: str
    caller_id: str
    status: str
    created_at: datetime | None
    seconds: int | None
    answered_by: str | None


class CarrierError(Exception):
    """The carrier could not be asked, or answered nonsense."""


class CarrierGone(CarrierError):
    """The carrier has no such record (any more)."""


class Carrier(Protocol):
    """A telephone company. No method is called while a database transaction is open."""

    def place_call(self, request: CallRequest) -> Placement:
        """Ask for one call, once; never repeats by itself. Does not raise for what the carrier answers."""
        ...

    def hang_up(self, sid: str, *, ringing_only: bool = False) -> None:
        """End a call (or only one that is not yet answered). Raises CarrierError."""
        ...

    def redirect(self, sid: str, url: str, limit_seconds: int | None = None) -> None:
        """Have a call that is talking go on with the document at `url`, at once, and last so long from its pick-up at most.

        Without a limit that of the call's order stands. Raises CarrierError, also when it is over.
        """
        ...

    def hold(self, room: str, call_sid: str, on: bool, url: str) -> None:
        """Let a call in the room of that name hear the document at `url` instead of the others, or bring it back.

        Raises CarrierGone when the room is over or the call not in it, CarrierError.
        """
        ...

    def mute(self, room: str, call_sid: str, on: bool) -> None:
        """Let the others in the room not hear a call, or hear it again. Raises CarrierGone as `hold` does, CarrierError."""
        ...

    def fetch_call(self, sid: str) -> CarrierCall:
        """The call as the carrier sees it now (eventually consistent). Raises CarrierGone, CarrierError."""
        ...

    def find_calls(self, to: str, since: datetime) -> list[CarrierCall]:
        """Calls to a number created at or after `since`, newest first. Raises CarrierError."""
        ...

    def fetch_recording(self, sid: str) -> bytes:
        """The WAV file of a finished recording. Raises CarrierGone when it does not exist (yet), CarrierError."""
        ...

    def delete_recording(self, sid: str) -> None:
        """Delete the carrier's copy; one that is gone counts as deleted. Raises CarrierError."""
        ...
