"""The release before goes on calling people while this one's `migrate` changes the tables below it (RS70)."""

import io
import os
import re
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, func, select
from sqlalchemy.orm import Session

from config.settings import ROOT, Settings
from config.wiring import House
from ivr.carrier.simulator.persona import Traits
from survey.store import audit
from survey.store.database import open_engine
from survey.store.migrations import current, head
from survey.store.models import Answer, Campaign, Respondent, Turn
from tests.calls.small_house import opened
from tests.calls.stage import free_port
from tests.conftest import StandingClock
from tests.survey.fieldwork.conftest import SCRIPT, Ground

VERSIONS = ROOT / "survey" / "store" / "migrations" / "versions"
PEOPLE, TRIES = 2_500, 4
"""Who was called in months before: ten thousand attempts."""

CALLED = 30
LONGEST_SECONDS = 600
MAKE_TABLES = "import sys; from survey.store import database, migrations; migrations.migrate(database.open_engine(sys.argv[1]))"
PLAY = """
import sys
from dataclasses import replace
from config.cli import main
from config.commands import demo

url, stage, children = sys.argv.pop(1), demo.stage, demo.children
demo.stage = lambda *given: replace(stage(*given), database_url=url, workers=1)
demo.children = lambda *given: [child for child in children(*given) if child.name != "console"]
main(prog_name="the release before")
"""
"""The demonstration, on a database of our choice and without its console."""

MIGRATE = "import survey.store.migrations; from config.cli import main; input(); main(['migrate'])"
"""The command, whose libraries are loaded before it is wanted: the calls do not wait for it."""


@pytest.fixture(scope="module")
def release_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as it was before the newest migration came, from the history of this repository."""
    newest = max(VERSIONS.glob("[0-9]*.py")).relative_to(ROOT)
    added = git("log", "--diff-filter=A", "--format=%H", "--", str(newest)).decode().split()
    if not added:
        pytest.skip(f"{newest.name} is not committed yet: there is no release before it")
    folder = tmp_path_factory.mktemp("release-before")
    with tarfile.open(fileobj=io.BytesIO(git("archive", f"{added[-1]}^"))) as archive:
        archive.extractall(folder, filter="data")
    return folder


def git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"the release before cannot be had from the history: {done.stderr.decode().strip()}")
    return done.stdout


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that is empty even of tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'house.sqlite'}?synchronous=NORMAL"
    engine: Engine = request.getfixturevalue("postgres_engine")
    return engine.url.render_as_string(hide_password=False)


@dataclass
class Play:
    """The former release's demonstration while it runs: what it has printed."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def await_calls(self) -> None:
        """Wait until a tenth of the people has been called."""
        until = time.monotonic() + LONGEST_SECONDS
        while not any(re.match(r"4 外呼 .* [1-9]\d*/", line) for line in self.lines):
            assert self.process.poll() is None, "\n".join(self.lines + self.errors)
            assert time.monotonic() < until, "nobody is called"
            time.sleep(0.05)


