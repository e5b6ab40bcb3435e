"""Who is looking at the same page (O33): kept in Redis for some seconds at a time, by topic and the ids of accounts."""

import logging
import time

from redis import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

PREFIX = "huifang:company:"
STAY_SECONDS = 12
"""How long somebody counts as present who is not heard of again: two looks of a page that refreshes itself, and some patience."""

DEAF_SECONDS = 2.0
"""How long a Redis that did not answer is left alone."""


class RedisCompany:
    """`ivr.console.company.Company` in Redis: a set of ids for each topic, and a key that runs out for each of them.

    `connection` must have short time-outs. While Redis is away nobody is seen; nothing else depends on it.
    """

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._deaf_until = 0.0

    def note(self, topic: str, user_id: int) -> bool:
        """Somebody is looking at it now; whether they were not before."""
        if self._is_deaf():
            return False
        members, own = PREFIX + topic, f"{PREFIX}{topic}:{user_id}"
        try:
            with self._connection.pipeline() as together:
                together.exists(own)
                together.set(own, "1", ex=STAY_SECONDS)
                together.sadd(members, user_id)
                together.expire(members, STAY_SECONDS)
                return not together.execute()[0]
        except RedisError as problem:
            self._fall_deaf(problem)
            return False

    def leave(self, topic: str, user_id: int) -> None:
        """They look at it no more."""
        if self._is_deaf():
            return
        try:
            with self._connection.pipeline() as together:
                together.delete(f"{PREFIX}{topic}:{user_id}")
                together.srem(PREFIX + topic, user_id)
                together.execute()
        except RedisError as problem:
            self._fall_deaf(problem)

    def of(self, topic: str) -> frozenset[int]:
        """The ids of everybody who is looking at it."""
        if self._is_deaf():
            return frozenset()
        try:
            members = sorted(int(member) for member in self._connection.smembers(PREFIX + topic))
            present = self._connection.mget([f"{PREFIX}{topic}:{member}" for member in members]) if members else []
        except RedisError as problem:
            self._fall_deaf(problem)
            return frozenset()
        return frozenset(member for member, sign in zip(members, present, strict=True) if sign is not None)

    def _is_deaf(self) -> bool:
        return time.monotonic() < self._deaf_until

    def _fall_deaf(self, problem: RedisError) -> None:
        self._deaf_until = time.monotonic() + DEAF_SECONDS
        log.info("who is looking is not known: %s", type(problem).__name__, extra={"action": "company.unknown"})
