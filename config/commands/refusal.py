"""`refusal`: the list of numbers that must not be called. A number is asked for, never given on the line: shells remember lines."""

import click

from config.commands.deeds import REASON, myself
from config.wiring import House
from survey import disclosure
from survey.fieldwork import suppressions
from survey.phone import mask
from survey.store.queries import suppressions as queries
from survey.store.queries.suppressions import LIFTED, STANDING, SuppressionRow


@click.group()
def refusal() -> None:
    """拒访登记：查看、查找、登记、解除 / The refusal list: show it, find or add a number, lift an entry."""


@refusal.command("list")
@click.option("--lifted", is_flag=True, help="已解除的 / those that were lifted.")
@click.option("--page", default=1, show_default=True, help="第几页，每页 50 条 / which page of 50.")
@click.pass_obj
def list_entries(house: House, lifted: bool, page: int) -> None:
    """登记在册的号码，只显示末四位 / The entries, with the last four digits where an incident has the number."""
    with house.sessions() as session:
        paged = queries.suppressions(session, LIFTED if lifted else STANDING, page, inspection=True)
        for row in paged.rows:
            click.echo(_told(house, row))
    click.echo(f"第 {paged.number}/{paged.pages} 页，共 {paged.total} 条 / page {paged.number} of {paged.pages}, {paged.total} in all")


@refusal.command()
@click.pass_obj
def find(house: House) -> None:
    """查一个号码，随后输入 / The history of one number, which is asked for."""
    number = suppressions.checked(house.office, _ask())
    with house.sessions() as session:
        rows = queries.of_number(session, house.keys.phone_key(number), inspection=True)
        for row in rows:
            click.echo(_told(house, row, mask(number)))
    if not rows:
        click.echo("没有此号码的登记 / this number is not on the list")


@refusal.command()
@click.option("--source", type=click.Choice(tuple(suppressions.BY_HAND)), default="hotline", help="来源 / how they asked.")
@click.pass_obj
def register(house: House, source: str) -> None:
    """登记一个号码，随后输入；即刻生效 / Add a number, which is asked for: nobody calls it from now on."""
    typed = _ask()
    with house.unit_of_work() as work:
        number = suppressions.register(work.session, house.office, typed, myself(), house.clock.now(), source)
    click.echo(f"{number}\t已登记 / registered")


@refusal.command()
@click.argument("entry", type=click.IntRange(1, 2**63 - 1))
@REASON
@click.pass_obj
def lift(house: House, entry: int, reason: str) -> None:
    """解除一条登记：今后可再次被抽中 / Lift an entry: later draws may choose the number again."""
    with house.unit_of_work() as work:
        suppressions.lift(work.session, house.office, entry, myself(), reason, house.clock.now())
    click.echo(f"{entry}\t已解除 / lifted")


def _ask() -> str:
    typed: str = click.prompt("号码 / number")
    return typed


def _told(house: House, row: SuppressionRow, digits: str = "") -> str:
    """An entry as a line for a person."""
    source, by = suppressions.source_of(row.reason)
    zh, en = suppressions.SOURCES.get(source, (source, source))
    shown = digits or (disclosure.last_digits(house.keys, row.phone.sealed, row.phone.incident) if row.phone else "")
    line = f"{row.id}\t{shown or '-'}\t{row.at:%Y-%m-%d %H:%M:%S}Z\t{zh} / {en}\t{by or '-'}"
    return f"{line}\t{row.lifted_at:%Y-%m-%d %H:%M:%S}Z\t{row.lifted_by}\t{row.lift_reason}" if row.lifted_at else line
