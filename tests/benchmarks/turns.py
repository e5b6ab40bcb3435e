"""How fast the voice door takes turns, beside two floors measured in the same run: the same server answering constant TwiML,
and the same again with one row committed to the database before each answer.

    python -m tests.benchmarks.turns [--seconds 5] [--callers 1 20 200] [--database URL ...]

Whole calls of the shipped Chinese script (nine signed turns each, every one committed) go over kept-alive connections to the
gunicorn that production uses. Two kinds of load: *hurried* callers press the next key the moment they hear the question,
which shows the throughput; *thinking* ones take about two seconds a turn, which shows what a real caller waits. SQLite is
measured in a temporary file, PostgreSQL where `--database` or HUIFANG_TEST_POSTGRES names an empty database.
Nothing here passes or fails: a slow day is not a fault.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Engine, inspect, text
from sqlalchemy.orm import Session

from survey.contact_rules import Rules
from survey.store.database import open_engine
from survey.store.models import Base, CallAttempt, Campaign, Draw, Incident, Respondent, ScriptVersion, Unit
from tests.benchmarks.turns_door import ACCOUNT, AUTH_TOKEN, BASE

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "config" / "scripts" / "callback-zh.yaml"
KEYS = ["", "1", "2", "2", "2", "2", "2", "1", "1"]  # answered, is the person, five ratings, no interference, nothing to add
THINKING_SECONDS = 2.0
THREADS = 96


@dataclass(frozen=True)
class Measured:
    """One line of the table; latencies and CPU time in milliseconds."""

    per_second: float
    p50: float
    p95: float
    p99: float
    cpu: float
    problems: int


def furnish(engine: Engine, count: int) -> list[tuple[str, str]]:
    """A running campaign with `count` calls that ring; their tokens and carrier sids."""
    Base.metadata.create_all(engine)
    now = datetime.now(UTC)
    names = [(f"{number:032x}", f"CA{number:032x}") for number in range(1, count + 1)]
    with Session(engine) as session:
        campaign, unit = _campaign(session, now)
        session.add_all(_attempt(campaign, unit, number, token, sid, now) for number, (token, sid) in enumerate(names, 1))
        session.commit()
    return names


def _campaign(session: Session, now: datetime) -> tuple[Campaign, Unit]:
    unit = Unit(code="U1", name="城东派出所")
    script = ScriptVersion(
        name="回访", number=1, language="zh-CN", text=SCRIPT.read_text("utf-8"), digest="1" * 64, published_at=now, published_by="benchmark"
    )
    draw = Draw(
        month="2026-02", size=1, minimum=1, seed=1, replicates=1, frame_count=1, frame_digest="0" * 64, program_version="benchmark",
        allocation=[], exclusions={}, incident_count=1, drawn_at=now,
    )  # fmt: skip
    session.add_all([unit, script, draw])
    session.flush()
    campaign = Campaign(
        name="三月回访", month="2026-02", draw_id=draw.id, script_version_id=script.id, lines=200, calls_per_second=20.0,
        caller_id="+861000000000", rules=Rules().to_json(), simulated=True, created_at=now, state="running", started_at=now,
    )  # fmt: skip
    session.add(campaign)
    session.flush()
    return campaign, unit


def _attempt(campaign: Campaign, unit: Unit, number: int, token: str, sid: str, now: datetime) -> CallAttempt:
    key = number.to_bytes(16, "big")
    incident = Incident(
        id=number, number=f"J{number:06d}", unit=unit, category="纠纷", occurred_at=now - timedelta(days=14),
        closed_at=now - timedelta(days=13), zone="Asia/Shanghai", phone_key=key, row_digest="",
    )  # fmt: skip
    respondent = Respondent(
        id=number, campaign=campaign, incident=incident, unit=unit, position=number, replicate=1, weight=1.0, phone_key=key, state="calling"
    )
    return CallAttempt(
        id=number, campaign=campaign, respondent=respondent, number=1, token=token, phone_key=key, live_key=key, status="ringing",
        carrier_sid=sid, script_version_id=campaign.script_version_id, claimed_at=now, requested_at=now, placed_at=now,
    )  # fmt: skip


def call_of(token: str, sid: str) -> list[str]:
    """The requests of one whole call, as they go over the wire."""
    return [_request(f"/voice/attempts/{token}/steps/{step}", _form(sid, key, step == len(KEYS) - 1)) for step, key in enumerate(KEYS)]


def _form(sid: str, key: str, is_remark: bool) -> dict[str, str]:
    form = {f"{side}{part}": "" for side in ("From", "To", "Caller", "Called") for part in ("City", "State", "Zip", "Country")}
    form |= {"AccountSid": ACCOUNT, "CallSid": sid, "From": "+861000000000", "To": "+8610000000000", "Caller": "+861000000000"}
    form |= {"Called": "+8610000000000", "CallStatus": "in-progress", "ApiVersion": "2010-04-01", "Direction": "outbound-api"}
    if is_remark:
        form |= {"RecordingSid": "RE" + sid[2:], "RecordingDuration": "0", "RecordingUrl": f"{BASE}/{sid}"}
    return form | ({"Digits": key, "msg": "Gather End", "FinishedOnKey": ""} if key else {})


def _request(path: str, form: dict[str, str]) -> str:
    signed = BASE + path + "".join(name + form[name] for name in sorted(form))
    signature = base64.b64encode(hmac.new(AUTH_TOKEN.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    body = urlencode(form)
    return (
        f"POST {path} HTTP/1.1\r\nHost: voice.example\r\nX-Twilio-Signature: {signature}\r\nUser-Agent: TwilioProxy/1.1\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )


@contextmanager
def serving(kind: str, database: str) -> Iterator[tuple[int, int]]:
    """The server, ready: its port and the process id of gunicorn."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.turns_door", kind, str(port), str(THREADS), database], cwd=ROOT)
    try:
        _wait_for(port, server)
        yield port, server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its children that live, from /proc."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    times = [Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split() for one in [str(pid), *children]]
    return sum(int(fields[11]) + int(fields[12]) for fields in times) / os.sysconf("SC_CLK_TCK")


