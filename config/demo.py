"""The play of the demonstration: a month's campaign, some visitors in English, a comparison with the carrier, the month's sheet.

It runs as a process of its own beside the doors, the workers and the simulated carrier: `python -m config.demo <plan>`.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from config import ports
from config.cli import open_house
from config.conductor import RemoteExchange, Stuck
from config.demo_check import check
from config.demo_desk import DeskPlay, desk_round
from config.demo_parts import ACCOUNTS, add_parts, busiest_unit, make_accounts, tell
from config.demo_round import Round, call_everybody, launch, say
from config.demo_visitors import SPEECH, visitors
from config.next_day import OPENING
from config.sweep import Sweeper
from config.wiring import House
from survey import reporting, working_days
from survey.contact_rules import Rules
from survey.errors import SurveyError
from survey.incidents import made_up
from survey.sheet import text as sheet_text
from survey.store.models import Campaign, Order
from survey.working_days import next_opening

OPENING_SECONDS = 60.0


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
    def rules(self) -> Rules:
        """How the people of the month are called: by the Chinese calendar where they speak Chinese."""
        return Rules() if self.language == "zh" else Rules(calendar="weekdays")

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
    passwords = greet(house, plan.language)
    campaign_id = launch(house, month_of(house, plan))
    await_voice_door(house)
    door = f"{house.settings.public_base_url}/voice/incoming"
    exchange.connect_number(door, f"{door}/status")
    adds_up = call_everybody(house, exchange, campaign_id)
    if plan.has_visitors:
        adds_up &= call_visitors(house, plan, exchange)
    is_right = check(house, exchange)
    tell_orders(house)
    print_sheet(house, campaign_id, plan.language)
    say(f"\n用时 / took {time.monotonic() - began:.0f} s")
    if not plan.leave:
        stay(house, exchange, plan, passwords)
    return 0 if is_right and adds_up else 1


def month_of(house: House, plan: Plan) -> Round:
    """The plan's own campaign; its file is made up where none was given."""
    path = Path(plan.incidents) if plan.incidents else house.data / f"incidents-{plan.month}.csv"
    if not plan.incidents:
        made_up.write_month(path, plan.month, plan.seed)
    name = f"{plan.month} 接处警电话回访"
    return Round(path, plan.mapping, plan.month, plan.zone, plan.calls, plan.seed, plan.language, plan.rules, name)


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


def greet(house: House, language: str) -> dict[str, str]:
    """Print where the console is and the accounts with their fresh passwords; name to password."""
    say(f"控制台 / console    http://{house.settings.console_host}:{house.settings.console_port}/")
    say(f"数据 / data         {house.data}")
    passwords = make_accounts(house, language)
    for name, role, title in ACCOUNTS:
        say(f"账号 / account      {name:6} {passwords[name]}   {title}（{role}）")
    say("停止 / stop         Ctrl+C\n")
    return passwords


def tell_orders(house: House) -> None:
    """Print how many orders about dissatisfied people were issued, and how many of them lie with inspection."""
    with house.sessions() as session:
        routes = Counter(session.scalars(select(Order.route)))
    say(f"6 交办单 / orders   已签发 / issued {routes.total()}，其中督察 / with inspection {routes['inspection']}")


def print_sheet(house: House, campaign_id: int, language: str) -> None:
    """Print the month's sheet in the language of the calls."""
    with house.sessions() as session:
        sheet = reporting.build_campaign_sheet(session, session.get_one(Campaign, campaign_id), house.bureau, house.clock.now())
    say()
    say(sheet_text.render(sheet, language))


def stay(house: House, exchange: RemoteExchange, plan: Plan, passwords: Mapping[str, str]) -> None:
    """Let time pass as on the wall, from the opening of a working day, and go on working until somebody stops the demonstration."""
    calendar = working_days.calendar(plan.rules.calendar)
    exchange.advance(next_opening(calendar, house.clock.now(), OPENING, plan.zone))
    unit = busiest_unit(house)
    given = desk_round(house.data, plan.month, plan.zone, plan.seed, plan.language, plan.rules, unit)
    desk = DeskPlay(house, exchange, launch(house, given, lambda text: None), plan.seed)
    say(f"\n值班台 / desk       {given.calls} 名不满意群众，有人在岗时逐个拨打 / dissatisfied people, called while somebody is on duty")
    exchange.run_in_real_time()
    tell(house, add_parts(house, passwords, unit, plan.language), unit, desk.next_number())
    Sweeper(house, desk.look).run()


def main(plan: str) -> int:
    """Play a plan given as JSON; what is wrong is told in one line."""
    try:
        return play(open_house(), Plan(**json.loads(plan)))
    except SurveyError as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
