"""`import`: a file of incidents goes in, the lines that cannot be used go to another file."""

import sys
from pathlib import Path

import click

from config.wiring import House
from survey.errors import NotFound
from survey.incidents import importing, mapping_yaml
from survey.incidents.importing import Counts, ImportReport, Intake
from survey.incidents.mapping import Mapping

MAPPINGS = Path(__file__).parents[1] / "mappings"
_EVERY = 20_000


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", "mapping_file", required=True, help="映射文件，或自带映射的名称 / mapping file, or the name of a shipped one.")
@click.option("--dry-run", is_flag=True, help="只统计，不入库 / only count, store nothing.")
@click.option("--seed", default=1, show_default=True, help="虚构号码的种子（演示用） / seed of made-up numbers (demo and test).")
@click.pass_obj
def import_incidents(house: House, file: Path, mapping_file: str, dry_run: bool, seed: int) -> None:
    """导入警情（CSV、XLSX、XLS） / Import incidents; importing a file again changes nothing."""
    now = house.clock.now()
    mapping = read_mapping(mapping_file)
    rejects = house.data / "rejects" / f"{file.stem}-{now:%Y%m%d-%H%M%S}.csv"
    intake = Intake(house.sessions, house.keys, house.audit_key, house.office.numbers, seed)
    report = importing.import_incidents(
        intake, file, mapping, rejects=rejects, actor="cli", now=now, dry_run=dry_run, progress=_Progress().show
    )  # fmt: skip
    click.echo(told(report, mapping, dry_run))


def read_mapping(name: str) -> Mapping:
    """A mapping by path, or by the name of a shipped one. Raises NotFound, MappingFaulty."""
    for path in (Path(name), MAPPINGS / f"{name}.yaml"):
        if path.is_file():
            return mapping_yaml.parse(path.read_text("utf-8"))
    shipped = "、".join(sorted(path.stem for path in MAPPINGS.glob("*.yaml")))
    raise NotFound(f"没有映射文件 {name}；自带的有 {shipped} / there is no mapping {name}; shipped: {shipped}")


def told(report: ImportReport, mapping: Mapping, dry_run: bool) -> str:
    """An import's counts as lines for a person."""
    counts = report.counts
    lines = [
        f"文件格式 / format: {report.format}；映射 / mapping: {mapping.zh} / {mapping.en}",
        f"读取 / read     {counts.read:>9}",
        f"新增 / new      {counts.new:>9}",
        f"已有 / known    {counts.known:>9}",
        f"更新 / changed  {counts.changed:>9}",
        f"拒收 / rejected {counts.rejected:>9}",
    ]
    if counts.noted:
        lines.append(f"{counts.noted} 条已收但有一项不可用 / {counts.noted} were kept without a value that cannot be used")
    if report.rejects:
        lines.append(f"问题清单 / list of problems: {report.rejects}")
    if dry_run:
        lines.append("试运行：没有写入任何数据 / dry run: nothing was stored")
    return "\n".join(lines)


class _Progress:
    """Tells how far the import is: in place on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._next = _EVERY

    def show(self, counts: Counts) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r读取 / read {counts.read}", nl=False, err=True)
        elif counts.read >= self._next:
            self._next += _EVERY
            click.echo(f"读取 / read {counts.read}", err=True)
