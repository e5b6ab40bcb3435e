"""`migrate`: bring the database to this program's tables."""

import click

from config.wiring import House
from survey.store.migrations import head, migrate


@click.command("migrate")
@click.pass_obj
def migrate_command(house: House) -> None:
    """把数据库升级到当前版本，通话可照常进行 / Bring the database to this version's tables, also during calls; safe to repeat."""
    before = migrate(house.engine, tell=say)
    after = head()
    click.echo(
        f"数据库版本 / database version: {after}" + ("（无需升级 / nothing to do）" if before == after else f" ← {before or '空 / empty'}")
    )


def say(sentence: str) -> None:
    """Print what is being done now."""
    click.echo(f"· {sentence}")
