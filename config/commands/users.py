"""`user`: who may use the console."""

import click

from config.wiring import House
from survey.accounts import ROLES, NewAccount, administration
from survey.accounts.administration import Change
from survey.accounts.people import Hand, telephone_of
from survey.errors import CannotUnseal
from survey.phone import mask
from survey.store.queries import people
from survey.store.queries.people import UserRow

ROLE = click.Choice(ROLES)
UNIT_HELP = "单位代码，仅 unit 角色 / code of a unit, for the role `unit` alone."
HEAD_HELP = "单位负责人，仅 unit 角色 / head of the unit, who asks for extensions; for the role `unit` alone."
TELEPHONE_HELP = "值班电话或 sip: 地址 / the desk's telephone, or a sip: address."
EMAIL_HELP = "接收通知的邮箱 / where notices about orders are sent."


@click.group()
def user() -> None:
    """控制台用户 / People who may use the console."""


@user.command()
@click.argument("name")
@click.option("--role", required=True, type=ROLE, help="角色 / role.")
@click.option("--display", default="", help="显示名称 / name as shown on pages.")
@click.option("--unit", default="", metavar="CODE", help=UNIT_HELP)
@click.option("--head", is_flag=True, help=HEAD_HELP)
@click.option("--telephone", default="", help=TELEPHONE_HELP)
@click.option("--email", default="", help=EMAIL_HELP)
@click.pass_obj
def add(house: House, /, name: str, role: str, head: bool, **given: str) -> None:
    """新建用户，随机初始密码只显示这一次 / Create a user; the random first password is shown this once."""
    with house.unit_of_work() as work:
        password = administration.add(work.session, _hand(house), NewAccount(name, role, given.pop("display"), **given, is_head=head))
    _show(name, password)


@user.command()
@click.argument("name")
@click.option("--role", type=ROLE, help="角色 / role.")
@click.option("--display", help="显示名称 / name as shown on pages.")
@click.option("--unit", metavar="CODE", help=UNIT_HELP)
@click.option("--head/--no-head", default=None, help=HEAD_HELP)
@click.option("--telephone", help=TELEPHONE_HELP)
@click.option("--email", help=EMAIL_HELP)
@click.pass_obj
def change(house: House, /, name: str, head: bool | None, **given: str | None) -> None:
    """更改用户，未给出的不变 / Change a user; what is not given stays as it is."""
    with house.unit_of_work() as work:
        administration.change(work.session, _hand(house), name, Change(given.pop("display"), **given, is_head=head))
    click.echo(f"已保存 / saved: {name}")


@user.command("list")
@click.pass_obj
def show_all(house: House) -> None:
    """列出所有用户 / List everybody."""
    with house.sessions() as session:
        for row in people.users(session):
            click.echo(
                f"{row.name:32} {row.role:13} {_state(row):10} {row.unit or '—':8} {_telephone(house, row) or '—':16} {row.display_name}"
            )


@user.command("renew-password")
@click.argument("name")
@click.pass_obj
def renew_password(house: House, name: str) -> None:
    """换新的随机密码，并结束其登录 / Give a new random password and end the user's log-ins."""
    with house.unit_of_work() as work:
        password = administration.renew_password(work.session, _hand(house), name)
    _show(name, password)


@user.command("remove-second-factor")
@click.argument("name")
@click.pass_obj
def remove_second_factor(house: House, name: str) -> None:
    """解除动态口令（手机遗失） / Ask the user for no code any more, because the telephone is lost."""
    with house.unit_of_work() as work:
        administration.remove_second_factor(work.session, _hand(house), name)
    click.echo(f"已解除动态口令 / second factor removed: {name}")


@user.command()
@click.argument("name")
@click.pass_obj
def disable(house: House, name: str) -> None:
    """停用用户 / Shut a user out from the next request on."""
    with house.unit_of_work() as work:
        administration.disable(work.session, _hand(house), name)
    click.echo(f"已停用 / disabled: {name}")


@user.command()
@click.argument("name")
@click.pass_obj
def enable(house: House, name: str) -> None:
    """恢复已停用的用户 / Let a disabled user in again."""
    with house.unit_of_work() as work:
        administration.enable(work.session, _hand(house), name)
    click.echo(f"已恢复 / enabled: {name}")


def _hand(house: House) -> Hand:
    return Hand("cli", house.clock.now(), house.keys, house.audit_key, house.office.numbers)


def _state(row: UserRow) -> str:
    if row.disabled_at is not None:
        return "disabled"
    return "+2FA" if row.second_factor else ""


def _telephone(house: House, row: UserRow) -> str:
    try:
        telephone = telephone_of(house.keys, row.name, row.telephone_sealed)
    except CannotUnseal:
        return "?"
    return "sip:…" if telephone.startswith("sip:") else mask(telephone)


def _show(name: str, password: str) -> None:
    click.echo(f"用户 / user: {name}")
    click.echo(f"密码 / password: {password}")
    click.echo("密码只显示这一次，请立即交给本人；首次登录须更换 / The password is shown this once: hand it over now, it must be changed.")
