"""A migration killed at any moment: the next one goes on from there, and in the end the tables are those of the models."""

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, event, make_url, text

from survey.store import migrations
from survey.store.database import open_engine
from survey.store.migrations import current, head, migrate
from survey.store.models import Base
from tests.conventions.sources import ROOT

HARMLESS = ("SELECT", "PRAGMA", "SET", "SHOW", "BEGIN")
FORMER = "0001"
MOST_MOMENTS = 200
LONGEST_SECONDS = 120
STRIDE = 1 if "MANY" in os.environ else 4
BIGGEST_STEP = 8  # changes and commits
BUILDING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX%'")
INVALID = text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes databases as the release before has left them, and gives their URLs."""
    if request.param == "sqlite":
        made = f"sqlite:///{tmp_path / 'former.sqlite'}?synchronous=NORMAL"
        prepare(made)
        yield lambda: f"sqlite:///{copy(tmp_path / 'former.sqlite', tmp_path / 'copy.sqlite')}?synchronous=NORMAL"
        return
    server = make_url(request.getfixturevalue("postgres_server"))
    with databases(server.render_as_string(hide_password=False)) as execute:
        execute("DROP DATABASE IF EXISTS former", "CREATE DATABASE former")
        prepare(server.set(database="former").render_as_string(hide_password=False))

        def make() -> str:
            execute("DROP DATABASE IF EXISTS copy WITH (FORCE)", "CREATE DATABASE copy TEMPLATE former")
            return server.set(database="copy").render_as_string(hide_password=False)

        yield make
        execute("DROP DATABASE IF EXISTS copy WITH (FORCE)", "DROP DATABASE former")


@contextmanager
def databases(server: str) -> Iterator[Callable[..., None]]:
    engine = open_engine(server, pool_size=1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield lambda *statements: [connection.execute(text(each)) for each in statements] and None
    engine.dispose()


def prepare(url: str) -> None:
    engine = open_engine(url)
    migrate(engine, FORMER)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO units (code, name) VALUES ('a', '一所')"))
    engine.dispose()


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    yield engine
    engine.dispose()


def assert_whole(url: str) -> None:
    """The tables equal the models, no index is half built, no row is lost."""
    with opened(url) as engine, engine.connect() as connection:
        assert current(engine) == head()
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata) == []
        assert connection.scalar(text("SELECT count(*) FROM units")) == 1
        if engine.dialect.name == "postgresql":
            assert connection.scalars(INVALID).all() == []


def killed_at(url: str, moment: int) -> bool:
    """Migrate in a process that is killed before its n-th change or commit; False when it came to its end before."""
    pid = os.fork()
    if pid == 0:
        try:
            with opened(url) as engine:
                kill_before(engine, moment)
                migrate(engine)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status != 0


def kill_before(engine: Engine, moment: int) -> None:
    """Count this process's changes and commits, and kill it before the n-th of them."""
    left, changed = moment, False

    def count() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(engine, "before_cursor_execute")
    def _statement(connection: Connection, cursor: Any, statement: str, *rest: Any) -> None:
        nonlocal changed
        if not statement.lstrip().startswith(HARMLESS):
            changed = True
            count()

    @event.listens_for(engine, "commit")
    def _commit(connection: Connection) -> None:
        nonlocal changed
        if changed:
            changed = False
            count()


def test_after_a_kill_at_any_moment_the_next_migration_goes_on(
    fresh: Callable[[], str], monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0.01)
    for moment in range(0, MOST_MOMENTS, STRIDE):
        url = fresh()
        killed = killed_at(url, moment)
        with opened(url) as engine:
            migrate(engine)
        assert_whole(url)
        if not killed:
            break

    record_property("told", f"migration killed at {moment // STRIDE} of {moment} moments on {make_url(url).get_backend_name()}")
    assert 30 < moment < MOST_MOMENTS - STRIDE


def test_a_migration_that_is_killed_again_and_again_comes_to_its_end(fresh: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0.01)
    url, kills = fresh(), 0
    while killed_at(url, BIGGEST_STEP):
        kills += 1
        assert kills < MOST_MOMENTS

    assert kills > 5
    assert_whole(url)


@contextmanager
def command(url: str, data: Path) -> Iterator[subprocess.Popen[str]]:
    """`./huifang migrate` on a database; killed at the end of the block, if it still lives."""
    given = {**os.environ, "PYTHONPATH": str(ROOT), "HUIFANG_DATA": str(data), "HUIFANG_DATABASE_URL": url}
    words = [sys.executable, "-P", "-m", "config.cli", "migrate"]
    with subprocess.Popen(words, cwd=ROOT, env=given, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_command_is_killed_twice_and_goes_on_each_time(fresh: Callable[[], str], tmp_path: Path) -> None:
    url, told = fresh(), list[str]()
    for lines in (2, 4):
        with command(url, tmp_path) as process:
            assert process.stdout
            told += [process.stdout.readline() for _ in range(lines)]
            process.kill()
    with command(url, tmp_path) as process:
        rest = process.communicate()[0]

    assert all(line.startswith("·") for line in told)
    assert process.returncode == 0
    assert told[0] not in rest, "what was done is not done again"
    assert f"{head()} ← {FORMER}" in rest
    assert_whole(url)


class Stop(Exception):
    """The migration shall go no further."""


def until_the_first_index(url: str) -> None:
    def tell(sentence: str) -> None:
        if "index" in sentence:
            raise Stop

    with opened(url) as engine, pytest.raises(Stop):
        migrate(engine, tell=tell)


def let_pass(connection: Connection, until: float) -> None:
    """Look again soon, with a new snapshot, but not for ever."""
    assert time.monotonic() < until
    connection.rollback()
    time.sleep(0.02)


@pytest.mark.parametrize("fresh", ["postgresql"], indirect=True)
def test_an_index_whose_building_was_killed_is_built_again_and_stops_nobody(fresh: Callable[[], str], tmp_path: Path) -> None:
    url = fresh()
    until_the_first_index(url)
    until = time.monotonic() + LONGEST_SECONDS
    with opened(url) as engine, engine.connect() as caller, engine.connect() as other:
        caller.execute(text("UPDATE call_attempts SET step = step"))  # a call's transaction, for which the building waits
        with command(url, tmp_path) as process:
            while not (unfinished := other.scalars(INVALID).all()):
                assert process.poll() is None
                let_pass(other, until)
            other.execute(text("SET LOCAL lock_timeout = '20s'"))
            other.execute(text("UPDATE call_attempts SET step = step"))  # another call's
            other.execute(text("DELETE FROM turns"))
            other.commit()
        while other.scalar(BUILDING):  # until the server has noticed the death of who asked for it
            let_pass(other, until)
        caller.commit()
        assert unfinished == ["ix_call_attempts_phone_key"]
        assert other.scalars(INVALID).all() == unfinished, "the kill has left it"
        other.rollback()

        migrate(engine)
    assert_whole(url)
