"""The history of the tables, as Alembic revisions in `versions`; `migrate` brings any database to the newest."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from survey.errors import SurveyError
from survey.store.migrations.steps import Step

FOLDER = Path(__file__).parent
LOCK_NUMBER = 0x4875_6966  # any number, the same in every process
LOCK_TIMEOUT = "1500ms"
"""How long a step waits for its table: short, because calls queue up behind it; over a second, because only then autovacuum gives way."""

BUILD_TIMEOUT = "600s"
"""How long the building of an index waits for transactions that are older than it; nobody queues up behind it."""

PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 120.0
ALONE_SECONDS = 900.0
NOTABLE_SECONDS, LONGEST_BREATH_SECONDS = 0.2, 0.5
BUSY = ("55P03", "40P01")  # a lock was not to be had in time; a deadlock

NOTICE_DEATH = "SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'"
"""From release 14 on: a server that builds an index looks each second whether the one who asked for it still lives."""

Tell = Callable[[str], None]


def _silently(sentence: str) -> None:
    """Tell nobody."""


class DatabaseAhead(SurveyError):
    """The database was written by a newer version of this program."""


class TableInUse(SurveyError):
    """A step could not be taken because somebody would not let go of a table; another start goes on from there."""


def head() -> str:
    """The newest revision that this program knows."""
    return _script().get_current_head() or ""


def revisions() -> frozenset[str]:
    """Every revision that this program knows."""
    return frozenset(revision.revision for revision in _script().walk_revisions())


def current(engine: Engine) -> str | None:
    """The database's revision; None for an empty one."""
    with engine.connect() as connection:
        return revision_of(connection)


def revision_of(connection: Connection) -> str | None:
    """The database's revision, as this transaction sees it."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: Engine, to: str = "head", tell: Tell = _silently) -> str | None:
    """Bring the database to `head()`, or to an older revision, and return the revision it had before (None: it was empty).

    Calls may go on meanwhile. Each step is whole or not there; where a start was killed, the next one goes on. `tell` hears of each
    step before it is taken. Processes that come at once wait for each other: on SQLite for each step, on PostgreSQL for all of them.
    Raises DatabaseAhead when the database is newer than this program, TableInUse when a step could not be taken.
    """
    with _alone(engine, tell) as connection:
        before = _look(connection)
        if before is not None and before not in revisions():
            raise DatabaseAhead(f"数据库版本 {before} 比程序新，请升级程序 / the database has revision {before}: update this program")
        for script in _pending(before, to):
            for step in getattr(script.module, "STEPS", ()):
                _insist(partial(_take, connection, step), step.table, tell)
            _insist(partial(_note, connection, script), "alembic_version", tell)
    return before


def _look(connection: Connection) -> str | None:
    """The revision found, without waiting for who writes."""
    connection.execution_options(read_only=True)
    with connection.begin():
        found = revision_of(connection)
    connection.execution_options(read_only=False)
    return found


def _pending(before: str | None, to: str) -> list[Script]:
    line = list(_script().walk_revisions("base", to))[::-1]
    names = [script.revision for script in line]
    if before is None:
        return line
    return line[names.index(before) + 1 :] if before in names else []


@contextmanager
def _alone(engine: Engine, tell: Tell) -> Iterator[Connection]:
    """One connection for everything; on PostgreSQL no other process migrates meanwhile, and who was killed builds no index any more."""
    with engine.connect() as connection:
        if connection.dialect.name != "postgresql":
            yield connection
            return
        try:
            _lock(connection, tell)
            yield connection
        finally:
            connection.invalidate()  # closed for good, and with it go the lock and what was set


def _lock(connection: Connection, tell: Tell) -> None:
    """Ask again and again instead of waiting: who waits has a snapshot, and the building of an index waits for all of these."""
    until = time.monotonic() + ALONE_SECONDS
    with connection.begin():
        connection.execute(text(NOTICE_DEATH))
    waiting = "另一个进程正在升级数据库，等它完成 / another process is migrating the database: waiting for it"
    while not _is_locked(connection):
        if waiting:
            tell(waiting)
            waiting = ""
        if time.monotonic() > until:
            raise TableInUse(
                f"等了 {ALONE_SECONDS:.0f} 秒，另一个进程仍在升级 / another process is still migrating after {ALONE_SECONDS:.0f} s"
            )
        time.sleep(PAUSE_SECONDS)


def _is_locked(connection: Connection) -> bool:
    with connection.begin():
        return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": LOCK_NUMBER}))


def _insist(attempt: Callable[[Tell], None], table: str, tell: Tell) -> None:
    """Try until the table is to be had; between two tries those who have queued up behind get their turn. Raises TableInUse."""
    until, told = time.monotonic() + PATIENCE_SECONDS, tell
    while True:
        began = time.monotonic()
        try:
            attempt(told)
            return _let_others_in(time.monotonic() - began)
        except OperationalError as problem:
            if not _is_busy(problem):
                raise
            if time.monotonic() > until:
                zh = f"表 {table} 一直被占用（备份？很长的查询？），升级停在这里；稍后再运行 ./huifang migrate，会接着做"
                en = f"table {table} was in use all the time (a backup? a long query?): run ./huifang migrate later, it goes on from here"
                raise TableInUse(f"{zh} / {en}") from problem
        if told is tell:
            tell(f"表 {table} 正被占用，稍后再试 / table {table} is in use, tried again")
        told = _silently
        time.sleep(PAUSE_SECONDS)


def _let_others_in(taken: float) -> None:
    """After a long step, a pause before the next: on SQLite others look only ten times a second whether they may write."""
    if taken > NOTABLE_SECONDS:
        time.sleep(min(taken, LONGEST_BREATH_SECONDS))


def _is_busy(problem: OperationalError) -> bool:
    return getattr(problem.orig, "sqlstate", None) in BUSY or "database is locked" in str(problem.orig)


def _take(connection: Connection, step: Step, tell: Tell) -> None:
    with _transaction(connection, concurrent=step.is_concurrent):
        if not step.is_done(connection):
            tell(step.told())
            step.take(Operations(MigrationContext.configure(connection)))


def _note(connection: Connection, script: Script, tell: Tell) -> None:
    """Write down that the revision is there, unless another process has meanwhile; one without steps is made in the same transaction."""
    with _transaction(connection):
        if revision_of(connection) != script.down_revision:
            return
        if hasattr(script.module, "STEPS"):
            MigrationContext.configure(connection).stamp(_script(), script.revision)
            return
        tell("新建最初的表 / the first tables are made")
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, script.revision)


@contextmanager
def _transaction(connection: Connection, *, concurrent: bool = False) -> Iterator[None]:
    """A transaction; on PostgreSQL with its time to wait for a lock, and none at all for what is `concurrent`."""
    if connection.dialect.name != "postgresql":
        with connection.begin():
            yield
        return
    connection.execution_options(isolation_level="AUTOCOMMIT" if concurrent else "READ COMMITTED")
    with connection.begin():
        connection.execute(text(f"SET lock_timeout = '{BUILD_TIMEOUT if concurrent else LOCK_TIMEOUT}'"))
        yield


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
