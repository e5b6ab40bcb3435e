"""`audit`: is the trail of draw, contact, answer and access whole?"""

import sys

import click

from config.wiring import House
from survey.store import audit as trail
from survey.store.models import AuditHead


@click.group()
def audit() -> None:
    """审计链 / The audit trail."""


@audit.command()
@click.pass_obj
def verify(house: House) -> None:
    """逐条核对审计链，有缺损则以状态 1 结束 / Check every link of the chain; status 1 when one is missing or altered."""
    with house.sessions() as session:
        flaws = list(trail.verify(session, house.audit_key))
        head = session.get(AuditHead, 1)
        n, digest = (head.n, head.digest) if head else (0, trail.GENESIS)
    for flaw in flaws:
        click.echo(f"✗ {flaw.n}: {flaw.problem}")
    if flaws:
        sys.exit(1)
    click.echo(f"✓ 审计链完整，共 {n} 条，链尾 {digest} / the trail is whole: {n} entries, head {digest}")
