"""What has changed, handed on to the open pages: one thread that listens, and a seat for each socket (O3, O6, O7).

A seat holds at most one notice for each topic that its page shows: of two changes the page fetches the newer one. So no socket, slow
as it may be, makes another one or the listener wait, and none fills up.
"""

import logging
import threading
from collections.abc import Collection, Mapping
from typing import Protocol

from survey.store.topics import concerns

log = logging.getLogger(__name__)

LISTEN_SECONDS = 0.5
"""How long one look at the feed lasts: so long a stop may take."""

RETRY_SECONDS = 1.0
START_SECONDS = 2.0
"""How long the first socket waits until the feed is heard."""

GOING_AWAY, TRY_LATER, NOT_ALLOWED = 1001, 1013, 1008
"""With which code (RFC 6455) a socket is closed: the server stops; it hears nothing, or is full; the log-in is over."""


class Feed(Protocol):
    """What is announced anywhere in the house."""

    def next(self, seconds: float) -> Collection[str] | None:
        """The topics announced next, none if there was nothing for `seconds`; None while nothing can be heard."""
        ...

    def close(self) -> None:
        """Listen no more."""
        ...


class Seat:
    """One open page. `topics` maps each topic that it follows to the word that the page has for it."""

    def __init__(self, topics: Mapping[str, str]) -> None:
        self.topics = dict(topics)
        self.ends_with: int | None = None
        self._news: dict[str, int] = {}
        self._stir = threading.Condition()

    def tell(self, announced: Collection[str], version: int) -> None:
        """Keep what of it the page shows, in place of an older notice."""
        words = [word for topic, word in self.topics.items() if any(concerns(each, topic) for each in announced)]
        if words:
            with self._stir:
                self._news.update(dict.fromkeys(words, version))
                self._stir.notify()

    def end(self, code: int) -> None:
        """Have the socket closed with this code."""
        with self._stir:
            self.ends_with = code
            self._stir.notify()

    def wait(self, seconds: float) -> dict[str, int]:
        """What is new, word of the page to version, taken away; nothing after `seconds`, or when the socket is to be closed."""
        with self._stir:
            self._stir.wait_for(lambda: self._news or self.ends_with is not None, seconds)
            news, self._news = self._news, {}
            return news


class Hub:
    """The seats of this process and the thread that listens for them; `most` sockets find room."""

    def __init__(self, feed: Feed, most: int) -> None:
        self.most = most
        self._feed = feed
        self._seats: set[Seat] = set()
        self._lock = threading.Lock()
        self._heard = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._version = 0

    @property
    def open(self) -> int:
        """How many sockets are open."""
        return len(self._seats)

    def is_hearing(self) -> bool:
        """Whether announcements arrive; asked for the first time, begins to listen and waits a moment."""
        with self._lock:
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self._listen, name="announcements", daemon=True)
                self._thread.start()
        return self._heard.wait(START_SECONDS) and not self._ended.is_set()

    def join(self, topics: Mapping[str, str]) -> Seat | None:
        """A seat for a page that follows the topics; None where there is no room, or nothing is heard."""
        seat = Seat(topics)
        with self._lock:
            if len(self._seats) >= self.most or not self._heard.is_set() or self._ended.is_set():
                return None
            self._seats.add(seat)
        return seat

    def leave(self, seat: Seat) -> None:
        """The page is gone."""
        with self._lock:
            self._seats.discard(seat)

    def close(self) -> None:
        """Have every socket closed and listen no more; called by a signal, so it waits for nothing."""
        self._ended.set()
        self._end_all(GOING_AWAY)

    def _listen(self) -> None:
        while not self._ended.is_set():
            announced = self._next()
            if announced is None:
                self._fall_deaf()
            elif announced:
                self._hand_on(announced)
            else:
                self._heard.set()
        self._feed.close()

    def _next(self) -> Collection[str] | None:
        """What the feed has; a failure that nobody foresaw must not end the thread while pages believe that they are told."""
        try:
            return self._feed.next(LISTEN_SECONDS)
        except Exception:
            log.exception("announcements cannot be heard", extra={"action": "live.failed"})
            self._feed.close()
            return None

    def _hand_on(self, announced: Collection[str]) -> None:
        self._heard.set()
        self._version += 1
        for seat in tuple(self._seats):
            seat.tell(announced, self._version)

    def _fall_deaf(self) -> None:
        """Pages must not believe that nothing happens: they lose their sockets, and look by themselves until others are to be had."""
        with self._lock:
            self._heard.clear()
        if self._seats:
            log.warning("%d pages look by themselves until announcements are heard again", self.open, extra={"action": "live.deaf"})
        self._end_all(TRY_LATER)
        self._ended.wait(RETRY_SECONDS)

    def _end_all(self, code: int) -> None:
        for seat in tuple(self._seats):
            seat.end(code)
