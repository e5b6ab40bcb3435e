"""A call as the exchange keeps it, and its parts: the order, recordings, notifications, what was pressed."""

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ivr.carrier.simulator.effects import Interrupted, Story, Target
from ivr.carrier.simulator.voices import Voice

TERMINAL = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
EVENTS = ("initiated", "ringing", "answered", "completed")


def digest(text: str) -> str:
    """The part of an identifier that follows its prefix: 32 hexadecimal digits, the same for the same text."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Order:
    """What the caller of the API asked for; names follow the request's parameters, times are seconds."""

    to: str
    caller_id: str
    url: str | None = None
    twiml: str | None = None
    method: str = "POST"
    fallback_url: str | None = None
    fallback_method: str = "POST"
    status_url: str | None = None
    status_method: str = "POST"
    status_events: frozenset[str] = frozenset({"completed"})
    ring_seconds: int = 60
    limit_seconds: int = 14400
    machine_detection: str = ""
    machine_asynchronous: bool = False
    machine_url: str | None = None
    machine_method: str = "POST"


@dataclass
class Recording:
    """A recording made on a call. It can be fetched from `available_at` (epoch seconds) until it is deleted."""

    sid: str
    call_sid: str
    url: str
    item: str | None
    started_at: float
    seconds: int
    spoken_seconds: float
    available_at: float
    deleted: bool = False
    text: str = ""  # what is said on it
    voice: Voice | None = None
    sound: bytes = b""  # µ-law, of somebody with a microphone


@dataclass
class Stream:
    """The sound of a call on its way to the application. `ended` tells how it came to its end; `frames` are those that were sent."""

    sid: str
    name: str
    url: str
    track: str
    parameters: dict[str, str]
    started_at: float
    status: Target | None = None
    stopped_at: float | None = None
    frames: int = 0
    ended: str = ""


@dataclass
class Said:
    """Something that the callee said to a question. `meant` is the key it stands for, or the name of the wish (`repeat`, ...).

    `spoken_at` and `redirected_at` are real seconds of the monotonic clock; the second is None when nobody redirected the call.
    """

    at: float
    url: str
    item: str | None
    text: str
    meant: str
    manner: str
    also_pressed: str = ""
    spoken_at: float | None = None
    redirected_at: float | None = None
    then: str | None = None

    @property
    def seconds_to_redirect(self) -> float | None:
        """From the end of the words to the redirection."""
        if self.spoken_at is None or self.redirected_at is None:
            return None
        return round(self.redirected_at - self.spoken_at, 3)


@dataclass(frozen=True)
class Heard:
    """Something that sounded in the callee's ear from `at` on: words, a file (`MUSIC`), or somebody at the other end (`TALK`).

    It may have been cut short by what came next.
    """

    at: float
    seconds: float
    text: str


MUSIC, TALK = "♪", "…"


@dataclass(frozen=True)
class Notification:
    """An error or warning in the account's log. `log` is 0 for an error, 1 for a warning."""

    sid: str
    at: float
    code: int
    log: int
    message: str
    url: str
    method: str


@dataclass
class Call:
    """One call (leg). Times are epoch seconds of the exchange's clock; None until they happen."""

    sid: str
    ordinal: int
    account_sid: str
    order: Order
    created_at: float
    nth: int  # how many times this number has been called, this time included
    callee: str
    direction: str = "outbound-api"
    queue_milliseconds: int = 0
    status: str = "queued"
    initiated_at: float | None = None
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    updated_at: float = 0.0
    sip_code: int | None = None
    answered_by: str | None = None
    parent: "Call | None" = None
    sequence: int = 0
    now: float = 0.0
    requests: int = 0
    hooks_sent: int = 0
    repeats_differing: list[dict[str, str]] = field(default_factory=list)  # a repeat's address and both documents
    silences: int = 0
    waits: int = 0
    presses: list[dict[str, Any]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)
    queue: str | None = None
    story: Story | None = None
    turn: int = 0
    awaiting: int = -1  # the turn whose wait ends when somebody wakes the call
    interruptions: deque[Interrupted] = field(default_factory=deque)
    agenda: list[tuple[float, int, Callable[[float], object]]] = field(default_factory=list)
    busy: bool = False
    waiting: set[int] = field(default_factory=set)  # agenda entries that the story's present wait depends on
    limits: set[int] = field(default_factory=set)  # agenda entries that end the call if it lives too long

    @property
    def person(self) -> str:
        """The address of whoever is at the other end: who calls us, or whom we call."""
        return self.order.caller_id if self.direction == "inbound" else self.order.to

    @property
    def root(self) -> "Call":
        """The call that this leg belongs to, itself when it is not a leg."""
        return self if self.parent is None else self.parent.root

    @property
    def ended(self) -> bool:
        """Whether the call has reached a final status."""
        return self.status in TERMINAL

    @property
    def seconds(self) -> int | None:
        """Length of the conversation in whole seconds, None when there was none or it goes on."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return round(self.ended_at - self.answered_at)

    def hear(self, text: str, seconds: float) -> None:
        """Note what sounds from now on."""
        if seconds > 0:
            self.heard.append(Heard(self.now, seconds, text))

    def finish(self, status: str, at: float, sip_code: int | None = None) -> None:
        """Reach a final status; the first one stays."""
        if not self.ended:
            self.status, self.ended_at, self.updated_at, self.sip_code = status, at, at, sip_code
