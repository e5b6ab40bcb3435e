"""No two processes of the house speak to PostgreSQL over one connection, and forked children get their own answers (RS45)."""

import os
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text

from config import ports
from tests.chaos.house import Process, processes
from tests.conftest import RING
from tests.survey.fieldwork.conftest import CALLER_ID
from tests.worker.probed import ROOT, until
from worker.parents import die_with

ON_POSTGRESQL_ALONE = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
PATIENCE_SECONDS = 120.0
LISTENING = "00010000"
"""The flag of a listening unix socket in /proc/net/unix."""

CLIENTS = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
HOUSEHOLD = {"voice", "console", "clock", "worker:dial", "worker:settle", "worker:recordings"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(url: str, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """The whole house as `serve` runs it, on this database; its supervisor and the two doors' ports."""
    doors = [free_port(), free_port()]
    given = {
        "ENVIRONMENT": "test", "LISTENING": "no", "DATA": str(folder), "DATABASE_URL": url, "PII_KEYS": RING, "CALLER_ID": CALLER_ID,
        "SECRET_KEY": "0123456789" * 4, "VOICE_PORT": str(doors[0]), "CONSOLE_PORT": str(doors[1]), "DRAIN_SECONDS": "0",
    }  # fmt: skip
    with (folder / "serve.log").open("wb") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "config.cli", "serve"], cwd=ROOT, stdout=log, stderr=log, preexec_fn=partial(die_with, os.getpid()),
            env={**os.environ, **{f"HUIFANG_{name}": value for name, value in given.items()}},
        )  # fmt: skip
        try:
            yield supervisor, doors
        finally:
            supervisor.terminate()
            supervisor.wait(timeout=60)


def household(supervisor: int) -> list[Process]:
    """The supervisor's children and their children: the doors' servers are forked once more."""
    every = list(processes())
    children = {each.pid for each in every if each.parent == supervisor}
    return [each for each in every if each.parent in children or each.pid in children]


def sockets_of(pid: int) -> set[str]:
    """The inodes of the sockets that a process has open."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            kind, _, inode = os.readlink(entry).partition(":[")
        except OSError:
            continue
        found |= {inode.rstrip("]")} if kind == "socket" else set()
    return found


def listening_sockets() -> set[str]:
    """The inodes of all sockets that only listen: the doors' are held by the supervisor as well, on purpose."""
    tcp = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    unix = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return {words[9] for words in tcp if words[3] == "0A"} | {words[6] for words in unix if words[3] == LISTENING}


def shared_sockets(pids: list[int]) -> dict[str, list[int]]:
    """The sockets that more than one of the processes has open, listening ones apart."""
    holders: dict[str, list[int]] = defaultdict(list)
    for pid in pids:
        for inode in sockets_of(pid) - listening_sockets():
            holders[inode].append(pid)
    return {inode: pids for inode, pids in holders.items() if len(pids) > 1}


def is_up(supervisor: int, doors: list[int]) -> bool:
    """Whether the doors answer and all processes are at work, with sockets of their own."""
    here = household(supervisor)
    workers = [each for each in here if each.name.startswith("worker:")]
    return (
        {each.name for each in here} >= HOUSEHOLD
        and all(ports.answers("127.0.0.1", port) for port in doors)
        and all(sockets_of(each.pid) for each in workers)
    )


@ON_POSTGRESQL_ALONE
def test_no_socket_is_shared_by_two_processes_of_the_house(engine: Engine, tmp_path: Path) -> None:
    with serving(engine.url.render_as_string(hide_password=False), tmp_path) as (supervisor, doors):
        until(lambda: is_up(supervisor.pid, doors), supervisor, PATIENCE_SECONDS)
        for port in doors:  # the doors' own connections are opened by the first who asks for the database
            with socket.create_connection(("127.0.0.1", port), timeout=30) as caller:
                caller.sendall(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                assert caller.recv(12).startswith(b"HTTP/1.1")

        with engine.connect() as connection:
            clients = connection.scalar(CLIENTS) or 0
        shared = shared_sockets([supervisor.pid, *(each.pid for each in household(supervisor.pid))])

    assert clients >= 3, "clock process and both doors have connections that could be shared"
    assert shared == {}


FORKING = """
import os, sys, threading
from sqlalchemy import text
from survey.store.database import open_engine
from tests.worker.test_forked_connections import sockets_of
engine = open_engine(sys.argv[1])
def ask(who, times):
    wrong = 0
    for number in range(times):
        with engine.connect() as connection:
            wrong += connection.scalar(text("SELECT :it"), {"it": f"{who}-{number}"}) != f"{who}-{number}"
    return wrong
assert ask("parent", 1) == 0  # a connection lies in the pool when the children are forked
before = sockets_of(os.getpid())
forked = {"dispose": lambda: engine.dispose(close=False), "keep": lambda: None}[sys.argv[2]]
children = []
for child in range(4):
    pid = os.fork()
    if pid == 0:
        forked()
        with engine.connect() as connection:
            inode = str(os.fstat(connection.connection.driver_connection.fileno()).st_ino)
        os._exit(3 if inode in before else 2 if ask(child, int(sys.argv[3])) else 0)
    children.append(pid)
    if sys.argv[2] == "keep":  # one after another: two that ask over one connection may wait for ever
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
wrong = ask("parent", int(sys.argv[3]))
print(wrong, *(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children))
"""


def fork(engine: Engine, manner: str, queries: int) -> list[str]:
    """How the parent and four children of a process that had used its database fared: 0 is well, 3 the parent's own connection."""
    url = make_url(engine.url).render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", FORKING, url, manner, str(queries)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@ON_POSTGRESQL_ALONE
def test_forked_children_ask_300_times_each_and_get_their_own_answers(engine: Engine) -> None:
    assert fork(engine, "dispose", 300) == ["0"] * 5


@ON_POSTGRESQL_ALONE
def test_children_that_forgot_nothing_would_speak_over_their_parents_connection(engine: Engine) -> None:
    assert fork(engine, "keep", 0) == ["0", "3", "3", "3", "3"]
