"""`/readyz`: whether this house can do its work, and if not, which of its needs is unmet. No versions, no names of machines."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from functools import cache

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config.clock import SystemClock
from config.gauges import sweep_age
from config.sweep import LEASE
from config.wiring import House
from survey.alarms import SWEEP_SILENT_SECONDS
from survey.errors import CannotUnseal
from survey.store import leases
from survey.store.database import reading, session_factory
from survey.store.queries import operations
from survey.store.sealing import place
from worker.disk_room import has_room

log = logging.getLogger(__name__)

OK, FAILING, DEGRADED, UNKNOWN = "ok", "failing", "degraded", "unknown"
ANSWER_SECONDS = 1.0
NEEDS = ("database", "migration", "disk", "keys", "redis", "sweep")
FATAL_FOR_CALLS = frozenset({"database", "migration", "disk", "keys"})
"""Without these no turn can be kept. Turns need no Redis and no sweep."""

FATAL = FATAL_FOR_CALLS | {"sweep"}
PROBE = "readiness"


class Bounded:
    """Asks something in a thread of its own and waits ANSWER_SECONDS; while an answer is outstanding nothing more is asked."""

    def __init__(self, ask: Callable[[], dict[str, str]], otherwise: dict[str, str]) -> None:
        self._ask, self._otherwise = ask, otherwise
        self._lock = threading.Lock()

    def __call__(self) -> dict[str, str]:
        """The answer, or `otherwise` when it does not come in time."""
        if not self._lock.acquire(blocking=False):
            return self._otherwise
        answer: list[dict[str, str]] = []
        done = threading.Event()
        threading.Thread(target=self._run, args=(answer, done), name=PROBE, daemon=True).start()
        done.wait(ANSWER_SECONDS)
        return answer[0] if answer else self._otherwise

    def _run(self, answer: list[dict[str, str]], done: threading.Event) -> None:
        try:
            answer.append(self._ask())
        except Exception:
            log.exception("a need could not be looked at", extra={"action": "readiness.failed"})
        finally:
            self._lock.release()
            done.set()


class Readiness:
    """Looks at everything whenever it is asked. `fatal` are the needs without which the answer is 503."""

    def __init__(self, house: House, fatal: frozenset[str] = FATAL) -> None:
        self._house, self._fatal = house, fatal
        self._stored = Bounded(self._look_at_what_is_stored, {"database": FAILING})
        self._redis = Bounded(self._look_at_redis, {"redis": DEGRADED})

    def __call__(self) -> tuple[int, dict[str, str]]:
        """The HTTP status, and for each need: ok, degraded, failing, or unknown because the database could not be asked."""
        disk = {"disk": OK if has_room(self._house.data) else FAILING}
        found = dict.fromkeys(NEEDS, UNKNOWN) | disk | self._redis() | self._stored()
        found = {need: DEGRADED if state == FAILING and need not in self._fatal else state for need, state in found.items()}
        status = 503 if FAILING in found.values() else 200
        return status, {"status": OK if status == 200 else FAILING, **found}

    def _look_at_redis(self) -> dict[str, str]:
        try:
            return {"redis": OK if self._house.redis.ping() else DEGRADED}
        except RedisError:
            return {"redis": DEGRADED}

    def _look_at_what_is_stored(self) -> dict[str, str]:
        real = SystemClock().now()
        try:
            if not self._is_migrated():
                return {"database": OK, "migration": FAILING}
            with session_factory(self._house.look_engine).begin() as session:
                leases.hold(session, PROBE, PROBE, real, LEASE)
            with session_factory(reading(self._house.look_engine))() as session:
                sweep = OK if self._is_swept(session, real) else FAILING
                keys = OK if self._can_open(session) else FAILING
        except SQLAlchemyError as problem:
            log.warning("the database is not ready: %s", type(problem).__name__, extra={"action": "readiness.no_database"})
            return {"database": FAILING}
        return {"database": OK, "migration": OK, "sweep": sweep, "keys": keys}

    def _is_migrated(self) -> bool:
        """Whether the tables are those of this program, or of a newer one: these only add, and in an upgrade it is about to take over."""
        from survey.store.migrations import current

        found, (head, known) = current(reading(self._house.look_engine)), _revisions()
        return found == head or (found is not None and found not in known)

    def _is_swept(self, session: Session, real: datetime) -> bool:
        age = sweep_age(operations.sweep_until(session), LEASE, real)
        return age is not None and age <= SWEEP_SILENT_SECONDS

    def _can_open(self, session: Session) -> bool:
        """Whether the keys in force open what was sealed last."""
        sealed = operations.a_sealed_number(session)
        try:
            return sealed is None or self._house.keys.open(sealed[1], place("incidents", "phone_sealed", sealed[0])) is not None
        except CannotUnseal as problem:
            log.error("the keys do not open what is stored: %s", problem, extra={"action": "readiness.keys"})
            return False


@cache
def _revisions() -> tuple[str, frozenset[str]]:
    from survey.store.migrations import head, revisions

    return head(), revisions()
