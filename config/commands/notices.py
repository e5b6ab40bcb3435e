"""`notices`: try the channels by which notices about orders leave the house."""

import sys
import uuid
from collections.abc import Iterator

import click

from config import channels
from config.clock import SystemClock
from config.findings import GOOD, WRONG
from config.wiring import House
from ivr.notices.base import Channel, DeliveryFailed, Message
from survey.accounts.emails import fit_email
from survey.errors import BadInput
from survey.notice_letters import Notification, body, facts, subject

TEXT = "这是一条测试通知，收到即表示渠道可用 / this is a test notice: that it has arrived shows that the channel works"


@click.group()
def notices() -> None:
    """交办单通知的发送渠道 / The channels by which notices about orders are sent."""


@notices.command()
@click.option("--to", default="", metavar="ADDRESS", help="测试邮件的收件地址 / where the test mail goes.")
@click.pass_obj
def test(house: House, to: str) -> None:
    """经每个已配置的渠道发送一条测试通知，失败则以状态 1 结束 / Send one test notice by each channel; status 1 when one fails."""
    address, ways = fit_email(to), channels.channels(house.settings)
    if "mail" in ways and not address:
        raise BadInput("已配置邮件，请用 --to 给出收件地址 / e-mail is set up: say by --to where the test shall go")
    if address and "mail" not in ways:
        raise BadInput("未配置邮件服务器 HUIFANG_MAIL_HOST / no mail server is set up: HUIFANG_MAIL_HOST")
    if not ways:
        click.echo(
            "未配置邮件或 Webhook：通知只在控制台，每周清单另存文件 / neither e-mail nor web-hook is set up: notices stand in the console"
        )
        return
    failed = list(_failing(house, ways, address))
    sys.exit(bool(failed))


def _failing(house: House, ways: dict[str, Channel], address: str) -> Iterator[str]:
    """Send by each channel, say how it went, and give the names of those that failed."""
    for name, channel in ways.items():
        try:
            channel.send(_message(house, address if name == "mail" else ""))
        except DeliveryFailed as failure:
            click.echo(f"{WRONG} {name}: {failure.problem.sentence}\n    → {failure.problem.remedy}")
            yield name
        else:
            click.echo(f"{GOOD} {name}: 对方已接收 / accepted by the other side")


def _message(house: House, address: str) -> Message:
    bureau = house.bureau
    told = Notification(uuid.uuid4().hex, "test", "", TEXT, SystemClock().now())
    return Message(told.identity, address, subject(told, bureau.name), body(told, (bureau.name, bureau.name_en)), facts(told, bureau.name))
