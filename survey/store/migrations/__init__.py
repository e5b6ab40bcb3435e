"""The history of the tables, as Alembic revisions in `versions`; `migrate` brings any database to the newest."""

import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from survey.errors import SurveyError

FOLDER = Path(__file__).parent
TRIES = 60
PAUSE_SECONDS = 0.5
BUSY = ("55P03", "40P01")  # a lock was not to be had in time; a deadlock
LOCK_NUMBER = 0x4875_6966  # any number, the same in every process


class DatabaseAhead(SurveyError):
    """The database was written by a newer version of this program."""


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


def migrate(engine: Engine, to: str = "head") -> str | None:
    """Bring the database to `head()`, or to an older revision, and return the revision it had before (None: it was empty).

    Processes that come at once wait for each other: SQLite by its write lock, PostgreSQL by an advisory one. All or nothing.
    On PostgreSQL a table's lock is waited for a second at most, because calls queue up behind who waits; then all is tried again.
    Raises DatabaseAhead when the database is newer than this program.
    """
    for _ in range(TRIES - 1):
        try:
            return _migrate(engine, to)
        except OperationalError as problem:
            if not _is_busy(problem):
                raise
        time.sleep(PAUSE_SECONDS)
    return _migrate(engine, to)


def _is_busy(problem: OperationalError) -> bool:
    return getattr(problem.orig, "sqlstate", None) in BUSY or "database is locked" in str(problem.orig)


def _migrate(engine: Engine, to: str) -> str | None:
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = '1s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK_NUMBER})
        before = revision_of(connection)
        if before is not None and before not in revisions():
            raise DatabaseAhead(f"数据库版本 {before} 比程序新，请升级程序 / the database has revision {before}: update this program")
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)
    return before


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
