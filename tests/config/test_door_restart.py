"""A door that is restarted, replaced or killed under real turns, each over a connection of its own (RS33, reliability [W2])."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import update

from config import ports
from survey.store.database import open_engine
from survey.store.models import CallAttempt
from tests.benchmarks.turns import call_of, furnish
from tests.benchmarks.turns_door import ACCOUNT, AUTH_TOKEN, BASE
from tests.config.test_serve import ROOT, wait_until

CALLS, CALLERS, PERIOD_SECONDS = 2000, 8, 0.2  # 40 turns a second; calls enough for restarts that take minutes
RESTARTS, RELOADS = int(os.environ.get("DOOR_RESTARTS", "8")), 3
CARRIER_SECONDS = 15.0
"""What a carrier waits for an answer. How many turns took longer is told: how long a start takes depends on the day."""

PATIENCE_SECONDS = 180.0
"""Who has waited for so long waits for something that hangs."""

DRAIN_SECONDS = 600
WAITING = "waiting for calls in progress"


@dataclass
class Callers:
    """Callers who take turns all the time; `failed` holds what no carrier would take for an answer.

    A caller opens the connection once more where that failed, as a carrier does, and has more patience than a carrier.
    """

    port: int
    turns: list[str]
    answered: int = 0
    slowest: float = 0.0
    overdue: int = 0
    failed: list[str] = field(default_factory=list)
    kept_alive: int = 0
    reopened: int = 0

    def __post_init__(self) -> None:
        self._lock, self._over = threading.Lock(), threading.Event()
        work = [self._call] * CALLERS + [self._call_on_one_connection]
        self._threads = [threading.Thread(target=target) for target in work]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=2 * PATIENCE_SECONDS)

    def _next(self) -> str:
        with self._lock:
            return self.turns.pop()

    def _call(self) -> None:
        while not self._over.wait(PERIOD_SECONDS):
            began, request = time.monotonic(), self._next().replace("\r\nHost:", "\r\nConnection: close\r\nHost:", 1)
            try:
                with self._connected() as connection:
                    connection.sendall(request.encode())
                    answer = read_all(connection)
                problem = "" if answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"</Response>") else repr(answer[:80])
            except OSError as broken:
                problem = repr(broken)
            with self._lock:
                self.slowest = max(self.slowest, seconds := time.monotonic() - began)
                self.overdue += seconds > CARRIER_SECONDS
                self.answered += not problem
                self.failed += [problem] if problem else []

    def _connected(self) -> socket.socket:
        try:
            return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)
        except OSError:
            return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)

    def _call_on_one_connection(self) -> None:
        """One caller keeps its connection: it is told by `Connection: close` when to open another."""
        connection = None
        while not self._over.wait(PERIOD_SECONDS):
            try:
                if connection is None:
                    connection = self._connected()
                connection.sendall(self._next().encode())
                head, ended = read_one(connection)
            except OSError as broken:
                head, ended = b"", True
                self.failed.append(f"kept alive: {broken!r}")
            self.kept_alive += head.startswith(b"HTTP/1.1 200")
            if ended and connection is not None:
                connection.close()
                connection, self.reopened = None, self.reopened + 1
        if connection is not None:
            connection.close()


def read_all(connection: socket.socket) -> bytes:
    """Everything up to the end of the connection."""
    found = b""
    while piece := connection.recv(65536):
        found += piece
    return found


def read_one(connection: socket.socket) -> tuple[bytes, bool]:
    """One answer: its head, and whether the server ends the connection with it."""
    found = b""
    while b"</Response>" not in found:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionResetError("the connection ended in the middle of an answer")
        found += piece
    head = found.partition(b"\r\n\r\n")[0]
    return head, b"connection: close" in head.lower()


class Door:
    """`serve` with a voice door alone, and real calls in its database."""

    def __init__(self, data: Path, drain_seconds: int = 0) -> None:
        self.port = ports.next_free("127.0.0.1", 23000 + os.getpid() % 4000)
        self.environment = {
            **os.environ, "HUIFANG_DATA": str(data), "HUIFANG_ENVIRONMENT": "test", "HUIFANG_VOICE_PORT": str(self.port),
            "HUIFANG_LISTENING": "no",
            "HUIFANG_DATABASE_URL": f"sqlite:///{data / 'calls.sqlite'}?synchronous=NORMAL", "HUIFANG_PUBLIC_BASE_URL": BASE,
            "HUIFANG_TWILIO_ACCOUNT_SID": ACCOUNT, "HUIFANG_TWILIO_AUTH_TOKEN": AUTH_TOKEN, "HUIFANG_DRAIN_SECONDS": str(drain_seconds),
        }  # fmt: skip
        command = [sys.executable, "-m", "config.cli", "serve", "--only", "migrate,voice"]
        self.log_path = data.with_suffix(".log")
        self.log = self.log_path.open("wb")
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log)
        wait_until(lambda: self.server() is not None, PATIENCE_SECONDS)

    def arbiter(self) -> int | None:
        """The door's process that the supervisor has started last."""
        found = [pid for pid in children_of(self.process.pid) if "processes voice" in words_of(pid)]
        return max(found, key=started_at, default=None)

    def server(self) -> int | None:
        """The process of the last door that takes the requests."""
        arbiter = self.arbiter()
        return max(children_of(arbiter), key=started_at, default=None) if arbiter else None


