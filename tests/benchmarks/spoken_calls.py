"""Twenty spoken calls at a time: real sound in real time, half of the callees answer by voice and half by key.

    python -m tests.benchmarks.spoken_calls [--calls 20] [--total 500] [--silent 100] [--speakers 0.5] [--whole]

Everything is what `serve` runs: the voice door behind gunicorn, the media server with its decoding processes, the workers, the clock
process; only the carrier is the simulated one, in a process of its own. The same load runs once with nobody listening (`--silent`
calls), then with the media server, so that keypad turns stand side by side. Prompts are shortened, because nobody's prompt is heard
here and the answers are the load; `--whole` reads the shipped ones.
What the callee said is held against what was stored, by the carrier's own record, at the ratings and at the other questions. A misheard
or lost answer and a lost call fail; speed and memory never do.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import func, select

from config import metrics, witness
from config.settings import Settings
from config.wiring import House
from survey.script import ChoiceStep
from survey.script_yaml import parse
from survey.store.database import reading, session_factory
from survey.store.models import Answer, CallAttempt, Hearing, Incident, ScriptVersion, Unit
from tests.benchmarks.spoken_carrier import turns_in
from tests.benchmarks.spoken_house import Premises, opened, resident, settings_for
from tests.conftest import StandingClock
from tests.survey.fieldwork.conftest import SCRIPT, Ground

START = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
ENDINGS = ("00", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "24")
"""Of the numbers called: people who answer at the first call, with good ratings and bad ones."""

RINGING = 1.25
"""So many lines for each call that is to be talked on: the others ring, or are being placed."""

UNDER_WAY = ("claimed", "requested", "placed", "ringing", "in_progress")
SLOW_SECONDS = 0.1
LOOK_SECONDS = 2.0
LONGEST_CALL_SECONDS = 240.0
SHORTER = {
    "您好，这里是{{ bureau }}指挥中心自动语音回访，想请您评价公安服务，约两分钟，通话会录音。": "您好，电话回访。",
    "谢谢。您的回答只用于改进工作，未经您同意，处警单位看不到您的姓名和号码。": "谢谢。",
    "我们不会询问银行卡、密码和身份证号。如有疑问或遇紧急情况，请挂断后拨打{{ emergency }}。": "遇紧急情况请拨打{{ emergency }}。",
    "重听请按星号，返回上一题请按7，需要人工回电请按8。": "",
    "下面五题，关于您{{ incident_date }}的报警。": "下面五题。",
    "现在不方便，请按9；今后不希望接到回访电话，请按0。": "不便请按9。",
    "第一题，民警到达现场的速度": "第一题，速度",
    "第五题，民警的着装和仪容举止": "第五题，着装",
    "第四题，民警携带的装备": "第四题，装备",
    "{{ scale_long }}": "1到6",
    "{{ scale_short }}": "1到6",
    "您不满意的地方，是否涉及民警索要财物、打骂等违纪行为？": "是否涉及违纪行为？",
    "很抱歉没有让您满意。请在嘀声后说说哪里不满意，说完按井号；不想说请按1。": "哪里不满意？不想说请按1。",
    "对公安工作有什么意见建议，或者身边有什么治安隐患，请在嘀声后说，说完按井号。没有请按1。": "有什么意见建议？没有请按1。",
    "好的，您反映的问题已经登记，会有工作人员在{{ callback_days }}个工作日内联系您。": "好的。",
    "感谢您的评价。如需进一步反映，可拨打{{ hotline }}。再见。": "再见。",
}


class People(Ground):
    """People who pick up the telephone."""

    def _incident(self, serial: int, unit: Unit, subscriber: int) -> Incident:
        return super()._incident(serial, unit, subscriber // len(ENDINGS) * 100 + int(ENDINGS[subscriber % len(ENDINGS)]))


@dataclass(frozen=True)
class Load:
    """What is asked of a house: how many talk at once, how many calls in all, who speaks, who listens, by which prompts."""

    at_once: int
    total: int
    speakers: float
    listening: bool
    whole: bool
    every: int


@dataclass
class Course:
    """What was seen while the calls went on: how many were talked on at each look, and the resident MiB of processes by calls done."""

    talks: list[int] = field(default_factory=list)
    memory: dict[int, dict[str, float]] = field(default_factory=dict)


def script(whole: bool) -> str:
    """The shipped script, its long announcements shortened unless they are wanted."""
    text = SCRIPT.read_text("utf-8")
    for long, short in {} if whole else SHORTER.items():
        assert long in text, long
        text = text.replace(long, short)
    return text


def launch(house: House, load: Load) -> None:
    """A running campaign of so many people."""
    people = People(house.engine, house.office, StandingClock(START))
    with house.unit_of_work() as work:
        work.session.add(ScriptVersion(
            name="回访", number=1, language="zh-CN", text=script(load.whole), digest="1" * 64, published_at=START, published_by="benchmark",
        ))  # fmt: skip
    people.launch(load.total, lines=round(load.at_once * RINGING), calls_per_second=house.settings.calls_per_second)


def follow(premises: Premises, load: Load) -> Course:
    """Let the calls go on until all are settled; the longest that may take is what it takes with a quarter of the lines."""
    course, look = Course(), session_factory(reading(premises.house.engine))
    until = time.monotonic() + LONGEST_CALL_SECONDS * (4 + load.total / load.at_once)
    done, settled = 0, 0
    while settled < load.total and time.monotonic() < until:
        with look() as session:
            counted = session.execute(
                select(CallAttempt.status, func.count(), func.count(CallAttempt.settled_at)).group_by(CallAttempt.status)
            ).all()  # fmt: skip
        course.talks.append(sum(count for status, count, _ in counted if status == "in_progress"))
        done = sum(count for status, count, _ in counted if status not in UNDER_WAY)
        settled = sum(count for _, _, count in counted)
        if done // load.every not in {mark // load.every for mark in course.memory}:
            course.memory[done] = remember(premises, done)
        time.sleep(LOOK_SECONDS)
    course.memory[done] = remember(premises, done)
    return course


def remember(premises: Premises, done: int) -> dict[str, float]:
    """Print and keep the resident memory."""
    found = resident(premises)
    print(f"  after {done:>4} calls, MiB: " + ", ".join(f"{name} {size:.1f}" for name, size in found.items()), flush=True)
    return found


def faults_in(house: House, journal: list[dict[str, Any]], load: Load) -> dict[str, int]:
    """What the carrier saw against the tables: 0 of each where every call was held and every answer is what was said or pressed."""
    rows = select(CallAttempt.carrier_sid, Answer.item, Answer.raw, Answer.mode, Answer.code)
    with house.sessions() as session:
        found = session.execute(rows.join(Answer, Answer.attempt_id == CallAttempt.id))
        stored = [witness.StoredAnswer(sid or "", item, raw, mode, code) for sid, item, raw, mode, code in found]
        outcomes = dict(Counter(session.scalars(select(Hearing.outcome))))
        statuses = Counter(session.scalars(select(CallAttempt.status)))
    verdict, mistaken = witness.compare(journal, stored), mistaken_choices(journal, stored)
    problems = [str(problem) for call in journal for problem in call["problems"]]
    ended = sum(call["status"] == "completed" for call in journal)
    print(f"  {ended} calls, {verdict.equal} ratings by key and {verdict.spoken} by voice as given; utterances {outcomes}")
    for what in [*verdict.misheard, *mistaken, *verdict.different, *verdict.lost, *verdict.invented, *problems][:5]:
        print(f"    {what}")
    return {
        "misheard": len(verdict.misheard), "misheard beside the ratings": len(mistaken), "changed": len(verdict.different),
        "lost": len(verdict.lost) + len(verdict.unheard), "invented": len(verdict.invented),
        "calls lost": max(load.total - ended, load.total - statuses["completed"]), "problems at the carrier": len(problems),
    }  # fmt: skip


def mistaken_choices(journal: list[dict[str, Any]], stored: list[witness.StoredAnswer]) -> list[tuple[str, str, str, str]]:
    """Spoken answers to the questions beside the ratings that are not what was said: (call sid, item, meant, code)."""
    questions = {step.item: step for step in parse(SCRIPT.read_text("utf-8")).steps if isinstance(step, ChoiceStep)}
    said: dict[tuple[str, str], set[str]] = {}
    for call in journal:
        for words in call["said"]:
            said.setdefault((call["sid"], words["item"]), set()).add(words["meant"])
    return [
        (answer.call_sid, answer.item, "".join(said.get((answer.call_sid, answer.item), ())), answer.code)
        for answer in stored if answer.mode == "speech" and answer.item in questions and answer.item not in witness.RATED
        if not said.get((answer.call_sid, answer.item), set()) & {c.key for c in questions[answer.item].choices if c.code == answer.code}
    ]  # fmt: skip


def percentiles(seconds: list[float]) -> str:
    """Milliseconds: the median, the 95th of a hundred, the longest."""
    ordered = sorted(seconds) or [float("nan")]
    at = [1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99, 1.0)]
    return "p50 {:.1f}, p95 {:.1f}, p99 {:.1f}, max {:.1f} ms".format(*at)


def tell_turns(settings: Settings, premises: Premises) -> None:
    """Print the times of turns, as the carrier waited and as the door itself counted."""
    turns = turns_in(premises.turns)
    keys = [turn.seconds for turn in turns if turn.is_key]
    print(f"  {len(turns)} turns, {sum(turn.status != 200 for turn in turns)} not answered; the carrier waited for one by key:")
    print(f"    {len(keys)}: {percentiles(keys)}; {sum(took > SLOW_SECONDS for took in keys)} above {1000 * SLOW_SECONDS:.0f} ms")
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(metrics.folder_of(settings.data)))  # type: ignore[no-untyped-call]
    counted = {
        float(sample.labels["le"]): int(sample.value)
        for metric in registry.collect() for sample in metric.samples
        if sample.name == "huifang_webhook_seconds_bucket" and sample.labels["route"] == "take_turn"
    }  # fmt: skip
    total = counted.get(float("inf"), 0)
    limits = [limit for limit in sorted(counted) if limit <= SLOW_SECONDS]
    within = ", ".join(f"within {1000 * limit:g} ms {100 * counted[limit] / total:.1f} %" for limit in limits)
    slow = total - counted.get(SLOW_SECONDS, 0)
    print(f"    by the door's own clock {slow} of all {total} turns above {1000 * SLOW_SECONDS:.0f} ms; {within}")


def tell_decisions(house: House, journal: list[dict[str, Any]]) -> None:
    """Print the time from the end of the words to the decision, and to the carrier's being told."""
    with house.sessions() as session:
        decided = [ms / 1000 for ms in session.scalars(select(Hearing.latency_ms))]
    led = [said["seconds_to_redirect"] for call in journal for said in call["said"] if said["seconds_to_redirect"]]
    print(f"  from the end of the words to the decision, {len(decided)}: {percentiles(decided)}")
    print(f"  to the call's being led on, as the carrier saw it, {len(led)}: {percentiles(led)}")


