"""What a handset may ask of its exchange without waiting."""

from collections import deque
from typing import Protocol

from ivr.carrier.simulator.bridge import Bridge
from ivr.carrier.simulator.calls import Call, Recording
from ivr.carrier.simulator.conferences_room import Change, Rooms
from ivr.carrier.simulator.effects import Interrupted
from ivr.carrier.simulator.persona import Persona


class WaitingLine:
    """A queue of calls, first in, first out."""

    def __init__(self, sid: str, name: str, created_at: float, max_size: int = 1000) -> None:
        self.sid, self.name, self.created_at, self.max_size = sid, name, created_at, max_size
        self.members: deque[tuple[Call, float]] = deque()
        self.waits: list[float] = []

    @property
    def average_wait(self) -> int:
        """Mean time in the queue of those who left it, whole seconds."""
        return round(sum(self.waits) / len(self.waits)) if self.waits else 0


class Line(Protocol):
    """What a callee's voice goes into."""

    def listens(self, call: Call) -> bool:
        """Whether it reaches the application."""
        ...

    @property
    def is_real(self) -> bool:
        """Whether time passes by itself."""
        ...


class Network(Protocol):
    """The exchange as a handset sees it."""

    @property
    def media(self) -> Line:
        """Where callees' voices go."""
        ...

    @property
    def bridge(self) -> Bridge:
        """Who hears whom."""
        ...

    @property
    def rooms(self) -> Rooms:
        """The conferences."""
        ...

    def room_changed(self, change: Change) -> None:
        """Do what follows from a change in a conference: callbacks, waking whom it concerns, who hears whom."""
        ...

    def new_sid(self, prefix: str, call: Call, number: int) -> str:
        """A fresh identifier, the same for the same call and number."""
        ...

    def recording_url(self, sid: str) -> str:
        """Where a recording will be found: absolute, without extension."""
        ...

    def keep_recording(self, recording: Recording) -> None:
        """Make a recording findable."""
        ...

    def ring(self, parent: Call, to: str, caller_id: str) -> tuple[Call, Persona]:
        """A new leg of `parent` and who will answer it."""
        ...

    def waiting_line(self, name: str) -> WaitingLine:
        """The queue of that name, made when there is none."""
        ...

    def interrupt(self, call: Call, interruption: Interrupted) -> None:
        """Change the course of another call."""
        ...

    def wake(self, call: Call) -> None:
        """End what another call awaits."""
        ...

    def limit(self, call: Call) -> None:
        """See to it that a call ends when its time limit is over, and a machine's when its tape is."""
        ...
