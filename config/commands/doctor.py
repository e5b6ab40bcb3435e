"""`doctor`: the settings in force, and what is wrong."""

import sys

import click

from config.cli import open_house
from config.doctor import examine, settings_in_force
from config.findings import WRONG
from config.settings import SettingsFaulty


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """检查配置与环境，有错误则以状态 1 结束 / Print the settings in force and what is wrong; status 1 when something is."""
    try:
        house = context.obj or open_house()
    except SettingsFaulty as faulty:
        for problem in faulty.problems:
            click.echo(f"{WRONG} {problem}")
        sys.exit(1)
    for name, value in settings_in_force(house.settings):
        click.echo(f"{name}={value}")
    click.echo()
    findings = list(examine(house))
    for finding in findings:
        click.echo(f"{finding.mark} {finding.subject}: {finding.text}" + (f"\n    → {finding.remedy}" if finding.remedy else ""))
    sys.exit(any(finding.mark == WRONG for finding in findings))
