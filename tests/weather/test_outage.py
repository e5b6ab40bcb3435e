"""RS31 with real processes on both engines: the database falls in mid-call, the door is killed, and the same question is asked."""

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest
import requests
from sqlalchemy import select

from config import processes
from config.settings import Settings
from config.wiring import VOICE_SECONDS, House
from ivr.carrier.simulator.signing import sign
from survey.store.database import reading
from survey.store.migrations import migrate
from survey.store.models import Answer
from tests import postgres
from tests.calls.stage import free_port
from tests.conftest import NO_POSTGRES, StandingClock
from tests.survey.fieldwork.conftest import Ground

ACCOUNT, TOKEN = "AC" + "2" * 32, "token of the outage"
SOON_SECONDS, CARRIER_SECONDS, START_SECONDS = 5.0, 15.0, 60.0
"""What is promised (RS31) and what the door gives the database stays below; who waits for longer than the second hears nothing at all."""

Outage = Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Outage]]:
    """A database of its own, and how it is made to fail."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_tables"), tmp_path / "outage.sqlite")
        yield f"sqlite:///{tmp_path / 'outage.sqlite'}", lambda: seized(tmp_path / "outage.sqlite")
        return
    programs = postgres.programs()
    if programs is None:
        pytest.skip(NO_POSTGRES)
    with postgres.running(programs) as url:
        yield url, lambda: postgres.down(programs, url)


@contextmanager
def seized(file: Path) -> Iterator[None]:
    """Somebody else has the file and does not let go."""
    holder = sqlite3.connect(file, isolation_level=None, timeout=30)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


@contextmanager
def door(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """The real voice door; killed at the end, as by a power cut."""
    child = processes.doors(settings)[0]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(child.command, env={**os.environ, **child.environment}, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        end = time.monotonic() + START_SECONDS
        while not _answers(settings.voice_port):
            assert time.monotonic() < end, "the door does not open"
            time.sleep(0.1)
        yield process
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2).ok
    except requests.RequestException:
        return False


def patience(house: House) -> float:
    """How long a turn waits for another's lock, as the door's own engine says."""
    with reading(house.voice_engine).connect() as connection:
        if connection.dialect.name == "sqlite":
            return float(connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()) / 1000
        return float(connection.exec_driver_sql("SHOW lock_timeout").scalar_one().removesuffix("s"))


@pytest.mark.slow
def test_the_same_question_is_asked_again_when_database_and_door_are_back(
    database: tuple[str, Outage], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    url, outage = database
    port = free_port()
    given = {
        "environment": "test", "data": str(tmp_path), "database_url": url, "redis_url": "redis://127.0.0.1:1/0", "voice_port": str(port),
        "public_base_url": f"http://127.0.0.1:{port}", "twilio_account_sid": ACCOUNT, "twilio_auth_token": TOKEN, "listening": "no",
    }  # fmt: skip
    settings = Settings.from_env({f"HUIFANG_{name.upper()}": value for name, value in given.items()}, None)
    house = House(settings)
    migrate(house.engine)
    ground = Ground(house.engine, house.office, StandingClock())
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    sid = ground.attempt(attempt_id).carrier_sid or ""
    house.engine.dispose()

    def ask(address: str, **form: str) -> ElementTree.Element:
        fields = {"AccountSid": ACCOUNT, "CallSid": sid, "CallStatus": "in-progress", **form}
        answer = requests.post(address, fields, headers={"X-Twilio-Signature": sign(TOKEN, address, fields)}, timeout=30)
        assert answer.status_code == 200
        return ElementTree.fromstring(answer.content)

    def said(reply: ElementTree.Element) -> str:
        return "".join(say.text or "" for say in reply.iter("Say"))

    first = f"{settings.public_base_url}/voice/attempts/{token}/steps/"
    with door(settings):
        ask(f"{first}0")
        question = ask(f"{first}1", Digits="1")
        with outage():
            began = time.monotonic()
            excuse = ask(f"{first}2", Digits="4")
            took = time.monotonic() - began
        again = excuse.findtext("Redirect") or ""
    with door(settings):
        asked = ask(again)
        answered = ask(f"{first}3", Digits="4")

    record_property("told", f"RS31: without its {house.engine.dialect.name} database the door answered after {took:.1f} s")
    assert patience(house) < VOICE_SECONDS < SOON_SECONDS
    assert took < CARRIER_SECONDS
    assert [verb.tag for verb in excuse] == ["Say", "Pause", "Redirect"]
    assert again == f"{first}2?again=1"
    assert "民警到场的速度" in said(asked)
    assert "民警到达现场的速度" in said(question)
    assert "速度" not in said(answered)
    with ground.sessions() as session:
        assert {answer.item: answer.raw for answer in session.scalars(select(Answer))} == {"right_person": "1", "speed": "4"}
    house.engine.dispose()
    house.voice_engine.dispose()
