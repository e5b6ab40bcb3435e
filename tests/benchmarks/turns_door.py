"""The server of `turns`: the real voice door, or one of the floors, behind the gunicorn that production uses.

Started by `turns` as a process of its own: `python -m tests.benchmarks.turns_door door|floor|durable PORT THREADS DATABASE-URL`.
"""

import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Engine, text

from config.doors import Door, serve
from ivr.voice.app import create_voice_app
from ivr.voice.guard import Guard
from ivr.voice.routes import VoiceServices
from ivr.voice.wording import VOICES
from survey import fieldwork
from survey.bureau import Bureau
from survey.phone import NumberPolicy
from survey.store.database import open_engine, session_factory
from survey.store.sealing import KeyRing
from survey.store.unit_of_work import UnitOfWork

BASE = "https://voice.example"
ACCOUNT = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
RING = "index:" + "aW5kZXgtaW5kZXgtaW5kZXgtaW5kZXgtaW5kZXgtLTE=" + ",k1:" + "c2VhbC1zZWFsLXNlYWwtc2VhbC1zZWFsLXNlYWwtLTE="
CONSTANT = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Gather action="https://voice.example/voice/attempts/' + "a" * 32 + '/steps/1" '
    'actionOnEmptyResult="true" finishOnKey="" input="dtmf" method="POST" numDigits="1" timeout="5"><Say language="zh-CN">'
    "第二题,民警的处警态度。按1到5,1是非常满意,5是非常不满意,说不清请按6。</Say></Gather></Response>"
).encode()


@dataclass(frozen=True)
class SystemTime:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class NoWorkers:
    """No jobs are run here: what a finished call wakes is not measured."""

    def enqueue(self, job: str, row_id: int, epoch: int = 0) -> None:
        """Nobody waits for it."""


def office() -> fieldwork.Office:
    bureau = Bureau("某市公安局", "City Police Bureau", "12389", 3, "Asia/Shanghai")
    return fieldwork.Office(KeyRing.parse(RING), b"audit key of the benchmark, 32 B", bureau, NumberPolicy(fictitious=True))


def floor(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The least that any door must do: read the form, answer the same TwiML."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(CONSTANT)))])
    return [CONSTANT]


OPENING = threading.Lock()
"""The first requests come on many threads at once."""


def _open(database: str) -> Engine:
    """With as many connections as the house gives its voice door."""
    threads = int(sys.argv[3])
    return open_engine(database, pool_size=min(threads, 16) if database.startswith("sqlite") else threads)


@cache
def engine_of(database: str) -> Engine:
    engine = _open(database)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS turns_floor (reply TEXT)"))
    return engine


def durable_floor(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The least that a door must do which loses nothing: the same, with one row committed before the answer."""
    with OPENING:
        engine = engine_of(sys.argv[4])
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO turns_floor (reply) VALUES (:reply)"), {"reply": CONSTANT.decode()})
    return floor(environ, start_response)


@cache
def voice_door(database: str) -> Any:
    sessions = session_factory(_open(database))
    guard = Guard(BASE, ACCOUNT, (AUTH_TOKEN,))
    services = VoiceServices(lambda: UnitOfWork(sessions, NoWorkers()), SystemTime(), office(), guard, VOICES)
    return create_voice_app(services)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """The door over the database that the command line names; opened after gunicorn's fork."""
    with OPENING:
        door = voice_door(sys.argv[4])
    return door(environ, start_response)


if __name__ == "__main__":
    attribute = {"door": "application", "floor": "floor", "durable": "durable_floor"}[sys.argv[1]]
    serve(Door(f"tests.benchmarks.turns_door:{attribute}", "127.0.0.1", int(sys.argv[2]), int(sys.argv[3])))
