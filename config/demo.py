"""The play of the demonstration: import, draw, publish, call, compare with the carrier, print the sheet.

It runs as a process of its own beside the doors, the workers and the simulated carrier: `python -m config.demo <plan>`.
"""

import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from config import ports, witness
from config.cli import open_house
from config.commands.incidents import read_mapping
from config.conductor import RemoteExchange, Stuck, conduct
from config.sweep import Sweeper
from config.wiring import House
from survey import accounts, drawing, fieldwork, reporting, scripting
from survey.contact_rules import Rules
from survey.disposition import Disposition
from survey.eligibility import Exclusion
from survey.errors import SurveyError
from survey.incidents import importing, made_up
from survey.sheet import text as sheet_text
from survey.store.database import reading, session_factory
from survey.store.models import Answer, CallAttempt, Campaign, Draw, Hearing, Recording
from survey.store.queries import fieldwork as queries

JOURNAL = "carrier-journal.json"
"""What the simulated carrier saw of every call: with it and `export`, anyone can check the answers."""

OPENING_SECONDS = 60.0
SCRIPTS = Path(__file__).parent / "scripts"
ACCOUNTS = (("admin", "administrator", "管理员"), ("desk", "operator", "值班员"), ("chief", "commander", "指挥长"))


@dataclass(frozen=True)
class Plan:
    """What to play: a file (none: a made-up month), its mapping, the month to draw from, how many, by which seed, in which zone."""

    incidents: str
    mapping: str
    month: str
    calls: int
    seed: int
    leave: bool
    zone: str
    faults: dict[str, float] = field(default_factory=dict)
    speakers: float = 0.0  # the share of people who answer by voice

    @property
    def language(self) -> str:
        """The language of the people called: Chinese where the file comes from Asia, English elsewhere."""
        return "zh" if self.zone.startswith("Asia/") else "en"

    def to_json(self) -> str:
        """The plan as one line of JSON."""
        return json.dumps(asdict(self))


def fault(text: str) -> tuple[str, float]:
    """Read `KIND=SHARE`, e.g. `turn.duplicate=0.1`. Raises BadParameter."""
    kind, _, share = text.partition("=")
    try:
        return kind, float(share)
    except ValueError:
        raise click.BadParameter(f"{text}: 应写作 turn.duplicate=0.1 / write it like turn.duplicate=0.1") from None


def say(text: str = "") -> None:
    """Print one line at once."""
    print(text, flush=True)


def play(house: House, plan: Plan) -> int:
    """Play the plan; the exit status: 0 when all stored answers are what was pressed and everything adds up."""
    began = time.monotonic()
    exchange = RemoteExchange(house.settings.twilio_api_url)
    if plan.faults:
        exchange.set_faults(nested(plan.faults))
    say("回访 Huifang · 演示模式：模拟线路，不会真的拨出 / demonstration: simulated line, no real telephone rings\n")
    greet(house)
    take_in(house, plan)
    draw = draw_sample(house, plan)
    campaign_id = launch(house, plan, draw)
    await_voice_door(house)
    door = f"{house.settings.public_base_url}/voice/incoming"
    exchange.connect_number(door, f"{door}/status")
    reads = session_factory(reading(house.engine))
    conduct(house.runtime(), exchange, reads, campaign_id, Progress())
    honest = account_for(house, campaign_id, exchange)
    print_sheet(house, campaign_id, plan.language)
    say(f"\n用时 / took {time.monotonic() - began:.0f} s")
    if not plan.leave:
        stay(house, exchange)
    return 0 if honest else 1


def await_voice_door(house: House) -> None:
    """Wait until the carrier's web-hooks will be answered. Raises Stuck when the door does not open."""
    until = time.monotonic() + OPENING_SECONDS
    while not ports.answers(house.settings.voice_host, house.settings.voice_port):
        if time.monotonic() > until:
            raise Stuck("语音门没有打开 / the voice door did not open")
        time.sleep(0.05)


