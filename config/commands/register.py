"""`register`: the on-site register, entries that come as a file (R1)."""

from pathlib import Path

import click

from config.commands.deeds import myself
from config.wiring import House
from survey.casework.register_import import RegisterIntake, RegisterReport, import_register
from survey.incidents.register_table import mapping_with


@click.group()
def register() -> None:
    """现场回访登记 / The on-site register."""


@register.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--column", "columns", multiple=True, help="表头对应，如 number=事件号 / header of a field: number, state, by, at, reason.")
@click.option("--word", "words", multiple=True, help="用词对应，如 签过了=signed / word for signed, refused, unable or missing.")
@click.pass_obj
def import_file(house: House, file: Path, columns: tuple[str, ...], words: tuple[str, ...]) -> None:
    """导入处警登记簿（CSV、XLSX、XLS） / Import entries; importing a file again changes nothing."""
    now = house.clock.now()
    intake = RegisterIntake(house.office, mapping_with(house.bureau.tzinfo, columns, words), myself(), now)
    rejects = house.data / "rejects" / f"{file.stem}-register-{now:%Y%m%d-%H%M%S}.csv"
    click.echo(told(import_register(house.unit_of_work, intake, file, rejects)))


def told(report: RegisterReport) -> str:
    """An import's counts as lines for a person."""
    counts = report.counts
    lines = [
        f"读取 / read     {counts.read:>9}",
        f"新增 / new      {counts.new:>9}",
        f"已有 / known    {counts.known:>9}",
        f"拒收 / rejected {counts.rejected:>9}",
    ]
    if report.rejects:
        lines.append(f"问题清单 / list of problems: {report.rejects}")
    return "\n".join(lines)
