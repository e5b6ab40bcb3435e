"""`campaign`: launch a month's fieldwork and steer it."""

import json
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.wiring import House
from survey import fieldwork, scripting
from survey.contact_rules import Rules
from survey.disposition import Disposition
from survey.errors import BadInput, NotFound
from survey.store.models import Campaign, Draw
from survey.store.queries import fieldwork as queries

STATES = {"ready": "待开始", "running": "进行中", "paused": "已暂停", "stopped": "已停止", "finished": "已结束"}


@click.group()
def campaign() -> None:
    """外呼任务：创建、开始、暂停、恢复、停止、查看 / Campaigns: create, start, pause, resume, stop, status."""


@campaign.command()
@click.option("--month", required=True, help="样本月份 / month of the draw, YYYY-MM.")
@click.option("--script", "script_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="话术文件 / call script.")
@click.option("--rules", "rules_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="外呼规则 JSON / contact rules.")
@click.option("--name", default="", help="任务名称 / name of the campaign.")
@click.pass_obj
def create(house: House, month: str, script_file: Path | None, rules_file: Path | None, name: str) -> None:
    """按该月最近一次抽样创建任务 / Create a campaign on the month's latest draw."""
    script_path = script_file or Path(__file__).parents[1] / "scripts" / "callback-zh.yaml"
    now, settings = house.clock.now(), house.settings
    with house.unit_of_work() as work:
        version = scripting.publish(work.session, script_path.read_text("utf-8"), "cli", "campaign create", now, house.audit_key)
        launched = fieldwork.launch(
            work.session, house.office, latest_draw(work.session, month), version, read_rules(rules_file), now,
            name=name or f"{month} 接处警电话回访", lines=settings.concurrent_calls, calls_per_second=settings.calls_per_second,
            caller_id=settings.caller_id, simulated=settings.environment != "production", by="cli",
        )  # fmt: skip
        click.echo(f"{launched.id}\t{launched.name}\t{STATES[launched.state]}")


def latest_draw(session: Session, month: str) -> Draw:
    """The month's newest draw that was not voided. Raises NotFound."""
    draws = select(Draw).where(Draw.month == month, Draw.voided_at.is_(None)).order_by(Draw.id.desc()).limit(1)
    draw = session.scalar(draws)
    if draw is None:
        raise NotFound(f"{month} 还没有抽样，请先运行 ./huifang draw --month {month} / no draw for {month}: run draw first")
    return draw


def read_rules(path: Path | None) -> Rules:
    """Contact rules from a JSON file, or the defaults. Raises BadInput naming file and field."""
    if path is None:
        return Rules()
    try:
        stored: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return Rules.from_json(stored)
    except (ValueError, BadInput) as problem:
        raise BadInput(f"{path}: {problem}") from problem


def _find(session: Session, campaign_id: int) -> Campaign:
    found = session.get(Campaign, campaign_id)
    if found is None:
        raise NotFound(f"没有编号为 {campaign_id} 的任务 / there is no campaign {campaign_id}")
    return found


def _steer(house: House, campaign_id: int, move: str, **options: Any) -> None:
    with house.unit_of_work() as work:
        found = _find(work.session, campaign_id)
        getattr(fieldwork, move)(work.session, house.office, found, "cli", house.clock.now(), **options)
        click.echo(f"{found.id}\t{found.name}\t{STATES[found.state]}")


@campaign.command()
@click.argument("campaign_id", type=int)
@click.pass_obj
def start(house: House, campaign_id: int) -> None:
    """开始外呼 / Begin to call."""
    _steer(house, campaign_id, "start")


@campaign.command()
@click.argument("campaign_id", type=int)
@click.option("--reason", default="", help="原因 / reason.")
@click.pass_obj
def pause(house: House, campaign_id: int, reason: str) -> None:
    """不再发起新通话，进行中的通话继续 / Start no further call; running ones finish."""
    _steer(house, campaign_id, "pause", reason=reason)


@campaign.command()
@click.argument("campaign_id", type=int)
@click.pass_obj
def resume(house: House, campaign_id: int) -> None:
    """恢复外呼 / Call again."""
    _steer(house, campaign_id, "resume")


@campaign.command()
@click.argument("campaign_id", type=int)
@click.option("--reason", required=True, help="原因 / reason.")
@click.confirmation_option(prompt="停止后不能恢复，确定停止？ / A stopped campaign cannot be resumed. Stop it?")
@click.pass_obj
def stop(house: House, campaign_id: int, reason: str) -> None:
    """永久停止 / End the campaign for good."""
    _steer(house, campaign_id, "stop", reason=reason)


@campaign.command()
@click.argument("campaign_id", type=int, required=False)
@click.pass_obj
def status(house: House, campaign_id: int | None) -> None:
    """任务状态与进度 / State and progress."""
    with house.sessions() as session:
        wanted = select(Campaign).order_by(Campaign.id)
        for found in session.scalars(wanted if campaign_id is None else wanted.where(Campaign.id == _find(session, campaign_id).id)):
            closed, total = queries.progress(session, found.id)
            click.echo(f"{found.id}\t{found.name}\t{STATES[found.state]}\t{closed}/{total}\t{found.state_reason}".rstrip())
            for word, count in queries.dispositions(session, found.id):
                verdict = Disposition.from_word(word)
                click.echo(f"\t{verdict.aapor:6}{verdict.zh} / {verdict.en}\t{count}")
