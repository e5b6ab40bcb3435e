"""Stored calls, as they are played again."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from survey import events, flow
from survey.callback_rules import ORDINARY
from survey.fieldwork.attempts import was_broken
from survey.replay import StoredCall, StoredTurn
from survey.store.models import CallAttempt, Turn
from survey.store.queries.desk import last_takeover, written_answers

BY_MACHINE = frozenset({"machine", "fax"})


def stored_calls(session: Session, campaign_id: int) -> Iterator[StoredCall]:
    """The campaign's conversations that are over, oldest first; no number, no name and no recording is read."""
    wanted = (
        select(CallAttempt, Turn.event, Turn.node)
        .join(Turn, Turn.attempt_id == CallAttempt.id)
        .where(CallAttempt.campaign_id == campaign_id, CallAttempt.settled_at.is_not(None), CallAttempt.flow_state.is_not(None))
        .where(CallAttempt.purpose == ORDINARY)  # what an operator says stands in no script
        .order_by(CallAttempt.id, Turn.step)
    )
    rows = session.execute(wanted.execution_options(yield_per=500))
    for attempt, turns in groupby(rows, lambda row: row[0]):
        yield _stored(session, attempt, turns)


def _stored(session: Session, attempt: CallAttempt, turns: Iterator[Row[Any]]) -> StoredCall:
    final = flow.State.from_json(attempt.flow_state or {})
    machine = attempt.disposition if attempt.disposition in BY_MACHINE else None
    return StoredCall(
        tuple(StoredTurn(events.from_json(turn.event), turn.node) for turn in turns), final, machine or "", was_broken(session, attempt),
        _written(session, attempt) if final.transfer else {},
    )  # fmt: skip


def _written(session: Session, attempt: CallAttempt) -> dict[str, str]:
    takeover = last_takeover(session, attempt.id)
    return written_answers(session, takeover.id) if takeover else {}
