"""One campaign of the demonstration: import, draw, publish, launch, call, and tell what became of everybody."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from config.commands.incidents import read_mapping
from config.conductor import RemoteExchange, conduct
from config.wiring import House
from survey import drawing, fieldwork, scripting
from survey.contact_rules import Rules
from survey.disposition import Disposition
from survey.eligibility import Exclusion
from survey.incidents import importing
from survey.store.database import reading, session_factory
from survey.store.models import Draw
from survey.store.queries import fieldwork as queries

SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True)
class Round:
    """What is played: a file with its mapping, a month of it and its zone, how many people by which seed, and how they are called."""

    incidents: Path
    mapping: str
    month: str
    zone: str
    calls: int
    seed: int
    language: str
    rules: Rules
    name: str
    calls_per_second: float = 0.0  # 0: as the settings say


Tell = Callable[[str], None]


def say(text: str = "") -> None:
    """Print one line at once."""
    print(text, flush=True)


def launch(house: House, given: Round, tell: Tell = say) -> int:
    """Import, draw and publish, and start the campaign; `tell` is told of each step. Returns the campaign's id."""
    take_in(house, given, tell)
    return start(house, given, draw_sample(house, given, tell), tell)


def call_everybody(house: House, exchange: RemoteExchange, campaign_id: int) -> bool:
    """Call in virtual time until the campaign has ended, and print what became of everybody; True when nobody is missing."""
    conduct(house.runtime(), exchange, session_factory(reading(house.engine)), campaign_id, Progress())
    with house.sessions() as session:
        outcomes = [(Disposition.from_word(word), count) for word, count in queries.dispositions(session, campaign_id)]
        total = queries.progress(session, campaign_id)[1]
    for outcome, count in sorted(outcomes, key=lambda pair: pair[0].aapor):
        say(f"                    {count:7}  {outcome.aapor:6}{outcome.zh} / {outcome.en}")
    say(f"                    {total:7}  合计 / in all")
    return sum(count for _, count in outcomes) == total


def take_in(house: House, given: Round, tell: Tell = say) -> None:
    """Import the file; print the counts. Its times are those of the round's zone, whatever the mapping was written for."""
    intake = importing.Intake(house.sessions, house.keys, house.audit_key, house.office.numbers, given.seed)
    rejects = house.data / f"rejected-{given.month}.csv"
    report = importing.import_incidents(
        intake, given.incidents, replace(read_mapping(given.mapping), zone=given.zone), rejects=rejects, actor="demo",
        now=house.clock.now(),
    )  # fmt: skip
    counts = report.counts
    tell(f"1 导入 / import     {given.incidents.name}（{report.format}）：{counts.read} 行 / lines")
    tell(f"                    {counts.new} 新增 / new，{counts.known} 已有 / known，{counts.rejected} 拒收 / rejected")
    if report.rejects:
        tell(f"                    问题清单 / list of problems: {report.rejects}")


def draw_sample(house: House, given: Round, tell: Tell = say) -> int:
    """Draw the sample; print frame, exclusions and digest. Returns the draw's id."""
    with house.unit_of_work() as work:
        draw = drawing.draw_sample(
            work.session, given.month, given.calls, None, given.seed, house.clock.now(), given.zone,
            audit_key=house.audit_key, actor="demo", quarantine_days=house.settings.quarantine_days,
        )  # fmt: skip
    tell(f"2 抽样 / draw       {given.month}：{draw.incident_count} 起 / incidents = 抽样框 / frame {draw.frame_count} + 排除 / excluded:")
    for word, count in draw.exclusions.items():
        reason = Exclusion.from_word(word)
        tell(f"                    {count:7}  {reason.zh} / {reason.en}")
    drawn = sum(unit["drawn"] for unit in draw.allocation)
    tell(f"                    抽中 / drawn {drawn}，种子 / seed {draw.seed}，抽样框摘要 / frame digest {draw.frame_digest[:16]}…")
    return draw.id


def start(house: House, given: Round, draw_id: int, tell: Tell = say) -> int:
    """Publish the script, launch and start a campaign on the draw. Returns its id."""
    path = SCRIPTS / f"callback-{given.language}.yaml"
    now, settings = house.clock.now(), house.settings
    with house.unit_of_work() as work:
        script = scripting.publish(work.session, path.read_text("utf-8"), "demo", "演示 / demonstration", now, house.audit_key)
        draw = work.session.get_one(Draw, draw_id)
        campaign = fieldwork.launch(
            work.session, house.office, draw, script, given.rules, now, name=given.name, lines=settings.concurrent_calls,
            calls_per_second=given.calls_per_second or settings.calls_per_second, caller_id=settings.caller_id, simulated=True, by="demo",
        )  # fmt: skip
        fieldwork.start(work.session, house.office, campaign, "demo", now)
        tell(f"3 话术 / script     {script.name} v{script.number} · {script.digest[:12]}")
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
