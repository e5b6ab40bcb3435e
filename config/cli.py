"""The command line: `./huifang <command>` hands over to `python -m config.cli <command>`."""

import os
from importlib import import_module, util

import click
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from config import holidays, logs
from config.settings import ROOT, Settings
from config.wiring import House
from survey import working_days
from survey.errors import SurveyError

COMMANDS = {
    "demo": "demo:demo", "serve": "serve:serve", "restart": "serve:restart", "import": "incidents:import_incidents", "draw": "draw:draw",
    "campaign": "campaign:campaign", "refusal": "refusal:refusal", "order": "order:order",
    "register": "register:register",
    "report": "report:report", "export": "export:export", "script": "script:script", "speech": "speech:speech",
    "notices": "notices:notices", "user": "users:user", "audit": "audit:audit",
    "doctor": "doctor:doctor", "migrate": "migrate:migrate_command",
    "backup": "backup:backup_command", "restore": "restore:restore_command", "keys": "keys:keys",
}  # fmt: skip
"""Command -> module of `config.commands` and the name of its click command in it."""

SETTLED = "SETTINGS_SETTLED"
"""The variable by which a child of the supervisor learns that its environment holds every setting: `.env` may have been edited since,
and what stands there counts from the next restart on, for all processes at once."""

BEGINNERS = ("import", "draw", "campaign", "user")
"""The commands that people begin with in a fresh folder."""


class Commands(click.Group):
    """Loads a command's module only when the command is asked for; shows a domain error as one line."""

    def list_commands(self, context: click.Context) -> list[str]:
        """The commands whose modules are there, in the table's order."""
        return [name for name, place in COMMANDS.items() if util.find_spec(f"config.commands.{place.split(':')[0]}")]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The click command of that name, or None."""
        if name not in self.list_commands(context):
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        command: click.Command = getattr(import_module(f"config.commands.{module}"), attribute)
        return command

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Note whether only help is asked for: help must work whatever the settings say."""
        context.meta["help"] = any(word in ("-h", "--help") for word in args)
        return super().parse_args(context, args)

    def invoke(self, context: click.Context) -> object:
        """Run the command; a SurveyError becomes one message and exit status 1, never a traceback."""
        try:
            return super().invoke(context)
        except SurveyError as error:
            raise click.ClickException(str(error)) from error
        except (OperationalError, ProgrammingError) as error:
            raise click.ClickException(_database_trouble(error)) from error


def _database_trouble(error: DBAPIError) -> str:
    reason = str(error.orig).strip().splitlines()[0]
    if "no such table" in reason or "does not exist" in reason:
        return f"数据库尚未建立或版本过旧，请运行 ./huifang migrate / the database lacks tables, run ./huifang migrate ({reason})"
    return f"数据库出错：{reason} / the database refused"


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.pass_context
def main(context: click.Context) -> None:
    """回访：接处警电话回访 / Huifang calls people back about how their incident was handled."""
    if context.obj is None and context.invoked_subcommand != "doctor" and not context.meta["help"]:
        context.obj = open_house()
    if context.invoked_subcommand in BEGINNERS and not context.meta["help"]:
        make_tables(context.obj)


def make_tables(house: House) -> None:
    """Bring an empty SQLite database to this program's tables and say so. Any other is brought there by `migrate` alone."""
    if house.engine.dialect.name != "sqlite" or inspect(house.engine).get_table_names():
        return
    from survey.store.migrations import migrate  # Alembic is large, and needed here once in a database's life

    migrate(house.engine)
    click.echo(f"新建数据库 / made a new database: {house.engine.url.database}", err=True)


def open_house() -> House:
    """The house as environment and `.env` describe it, with logging and holidays set up. Raises SettingsFaulty."""
    settings = Settings.from_env(os.environ, None if SETTLED in os.environ else ROOT / ".env")
    logs.set_up(settings.log_format, settings.log_level)
    working_days.install(holidays.given(settings.special_days))
    return House(settings)


if __name__ == "__main__":
    main(prog_name="./huifang")
