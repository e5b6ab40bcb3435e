"""`keys`: which keys seal the personal data, a fresh one, and sealing everything again with the current one."""

import base64
import os
import sys

import click

from config.wiring import House
from survey.store import audit, rotation


@click.group()
def keys() -> None:
    """个人信息的密钥 / Keys of the personal data."""


@keys.command()
@click.pass_obj
def new(house: House) -> None:
    """生成一把新密钥，写在 HUIFANG_PII_KEYS 的 index 之后 / Print a fresh key, to be put first behind `index`."""
    number = 1
    while f"k{number}" in house.keys.keys:
        number += 1
    click.echo(f"k{number}:{base64.b64encode(os.urandom(32)).decode()}")


@keys.command()
@click.pass_obj
def status(house: House) -> None:
    """各密钥加密了多少数据 / How much each key has sealed."""
    _show(house)


@keys.command()
@click.pass_obj
def rotate(house: House) -> None:
    """用当前密钥重新加密，运行中即可，可中断后再来 / Seal everything with the current key; may be interrupted and repeated."""
    current = house.keys.current

    def tell(done: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{done}", nl=False, err=True)

    done = rotation.rotate(house.sessions, house.keys, house.data, tell)
    with house.unit_of_work() as work:
        audit.append(work.session, house.audit_key, house.clock.now(), "cli", "keys.rotate", f"key:{current}", sealed=done)
    click.echo(f"已用 {current} 重新加密 / sealed again with {current}: {done}")
    if _show(house):
        zh, en = (
            "仍有数据用旧密钥加密：请停止再启动各进程，然后重新运行",
            "some still bear an old key: stop and start all processes, then run this again",
        )
        click.echo(f"{zh} / {en}")
        sys.exit(1)


def _show(house: House) -> int:
    """Print the counts; how many values bear a key that is not the current one."""
    count = rotation.counted(house.sessions, house.data)
    for name in dict.fromkeys([house.keys.current, *house.keys.keys, *count]):
        mark = "（当前 / current）" if name == house.keys.current else "" if name in house.keys.keys else "（缺失 / MISSING）"
        click.echo(f"{name}: {count[name]}{mark}")
    return count.total() - count[house.keys.current]
