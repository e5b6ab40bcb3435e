"""What pages can follow, and which rows belong to it: a table from model to topics, and a session that collects them.

A topic is a kind (`desk`, `call`, `order`, `ticket`), with the row's id where a page shows one of many: `order:17`. The kind alone
stands for all of it. A unit of work announces after its commit what was collected, so that no use case can forget it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, UOWTransaction
from sqlalchemy.sql.dml import UpdateBase

from survey.store.models import (
    AccountabilityRecord,
    Duty,
    Escalation,
    Offer,
    OperatorAnswer,
    Order,
    OrderAttachment,
    OrderEvent,
    Takeover,
    TicketNote,
    table_of,
)

DESK, CALL, ORDER, TICKET = "desk", "call", "order", "ticket"
"""The waiting calls and who is there; one call in an operator's hands; one order; one ticket of the human queue."""

TOPICS: Mapping[type, tuple[tuple[str, str], ...]] = {
    Duty: ((DESK, ""),),
    Offer: ((DESK, ""),),
    Takeover: ((DESK, ""), (CALL, "id")),
    OperatorAnswer: ((CALL, "takeover_id"),),
    Order: ((ORDER, "id"),),
    OrderEvent: ((ORDER, "order_id"),),
    OrderAttachment: ((ORDER, "order_id"),),
    AccountabilityRecord: ((ORDER, "order_id"),),
    Escalation: ((TICKET, "id"),),
    TicketNote: ((TICKET, "escalation_id"),),
}
"""Model -> kinds of topic, each with the column that holds the id of what the page shows; without one the kind is all there is."""

TABLES: Mapping[object, tuple[str, ...]] = {table_of(model): tuple(kind for kind, _ in topics) for model, topics in TOPICS.items()}
COLLECTED = "topics of changed rows"


def topic(kind: str, row_id: int) -> str:
    """The topic of one row."""
    return f"{kind}:{row_id}"


def concerns(announced: str, followed: str) -> bool:
    """Whether who follows a topic is told of what was announced: the same, one of the kind, or the whole kind."""
    return announced == followed or announced.startswith(f"{followed}:") or followed.startswith(f"{announced}:")


def collect(session: Session) -> None:
    """From here on keep the topics of what is changed in the session, until `collected`."""
    session.info[COLLECTED] = set()


def collected(session: Session) -> frozenset[str]:
    """The topics of all that was flushed or changed by a statement since `collect`; none where the session is of another class."""
    return frozenset(session.info.pop(COLLECTED, ()))


class FollowedSession(Session):
    """A session that keeps the topics of what is changed in it, by rows and by statements.

    It looks at statements itself, because SQLAlchemy's own event for them costs each SELECT of a call's turn a tenth of its time.
    """

    def execute(self, statement: Any, *given: Any, **more: Any) -> Any:
        """Execute as ever. Which rows a statement changes nobody knows: it concerns the whole kind."""
        self._note(statement)
        return super().execute(statement, *given, **more)

    def scalars(self, statement: Any, *given: Any, **more: Any) -> Any:
        """As `execute`, which SQLAlchemy does not ask here; so may a statement be given that changes rows and returns some."""
        self._note(statement)
        return super().scalars(statement, *given, **more)

    def scalar(self, statement: Any, *given: Any, **more: Any) -> Any:
        """As `scalars`."""
        self._note(statement)
        return super().scalar(statement, *given, **more)

    def _note(self, statement: Any) -> None:
        found = self.info.get(COLLECTED)
        if found is not None and isinstance(statement, UpdateBase):
            found.update(TABLES.get(statement.table, ()))


@event.listens_for(FollowedSession, "after_flush")
def _keep(session: Session, _: UOWTransaction) -> None:
    found = session.info.get(COLLECTED)
    if found is not None:
        changed = (each for each in session.dirty if type(each) in TOPICS and session.is_modified(each))
        for row in (*session.new, *session.deleted, *changed):
            found.update(_of(row))


def _of(row: object) -> Iterator[str]:
    for kind, column in TOPICS.get(type(row), ()):
        yield topic(kind, getattr(row, column)) if column else kind
