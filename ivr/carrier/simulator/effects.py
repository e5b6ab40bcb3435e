"""What a call asks of the exchange, and how the exchange interrupts a call.

A call's story is a generator: it yields these values and is resumed with the result. So a handset does no I/O and
knows no clock of its own.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ivr.carrier.simulator.calls import Call


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


Effect = Wait | Fetch | Download | Deliver
Story = Generator[Effect, Any, Any]


class Interrupted(Exception):
    """Something outside the call changes its course."""


class Ended(Interrupted):
    """The call is ended by request or by its time limit."""


class LegEnded(Interrupted):
    """A dialled leg of the call is ended by request."""


class Redirected(Interrupted):
    """The call goes on with another document at once."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.url)
        self.target = target


class Dequeued(Interrupted):
    """The call leaves its queue by request, to run a document; `result` is the QueueResult."""

    def __init__(self, target: Target | None, result: str) -> None:
        super().__init__(result)
        self.target, self.result = target, result


class HungUp(Exception):
    """The person at the handset left."""
