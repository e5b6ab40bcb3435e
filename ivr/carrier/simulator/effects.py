"""What a call asks of the exchange, and how the exchange interrupts a call.

A call's story is a generator: it yields these values and is resumed with the result. So a handset does no I/O and
knows no clock of its own.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from ivr.carrier.simulator.voices import Utterance

if TYPE_CHECKING:
    from ivr.carrier.simulator.calls import Call, Said, Stream
    from ivr.carrier.simulator.phone import Person


@dataclass(frozen=True)
class Target:
    """A document to be asked for. `extra` are the parameters beside the standard ones; `twiml` is a document given inline."""

    url: str
    method: str = "POST"
    extra: Mapping[str, str] = field(default_factory=dict)
    twiml: str | None = None


@dataclass(frozen=True)
class Wait:
    """Let `seconds` pass; None waits until interrupted."""

    seconds: float | None


@dataclass(frozen=True)
class Await:
    """Let up to `seconds` pass: it ends as soon as somebody wakes the call, which may be for nothing."""

    seconds: float


@dataclass(frozen=True)
class Fetch:
    """Send a web-hook whose reply is obeyed; resumes with a Reply."""

    call: "Call"
    target: Target
    params: Mapping[str, str]


@dataclass(frozen=True)
class Download:
    """Get a sound to be played; resumes with a Reply. Not signed, no parameters."""

    url: str


@dataclass(frozen=True)
class Deliver:
    """Send a web-hook whose reply nobody waits for, `after` seconds from now. `kind`: status, recording, machine, stream."""

    call: "Call"
    kind: str
    target: Target
    params: Mapping[str, str]
    after: float = 0.0


@dataclass(frozen=True)
class Attach:
    """Open a stream of the call's sound."""

    call: "Call"
    stream: "Stream"


@dataclass(frozen=True)
class Detach:
    """Close the call's stream of this name; nothing happens when there is none."""

    call: "Call"
    name: str


@dataclass(frozen=True)
class Measure:
    """Resumes with the seconds that it takes to say this, None when there is no voice for it."""

    utterance: Utterance


@dataclass(frozen=True)
class Utter:
    """Say something into the call's streams, no longer than `seconds`; `said` learns when it was over.

    In real time the words begin now. In virtual time they end now, and with `is_waiting` somebody who has heard them may redirect the
    call within the exchange's patience, which is real.
    """

    call: "Call"
    utterance: Utterance
    seconds: float
    said: "Said"
    is_waiting: bool = True


@dataclass(frozen=True)
class Ring:
    """Let a browser phone ring; the person is busy when it has another call."""

    person: "Person"


@dataclass(frozen=True)
class Show:
    """Let a browser phone show how its call stands."""

    person: "Person"


@dataclass(frozen=True)
class Prompt:
    """Let the person at a browser phone hear words, or a sound file; resumes with its seconds, 0 when there is no voice for them."""

    person: "Person"
    text: str
    language: str = ""
    sound: bytes = b""


@dataclass(frozen=True)
class Hush:
    """Stop what the person at a browser phone hears."""

    person: "Person"


Effect = Wait | Await | Fetch | Download | Deliver | Attach | Detach | Measure | Utter | Ring | Show | Prompt | Hush
Story = Generator[Effect, Any, Any]


class Interrupted(Exception):
    """Something outside the call changes its course."""


class Ended(Interrupted):
    """The call is ended by request or by its time limit."""


class PutDown(Ended):
    """The person at a browser phone hangs up."""


class LegEnded(Interrupted):
    """A dialled leg of the call is ended by request."""


class Redirected(Interrupted):
    """The call goes on with another document at once. `received_at` is real, seconds of the monotonic clock."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.url)
        self.target, self.received_at = target, monotonic()


class Dequeued(Interrupted):
    """The call leaves its queue by request, to run a document; `result` is the QueueResult."""

    def __init__(self, target: Target | None, result: str) -> None:
        super().__init__(result)
        self.target, self.result = target, result


class HungUp(Exception):
    """The person at the handset left."""


class Unplayable(Exception):
    """The document that was to fill the time in a queue or a conference cannot be obeyed."""