def nested(faults: dict[str, float]) -> dict[str, Any]:
    """`{"turn.duplicate": 0.1}` as `{"turn": {"duplicate": 0.1}}`."""
    found: dict[str, Any] = {}
    for name, share in faults.items():
        kind, _, what = name.partition(".")
        if what:
            found.setdefault(kind, {})[what] = share
        else:
            found[kind] = share
    return found


def greet(house: House) -> None:
    """Print where the console is and the accounts with their fresh passwords."""
    say(f"控制台 / console    http://{house.settings.console_host}:{house.settings.console_port}/")
    say(f"数据 / data         {house.data}")
    with house.unit_of_work() as work:
        for name, role, title in ACCOUNTS:
            password = accounts.add_user(work.session, name, role, title, house.clock.now())
            say(f"账号 / account      {name:6} {password}   {title}（{role}）")
    say("停止 / stop         Ctrl+C\n")


def take_in(house: House, plan: Plan) -> None:
    """Import the plan's file, or a made-up month; print the counts."""
    path = Path(plan.incidents) if plan.incidents else house.data / f"incidents-{plan.month}.csv"
    if not plan.incidents:
        made_up.write_month(path, plan.month, plan.seed)
    intake = importing.Intake(house.sessions, house.keys, house.audit_key, house.office.numbers, plan.seed)
    rejects = house.data / "rejected.csv"
    report = importing.import_incidents(intake, path, read_mapping(plan.mapping), rejects=rejects, actor="demo", now=house.clock.now())
    counts = report.counts
    say(f"1 导入 / import     {path.name}（{report.format}）：{counts.read} 行 / lines")
    say(f"                    {counts.new} 新增 / new，{counts.known} 已有 / known，{counts.rejected} 拒收 / rejected")
    if report.rejects:
        say(f"                    问题清单 / list of problems: {report.rejects}")


def draw_sample(house: House, plan: Plan) -> int:
    """Draw the sample; print frame, exclusions and digest. Returns the draw's id."""
    with house.unit_of_work() as work:
        draw = drawing.draw_sample(
            work.session, plan.month, plan.calls, None, plan.seed, house.clock.now(), plan.zone, audit_key=house.audit_key, actor="demo",
            quarantine_days=house.settings.quarantine_days,
        )  # fmt: skip
    say(f"2 抽样 / draw       {plan.month}：{draw.incident_count} 起 / incidents = 抽样框 / frame {draw.frame_count} + 排除 / excluded:")
    for word, count in draw.exclusions.items():
        reason = Exclusion.from_word(word)
        say(f"                    {count:7}  {reason.zh} / {reason.en}")
    drawn = sum(unit["drawn"] for unit in draw.allocation)
    say(f"                    抽中 / drawn {drawn}，种子 / seed {draw.seed}，抽样框摘要 / frame digest {draw.frame_digest[:16]}…")
    return draw.id


def launch(house: House, plan: Plan, draw_id: int) -> int:
    """Publish the script, launch and start the campaign. Returns its id."""
    path = SCRIPTS / f"callback-{plan.language}.yaml"
    rules = Rules() if plan.language == "zh" else Rules(calendar="weekdays")
    now, settings = house.clock.now(), house.settings
    with house.unit_of_work() as work:
        script = scripting.publish(work.session, path.read_text("utf-8"), "demo", "演示 / demonstration", now, house.audit_key)
        draw = work.session.get_one(Draw, draw_id)
        campaign = fieldwork.launch(
            work.session, house.office, draw, script, rules, now, name=f"{plan.month} 接处警电话回访", lines=settings.concurrent_calls,
            calls_per_second=settings.calls_per_second, caller_id=settings.caller_id, simulated=True, by="demo",
        )  # fmt: skip
        fieldwork.start(work.session, house.office, campaign, "demo", now)
        say(f"3 话术 / script     {script.name} v{script.number} · {script.digest[:12]}")
    return campaign.id


class Progress:
    """Tells how far the calls are: in place on a terminal, otherwise a line for each tenth."""

    def __init__(self) -> None:
        self._tenth = -1
        self._last = -1

    def __call__(self, closed: int, total: int) -> None:
        """Show `closed` of `total`."""
        line = f"4 外呼 / calls      {closed}/{total}"
        if sys.stdout.isatty():
            if closed != self._last:
                print(f"\r{line}", end="\n" if closed == total else "", flush=True)
        elif total and 10 * closed // total > self._tenth:
            say(line)
            self._tenth = 10 * closed // total
        self._last = closed


