"""How open pages learn what has changed: announcements over Redis from every process, and a feed of them for the console.

Nothing is kept: who was not listening looks at the database. Topics are kinds and ids of rows, never personal data.
"""

import json
import logging
import time
from collections.abc import Collection

from redis import Redis
from redis.client import PubSub
from redis.exceptions import RedisError

from ivr import measures

log = logging.getLogger(__name__)

CHANNEL = "huifang:changed"
DEAF_SECONDS = 2.0
"""How long a Redis that did not answer is left alone: whoever commits meanwhile does not wait for it."""

QUIET_SECONDS, LOST_SECONDS = 1.0, 2.0
"""After how long without a word the server is asked for one, and after how long one that has been asked counts as gone. With the hub's
look and the time after which a page without a socket says so (live.js), below the five seconds of O5."""


class RedisAnnouncer:
    """`survey.ports.Announcer` over Redis. `connection` must have short time-outs."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._deaf_until = 0.0

    def announce(self, topics: Collection[str]) -> None:
        """Publish them in one message; one that could not be published is counted, logged and forgotten."""
        if time.monotonic() < self._deaf_until:
            measures.announcement_lost()
            return
        try:
            self._connection.publish(CHANNEL, json.dumps(sorted(topics)))
        except (RedisError, OSError) as problem:
            self._deaf_until = time.monotonic() + DEAF_SECONDS
            measures.announcement_lost()
            log.warning("could not announce a change: %s", type(problem).__name__, extra={"action": "announcement.lost"})


class RedisFeed:
    """`ivr.console.hub.Feed` over Redis, for one thread."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._heard: PubSub | None = None
        self._word_at = self._asked_at = 0.0

    def next(self, seconds: float) -> Collection[str] | None:
        """What was announced next, nothing if there was nothing for `seconds`; None while the server cannot be heard."""
        try:
            return self._next(seconds)
        except (RedisError, OSError, ValueError) as problem:
            if self._heard is not None:
                log.warning("announcements cannot be heard: %s", type(problem).__name__, extra={"action": "announcements.deaf"})
            self.close()
            return None

    def _next(self, seconds: float) -> Collection[str]:
        if self._heard is None:
            self._heard = self._subscribed(seconds)
            self._word_at = self._asked_at = time.monotonic()
            return ()
        message = self._heard.get_message(timeout=seconds)
        now = time.monotonic()
        if message is not None:
            self._word_at = now
            return _topics(message["data"]) if message["type"] == "message" else ()
        if self._asked_at > self._word_at and now - self._word_at > LOST_SECONDS:
            raise TimeoutError("no word from the server")
        if now - max(self._word_at, self._asked_at) > QUIET_SECONDS:
            self._heard.ping()
            self._asked_at = now
        return ()

    def _subscribed(self, seconds: float) -> PubSub:
        """Listening from here on: the server has confirmed it."""
        heard: PubSub = self._connection.pubsub()  # type: ignore[no-untyped-call]
        heard.subscribe(CHANNEL)
        if heard.get_message(timeout=seconds) is None:
            heard.close()
            raise TimeoutError("no word from the server")
        return heard

    def close(self) -> None:
        """Listen no more; the next question listens anew."""
        heard, self._heard = self._heard, None
        if heard is not None:
            try:
                heard.close()
            except (RedisError, OSError):  # it is gone already
                return


def _topics(data: bytes) -> Collection[str]:
    """What an announcement says. Raises ValueError when it is none of ours."""
    found = json.loads(data)
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ValueError("not a list of topics")
    return found
