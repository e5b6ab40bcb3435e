"""What to do next, in order. Two readers share the list: `fieldwork` applies the recording
actions (they change the database), a renderer (TwiML, terminal, browser phone) plays the speaking ones.
"""

from dataclasses import dataclass

from survey.disposition import Disposition


@dataclass(frozen=True)
class SaveAnswer:
    """Store the answer to one item; a second one for the same item replaces the first (the person went back).

    `code` is the choice's stable code, `score` its points (None for 说不清 and for items that are not rated),
    `raw` the key or words as given, `mode` is `keys`, `speech` or `human`.
    """

    item: str
    code: str
    score: float | None
    raw: str
    mode: str
    confidence: float | None = None


@dataclass(frozen=True)
class KeepRecording:
    """A recording of the person's own words exists at the carrier and must be fetched."""

    item: str
    carrier_sid: str
    seconds: float | None


@dataclass(frozen=True)
class DropRecording:
    """A recording without any words exists at the carrier (a key ended it at once) and must be deleted there, unheard."""

    carrier_sid: str


@dataclass(frozen=True)
class OptOut:
    """The person forbade further calls: suppress the number at once, across all campaigns (R16)."""


@dataclass(frozen=True)
class CallLater:
    """The person cannot talk now: another attempt is allowed later.

    `when` is one of `booking_times.TIMES`, chosen by the person; empty: we choose by the contact rules.
    """

    when: str = ""


@dataclass(frozen=True)
class Escalate:
    """A person must look at this case. `reason`: dissatisfied, human_requested, danger, abuse_alleged."""

    reason: str


@dataclass(frozen=True)
class Withdraw:
    """What an Escalate with this `reason` told in this call holds no more: the person went back and changed the answers."""

    reason: str


@dataclass(frozen=True)
class SetDisposition:
    """The attempt's final verdict. Exactly one per walk."""

    disposition: Disposition


@dataclass(frozen=True)
class Say:
    """Speak a prompt, named by reference (`speed`, `speed.retry.1`, `notice.never`); `prompts.text` gives the words."""

    prompt: str


@dataclass(frozen=True)
class Collect:
    """Wait for one key, or for words where `listens`.

    `keys` are all keys that mean something here; the Says before it since the last wait are its prompt.
    """

    keys: str
    timeout_seconds: int
    barge_in: bool = True
    listens: bool = True


@dataclass(frozen=True)
class Record:
    """Beep, then record until one of the keys in `end_key`, `silence_seconds` of silence, hanging up, or `max_seconds`.

    `end_key` is a set of keys like TwiML's finishOnKey: `#`, the key for "nothing to say", and the global keys.
    """

    item: str
    max_seconds: int
    end_key: str
    silence_seconds: int = 5


@dataclass(frozen=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True)
class Transfer:
    """Have the person wait for an operator who takes the call over; `reason` is one of `script.TRANSFER_REASONS`."""

    reason: str


@dataclass(frozen=True)
class Join:
    """Bring the person together with the operator, who is on the line by now."""


RecordingAction = SaveAnswer | KeepRecording | DropRecording | OptOut | CallLater | Escalate | Withdraw | SetDisposition
SpeakingAction = Say | Collect | Record | Transfer | Join | Hangup
Action = RecordingAction | SpeakingAction
