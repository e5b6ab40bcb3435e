"""`user`: who may use the console."""

import click

from config.wiring import House
from survey import accounts
from survey.store import audit


@click.group()
def user() -> None:
    """控制台用户 / People who may use the console."""


@user.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(accounts.ROLES), help="角色 / role.")
@click.option("--display", default="", help="显示名称 / name as shown on pages.")
@click.pass_obj
def add(house: House, name: str, role: str, display: str) -> None:
    """新建用户，随机初始密码只显示这一次 / Create a user; the random first password is shown this once."""
    now = house.clock.now()
    with house.unit_of_work() as work:
        password = accounts.add_user(work.session, name, role, display, now)
        audit.append(work.session, house.audit_key, now, "cli", "user.add", f"user:{name}", role=role)
    _show(name, password)


@user.command("renew-password")
@click.argument("name")
@click.pass_obj
def renew_password(house: House, name: str) -> None:
    """换新的随机密码，并结束其登录 / Give a new random password and end the user's log-ins."""
    now = house.clock.now()
    with house.unit_of_work() as work:
        password = accounts.renew_password(work.session, name, now)
        audit.append(work.session, house.audit_key, now, "cli", "user.renew_password", f"user:{name}")
    _show(name, password)


@user.command()
@click.argument("name")
@click.pass_obj
def disable(house: House, name: str) -> None:
    """停用用户 / Shut a user out from the next request on."""
    now = house.clock.now()
    with house.unit_of_work() as work:
        accounts.disable_user(work.session, name, now)
        audit.append(work.session, house.audit_key, now, "cli", "user.disable", f"user:{name}")
    click.echo(f"已停用 / disabled: {name}")


def _show(name: str, password: str) -> None:
    click.echo(f"用户 / user: {name}")
    click.echo(f"密码 / password: {password}")
    click.echo("密码只显示这一次，请立即交给本人 / The password is shown this once: hand it over now.")
