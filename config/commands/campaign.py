"""`campaign`: launch a month's fieldwork and steer it."""

import json
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.commands.deeds import REASON, myself
from config.wiring import House
from survey import fieldwork, scripting
from survey.contact_rules import Rules
from survey.disposition import Disposition
from survey.errors import BadInput, NotFound
from survey.fieldwork.reviews import REASONS, VERDICTS
from survey.holds import HoldReason
from survey.store.models import Campaign, Draw
from survey.store.queries import fieldwork as queries

STATES = {"ready": "待开始", "running": "进行中", "paused": "已暂停", "stopped": "已停止", "finished": "已结束"}


@click.group()
def campaign() -> None:
    """外呼任务：创建、启停、改变快慢与上限、暂缓、核查 / Campaigns: create, steer, pace, limits, holds, reviews, status."""


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
            hourly_calls=settings.hourly_calls, daily_calls=settings.daily_calls, spend_limit=settings.spend_limit or None,
            minute_price=settings.minute_price,
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


NONE = "none"


@campaign.command()
@click.argument("campaign_id", type=int)
@click.option("--lines", type=int, help="同时进行的呼叫数 / calls at the same time.")
@click.option("--rate", type=float, help="每秒发起的呼叫数 / calls started per second.")
@REASON
@click.pass_obj
def pace(house: House, campaign_id: int, lines: int | None, rate: float | None, reason: str) -> None:
    """改变快慢，立即生效 / Change lines and rate, at once."""
    with house.unit_of_work() as work:
        found = _find(work.session, campaign_id)
        fieldwork.change_pace(
            work.session, house.office, found, myself(), house.clock.now(), lines=lines, calls_per_second=rate, reason=reason
        )
        click.echo(f"{found.id}\t{found.name}\t{found.lines} 线 / lines\t{found.calls_per_second:g}/s")


@campaign.command()
@click.argument("campaign_id", type=int)
@click.option("--hourly", help="任意一小时的呼叫上限，或 none / calls in any hour, or none.")
@click.option("--daily", help="任意 24 小时的呼叫上限，或 none / calls in any 24 hours, or none.")
@click.option("--spend", help="估算话费的上限，或 none / limit of the estimated bill, or none.")
@click.option("--price", type=float, help="每分钟价格 / price of a started minute.")
@REASON
@click.pass_obj
def limits(
    house: House, campaign_id: int, hourly: str | None, daily: str | None, spend: str | None, price: float | None, reason: str
) -> None:
    """改变上限；因原上限而暂缓的随之解除 / Change the limits; holds of the old ones are lifted."""
    given = {"hourly_calls": (hourly, int), "daily_calls": (daily, int), "spend_limit": (spend, float)}
    wanted = {name: _limit(text, kind) for name, (text, kind) in given.items() if text is not None}
    wanted |= {} if price is None else {"minute_price": price}
    with house.unit_of_work() as work:
        found = _find(work.session, campaign_id)
        fieldwork.change_limits(work.session, house.office, found, myself(), house.clock.now(), reason=reason, **wanted)
        figures = f"{found.hourly_calls or '-'}/h\t{found.daily_calls or '-'}/24h\t{found.spend_limit or '-'}\t{found.minute_price:g}/min"
        click.echo(f"{found.id}\t{found.name}\t{figures}")


def _limit(text: str, kind: type[int] | type[float]) -> Any:
    if text == NONE:
        return None
    try:
        return kind(text)
    except ValueError:
        raise BadInput(f"{text}: 须为数字或 none / needs a number or none") from None


@campaign.command()
@click.pass_obj
def holds(house: House) -> None:
    """正在暂缓外呼的原因 / What holds dialling back now."""
    with house.sessions() as session:
        for hold in fieldwork.holds.standing_holds(session):
            why = HoldReason.from_word(hold.reason)
            until = f"{hold.until:%Y-%m-%d %H:%M:%S}Z" if hold.until else "-"
            click.echo(f"{hold.id}\t{hold.scope}\t{why.zh} / {why.en}\t{hold.detail}\t{hold.since:%Y-%m-%d %H:%M:%S}Z\t{until}")


@campaign.command()
@click.argument("hold_id", type=int)
@REASON
@click.pass_obj
def lift(house: House, hold_id: int, reason: str) -> None:
    """解除暂缓，继续外呼 / Lift a hold: dial on."""
    with house.unit_of_work() as work:
        fieldwork.holds.lift(work.session, house.office, hold_id, myself(), reason, house.clock.now())
    click.echo(f"{hold_id}\t已解除 / lifted")


@campaign.command()
@click.argument("campaign_id", type=int)
@click.option("--respondent", type=int, help="要决定的对象编号 / number of the respondent to decide on.")
@click.option("--verdict", type=click.Choice(VERDICTS), help="再次呼叫或关闭 / call again, or close.")
@click.option("--reason", default="", help="原因，记入审计 / reason, for the audit trail.")
@click.pass_obj
def review(house: House, campaign_id: int, respondent: int | None, verdict: str | None, reason: str) -> None:
    """待人工核查的对象；给出编号与决定则处理其一 / Who waits for a person's review; with a number and a verdict, decide on one."""
    with house.unit_of_work() as work:
        found = _find(work.session, campaign_id)
        if respondent is not None:
            if respondent not in {each.respondent_id for each in fieldwork.reviews.needs_review(work.session, found.id)}:
                raise NotFound(f"对象 {respondent} 无须核查 / respondent {respondent} of this campaign needs no review")
            fieldwork.reviews.resolve(work.session, house.office, respondent, verdict or "", myself(), reason, house.clock.now())
            work.session.flush()
        for each in fieldwork.reviews.needs_review(work.session, found.id):
            zh, en = REASONS.get(each.reason, (each.reason, each.reason))
            click.echo(f"{each.respondent_id}\t{zh} / {en}\t{each.error}\t{' '.join(each.sids)}".rstrip())