@contextmanager
def playing(release: Path, url: str, data: Path) -> Iterator[Play]:
    """Let the former release call people through its own doors, workers and simulated carrier."""
    ports = {"HUIFANG_VOICE_PORT": str(free_port()), "HUIFANG_CONSOLE_PORT": str(free_port())}
    words = [sys.executable, "-P", "-c", PLAY, url, "demo", "--exit", "--calls", str(CALLED), "--seed", "5"]
    process = subprocess.Popen(
        words,
        cwd=release,
        env=surroundings(release, HUIFANG_DATA=str(data), **ports),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    play = Play(process)
    readers = [threading.Thread(target=collect, args=pair) for pair in ((process.stdout, play.lines), (process.stderr, play.errors))]
    for reader in readers:
        reader.start()
    try:
        yield play
        process.wait(LONGEST_SECONDS)
    finally:
        process.terminate()
        process.wait(60)
        for reader in readers:
            reader.join()


@contextmanager
def loaded(url: str, data: Path) -> Iterator[subprocess.Popen[str]]:
    """This release's `migrate`, which waits for a word on its standard input."""
    given = surroundings(ROOT, HUIFANG_DATA=str(data), HUIFANG_DATABASE_URL=url)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-P", "-c", MIGRATE], cwd=ROOT, env=given, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def collect(stream: Any, lines: list[str]) -> None:
    lines.extend(iter(stream.readline, ""))


def surroundings(tree: Path, **settings: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(tree), **settings}


def run(tree: Path, *words: str, **settings: str) -> str:
    """Run Python on a tree of the program; what it printed."""
    done = subprocess.run(
        [sys.executable, "-P", *words], cwd=tree, env=surroundings(tree, **settings), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def remember_former_months(engine: Engine) -> None:
    """Ten thousand attempts of a campaign that is over, in the tables as the release before knows them."""
    tables = MetaData()
    tables.reflect(engine)
    then, ids = datetime(2020, 1, 15, 2, 0), range(1, PEOPLE + 1)  # noqa: DTZ001 - a reflected column of SQLite wants it so
    common = {"campaign_id": 1, "script_version_id": 1, "unit_id": 1, "draw_id": 1, "replicate": 1, "weight": 1.0, "epoch": 0, "error": ""}
    common |= {"occurred_at": then, "closed_at": then, "drawn_at": then, "published_at": then, "created_at": then, "claimed_at": then}
    common |= {
        "category": "纠纷",
        "call_type": "",
        "zone": "Asia/Shanghai",
        "row_digest": "",
        "made_up": True,
        "phone_key": b"former month 16b",
    }
    common |= {"settled_at": then, "tries": TRIES, "close_reason": "", "simulated": True}

    def put(table: str, *rows: dict[str, Any]) -> None:
        known = tables.tables[table].columns.keys()
        with engine.begin() as connection:
            connection.execute(tables.tables[table].insert(), [{k: v for k, v in {**common, **row}.items() if k in known} for row in rows])

    put("units", {"code": "former", "name": "former"})
    put("script_versions", {"name": "former", "number": 1, "language": "zh-CN", "text": SCRIPT.read_text("utf-8"), "digest": "0" * 64,
                            "published_by": "former", "reason": ""})  # fmt: skip
    put("draws", {"month": "2020-01", "size": PEOPLE, "minimum": 1, "seed": 1, "replicates": 1, "frame_count": PEOPLE, "frame_digest": "",
                  "program_version": "former", "allocation": [], "exclusions": {}, "incident_count": PEOPLE, "rules": {}})  # fmt: skip
    put("campaigns", {"public_id": "former", "name": "former", "month": "2020-01", "state": "finished", "state_reason": "", "lines": 1,
                      "calls_per_second": 1.0, "caller_id": "", "rules": {}})  # fmt: skip
    put("incidents", *({"public_id": f"former {n}", "number": f"former {n}"} for n in ids))
    put(
        "respondents",
        *({"public_id": f"former {n}", "incident_id": n, "position": n, "state": "closed", "disposition": "complete"} for n in ids),
    )
    done = {"status": "completed", "step": 12, "disposition": "complete"}
    put("call_attempts", *(
        {"respondent_id": n, "number": number, "token": f"former {n} {number}", **done} for n in ids for number in range(1, TRIES + 1)
    ))  # fmt: skip


def count_turns(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(Turn)).scalar_one()


@pytest.mark.slow
def test_the_release_before_makes_no_mistake_while_this_one_migrates(
    release_before: Path, url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    run(release_before, "-c", MAKE_TABLES, url)
    engine = open_engine(url)
    before = current(engine)
    remember_former_months(engine)

    with playing(release_before, url, tmp_path) as play, loaded(url, tmp_path) as migration:
        play.await_calls()
        turns = [count_turns(engine)]
        told, problem = migration.communicate("now")
        turns.append(count_turns(engine))
    turns.append(count_turns(engine))

    record_property("told", f"{engine.dialect.name}: turns before, until the end of and after the migration {turns}")
    assert (before, current(engine)) == (release(release_before), head())
    assert migration.returncode == 0, problem
    assert f"{head()} ← " in told
    assert turns[0] < turns[1] < turns[2], "calls went on before, during and after"
    assert play.process.returncode == 0, "\n".join(play.lines + play.errors)
    assert not [line for line in play.errors if "Traceback" in line or "ERROR" in line]
    this_release_goes_on(engine, url, tmp_path)
    engine.dispose()


def release(tree: Path) -> str:
    """The newest revision that a tree of the program knows."""
    return max((tree / VERSIONS.relative_to(ROOT)).glob("[0-9]*.py")).name.partition("_")[0]


def this_release_goes_on(engine: Engine, url: str, data: Path) -> None:
    """Two more people are called by the new code on the same tables, with the keys that the former release has made."""
    house = House(Settings.from_env({"HUIFANG_DATA": str(data / "demo"), "HUIFANG_DATABASE_URL": url}, None))
    with Session(engine) as session:
        last = session.scalars(select(Campaign).order_by(Campaign.id.desc())).first()
        assert last is not None
        assert last.state == "finished"
        monday = last.created_at - timedelta(days=last.created_at.weekday()) + timedelta(days=14)
    clock = StandingClock(monday.replace(hour=2, minute=0))  # ten o'clock in Shanghai
    with opened(Ground(engine, house.office, clock), data) as small:
        campaign_id = small.ground.launch(2)
        small.everybody_is(Traits())
        small.run(campaign_id)
    with Session(engine) as session:
        people = session.scalars(select(Respondent).where(Respondent.campaign_id == campaign_id)).all()
        rated = session.scalars(select(Answer.respondent_id).where(Answer.respondent_id.in_([person.id for person in people]))).all()
        assert {person.disposition for person in people} == {"complete"}
        assert set(rated) == {person.id for person in people}
        assert list(audit.verify(session, house.audit_key)) == []
