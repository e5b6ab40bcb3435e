"""Somebody at a browser phone: a person of flesh and blood, whose doings come from outside, whenever they like."""

from collections import deque
from dataclasses import dataclass

from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.persona import Persona, PickUp, Traits

UNHURRIED = Traits(talk_seconds=86400.0, patience_seconds=86400.0)  # how long they talk and wait is theirs to decide
KEYS = "1234567890*#"
PHONE = "phone"
"""What a call's callee is named when a browser phone was called."""


@dataclass(frozen=True)
class Line:
    """One line of what passed: `by` is `line` for what the person heard, `person` for the keys that they pressed."""

    by: str
    text: str


class Person(Persona):
    """One call of a browser phone. `phase` goes from `called` by `ringing` and `talking` to `over`.

    Before it is answered `status` is `busy` when the person declines; in the end it is the call's.
    """

    def __init__(self, number: str) -> None:
        super().__init__(UNHURRIED, number, 0, 1)
        self.call: Call | None = None
        self.phase, self.status, self.has_lifted = "called", "", False
        self.keys: deque[str] = deque()
        self.lines: list[Line] = []
        self.is_recorded = False
        self.tape = bytearray()  # µ-law, while recorded
        self.spoke_at = 0.0  # on the exchange's clock

    @property
    def is_ringing(self) -> bool:
        """Whether nobody has decided yet."""
        return self.phase == "ringing" and not self.has_lifted

    def pick_up(self) -> PickUp:
        """What the call has come to so far."""
        if self.has_lifted:
            return PickUp("answered", 0.0)
        if self.status == "busy":
            return PickUp("busy", 0.0, sip_code=486)
        return PickUp("no-answer", 600.0, sip_code=487)

    def lift(self) -> None:
        """Answer the call that rings; the carrier has to know of it before anything can be said."""
        self.has_lifted = self.phase == "ringing"

    def connect(self) -> None:
        """The call is answered."""
        self.phase = "talking"

    def decline(self) -> None:
        """Refuse the call that rings."""
        if self.phase in ("called", "ringing"):
            self.phase, self.status, self.has_lifted = "over", "busy", False

    def press(self, key: str) -> None:
        """Press one key."""
        self.keys.append(key)
        self.lines.append(Line("person", key))

    def say(self, text: str) -> None:
        """Note what the person is told."""
        self.lines.append(Line("line", text))

    def end(self, status: str) -> None:
        """The call is over."""
        self.phase, self.status, self.is_recorded = "over", status, False

    def understand(self, heard: str) -> None:
        """Note which question was heard."""
        self._understand(heard)