def load(port: int, pid: int, calls: list[list[str]], callers: int, seconds: float, pause: float, strict: bool) -> Measured:
    """Let the callers loose and measure."""
    plan = {"port": port, "callers": callers, "seconds": seconds, "pause_seconds": pause, "calls": calls, "strict": strict}
    before = cpu_seconds(pid)
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.turns_callers"],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    seen: dict[str, Any] = json.loads(done.stdout)
    turns = sorted(seen["turns"])
    if seen["problems"]:
        print(f"  {len(seen['problems'])} problems, the first: {seen['problems'][0]}")
    if not seen["left"] and not pause:
        print("  (all prepared calls were used up)")
    at = [1000 * turns[min(len(turns) - 1, int(len(turns) * share))] for share in (0.50, 0.95, 0.99)]
    return Measured(len(turns) / seen["seconds"], *at, 1000 * (cpu_seconds(pid) - before) / len(turns), len(seen["problems"]))


def measure(name: str, kind: str, database: str, names: list[tuple[str, str]], options: argparse.Namespace) -> dict[str, Measured]:
    """All loads on one server; each load has calls of its own."""
    table = {}
    with serving(kind, database) as (port, pid):
        load(port, pid, [call_of(*names.pop()) for _ in range(20)], 4, 2.0, 0, kind == "door")
        for callers in options.callers:
            for manner, pause in (("hurried", 0.0), ("thinking", THINKING_SECONDS)):
                wanted = min(len(names), callers + (options.calls if not pause else callers * 2))
                calls = [call_of(*names.pop()) for _ in range(wanted)]
                seconds = options.seconds if not pause else max(options.seconds, 3 * pause)
                found = table[f"{callers} {manner}"] = load(port, pid, calls, callers, seconds, pause, kind == "door")
                print(
                    f"{name:<12}{callers:>6} {manner:<9}{found.per_second:>9.1f}{found.p50:>9.1f}{found.p95:>9.1f}{found.p99:>9.1f}"
                    f"{found.cpu:>9.2f}{found.problems:>6}",
                    flush=True,
                )
    return table


def needed(options: argparse.Namespace) -> int:
    """How many calls one server may use up."""
    return 20 + sum(4 * callers + options.calls for callers in options.callers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 20, 200])
    parser.add_argument("--calls", type=int, default=1000, help="calls prepared for one hurried load")
    parser.add_argument("--database", action="append", default=[], help="URL of an empty PostgreSQL database")
    options = parser.parse_args()
    given = [*options.database, *filter(None, [os.environ.get("HUIFANG_TEST_POSTGRES")])]
    with tempfile.TemporaryDirectory() as folder:
        report([f"sqlite:///{folder}/turns.sqlite", *given], options)


def report(databases: list[str], options: argparse.Namespace) -> None:
    """Print the table: the floor, then each database, then their ratios."""
    print(f"{'server':<12}{'calls':>6} {'callers':<9}{'turns/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'bad':>6}")
    names = [(f"{number:032x}", f"CA{number:032x}") for number in range(needed(options))]
    floor = measure("floor", "floor", "-", list(names), options)
    for database in databases:
        engine = open_engine(database)
        if inspect(engine).get_table_names():
            raise SystemExit(f"{engine.url!r} is not empty: this benchmark fills a database and drops its tables")
        try:
            calls = furnish(engine, needed(options))
            durable = measure("one commit", "durable", database, list(names), options)
            door = measure(engine.dialect.name, "door", database, calls, options)
        finally:
            with engine.begin() as connection:
                connection.execute(text("DROP TABLE IF EXISTS turns_floor"))
            Base.metadata.drop_all(engine)
            engine.dispose()
        for one in (name for name in door if name.endswith("hurried")):
            share, durable_share = (door[one].per_second / least[one].per_second for least in (floor, durable))
            print(f"  {one}: {share:.2f} of the floor's throughput, {durable_share:.2f} of the floor's that commits")


if __name__ == "__main__":
    main()
