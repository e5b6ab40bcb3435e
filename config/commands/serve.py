"""`serve`: the production processes under one supervisor; `restart`: new code and settings for a running one, without a gap."""

import os
import signal
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from config import metrics, ports, processes, valkey
from config.occupancy import holder, occupied
from config.renewal import Renewal, footing, kept_sentence
from config.restarts import RestartBook
from config.settings import Settings
from config.supervisor import Supervisor
from config.wiring import House
from survey.errors import BadInput, SurveyError
from survey.store.queries.lines import calls_in_progress

LONGEST_RESTART_SECONDS = 300
BEAT_SECONDS = 0.1


class NotRestarted(SurveyError):
    """The running service could not be restarted."""


@click.command()
@click.option("--only", metavar="PART,…", help=f"只运行一部分 / run a part only: {', '.join(processes.PARTS)}.")
@click.pass_obj
def serve(house: House, only: str | None) -> None:
    """启动全部服务进程 / Run all processes of the service under one supervisor; Ctrl+C stops them."""
    parts = parts_of(only, house.settings)
    settings = ports.settled(house.settings)
    with occupied(house.data, console_url(settings)), ExitStack() as stack:
        if not settings.redis_url:
            valkey.end_left_over(settings.data)
        metrics.clear(settings.data)
        doors = listening(stack, settings, parts)
        book = stack.enter_context(pid_file(house.data))
        announce(settings)
        supervisor = Supervisor(
            processes.children(settings, parts, doors), drained=lambda: are_quiet(house),
            drain_seconds=0 if settings.environment == "demo" else settings.drain_seconds,
            renewal=Renewal(footing(house.settings, settings, parts, doors), book),
        )  # fmt: skip
        sys.exit(supervisor.run())


@click.command()
@click.pass_obj
def restart(house: House) -> None:
    """升级或改设置后重启，通话不中断 / New code and settings for the running service: migrates, replaces processes; no call is cut."""
    pid, book = running_pid(house.data), RestartBook(house.data / "run")
    request = book.ask()
    os.kill(pid, signal.SIGHUP)
    until = time.monotonic() + LONGEST_RESTART_SECONDS
    while (outcome := book.outcome_of(request)) is None:
        if time.monotonic() > until or holder(house.data) != pid:
            raise NotRestarted(f"进程 {pid} 没有完成重启，见其日志 / process {pid} did not complete the restart, see its log")
        time.sleep(BEAT_SECONDS)
    if outcome.problem:
        raise NotRestarted(outcome.problem)
    for name in outcome.kept:
        click.echo(kept_sentence(name))
    click.echo("已重启 / restarted")


def parts_of(only: str | None, settings: Settings) -> frozenset[str]:
    """The parts that are to run, none meaning all. Raises BadInput, also where parts on several machines would share nothing."""
    parts = frozenset(only.replace(" ", "").split(",")) if only else frozenset()
    unknown = parts - set(processes.PARTS)
    if unknown:
        known = ", ".join(processes.PARTS)
        raise BadInput(f"--only {', '.join(sorted(unknown))}：没有这一部分 / there is no such part; known are {known}")
    if parts and settings.environment == "production" and (not settings.redis_url or settings.database_url.startswith("sqlite")):
        raise BadInput(
            "--only：分开运行须共用 PostgreSQL 与 Redis，请设置 HUIFANG_DATABASE_URL 与 HUIFANG_REDIS_URL / "
            "parts that run apart share PostgreSQL and Redis: set HUIFANG_DATABASE_URL and HUIFANG_REDIS_URL"
        )
    return parts


def listening(stack: ExitStack, settings: Settings, parts: Collection[str]) -> dict[str, int]:
    """The doors' listening sockets, open until the stack is closed: they outlive each door, so that no connection is refused."""
    places = {"voice": (settings.voice_host, settings.voice_port), "console": (settings.console_host, settings.console_port)}
    if "media" in parts or House(settings).media_url:
        places["media"] = (settings.media_host, settings.media_port)
    wanted = {name: place for name, place in places.items() if not parts or name in parts}
    return {name: stack.enter_context(ports.listen(*place)).fileno() for name, place in wanted.items()}


@contextmanager
def pid_file(data: Path) -> Iterator[RestartBook]:
    """`run/serve.pid` for the length of the block; gives the book beside it in which restarts are asked for and their outcome is noted."""
    path, book = data / "run" / "serve.pid", RestartBook(data / "run")
    book.clear()
    path.write_text(f"{os.getpid()}\n")
    try:
        yield book
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def running_pid(data: Path) -> int:
    """The process id of the `serve` on this data folder. Raises NotRestarted where there is none."""
    path = data / "run" / "serve.pid"
    noted = path.read_text().strip() if path.exists() else ""
    pid = holder(data)
    if pid is None or noted != str(pid):
        raise NotRestarted(f"没有在此数据文件夹运行的服务：{data} / no service runs on this data folder")
    return pid


def console_url(settings: Settings) -> str:
    """Where people find the console on this machine."""
    return f"http://{settings.console_host}:{settings.console_port}/"


def announce(settings: Settings) -> None:
    """Print where everything is, and how to stop."""
    click.echo(f"控制台 / console      {console_url(settings)}")
    click.echo(f"语音门 / voice door   {settings.public_base_url}")
    click.echo(f"数据文件夹 / data      {settings.data}")
    if settings.environment != "production":
        click.echo("演示模式 · 模拟线路，不会真的拨出 / demonstration: no real telephone will ring")
    click.echo("按 Ctrl+C 停止 / Ctrl+C stops")


def are_quiet(house: House) -> bool:
    """Whether no call is on its way, rings or talks; a database that cannot be asked counts as quiet."""
    try:
        with house.sessions() as session:
            return calls_in_progress(session) == 0
    except SQLAlchemyError:
        return True
