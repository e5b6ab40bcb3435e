"""Who acts on orders: the visitor as the domain knows actors, and the roles that each action is open to (R35, O32)."""

from collections.abc import Iterator
from contextlib import contextmanager

from ivr.console.access import AUDITOR, CENTRE, COMMANDER, INSPECTION, OPERATOR, UNIT, note_refusal, present
from survey import accounts
from survey.errors import NotFound
from survey.order_moves import MOVES, PARTIES, Actor

MAY_READ = (UNIT, CENTRE, INSPECTION, OPERATOR, COMMANDER, AUDITOR)
MAY_ISSUE = (CENTRE, INSPECTION)
MAY_DISCLOSE = (UNIT, CENTRE, INSPECTION)
MAY_ACCOUNT = (CENTRE, INSPECTION)


def roles_of(action: str) -> tuple[str, ...]:
    """The roles that may take the action on an order of any route."""
    parties = {role for roles in PARTIES[MOVES[action].party].values() for role in roles}
    return tuple(role for role in accounts.ROLES if role in parties)


def order_actor() -> Actor:
    """The visitor as one who acts on orders."""
    person = present()
    return Actor(person.name, person.role, person.unit, person.is_head)


@contextmanager
def unknown_noted() -> Iterator[None]:
    """Write down who asked for an order that is not there for them: its address cannot be guessed (R12)."""
    try:
        yield
    except NotFound:
        note_refusal()
        raise
