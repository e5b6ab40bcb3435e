"""Who hears whom: calls that are joined share a room, and whoever speaks there is heard by all the others."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ivr.carrier.simulator.calls import Call


@dataclass
class Bridge:
    """The rooms of an exchange, in memory. `changed` hears of each call that hears others than before. Safe for use by many threads."""

    changed: Callable[[Call], None] = lambda _: None
    _rooms: dict[str, list[Call]] = field(default_factory=dict)  # by the call's sid; members share one list
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def join(self, call: Call, other: Call) -> None:
        """From now on the two hear each other, and whoever is in a room with either of them."""
        with self._lock:
            room, second = self._rooms.get(call.sid, [call]), self._rooms.get(other.sid, [other])
            room.extend(member for member in second if member not in room)
            self._rooms.update({member.sid: room for member in room})
            members = tuple(room)
        for member in members:
            self.changed(member)

    def part(self, call: Call) -> tuple[Call, ...]:
        """From now on the call hears nobody; gives those whom it heard."""
        with self._lock:
            room = self._rooms.pop(call.sid, [])
            left = [member for member in room if member is not call]
            room[:] = left
            if len(left) == 1:
                self._rooms.pop(left[0].sid, None)
        for member in (call, *left) if left else ():
            self.changed(member)
        return tuple(left)

    def others(self, call: Call) -> tuple[Call, ...]:
        """Those who hear the call."""
        with self._lock:
            return tuple(member for member in self._rooms.get(call.sid, ()) if member is not call)