def children_of(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def started_at(pid: int) -> int:
    """When a process was started; process ids begin anew at some time."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return 0


def words_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    door = Door(tmp_path_factory.mktemp("door") / "data")
    yield door
    door.process.send_signal(signal.SIGTERM)
    door.process.wait(timeout=PATIENCE_SECONDS)
    door.log.close()


@pytest.fixture(scope="module")
def turns(door: Door) -> list[str]:
    """The requests of many calls, a call's own in their order, taken from the end."""
    engine = open_engine(door.environment["HUIFANG_DATABASE_URL"])
    calls = [call_of(token, sid) for token, sid in furnish(engine, CALLS)]
    engine.dispose()
    return [request for call in calls for request in reversed(call)]


def settled(door: Door, callers: Callers, former: int | None, which: Callable[[], int | None]) -> None:
    """Wait until another process does what `former` did, and has answered everybody once."""
    wait_until(lambda: which() not in (None, former) and door.server() is not None, PATIENCE_SECONDS)
    enough = callers.answered + CALLERS
    wait_until(lambda: callers.answered >= enough, PATIENCE_SECONDS)


Told = Callable[[str, object], None]


def tell(record_property: Told, what: str, callers: Callers) -> None:
    turns = callers.answered + callers.kept_alive
    late = f"{callers.overdue} later than a carrier waits, the slowest {callers.slowest:.1f} s"
    record_property("told", f"RS33: {what}: {turns} turns, {len(callers.failed)} failed, {late}")


def test_no_turn_fails_while_the_door_is_ended_and_started_again(door: Door, turns: list[str], record_property: Told) -> None:
    with Callers(door.port, turns) as callers:
        for _ in range(RESTARTS):
            former = door.arbiter()
            assert former
            os.kill(former, signal.SIGTERM)
            settled(door, callers, former, door.arbiter)
    tell(record_property, f"{RESTARTS} restarts by the supervisor", callers)

    assert callers.failed == []
    assert callers.answered >= CALLERS * RESTARTS
    assert callers.reopened >= RESTARTS - 1, "who keeps a connection is told to open another"


def test_no_turn_fails_while_gunicorn_replaces_its_worker(door: Door, turns: list[str], record_property: Told) -> None:
    with Callers(door.port, turns) as callers:
        for _ in range(RELOADS):
            former, arbiter = door.server(), door.arbiter()
            assert arbiter
            os.kill(arbiter, signal.SIGHUP)
            settled(door, callers, former, door.server)
    tell(record_property, f"{RELOADS} times HUP", callers)

    assert callers.failed == []
    assert callers.answered >= CALLERS * RELOADS


def test_no_turn_fails_while_everything_is_restarted_for_new_code(door: Door, turns: list[str], record_property: Told) -> None:
    with Callers(door.port, turns) as callers:
        for _ in range(2):
            former = door.arbiter()
            done = subprocess.run(
                [sys.executable, "-m", "config.cli", "restart"], cwd=ROOT, env=door.environment, capture_output=True, text=True, check=False
            )
            assert (done.returncode, done.stdout) == (0, "已重启 / restarted\n"), done.stderr
            assert door.arbiter() != former
    tell(record_property, "2 restarts for new code", callers)

    assert callers.failed == []
    assert callers.answered > 0


def test_a_killed_door_fails_only_what_it_had_in_hand(door: Door, turns: list[str]) -> None:
    kills = 3
    with Callers(door.port, turns) as callers:
        for _ in range(kills):
            former = door.arbiter()
            assert former
            os.kill(former, signal.SIGKILL)
            settled(door, callers, former, door.arbiter)

    assert len(callers.failed) <= kills * (CALLERS + 1)
    assert not any("refused" in problem for problem in callers.failed), "the socket outlives the door"
    assert callers.answered >= CALLERS


LIVE_CALLS = 10


@pytest.fixture
def draining(tmp_path: Path) -> Iterator[Door]:
    """A door that waits for calls in progress when it is told to stop."""
    door = Door(tmp_path / "data", drain_seconds=DRAIN_SECONDS)
    yield door
    if door.process.poll() is None:
        door.process.kill()
        door.process.wait()
    door.log.close()


def say(port: int, request: str) -> bytes:
    """Take one turn."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(request.replace("\r\nHost:", "\r\nConnection: close\r\nHost:", 1).encode())
        return read_all(connection)


def test_ten_live_calls_are_heard_to_their_end_after_sigterm(draining: Door) -> None:
    engine = open_engine(draining.environment["HUIFANG_DATABASE_URL"])
    calls = [call_of(token, sid) for token, sid in furnish(engine, LIVE_CALLS)]
    first = [say(draining.port, call[0]) for call in calls]
    draining.process.send_signal(signal.SIGTERM)

    rest = [say(draining.port, request) for turn in zip(*(call[1:] for call in calls), strict=True) for request in turn]
    assert all(answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"</Response>") for answer in first + rest)
    assert draining.process.poll() is None, "the carrier has not yet reported the end of the calls"
    with engine.begin() as connection:
        connection.execute(update(CallAttempt).values(status="completed"))
    engine.dispose()

    assert draining.process.wait(timeout=PATIENCE_SECONDS) == 0


def test_a_second_signal_does_not_wait_for_live_calls(draining: Door, record_property: Told) -> None:
    engine = open_engine(draining.environment["HUIFANG_DATABASE_URL"])
    furnish(engine, LIVE_CALLS)
    engine.dispose()
    draining.process.send_signal(signal.SIGTERM)
    wait_until(lambda: WAITING in draining.log_path.read_text("utf-8", "replace"), PATIENCE_SECONDS)
    with pytest.raises(subprocess.TimeoutExpired):
        draining.process.wait(timeout=2)
    asked = time.monotonic()
    draining.process.send_signal(signal.SIGINT)

    assert draining.process.wait(timeout=PATIENCE_SECONDS) == 0, "long before DRAIN_SECONDS, and the calls have not ended"
    record_property("told", f"RS67: the second signal ended the door in {time.monotonic() - asked:.1f} s")
    assert children_of(draining.process.pid) == []
