"""`serve`: the production processes under one supervisor."""

import sys

import click
from sqlalchemy.exc import SQLAlchemyError

from config import ports, processes, valkey
from config.occupancy import occupied
from config.settings import Settings
from config.supervisor import Supervisor
from config.wiring import House
from survey.store.queries.lines import calls_in_progress


@click.command()
@click.pass_obj
def serve(house: House) -> None:
    """启动全部服务进程 / Run all processes of the service under one supervisor; Ctrl+C stops them."""
    settings = ports.settled(house.settings)
    with occupied(house.data, console_url(settings)):
        if not settings.redis_url:
            valkey.end_left_over(settings.data)
        announce(settings)
        drain = settings.drain_seconds if settings.environment == "production" else 0
        supervisor = Supervisor(processes.children(settings), drained=lambda: are_quiet(house), drain_seconds=drain)
        sys.exit(supervisor.run())


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
    """Whether no call rings or talks; a database that cannot be asked counts as quiet."""
    try:
        with house.sessions() as session:
            return calls_in_progress(session) == 0
    except SQLAlchemyError:
        return True
