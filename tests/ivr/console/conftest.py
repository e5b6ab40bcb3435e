"""A console over a real database in a file, a clock that stands still, and `open_page`, which checks every page it opens."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

from ivr.console.app import create_console_app
from ivr.console.hub import Hub
from ivr.console.services import ConsoleServices, Live
from survey import accounts
from survey.bureau import Bureau
from survey.fieldwork import Office
from survey.phone import NumberPolicy
from survey.store import passwords as passwords_at_rest
from survey.store.database import reading, session_factory
from survey.store.models import Unit
from survey.store.sealing import KeyRing
from tests.conftest import StandingClock
from tests.ivr.console.builders import NOON, Month, a_month
from tests.ivr.console.one_process import InlineAnnouncer, InlineCompany
from tests.ivr.console.pages import Page

OWN_UNIT = "south"


@dataclass
class SilentQueue:
    """Takes wake-ups and remembers them."""

    woken: list[tuple[str, int]] = field(default_factory=list)

    def enqueue(self, job: str, row_id: int, epoch: int = 0) -> None:
        self.woken.append((job, row_id))


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords cheaply; the real parameters are tested with the accounts."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords_at_rest, "_hasher", quick)
    monkeypatch.setattr(passwords_at_rest, "_NOBODY", quick.hash("nobody"))


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(NOON)


@pytest.fixture
def live() -> Iterator[Live]:
    """Announcements within this process; room for twelve sockets."""
    live = live_within()
    yield live
    live.hub.close()


def live_within() -> Live:
    """Announcements, sockets and company of one process."""
    announcer = InlineAnnouncer()
    return Live(announcer, Hub(announcer, 12), InlineCompany())


@pytest.fixture
def services(
    sessions: sessionmaker[Session], clock: StandingClock, keys: KeyRing, audit_key: bytes, tmp_path: Path, live: Live
) -> ConsoleServices:
    return services_over(sessions, clock, keys, audit_key, tmp_path, live)


def services_over(
    sessions: sessionmaker[Session], clock: StandingClock, keys: KeyRing, audit_key: bytes, data: Path, live: Live | None = None
) -> ConsoleServices:  # fmt: skip
    """What a console of the tests stands on: simulated lines, a queue that remembers, files below `data`, pages that are told."""
    bureau = Bureau("临江市公安局", "Linjiang Public Security Bureau", "0100-5550110", 1, "Asia/Shanghai", duty_desk="0100-5550119")
    office = Office(keys, audit_key, bureau, NumberPolicy(fictitious=True))
    reads = session_factory(reading(sessions.kw["bind"]))
    return ConsoleServices(
        sessions,
        reads,
        SilentQueue(),
        clock,
        office,
        "test",
        simulated=True,
        secret_key=b"s" * 32,
        https=False,
        data=data,
        live=live or live_within(),
    )


@pytest.fixture
def app(services: ConsoleServices) -> Flask:
    return create_console_app(services)


@pytest.fixture
def passwords(sessions: sessionmaker[Session]) -> dict[str, str]:
    """One account per role, named like it; role → password. The role `unit` acts for the unit with the code OWN_UNIT."""
    with sessions.begin() as session:
        return one_account_per_role(session)


def one_account_per_role(session: Session) -> dict[str, str]:
    """Add the unit OWN_UNIT and an account per role; role → password."""
    session.add(Unit(code=OWN_UNIT, name="城南派出所"))
    session.flush()
    units = {"unit": OWN_UNIT}
    return {role: accounts.add_user(session, role, role, f"测试{role}", NOON, units.get(role, "")) for role in accounts.ROLES}


@pytest.fixture
def month(sessions: sessionmaker[Session], keys: KeyRing) -> Month:
    with sessions.begin() as session:
        return a_month(session, keys)


LogIn = Callable[[str], FlaskClient]


@pytest.fixture
def log_in(app: Flask, sessions: sessionmaker[Session], services: ConsoleServices, passwords: dict[str, str]) -> LogIn:
    """A browser in which the given role has just logged in."""

    def logged_in(role: str, language: str = "zh") -> FlaskClient:
        client = app.test_client()
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
        answer = post(client, "/login", name=role, password=passwords[role])
        assert answer.status_code == 303, answer.text
        return client

    return logged_in


def csrf_of(client: FlaskClient, page: str = "/login") -> str:
    """A fresh CSRF token of this browser."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page, follow_redirects=True).text)
    assert found, "the page has no form"
    return found[1]


def post(client: FlaskClient, address: str, **form: str) -> TestResponse:
    """Post a form as a browser does, with a CSRF token."""
    return client.post(address, data={**form, "csrf_token": csrf_of(client)})


@pytest.fixture
def open_page() -> Callable[..., Page]:
    """Open a page and check what every page must have: status, title, one h1, unique ids, labelled inputs, guarded forms."""

    def opened(client: FlaskClient, address: str, status: int = 200) -> Page:
        answer = client.get(address)
        assert answer.status_code == status, f"{address} answered {answer.status_code}: {answer.text[:2000]}"
        page = Page.parse(answer.text)
        page.check()
        return page

    return opened