def tell_memory(course: Course, warm: int) -> None:
    """Print how much each process has grown from the calls after which everything is warm to the end."""
    marks = sorted(course.memory)
    first = next((mark for mark in marks if mark >= warm), marks[0])
    grown = {name: size - course.memory[first].get(name, size) for name, size in course.memory[marks[-1]].items()}
    print(f"  grown from call {first} to call {marks[-1]}, MiB: " + ", ".join(f"{name} {size:+.1f}" for name, size in grown.items()))


def measure(folder: Path, sounds: Path, load: Load) -> dict[str, int]:
    """One house, from its opening to the comparison."""
    settings = settings_for(folder, load.listening, load.at_once * 2)
    print(f"\n{load.total} calls, {load.at_once} at a time, {'listening' if load.listening else 'nobody listens'}", flush=True)
    with opened(settings, START, load.speakers, sounds) as premises:
        launch(premises.house, load)
        began = time.monotonic()
        premises.exchange.run_in_real_time()
        course = follow(premises, load)
        journal = premises.exchange.journal()
        busy = course.talks[len(course.talks) // 10 : len(course.talks) * 8 // 10] or [0]
        print(f"  talked on at once: {sum(busy) / len(busy):.1f} on average, {max(busy)} at most; {time.monotonic() - began:.0f} s")
        print("  processors in use: " + premises.processors(time.monotonic() - began))
        print(f"  load average {' '.join(f'{one:.1f}' for one in os.getloadavg())} on {os.cpu_count()} processors, others included")
        faults = faults_in(premises.house, journal, load)
        tell_turns(settings, premises)
        if load.listening:
            tell_decisions(premises.house, journal)
            tell_memory(course, load.total // 5)
    print("  " + ", ".join(f"{count} {what}" for what, count in faults.items()), flush=True)
    return faults


def main() -> int:
    """Run both; 1 when something was misheard or lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20, help="calls talked on at a time")
    parser.add_argument("--total", type=int, default=500, help="calls with listening")
    parser.add_argument("--silent", type=int, default=100, help="calls with nobody listening, before")
    parser.add_argument("--speakers", type=float, default=0.5, help="the share of callees who answer by voice")
    parser.add_argument("--every", type=int, default=50, help="calls between two looks at the memory")
    parser.add_argument("--whole", action="store_true", help="read the whole shipped prompts")
    options = parser.parse_args()
    faults: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        sounds = Path(folder) / "sounds"
        sounds.mkdir()
        for listening, total in ((False, options.silent), (True, options.total)):
            if total:
                load = Load(options.calls, total, options.speakers, listening, options.whole, options.every)
                faults.update(measure(Path(folder) / f"{listening}", sounds, load))
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
