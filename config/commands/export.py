"""`export`: answers, attempts, cases and remarks of a campaign as CSV."""

import os
from pathlib import Path

import click
from sqlalchemy.orm import Session

from config.wiring import House
from survey import exports
from survey.errors import NotAllowed, NotFound
from survey.sheet.csv import ENCODING
from survey.store.database import reading
from survey.store.models import Campaign


@click.command()
@click.argument("what", type=click.Choice(list(exports.KINDS)))
@click.option("--campaign", "campaign_id", type=int, required=True, help="任务编号 / number of the campaign.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="文件 / file.")
@click.option("--personal-data", is_flag=True, help="含个人信息，须给出 --reason / with names, numbers, words; needs --reason.")
@click.option("--reason", default="", help="导出个人信息的理由，记入审计 / why personal data is needed; written to the audit trail.")
@click.pass_obj
def export(house: House, what: str, campaign_id: int, out: Path, personal_data: bool, reason: str) -> None:
    """导出答案、通话、转人工个案或群众意见（默认不含个人信息） / Export answers, attempts, cases or remarks, masked by default."""
    if not out.parent.is_dir():
        raise NotFound(f"没有文件夹 {out.parent}，请先建立 / there is no folder {out.parent}: make it first")
    disclosure = exports.Disclosure(house.keys, reason) if personal_data else None
    with house.unit_of_work() as work:
        campaign = work.session.get(Campaign, campaign_id)
        if campaign is None:
            raise NotFound(f"没有编号为 {campaign_id} 的任务 / there is no campaign {campaign_id}")
        order = exports.Order(what, campaign_id, campaign.public_id, "cli", house.clock.now(), house.bureau.tzinfo, disclosure)
        exports.authorise(work.session, order, house.audit_key)
    try:
        with Session(reading(house.engine)) as session:
            count = write(session, order, out)
    except OSError as error:
        raise NotAllowed(f"无法写入 {out}：{error.strerror} / {out} cannot be written") from error
    click.echo(f"{out}: {count} 行 / rows")


def write(session: Session, order: exports.Order, out: Path) -> int:
    """Write the file whole or not at all, readable by its owner alone; the number of its rows."""
    part = out.with_name(out.name + ".part")
    with open(part, "w", encoding=ENCODING, newline="", opener=_private) as stream:
        count = exports.write(session, order, stream)
    part.replace(out)
    return count


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
