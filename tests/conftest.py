"""What every test may ask for: a database, keys, a clock that stands; and a fence around the rest of the world."""

import ipaddress
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from survey.store.database import open_engine, session_factory
from survey.store.migrations import migrate
from survey.store.models import Base
from survey.store.sealing import KeyRing
from tests import made_once, postgres

made_once.compile_once()
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # an example has no fifth of a second to be done in where processors are shared

RING = "index:" + "aW5kZXgtaW5kZXgtaW5kZXgtaW5kZXgtaW5kZXgtLTE=" + ",k1:" + "c2VhbC1zZWFsLXNlYWwtc2VhbC1zZWFsLXNlYWwtLTE="
ON_SQLITE_ALONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For a test that is not about the database and dear, or one of many: a browser's, a whole city's month, a guard's table of refusals."""
NO_POSTGRES = "PostgreSQL is not installed here: the same tests ran on SQLite only"
TESTS = Path(__file__).resolve().parent
SHARED = TESTS.parents[1] / "shared"


EARLY = ("chaos", "weather", "calls", "simulation", "config", "worker")
"""Folders whose modules are long, the longest first: what comes last fills the gaps, so that no worker ends minutes after the others."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long modules first; otherwise the order stays."""
    items.sort(key=lambda item: _turn_of(item.path.relative_to(TESTS).parts[0]))


def _turn_of(folder: str) -> int:
    return EARLY.index(folder) if folder in EARLY else len(EARLY)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: houses that are started, killed and waited for leave theirs idle."""
    return len(os.sched_getaffinity(0)) + 1


@dataclass
class StandingClock:
    """A clock that moves only when told."""

    moment: datetime = field(default=datetime(2026, 3, 10, 2, 0, tzinfo=UTC))  # a Tuesday, 10:00 in Shanghai

    def now(self) -> datetime:
        return self.moment

    def advance(self, **units: float) -> datetime:
        self.moment += timedelta(**units)
        return self.moment


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have told by `record_property("told", ...)`, passed or not; one line where half of the tests could not run."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for told in [value for name, value in report.user_properties if name == "told"]:
                terminalreporter.write_line(str(told))
    if postgres.programs() is None:
        terminalreporter.write_line(NO_POSTGRES)


@pytest.fixture(autouse=True)
def _fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine reaches a test, no test reaches another machine."""
    for name in [name for name in os.environ if name.startswith("HUIFANG_")]:
        monkeypatch.delenv(name)
    connect = socket.socket.connect

    def connect_nearby(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_near(address[0]):
            raise OSError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_nearby)


def _is_near(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables and no rows, to be copied: ten times as quick as making them again."""
    path = tmp_path_factory.mktemp("tables") / "tables.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_tables(postgres_server: str) -> Iterator[postgres.Tables]:
    """A database with all tables on the PostgreSQL of this run, and the way to empty it."""
    with postgres.tables(postgres_server) as tables:
        yield tables


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with all tables and no rows, on each engine; the second is skipped where no server is installed."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_tables"), tmp_path / "test.sqlite")
        return f"sqlite:///{tmp_path / 'test.sqlite'}?synchronous=NORMAL"
    tables: postgres.Tables = request.getfixturevalue("postgres_tables")
    tables.empty()
    return tables.url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database with all tables: whatever asks for it runs on SQLite and on PostgreSQL."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def without_rows(engine: Engine) -> Engine:
    """The same database without its rows, for the next example of a property."""
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
    return engine


@pytest.fixture
def file_engine(tmp_path: Path, sqlite_tables: Path) -> Iterator[Engine]:
    """An empty SQLite database, for tests that are about SQLite alone."""
    shutil.copy(sqlite_tables, tmp_path / "alone.sqlite")
    engine = open_engine(f"sqlite:///{tmp_path / 'alone.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return session_factory(engine)


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """A session on the empty database; what a test does not commit is rolled back."""
    with sessions() as session:
        yield session


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(scope="session")
def keys() -> KeyRing:
    return KeyRing.parse(RING)


@pytest.fixture(scope="session")
def audit_key() -> bytes:
    return b"audit key of the tests, 32 bytes"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of sample data beside the checkout, where there is one."""
    if not SHARED.is_dir():
        pytest.skip("no folder `shared` beside this checkout: the sample files are not here")
    return SHARED


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL of this run, where the server is installed."""
    programs = postgres.programs()
    if programs is None:
        pytest.skip(NO_POSTGRES)
    with postgres.running(programs) as url:
        yield url


@pytest.fixture
def postgres_engine(postgres_server: str) -> Iterator[Engine]:
    """A database on PostgreSQL, empty even of tables."""
    engine = open_engine(postgres_server)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    yield engine
    engine.dispose()