def account_for(house: House, campaign_id: int, exchange: RemoteExchange) -> bool:
    """Print what became of everybody, and hold the stored answers against the carrier's journal; True when all is right."""
    journal = exchange.journal()
    (house.data / JOURNAL).write_text(json.dumps(journal, ensure_ascii=False, indent=1), "utf-8")
    with house.sessions() as session:
        outcomes = [(Disposition.from_word(word), count) for word, count in queries.dispositions(session, campaign_id)]
        total = queries.progress(session, campaign_id)[1]
        attempts = session.scalars(select(CallAttempt).where(CallAttempt.requested_at.is_not(None))).all()
        given = select(CallAttempt.carrier_sid, Answer.item, Answer.raw, Answer.mode, Answer.code)
        rows = session.execute(given.join(Answer, Answer.attempt_id == CallAttempt.id)).all()
        stored = [witness.StoredAnswer(row[0] or "", *row[1:]) for row in rows]
        heard = Counter(session.scalars(select(Hearing.outcome)))
        recordings = Counter(session.scalars(select(Recording.state)))
    for outcome, count in sorted(outcomes, key=lambda pair: pair[0].aapor):
        say(f"                    {count:7}  {outcome.aapor:6}{outcome.zh} / {outcome.en}")
    placed, seen = sum(attempt.carrier_sid is not None for attempt in attempts), sum(map(witness.is_ours, journal))
    adds_up = sum(count for _, count in outcomes) == total and placed == seen
    say(f"                    {total:7}  合计 / in all；呼叫 / calls {placed}，运营商记录 / carrier's own count {seen}")
    say(f"                    {len(journal) - seen:7}  群众回拨 / calls of people to us")
    verdict = witness.compare(journal, stored)
    say(
        f"5 核对 / check      答案与按键一致 / answers equal to keys {verdict.equal}，不同 / different {len(verdict.different)}，"
        f"丢失 / lost {len(verdict.lost)}，多出 / invented {len(verdict.invented)}，重复振铃 / rung twice {len(verdict.rung_twice)}"
    )
    modes = Counter(answer.mode for answer in stored)
    say(
        f"                    按键 / by keys {modes['keys']}，语音 / by voice {modes['speech']}："
        f"评分与所说一致 / ratings equal to what was said {verdict.spoken}，听错 / misheard {len(verdict.misheard)}"
    )
    if heard:
        say(
            f"                    听到 / heard {heard.total()}：采纳 / taken {heard['accepted']}，反问 / asked back {heard['doubted']}，"
            f"重问 / asked again {heard['unclear']}，按键在先 / a key came first {heard['late']}"
        )
    say(f"                    录音 / recordings: {', '.join(f'{state} {count}' for state, count in sorted(recordings.items())) or '0'}")
    for call in journal:
        for problem in call["problems"]:
            say(f"                    {call['sid']}: {problem}")
    return verdict.is_clean and adds_up and not any(call["problems"] for call in journal)


def print_sheet(house: House, campaign_id: int, language: str) -> None:
    """Print the month's sheet in the language of the calls."""
    with house.sessions() as session:
        sheet = reporting.build_campaign_sheet(session, session.get_one(Campaign, campaign_id), house.bureau, house.clock.now())
    say()
    say(sheet_text.render(sheet, language))


def stay(house: House, exchange: RemoteExchange) -> None:
    """Let time pass as on the wall and go on working until somebody stops the demonstration."""
    exchange.run_in_real_time()
    say(f"\n控制台 / console    http://{house.settings.console_host}:{house.settings.console_port}/   （Ctrl+C 停止 / stops）")
    Sweeper(house).run()


def main(plan: str) -> int:
    """Play a plan given as JSON; what is wrong is told in one line."""
    try:
        return play(open_house(), Plan(**json.loads(plan)))
    except SurveyError as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
