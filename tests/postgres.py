"""A PostgreSQL of one's own for tests, where the server's programs are installed: no root, no port, gone afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, make_url, text

from survey.store.database import open_engine
from survey.store.migrations import head, migrate
from survey.store.models import Base

PLACES = "/usr/lib/postgresql/*/bin"
SERVANT = "postgres"


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, or None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/").glob(PLACES.removeprefix("/")), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


@contextmanager
def running(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """A fresh server on a unix socket for the length of the block; gives its SQLAlchemy URL (database `postgres`).

    A `durable` one waits for the disk at each commit, as in production; tests need not.
    """
    servant = SERVANT if os.getuid() == 0 else None  # the server refuses to run as root
    with tempfile.TemporaryDirectory(prefix="huifang-pg-") as home:
        if servant:
            shutil.chown(home, servant)
        data = f"{home}/data"

        def call(program: str, *arguments: str) -> None:
            subprocess.run([str(folder / program), *arguments], check=True, user=servant, capture_output=True, cwd=home)

        call("initdb", "-D", data, "-U", "tester", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        call("pg_ctl", "start", "-D", data, "-w", "-l", f"{home}/log", "-o", _options(home, durable=durable))
        try:
            yield f"postgresql+psycopg://tester@/postgres?host={quote(home)}"
        finally:
            call("pg_ctl", "stop", "-D", data, "-m", "immediate")


def _options(home: str, *, durable: bool = False) -> str:
    return f"-c listen_addresses='' -c unix_socket_directories='{home}' -c fsync={'on' if durable else 'off'} -c max_connections=200"


@contextmanager
def down(folder: Path, url: str) -> Iterator[None]:
    """Stop the server behind a URL of `running`, as in a fall, for the length of the block."""
    servant, home = SERVANT if os.getuid() == 0 else None, str(make_url(url).query["host"])

    def call(*arguments: str) -> None:
        subprocess.run(
            [str(folder / "pg_ctl"), *arguments, "-D", f"{home}/data", "-w"], check=True, user=servant, capture_output=True, cwd=home
        )

    call("stop", "-m", "immediate")
    try:
        yield
    finally:
        call("start", "-l", f"{home}/log", "-o", _options(home))


def restart(folder: Path, url: str) -> None:
    """Restart the server behind a URL of `running` as after a fall: connections break, what was not committed is gone."""
    servant, home = SERVANT if os.getuid() == 0 else None, str(make_url(url).query["host"])
    command = [str(folder / "pg_ctl"), "restart", "-D", f"{home}/data", "-m", "immediate", "-w", "-l", f"{home}/log"]
    subprocess.run(command, check=True, user=servant, capture_output=True, cwd=home)


@dataclass(frozen=True)
class Tables:
    """A database with all tables, shared by the tests of a run: each finds it as if it had just been made."""

    url: str
    engine: Engine
    emptying: str

    def empty(self) -> None:
        """Delete all rows and count from 1 again (1 ms; TRUNCATE took 13). What an earlier test left open is cut off."""
        with self.engine.begin() as connection:
            connection.execute(text(CUT_OFF))
            connection.exec_driver_sql(self.emptying)


CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
SEQUENCES = text("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")


@contextmanager
def tables(server: str) -> Iterator[Tables]:
    """Make the database `tables` beside the one that the server's URL names."""
    maker = open_engine(server)
    with maker.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE tables"))
    maker.dispose()
    url = make_url(server).set(database="tables").render_as_string(hide_password=False)
    engine = open_engine(url, pool_size=1)
    migrate(engine)
    with engine.connect() as connection:
        emptying = _emptying(connection)
    yield Tables(url, engine, emptying)
    engine.dispose()


def _emptying(connection: Connection) -> str:
    deletes = [f"DELETE FROM {table.name}" for table in Base.metadata.sorted_tables]
    restarts = [f"SELECT setval('{name}', 1, false)" for name in connection.scalars(SEQUENCES)]
    revision = ["DELETE FROM alembic_version", f"INSERT INTO alembic_version VALUES ('{head()}')"]
    return "; ".join(["SET LOCAL session_replication_role = replica", *deletes, *revision, *restarts])  # no foreign key is asked meanwhile
