"""Stored calls, as they are played again."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from survey import events, flow
from survey.callback_rules import ORDINARY
from survey.fieldwork.attempts import was_broken
from survey.replay import StoredCall, StoredTurn, Written
from survey.store.models import CallAttempt, OperatorAnswer, Takeover, Turn
from survey.store.queries.desk import last_takeover

BY_MACHINE = frozenset({"machine", "fax"})


def stored_calls(session: Session, campaign_id: int) -> Iterator[StoredCall]:
    """The campaign's conversations that are over, oldest first; no number, no name and no recording is read."""
    wanted = (
        select(CallAttempt, Turn.event, Turn.node, Turn.at)
        .join(Turn, Turn.attempt_id == CallAttempt.id)
        .where(CallAttempt.campaign_id == campaign_id, CallAttempt.settled_at.is_not(None), CallAttempt.flow_state.is_not(None))
        .where(CallAttempt.purpose == ORDINARY)  # what an operator says stands in no script
        .order_by(CallAttempt.id, Turn.step)
    )
    rows = session.execute(wanted.execution_options(yield_per=500))
    for attempt, turns in groupby(rows, lambda row: row[0]):
        yield _stored(session, attempt, turns)


def _stored(session: Session, attempt: CallAttempt, rows: Iterator[Row[Any]]) -> StoredCall:
    final = flow.State.from_json(attempt.flow_state or {})
    machine = attempt.disposition if attempt.disposition in BY_MACHINE else None
    in_talk, after = _written(session, attempt.id) if final.offered else ({}, [])
    turns, times = [], []
    for row in rows:
        turns.append(StoredTurn(events.from_json(row.event), row.node))
        times.append(row.at)
    places = [(bisect_right(times, at), written) for at, written in after]  # how many turns had been by then
    turns = [replace(turn, written=_at(places, number)) for number, turn in enumerate(turns[:-1], 1)] + turns[-1:]
    return StoredCall(tuple(turns), final, machine or "", was_broken(session, attempt), in_talk, _at(places, len(turns)))


def _at(places: Iterable[tuple[int, Written]], place: int) -> tuple[Written, ...]:
    return tuple(written for its, written in places if its == place)


def _written(session: Session, attempt_id: int) -> tuple[dict[str, str], list[tuple[datetime, Written]]]:
    """What was written down in the last talk (item to code), and each answer that was written down after a talk, in order.

    An answer of the very moment in which the talk ended is taken for a later one: it counts from there on either way.
    """
    wanted = select(OperatorAnswer.item, OperatorAnswer.code, OperatorAnswer.at, Takeover.id, Takeover.ended_at)
    mine = wanted.join(Takeover, Takeover.id == OperatorAnswer.takeover_id).where(Takeover.attempt_id == attempt_id)
    last = last_takeover(session, attempt_id)
    in_talk, after = {}, []
    for item, code, at, takeover_id, ended_at in session.execute(mine.order_by(OperatorAnswer.id)):
        if ended_at is not None and at >= ended_at:
            after.append((at, (item, code)))
        elif last is not None and takeover_id == last.id:
            in_talk[item] = code
    return in_talk, after
