"""What the console needs from the wiring, and how views reach it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flask import current_app
from sqlalchemy.orm import Session, sessionmaker

from survey.ports import Announcer, Clock, JobQueue
from survey.store.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from ivr.console.company import Company
    from ivr.console.hub import Hub
    from survey.fieldwork import Office

KEY = "huifang"


def _unasked() -> tuple[int, dict[str, str]]:
    return 503, {"status": "unknown"}


@dataclass(frozen=True)
class Operations:
    """What machines may ask: `ready` gives the status of `/readyz` and what was found, `metrics` the text to scrape, `sweep_age` the
    seconds since the clock process was last seen (None: never); `token` opens them to other machines, empty to none.
    """

    ready: Callable[[], tuple[int, dict[str, str]]] = _unasked
    metrics: Callable[[], str] = str
    sweep_age: Callable[[], float | None] = lambda: None
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Live:
    """How open pages learn what has changed: who is told after a commit, whose sockets are told, and who looks at the same page."""

    announcer: Announcer
    hub: Hub
    company: Company


@dataclass(frozen=True)
class ConsoleServices:
    """Everything the console may use; built once per process by the wiring.

    `sessions` may write, `reads` are bound to `survey.store.database.reading(engine)`; `office` brings keys, audit key and
    bureau; `environment` is demo, test or production; `simulated` says that no real telephone will ring; `secret_key` (at least
    32 bytes) signs the cookie; `https` says that browsers come by https (then the cookie is `__Host-` and Secure, and HSTS is
    sent); `data` is the data folder, below which recordings lie; `proxies` counts the trusted proxies in front (0: none, and
    X-Forwarded-For is not believed); `operations` is what machines may ask; `second_factor_roles` must log in with a code;
    `order_template` is the bureau's own template of the order, None for the shipped one;
    `next_day` moves the demonstration's clock on for somebody (None: there is nothing to move), and raises SurveyError when it cannot;
    without `live` every page looks by itself.
    """

    sessions: sessionmaker[Session]
    reads: sessionmaker[Session]
    queue: JobQueue
    clock: Clock
    office: Office
    environment: str
    simulated: bool
    secret_key: bytes
    https: bool
    data: Path
    proxies: int = 0
    operations: Operations = field(default_factory=Operations)
    second_factor_roles: frozenset[str] = frozenset()
    order_template: Path | None = None
    next_day: Callable[[str], datetime] | None = None
    live: Live | None = None

    def unit_of_work(self) -> UnitOfWork:
        """A transaction that may write; after the commit jobs asked for in it are woken, and open pages told."""
        return UnitOfWork(self.sessions, self.queue, self.live.announcer if self.live else None)


def services() -> ConsoleServices:
    """The services of the running console."""
    found: ConsoleServices = current_app.extensions[KEY]
    return found
