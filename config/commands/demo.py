"""`demo`: a whole simulated month on this machine, then the console in the browser."""

import shutil
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from config import demo as play
from config import ports, processes, valkey
from config.occupancy import occupied
from config.settings import ROOT, Settings
from config.supervisor import Child, Supervisor
from config.wiring import House
from survey.errors import NotAllowed
from survey.incidents import mapping_yaml
from survey.incidents.months import busiest_month
from survey.working_days import calendar

MAPPINGS = ROOT / "config" / "mappings"
MADE_UP_MAPPING = MAPPINGS / "police-110-zh.yaml"
CALLER_ID = "+8610000000110"
LINES, CALLS_PER_SECOND, WORKERS = 24, 12.0, 2
OPENING = timedelta(hours=8, minutes=45)
MARK = "this folder is made anew by every demonstration\n"


@click.command()
@click.option("--incidents", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="警情文件 / file of incidents.")
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="该文件的映射 / its mapping.")
@click.option("--calls", type=click.IntRange(1, 100_000), default=120, show_default=True, help="抽样人数 / people drawn.")
@click.option("--seed", type=int, default=20, show_default=True, help="随机种子 / seed of everything random.")
@click.option("--exit", "leave", is_flag=True, help="打印报表后退出 / stop after the sheet.")
@click.option(
    "--fault", "faults", multiple=True, metavar="KIND=SHARE", help="线路故障 / misbehaviour of the line, e.g. turn.duplicate=0.1."
)
@click.pass_obj
def demo(house: House, incidents: Path | None, mapping: Path | None, calls: int, seed: int, leave: bool, faults: tuple[str, ...]) -> None:
    """在本机模拟一个月的回访，然后打开控制台 / Simulate a whole month on this machine, then serve the console."""
    if (incidents is None) != (mapping is None):
        raise click.UsageError("--incidents 与 --mapping 须同时给出 / give --incidents and --mapping together")
    if house.settings.environment == "production":
        raise NotAllowed("生产环境不能运行演示 / there is no demonstration in production")
    plan = plan_for(house, incidents, mapping, calls, seed, leave, faults)
    settings, line = line_settings(house.settings, plan)
    with occupied(settings.data.parent, f"http://127.0.0.1:{settings.console_port}/"):
        empty(settings.data)
        sys.exit(Supervisor(children(settings, plan, line)).run())


def plan_for(
    house: House, incidents: Path | None, mapping: Path | None, calls: int, seed: int, leave: bool, faults: tuple[str, ...]
) -> play.Plan:
    """What the demonstration is to do, with the month and the moment at which its virtual clock starts."""
    chosen = mapping or MADE_UP_MAPPING
    read = mapping_yaml.parse(chosen.read_text("utf-8"))
    now, policy = house.clock.now(), house.office.numbers
    month = busiest_month(incidents, read, policy, now) if incidents else month_before(now.astimezone(ZoneInfo(read.zone)).date())
    start = datetime.combine(first_of_next(month), datetime.min.time(), ZoneInfo(read.zone)) + OPENING
    return play.Plan(
        str(incidents or ""), str(chosen), month, calls, seed, leave, read.zone, start.isoformat(), dict(map(play.fault, faults))
    )


def month_before(today: date) -> str:
    """The calendar month before `today`, or the last one whose fieldwork the holiday calendar still covers."""
    years = calendar("cn").years or frozenset({today.year})
    latest = date(max(years), 12, 1)
    first = min(today.replace(day=1), latest)
    return f"{first - timedelta(days=1):%Y-%m}"


def first_of_next(month: str) -> date:
    """The first day after the month `YYYY-MM`."""
    return (date.fromisoformat(f"{month}-28") + timedelta(days=4)).replace(day=1)


def line_settings(given: Settings, plan: play.Plan) -> tuple[Settings, int]:
    """The settings of the demonstration's processes, and the port of the simulated carrier."""
    data = given.data / "demo"
    settings = ports.settled(replace(given, environment="demo"))
    line = ports.next_free("127.0.0.1", settings.voice_port + 10, frozenset({settings.voice_port, settings.console_port}))
    found = replace(
        settings, environment="demo", data=data, database_url=f"sqlite:///{data / 'huifang.sqlite'}", redis_url="",
        twilio_api_url=f"http://127.0.0.1:{line}", public_base_url=f"http://127.0.0.1:{settings.voice_port}", caller_id=CALLER_ID,
        timezone=plan.zone, calls_per_second=CALLS_PER_SECOND, concurrent_calls=LINES, workers=WORKERS,
        clock_file=data / "run" / "clock", log_level="error",
    )  # fmt: skip
    return found, line


def empty(data: Path) -> None:
    """Make the demonstration's own folder anew. Raises NotAllowed when there is something else in it."""
    mark = data / "demonstration"
    if data.exists() and not mark.exists() and any(data.iterdir()):
        raise NotAllowed(f"{data} 不是演示文件夹，请移走或另设 HUIFANG_DATA / {data} is no demonstration: move it, or set HUIFANG_DATA")
    valkey.end_left_over(data)
    shutil.rmtree(data, ignore_errors=True)
    (data / "run").mkdir(parents=True, mode=0o700)
    mark.write_text(MARK)


def children(settings: Settings, plan: play.Plan, line: int) -> list[Child]:
    """The processes of `serve`, the simulated carrier, and the play that leads them. The play sweeps, no clock process does."""
    exchange = Child(
        "carrier", processes.python("config.simulation", str(line), str(plan.seed), plan.start),
        {**settings.as_environment(), "PYTHONPATH": str(ROOT)}, ready=partial(ports.answers, "127.0.0.1", line),
    )  # fmt: skip
    command = processes.python("config.demo", plan.to_json())
    leader = Child("demo", command, {**settings.as_environment(), "PYTHONPATH": str(ROOT)}, leading=True, shown=True)
    return [*processes.store(settings), exchange, *processes.doors(settings), *processes.workers(settings), leader]
