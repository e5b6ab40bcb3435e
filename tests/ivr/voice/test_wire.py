"""RS27, RS29: whatever comes over the wire to the real voice door, it never fails nor hangs, and signed turns are served."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, text

from config import processes
from config.settings import Settings
from config.wiring import House
from ivr.carrier.simulator.signing import sign
from survey.store.models import Alarm, Base
from tests.calls.stage import free_port
from tests.conftest import StandingClock
from tests.survey.fieldwork.conftest import Ground

BASE, ACCOUNT, TOKEN = "https://voice.example", "AC" + "3" * 32, "token of the wire"
START_SECONDS, LONGEST_SECONDS = 60.0, 60.0
"""A request that is not answered by then hangs."""

FORM = "application/x-www-form-urlencoded"
CHUNKED = b"3\r\nDig\r\n7\r\nits=1&x\r\n0\r\n\r\n"


@dataclass
class Wire:
    """The door's process, and the call that rings in its database."""

    port: int
    ground: Ground
    path: str
    sid: str
    slowest: float = 0.0

    def say(self, *pieces: bytes) -> bytes:
        """Send bytes as they are; everything that comes back until the server or our patience ends it."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=LONGEST_SECONDS) as connection:
            found = b""
            try:
                for piece in pieces:
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
                while more := connection.recv(65536):
                    found += more
            except TimeoutError:
                raise
            except OSError:  # the server has answered and does not want to hear the rest
                pass
            return found

    def ask(self, method: str, path: str, body: bytes, signature: str, kind: str = FORM, *, headers: tuple[str, ...] = ()) -> int:
        """The status of one request; 0 when the server only hung up."""
        lines = [f"{method} {path} HTTP/1.1", "Host: voice.example", "Connection: close", f"Content-Type: {kind}", *headers]
        if signature:
            lines.append(f"X-Twilio-Signature: {signature}")
        if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
            lines.append(f"Content-Length: {len(body)}")
        began = time.monotonic()
        answer = self.say("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape"), body)
        seconds = time.monotonic() - began
        self.slowest = max(self.slowest, seconds)
        assert seconds < LONGEST_SECONDS
        assert b"Traceback" not in answer
        return int(answer.split(None, 2)[1]) if answer else 0

    def turn(self, **form: str) -> int:
        """A turn as the carrier sends it."""
        fields = {"AccountSid": ACCOUNT, "CallSid": self.sid, "CallStatus": "in-progress", **form}
        return self.ask("POST", self.path, urlencode(fields).encode(), sign(TOKEN, BASE + self.path, fields))

    def rows(self) -> dict[str, list[str]]:
        """All rows but the one that says that somebody knocks without a signature."""
        with self.ground.sessions() as session:
            tables = [table for table in Base.metadata.sorted_tables if table.name != "alarms"]
            return {table.name: sorted(map(repr, session.execute(select(table)))) for table in tables}


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory, sqlite_tables: Path) -> Iterator[Wire]:
    data = tmp_path_factory.mktemp("wire")
    shutil.copy(sqlite_tables, data / "wire.sqlite")
    given = {
        "environment": "test", "data": str(data), "database_url": f"sqlite:///{data / 'wire.sqlite'}?synchronous=NORMAL",
        "redis_url": "redis://127.0.0.1:1/0", "voice_port": str(free_port()), "public_base_url": BASE, "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": TOKEN,
    }  # fmt: skip
    settings = Settings.from_env({f"HUIFANG_{name.upper()}": value for name, value in given.items()}, None)
    house = House(settings)
    ground = Ground(house.engine, house.office, StandingClock())
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    door = processes.doors(settings)[0]
    process = subprocess.Popen(door.command, env={**os.environ, **door.environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until_it_listens(settings.voice_port)
        yield Wire(settings.voice_port, ground, f"/voice/attempts/{token}/steps/0", ground.attempt(attempt_id).carrier_sid or "")
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        house.engine.dispose()


def _until_it_listens(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < end, "the door does not listen"
            time.sleep(0.1)


BODIES = {
    "nothing": b"", "a parameter thrice": b"Digits=1&Digits=2&Digits=3",
    "a thousand parameters": b"&".join(b"p%d=1" % n for n in range(1000)),
    "a megabyte": b"a=" + b"x" * 2**20, "bad UTF-8": b"Digits=%FF%FE&x=%zz&\xff\xfe\x00=\x00", "JSON": b'{"Digits": "1"}',
    "JSON without an end": b'{"Digits": ' * 1000, "separators": b"=&=&&;;" * 100,
    "parts": b"--x\r\nContent-Disposition: form-data; name=Digits\r\n\r\n1\r\n--x--\r\n",
    "parts without an end": b"--x\r\nContent-Disposition: form-data; name=Digits\r\n\r\n" + b"1" * 5000,
}  # fmt: skip
KINDS = (FORM, "application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain; charset=utf-7", "")


@pytest.mark.parametrize("what", BODIES)
def test_a_body_that_is_no_turn_is_refused_or_an_ordinary_turn(wire: Wire, what: str) -> None:
    before, signature = wire.rows(), sign(TOKEN, BASE + wire.path, {})

    for method in ("POST", "GET"):
        for kind in KINDS:
            for signed in ("", "x" * 28, signature):
                status = wire.ask(method, wire.path, BODIES[what], signed, kind)
                is_cut_off = status == 0 and what == "a megabyte"
                assert is_cut_off or 400 <= status < 500, (method, kind, bool(signed), status)
    assert wire.rows() == before


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/voice/attempts/%00/steps/0", ()), ("POST", "/" + "a" * 20_000, ()), ("POST", "//voice//incoming", ()),
        ("POST", "/voice/incoming?" + "&".join(f"a{n}=1" for n in range(1500)), ()), ("PO\x00ST", "/", ()), ("BREW", "/voice/incoming", ()),
        ("POST", "/voice/incoming", ("Content-Length: -1",)), ("POST", "/voice/incoming", ("Content-Length: 5", "Content-Length: 6")),
        ("POST", "/voice/incoming", ("Transfer-Encoding: chunked", "Content-Length: 3")),
        ("POST", "/voice/incoming", ("Content-Length: 9999",)),
        ("POST", "/voice/incoming", tuple(f"X-{n}: 1" for n in range(300))), ("POST", "/voice/incoming", ("X-A: " + "b" * 100_000,)),
        ("POST", "/voice/incoming", ("X-Twilio-Signature: \udcff\udcfe",)), ("POST", "/voice/incoming", ("Bad header",)),
        ("OPTIONS", "*", ()),
    ],
    ids=lambda given: str(given)[:40],
)  # fmt: skip
def test_a_request_that_is_none_is_refused_at_once(wire: Wire, method: str, path: str, headers: tuple[str, ...]) -> None:
    before = wire.rows()

    status = wire.ask(method, path, b"Digits=1", "", headers=headers)

    assert status == 0 or 400 <= status < 500 or status in (501, 505), status
    assert wire.rows() == before


def test_a_body_in_pieces_without_a_length_is_no_turn(wire: Wire) -> None:
    signature = sign(TOKEN, BASE + wire.path, {"Digits": "1", "x": ""})

    assert 400 <= wire.ask("POST", wire.path, CHUNKED, signature, headers=("Transfer-Encoding: chunked",)) < 500


def test_a_thousand_strangers_cost_one_alarm_and_a_signed_turn_is_served_meanwhile(wire: Wire) -> None:
    """RS27: refused before the database is asked; only the alarm that somebody knocks is written, once in a minute."""
    before = wire.rows()
    stranger = b"POST %s HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: wrong\r\nContent-Length: 0\r\n\r\n" % wire.path.encode()
    for _ in range(100):
        assert wire.say(stranger * 10).count(b"HTTP/1.1 403") >= 1

    assert wire.rows() == before
    with wire.ground.sessions() as session:
        assert [alarm.kind for alarm in session.scalars(select(Alarm))] == ["forged_webhooks"]
    assert wire.turn() == 200


def test_the_call_goes_on_after_all_that(wire: Wire, record_property: Callable[[str, object], None]) -> None:
    assert wire.turn() == 200
    record_property("told", f"RS27: the slowest answer over the wire took {wire.slowest:.1f} s")
    with wire.ground.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM turns")) == 1
