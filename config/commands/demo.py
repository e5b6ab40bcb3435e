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
from config.commands.incidents import read_mapping
from config.occupancy import occupied
from config.settings import ROOT, Settings
from config.supervisor import Child, Supervisor
from config.wiring import House
from survey.errors import BadInput, NotAllowed
from survey.incidents import made_up
from survey.incidents.months import busiest_month
from survey.sampling import SampleTooSmall
from survey.working_days import calendar

CALLER_ID = "+8610000000110"
LINES, CALLS_PER_SECOND, WORKERS = 60, 30.0, 2
OPENING = timedelta(hours=8, minutes=45)
SPEAKERS = 0.1
"""Of the people who answer, so many speak instead of pressing keys: enough to be seen, and each costs real seconds of listening."""
TAKEN_OVER = (
    "voice_host", "voice_port", "voice_threads", "media_host", "media_port",
    "console_host", "console_port", "console_threads", "console_tabs",
    "bureau_name", "bureau_name_en", "hotline", "emergency_number", "phone_regions", "special_days",
    "order_days", "extension_days", "order_returns", "order_review", "weekly_list_day", "office_hours", "order_template",
    "desk_offer_seconds", "desk_wait_seconds", "desk_ring_seconds", "desk_wrap_seconds", "duty_desk_number",
    "listening", "decoders", "speech_model_zh", "speech_model_en", "log_format",
)  # fmt: skip
"""What a demonstration has from the bureau's settings: places on this machine, names and terms. Nothing by which it would reach anybody
(e-mail, web-hook, carrier), keep anybody out (https, second factor), or touch what is stored (keys, backups)."""
MARK = "demonstration"
"""The file that marks a folder as one that each demonstration makes anew."""


@click.command()
@click.option("--incidents", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="警情文件 / file of incidents.")
@click.option("--mapping", help="映射文件，或自带映射的名称 / its mapping: a file, or the name of a shipped one.")
@click.option("--calls", type=click.IntRange(1, 100_000), default=200, show_default=True, help="抽样人数 / people drawn.")
@click.option("--seed", type=click.IntRange(0), default=20, show_default=True, help="随机种子 / seed of everything random.")
@click.option(
    "--speakers",
    type=click.FloatRange(0, 1),
    default=SPEAKERS,
    show_default=True,
    help="开口作答者的比例 / share who answer by voice.",
)
@click.option("--exit", "leave", is_flag=True, help="打印报表后退出 / stop after the sheet.")
@click.option("--fault", "faults", multiple=True, metavar="KIND=SHARE", help="线路故障 / faults of the line, e.g. turn.duplicate=0.1.")
@click.pass_obj
def demo(
    house: House, incidents: Path | None, mapping: str | None, calls: int, seed: int, speakers: float, leave: bool,
    faults: tuple[str, ...],
) -> None:  # fmt: skip
    """在本机模拟一个月的回访，然后打开控制台 / Simulate a whole month on this machine, then serve the console."""
    if (incidents is None) != (mapping is None):
        raise click.UsageError("--incidents 与 --mapping 须同时给出 / give --incidents and --mapping together")
    if house.settings.environment == "production":
        raise NotAllowed("生产环境不能运行演示 / there is no demonstration in production")
    month, start = when(house, incidents, mapping or made_up.MAPPING, calls)
    plan = play.Plan(
        str(incidents or ""),
        mapping or made_up.MAPPING,
        month,
        calls,
        seed,
        leave,
        str(start.tzinfo),
        dict(map(play.fault, faults)),
        speakers,
    )
    data = house.settings.data / "demo"
    with occupied(house.settings.data, f"http://127.0.0.1:{house.settings.console_port}/"):
        click.echo("· 正在启动，几秒钟 / starting, a few seconds", err=True)
        empty(data)
        settings = stage(house.settings, data, plan.zone)
        sys.exit(Supervisor(children(settings, plan, start)).run())


def when(house: House, incidents: Path | None, mapping_name: str, calls: int) -> tuple[str, datetime]:
    """The month to draw from, and the morning after it, at which the virtual clock starts.

    Raises BadInput when `calls` people are too few for the month's units: better now than after the import.
    """
    mapping, now = read_mapping(mapping_name), house.clock.now()
    zone = ZoneInfo(mapping.zone)
    if incidents:
        busiest = busiest_month(incidents, mapping, house.office.numbers, now)
        month, units = busiest.name, len(busiest.units)
    else:
        month, units = month_before(now.astimezone(zone).date()), len(made_up.UNITS)
    if calls < units:
        raise BadInput(f"--calls：{SampleTooSmall(calls, units)}")
    return month, datetime.combine(first_of_next(month), datetime.min.time(), zone) + OPENING


def month_before(today: date) -> str:
    """The calendar month before `today`, or the last one whose fieldwork the holiday calendar still covers."""
    years = calendar("cn").years or frozenset({today.year})
    first = min(today.replace(day=1), date(max(years), 12, 1))
    return f"{first - timedelta(days=1):%Y-%m}"


def first_of_next(month: str) -> date:
    """The first day after the month `YYYY-MM`."""
    return (date.fromisoformat(f"{month}-28") + timedelta(days=4)).replace(day=1)


def empty(data: Path) -> None:
    """Make the demonstration's own folder anew. Raises NotAllowed when there is something else in it."""
    if data.exists() and not (data / MARK).exists() and any(data.iterdir()):
        raise NotAllowed(f"{data} 不是演示文件夹，请移走或另设 HUIFANG_DATA / {data} is no demonstration: move it, or set HUIFANG_DATA")
    valkey.end_left_over(data)
    shutil.rmtree(data, ignore_errors=True)
    (data / "run").mkdir(parents=True, mode=0o700)
    (data / MARK).touch()


def stage(given: Settings, data: Path, zone: str) -> Settings:
    """The settings of the demonstration's processes: all they use is their own, the carrier's port the next but ten."""
    settings = ports.settled(replace(given, environment="demo"))
    own = Settings.from_env({"HUIFANG_DATA": str(data)}, None)
    line = ports.next_free("127.0.0.1", settings.voice_port + 10, frozenset({settings.voice_port, settings.console_port}))
    return replace(
        own, **{name: getattr(settings, name) for name in TAKEN_OVER}, environment="demo",
        database_url=f"sqlite:///{data / 'huifang.sqlite'}?synchronous=NORMAL", clock_file=data / "run" / "clock",
        twilio_api_url=f"http://127.0.0.1:{line}", public_base_url=f"http://127.0.0.1:{settings.voice_port}", caller_id=CALLER_ID,
        timezone=zone, calls_per_second=CALLS_PER_SECOND, concurrent_calls=LINES, workers=WORKERS,
        callback_days=3,
        log_level=given.log_level if given.log_level == "debug" else "error",  # the play tells what matters, unless all is wanted
    )  # fmt: skip


def children(settings: Settings, plan: play.Plan, start: datetime) -> list[Child]:
    """The processes of `serve`, the simulated carrier, and the play that leads them.

    The play imports and draws while the doors are still opening; it sweeps itself, no clock process does.
    """
    environment = {**settings.as_environment(), "PYTHONPATH": str(ROOT)}
    line = settings.twilio_api_url.rpartition(":")[2]
    simulation = processes.python("config.simulation", line, str(plan.seed), start.isoformat(), str(plan.speakers))
    exchange = Child("carrier", simulation, environment, ready=partial(ports.answers, "127.0.0.1", int(line)))
    leader = Child("demo", processes.python("config.demo", plan.to_json()), environment, leading=True, shown=True)
    return [*processes.store(settings), exchange, leader, *processes.doors(settings), *processes.workers(settings)]
