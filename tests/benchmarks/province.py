"""A province's peak (tier T3): 10 calls started and 105 web-hooks answered a second, for a minute, on PostgreSQL.

    python -m tests.benchmarks.province [--starts 10] [--seconds 60] [--history 100000] [--people 20000] [--sqlite]

Everything is what `serve` runs: the voice door behind gunicorn, the workers, the clock process, the embedded queue; PostgreSQL is
a server of this benchmark's own that waits for the disk (`--sqlite`: a file, as a small bureau has it). Only the carrier is a
light one (`province_carrier`) that brings its web-hooks at their times whatever happens. The database already holds the attempts
of a day before, and people who wait.
After the minute every call, key and status that the carrier saw is looked for in the tables. The promise (R66): 99 of 100
web-hooks answered within 500 ms, none lost, none doubled. Nothing here passes or fails by speed; a lost or doubled event does.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, update

from config import ports
from config.settings import ROOT, Settings
from config.wiring import House
from survey.store.migrations import migrate
from survey.store.models import Answer, CallAttempt, Campaign, CarrierEvent, Turn
from tests import postgres
from tests.benchmarks.province_carrier import KEYS, Carrier, Habit, Hook
from tests.benchmarks.province_rows import furnish
from tests.calls.stage import free_port

TALKS = 0.68  # of the calls: 14 web-hooks for each of these and 3 for each other make 10.5 for a call
SETTLED_WITHIN_SECONDS = 90.0
RATED = ("speed", "attitude", "outcome", "equipment", "appearance")


@dataclass(frozen=True)
class Processor:
    """Seconds of processor time by process, at one moment."""

    seconds: dict[str, float]
    at: float


@contextmanager
def serving(settings: Settings) -> Iterator[int]:
    """`./huifang serve`, ready; gives its process id."""
    environment = {**os.environ, **settings.as_environment(), "PYTHONPATH": str(ROOT)}
    with (settings.data / "serve.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-P", "-m", "config.cli", "serve"], env=environment, stdout=log, stderr=log, cwd=ROOT)
        try:
            until = time.monotonic() + 60
            while not ports.answers("127.0.0.1", settings.voice_port):
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit("serve did not start:\n" + (settings.data / "serve.log").read_text())
                time.sleep(0.1)
            time.sleep(3)  # workers and the clock process are not asked whether they are ready
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def processor(roots: Sequence[int]) -> Processor:
    """What the processes below `roots` have used so far; ended ones count no more."""
    found: Counter[str] = Counter()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            waiting += [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            continue
        name = words[words.index("config.processes") + 1] if "config.processes" in words else Path(words[0]).name.split(":")[0]
        found[name] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return Processor(dict(found), time.monotonic())


async def drive(
    house: House, carrier: Carrier, port: int, roots: Sequence[int], ramp: float, seconds: float
) -> tuple[Processor, Processor]:
    """Let the campaign run through the ramp and the measured time, then stop it and let everything end."""
    server = await carrier.serve(port)
    _set_state(house, "running")
    await asyncio.sleep(ramp)
    before = processor(roots)
    await asyncio.sleep(seconds)
    after = processor(roots)
    _set_state(house, "paused")
    await asyncio.sleep(1)
    await carrier.finish()
    until = time.monotonic() + SETTLED_WITHIN_SECONDS
    while time.monotonic() < until and await asyncio.to_thread(_unsettled, house):
        await asyncio.sleep(0.5)
    server.close()
    return before, after


def _set_state(house: House, state: str) -> None:
    with house.sessions.begin() as session:
        session.execute(update(Campaign).where(Campaign.state.in_(("running", "paused"))).values(state=state))


def _unsettled(house: House) -> int:
    with house.sessions() as session:
        return session.scalar(select(func.count()).where(CallAttempt.settled_at.is_(None))) or 0


def compare(house: House, carrier: Carrier) -> dict[str, int]:
    """What the carrier saw against the tables: how many of each were lost, doubled, or are not as they were."""
    found: Counter[str] = Counter()
    with house.sessions() as session:
        attempts = session.scalars(select(CallAttempt).where(CallAttempt.requested_at.is_not(None), CallAttempt.campaign_id == 2)).all()
        turns = {(row.attempt_id, row.step) for row in session.execute(select(Turn.attempt_id, Turn.step))}
        answers = {(row.attempt_id, row.item): row.raw for row in session.execute(select(Answer.attempt_id, Answer.item, Answer.raw))}
        events = Counter((row.attempt_id, row.kind) for row in session.execute(select(CarrierEvent.attempt_id, CarrierEvent.kind)))
    by_sid = {attempt.carrier_sid: attempt for attempt in attempts}
    requested = sorted(attempt.requested_at.timestamp() for attempt in attempts if attempt.requested_at)
    found["starts above the pace"] = max(0, _crowd(requested) - int(house.settings.calls_per_second))
    without = [attempt for attempt in attempts if attempt.carrier_sid not in carrier.calls]
    found["attempts without a call"] = len(without)
    for attempt in without[:5]:
        _tell_of(house, attempt, carrier)
    found["calls doubled"] = len(carrier.calls) - len({call.token for call in carrier.calls.values()})
    for call in carrier.calls.values():
        found["failures"] += len(call.problems)
        attempt = by_sid.get(call.sid)
        if attempt is None:
            found["calls lost"] += 1
            continue
        steps = set(range(len(KEYS))) if call.is_talk else set()
        kept = {step for step in range(len(KEYS) + 3) if (attempt.id, step) in turns}
        found["turns lost"] += len(steps - kept)
        found["turns doubled"] += len(kept - steps)
        for place, item in enumerate(RATED, 2):
            if call.is_talk and answers.get((attempt.id, item)) != KEYS[place]:
                found["answers lost or changed"] += 1
        found["statuses lost"] += max(0, len(call.told) - events[attempt.id, "status"])
        found["statuses doubled"] += max(0, events[attempt.id, "status"] - len(call.told))
        if attempt.settled_at is None or attempt.status != call.ending.replace("-", "_"):
            found["not settled as they ended"] += 1
    return dict(found)


def _tell_of(house: House, attempt: CallAttempt, carrier: Carrier) -> None:
    """Print all that is known of an attempt which the carrier does not know by its sid."""
    moments = "claimed_at", "requested_at", "placed_at", "ringing_at", "answered_at", "ended_at", "settled_at", "asked_at"
    print(f"ATTEMPT WITHOUT A CALL: {attempt.id} {attempt.status} {attempt.error!r} sid {attempt.carrier_sid} step {attempt.step}")
    print("  " + ", ".join(f"{name} {at:%H:%M:%S.%f}" for name in moments if (at := getattr(attempt, name)) is not None))
    with house.sessions() as session:
        events = session.scalars(select(CarrierEvent).where(CarrierEvent.attempt_id == attempt.id).order_by(CarrierEvent.id)).all()
        siblings = session.scalars(select(CallAttempt).where(CallAttempt.respondent_id == attempt.respondent_id)).all()
    print(f"  events: {[(event.kind, event.key, f'{event.at:%H:%M:%S.%f}') for event in events]}")
    print(f"  attempts of the person: {[(each.id, each.number, each.status, each.error) for each in siblings]}")
    print(f"  calls of the carrier with its token: {[call.sid for call in carrier.calls.values() if call.token == attempt.token]}")
    log = (house.data / "serve.log").read_text("utf-8", "replace").splitlines()
    print("\n".join(f"  log: {line}" for line in log if f"attempt {attempt.id} " in line or f"attempt {attempt.id}:" in line))


def _crowd(moments: Sequence[float]) -> int:
    """The most of them in any second, of which one end counts; `moments` in order."""
    return max((bisect_left(moments, moment + 1) - place for place, moment in enumerate(moments)), default=0)


def _at(times: Sequence[float], share: float) -> float:
    return 1000 * times[min(len(times) - 1, int(len(times) * share))] if times else float("nan")


def table(hooks: Sequence[Hook], seconds: float) -> None:
    """Print the time from due to answered, by kind of web-hook, in milliseconds."""
    print(f"{'web-hooks':<12}{'a second':>10}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for kind in ("turn", "status", "machine", "all"):
        times = sorted(hook.took for hook in hooks if kind in (hook.kind, "all"))
        print(f"{kind:<12}{len(times) / seconds:>10.1f}" + "".join(f"{_at(times, share):>9.1f}" for share in (0.5, 0.95, 0.99, 1)))


def report(carrier: Carrier, before: Processor, after: Processor, faults: dict[str, int], pace: float) -> bool:
    """Print everything; whether nothing was lost or doubled."""
    seconds = after.at - before.at
    asked = sorted(call.asked_at for call in carrier.calls.values() if before.at <= call.asked_at < after.at)
    print(f"load average {' '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} processors, others included")
    print(
        f"started: {len(asked) / seconds:.2f} calls a second of {pace:g} wanted, {_crowd(asked)} reached the carrier in one second at most"
    )
    table([hook for hook in carrier.hooks if before.at <= hook.due < after.at], seconds)
    used = {name: (after.seconds.get(name, 0) - before.seconds.get(name, 0)) / seconds for name in after.seconds}
    print("processors in use: " + ", ".join(f"{name} {share:.2f}" for name, share in sorted(used.items(), key=lambda pair: -pair[1])))
    print(f"in all {len(carrier.calls)} calls, {len(carrier.hooks)} web-hooks; " + ", ".join(f"{n} {what}" for what, n in faults.items()))
    for problem in [problem for call in carrier.calls.values() for problem in call.problems][:3]:
        print(f"  {problem}")
    return not any(faults.values())


def measure(url: str, folder: Path, options: argparse.Namespace) -> bool:
    """One run on an empty database."""
    line, voice = free_port(), free_port()
    given = {
        "ENVIRONMENT": "test", "DATA": str(folder), "DATABASE_URL": url, "TWILIO_API_URL": f"http://127.0.0.1:{line}",
        "VOICE_PORT": str(voice), "CONSOLE_PORT": str(free_port()), "WORKERS": str(options.workers), "LOG_LEVEL": "warning",
        "LISTENING": "no",
        "CALLS_PER_SECOND": str(options.starts), "CONCURRENT_CALLS": str(options.lines), "DRAIN_SECONDS": "0",
    }  # fmt: skip
    given |= dict(pair.split("=", 1) for pair in options.setting)
    folder.mkdir(exist_ok=True)
    house = House(Settings.from_env({f"HUIFANG_{name}": value for name, value in given.items()}, None))
    migrate(house.engine)
    furnish(house, options.history, options.people, options.starts, options.lines)
    carrier = Carrier(house.settings.twilio_account_sid, house.settings.twilio_auth_token, Habit(TALKS, options.talk_seconds, 0.01))
    with serving(house.settings) as pid:
        work = drive(house, carrier, line, [pid, *options.watch], options.talk_seconds + 5, options.seconds)
        before, after = asyncio.run(work)
    honest = report(carrier, before, after, compare(house, carrier), options.starts)
    house.engine.dispose()
    return honest


def main() -> int:
    """Furnish, run, compare, print; 1 when something was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=float, default=10.0, help="calls a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the measured time")
    parser.add_argument("--talk-seconds", type=float, default=30.0, help="length of a talk; the web-hooks a second do not depend on it")
    parser.add_argument("--lines", type=int, default=600)
    parser.add_argument("--workers", type=int, default=2, help="processes that dial")
    parser.add_argument("--history", type=int, default=100_000, help="attempts that lie in the database from before")
    parser.add_argument("--people", type=int, default=20_000, help="people who wait to be called")
    parser.add_argument(
        "--setting", action="append", default=[], metavar="NAME=VALUE", help="a setting of the house, e.g. VOICE_THREADS=32"
    )
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, which carries less")
    options = parser.parse_args()
    if options.sqlite:
        with tempfile.TemporaryDirectory() as folder:
            options.watch = []
            return 0 if measure(f"sqlite:///{folder}/province.sqlite", Path(folder), options) else 1
    programs = postgres.programs()
    if programs is None:
        raise SystemExit("PostgreSQL is not installed here")
    with postgres.running(programs, durable=True) as url, tempfile.TemporaryDirectory() as folder:
        options.watch = [int(Path(url.partition("host=")[2].replace("%2F", "/"), "data", "postmaster.pid").read_text().split()[0])]
        return 0 if measure(url, Path(folder), options) else 1


if __name__ == "__main__":
    sys.exit(main())
