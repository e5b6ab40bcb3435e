"""A PostgreSQL of one's own for tests, where the server's programs are installed: no root, no port, gone afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

PLACES = "/usr/lib/postgresql/*/bin"
SERVANT = "postgres"


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, or None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/").glob(PLACES.removeprefix("/")), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A fresh server on a unix socket for the length of the block; gives its SQLAlchemy URL (database `postgres`)."""
    servant = SERVANT if os.getuid() == 0 else None  # the server refuses to run as root
    with tempfile.TemporaryDirectory(prefix="huifang-pg-") as home:
        if servant:
            shutil.chown(home, servant)
        data = f"{home}/data"

        def call(program: str, *arguments: str) -> None:
            subprocess.run([str(folder / program), *arguments], check=True, user=servant, capture_output=True, cwd=home)

        call("initdb", "-D", data, "-U", "tester", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{home}' -c fsync=off -c max_connections=200"
        call("pg_ctl", "start", "-D", data, "-w", "-l", f"{home}/log", "-o", options)
        try:
            yield f"postgresql+psycopg://tester@/postgres?host={quote(home)}"
        finally:
            call("pg_ctl", "stop", "-D", data, "-m", "immediate")
