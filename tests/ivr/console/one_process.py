"""Announcements and company of a console that is alone: small stand-ins for `worker.announcing` and `worker.company`."""

import queue
from collections.abc import Collection


class InlineAnnouncer:
    """Announcer and feed. `is_silent`: nothing is heard, as with Redis away."""

    def __init__(self) -> None:
        self._announced: queue.SimpleQueue[Collection[str]] = queue.SimpleQueue()
        self.is_silent = False

    def announce(self, topics: Collection[str]) -> None:
        """Hand them to the feed."""
        if not self.is_silent:
            self._announced.put(frozenset(topics))

    def next(self, seconds: float) -> Collection[str] | None:
        """What was announced next, or nothing."""
        if self.is_silent:
            return None
        try:
            return self._announced.get(timeout=seconds)
        except queue.Empty:
            return None if self.is_silent else ()

    def close(self) -> None:
        """There is nothing to close."""


class InlineCompany:
    """Who is looking; nobody runs out."""

    def __init__(self) -> None:
        self._present: set[tuple[str, int]] = set()

    def note(self, topic: str, user_id: int) -> bool:
        """Somebody is looking at it now; whether they were not before."""
        is_new = (topic, user_id) not in self._present
        self._present.add((topic, user_id))
        return is_new

    def leave(self, topic: str, user_id: int) -> None:
        """They look at it no more."""
        self._present.discard((topic, user_id))

    def of(self, topic: str) -> frozenset[int]:
        """The ids of everybody who is looking at it."""
        return frozenset(user_id for one, user_id in self._present if one == topic)
