"""The play of the demonstration: a month's campaign, some visitors in English, a comparison with the carrier, the month's sheet.

It runs as a process of its own beside the doors, the workers and the simulated carrier: `python -m config.demo <plan>`.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click

from config import ports
from config.cli import open_house
from config.conductor import RemoteExchange, Stuck
from config.demo_check import check
from config.demo_round import Round, call_everybody, launch, say
from config.demo_visitors import SPEECH, visitors
from config.sweep import Sweeper
from config.wiring import House
from survey import accounts, reporting
from survey.contact_rules import Rules
from survey.errors import SurveyError
from survey.incidents import made_up
from survey.sheet import text as sheet_text
from survey.store.models import Campaign

OPENING_SECONDS = 60.0
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

    @property
    def has_visitors(self) -> bool:
        """Whether some people are called in English as well: not where all are, nor where nobody answers by voice."""
        return self.language == "zh" and self.speakers > 0

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


def play(house: House, plan: Plan) -> int:
    """Play the plan; the exit status: 0 when all stored answers are what was pressed or said, and everything adds up."""
    began = time.monotonic()
    exchange = RemoteExchange(house.settings.twilio_api_url)
    if plan.faults:
        exchange.set_faults(nested(plan.faults))
    say("回访 Huifang · 演示模式：模拟线路，不会真的拨出 / demonstration: simulated line, no real telephone rings\n")
    greet(house)
    campaign_id = launch(house, month_of(house, plan))
    await_voice_door(house)
    door = f"{house.settings.public_base_url}/voice/incoming"
    exchange.connect_number(door, f"{door}/status")
    adds_up = call_everybody(house, exchange, campaign_id)
    if plan.has_visitors:
        adds_up &= call_visitors(house, plan, exchange)
    is_right = check(house, exchange)
    print_sheet(house, campaign_id, plan.language)
    say(f"\n用时 / took {time.monotonic() - began:.0f} s")
    if not plan.leave:
        stay(house, exchange)
    return 0 if is_right and adds_up else 1


def month_of(house: House, plan: Plan) -> Round:
    """The plan's own campaign; its file is made up where none was given."""
    path = Path(plan.incidents) if plan.incidents else house.data / f"incidents-{plan.month}.csv"
    if not plan.incidents:
        made_up.write_month(path, plan.month, plan.seed)
    rules = Rules() if plan.language == "zh" else Rules(calendar="weekdays")
    name = f"{plan.month} 接处警电话回访"
    return Round(path, plan.mapping, plan.month, plan.zone, plan.calls, plan.seed, plan.language, rules, name)


def call_visitors(house: House, plan: Plan, exchange: RemoteExchange) -> bool:
    """Call people who speak English, all of them in words; True when nobody is missing."""
    say("\n外籍人员，用英语，开口作答 / visitors, in English, who answer by voice")
    campaign_id = launch(house, visitors(house.data, plan.month, plan.zone, plan.seed))
    exchange.set_speech(SPEECH)
    adds_up = call_everybody(house, exchange, campaign_id)
    exchange.set_speech({"share": plan.speakers})
    say()
    return adds_up


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
    phone, us = f"{house.settings.twilio_api_url}/phone", house.settings.caller_id
    say(f"模拟电话 / telephone {phone}   （在浏览器里打给本单位 / in the browser, call us: {us}）")
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
