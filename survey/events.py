"""What happened on the line. The words are VoiceXML's where it has them: filled, noinput, disconnect.

Every event is a frozen value and survives JSON: `from_json(to_json(event)) == event`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answered:
    """The call was picked up; nothing has been said yet."""


@dataclass(frozen=True)
class Digits:
    """Keys were pressed (filled). `keys` is what the carrier delivered: possibly empty of meaning, never trusted."""

    keys: str


@dataclass(frozen=True)
class Heard:
    """Speech was understood (filled) or not (`code` is None: nomatch). `confidence` is 0.0 to 1.0."""

    code: str | None
    confidence: float
    text: str = ""


@dataclass(frozen=True)
class NoInput:
    """The person stayed silent until the time was up."""


@dataclass(frozen=True)
class Recorded:
    """A recording ended. `ended_by` is the key that ended it (`#`, `1`, `9`...), `silence` or `hangup`."""

    carrier_sid: str | None
    seconds: float | None
    ended_by: str


@dataclass(frozen=True)
class MachineAnswered:
    """The carrier takes the answerer for a machine: `kind` is `machine` or `fax`."""

    kind: str


@dataclass(frozen=True)
class HungUp:
    """The person left (disconnect)."""


@dataclass(frozen=True)
class LineFailed:
    """The connection broke, or our own system had to end the call: nobody wanted it to end."""


@dataclass(frozen=True)
class OperatorReady:
    """An operator has taken the call and is on the line."""


@dataclass(frozen=True)
class TransferEnded:
    """The wait for an operator, or the talk with one, is over; `result` is a word of `TRANSFER_RESULTS`.

    `answers` are what the operator wrote down meanwhile, item to code.
    """

    result: str
    answers: Mapping[str, str] = field(default_factory=dict)


TRANSFER_RESULTS = ("nobody", "failed", "lost", "ended", "handed_back")
"""nobody took it in time; the carrier could not; the operator's line broke; the operator ended the call, or gave it back to the script."""

Event = Answered | Digits | Heard | NoInput | Recorded | MachineAnswered | HungUp | LineFailed | OperatorReady | TransferEnded
KINDS: dict[str, type] = {
    "answered": Answered, "digits": Digits, "heard": Heard, "noinput": NoInput,
    "recorded": Recorded, "machine": MachineAnswered, "hungup": HungUp,
    "linefailed": LineFailed, "operator": OperatorReady, "transferended": TransferEnded,
}  # fmt: skip
NAMES = {kind: name for name, kind in KINDS.items()}


def to_json(event: Event) -> dict[str, Any]:
    """The event as a JSON object with its kind under `event`."""
    return {"event": NAMES[type(event)], **asdict(event)}


def from_json(data: dict[str, Any]) -> Event:
    """The event from `to_json`'s object. Raises KeyError for an unknown kind."""
    fields = {key: value for key, value in data.items() if key != "event"}
    event: Event = KINDS[data["event"]](**fields)
    return event
