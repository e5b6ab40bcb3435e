"""The append-only, hash-chained trail of draw, contact, answer and access (R65).

digest_n = HMAC-SHA-256(key, digest_{n-1} ‖ canonical JSON of entry n). An edited, dropped, inserted or
reordered entry is found at its place; a cut tail is found by comparing with the head row, and by the
head that is printed on each sheet.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey.store.models import AuditEntry, AuditHead, table_of

GENESIS = "0" * 64
HEAD = select(AuditHead.n, AuditHead.digest).where(AuditHead.id == 1).with_for_update()
ENTRY = insert(table_of(AuditEntry))
MOVE_HEAD = update(table_of(AuditHead)).where(AuditHead.id == 1).values(n=bindparam("next"), digest=bindparam("link"))


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: one text for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _digest(key: bytes, previous: str, n: int, at: datetime, actor: str, action: str, subject: str, details: str) -> str:
    record = canonical([n, at.astimezone(UTC).isoformat(), actor, action, subject, details])
    return hmac.new(key, (previous + record).encode(), hashlib.sha256).hexdigest()


def append(session: Session, key: bytes, at: datetime, actor: str, action: str, subject: str, **details: Any) -> None:
    """Add one entry inside the caller's transaction; the head row is locked until it ends.

    `subject` is like `attempt:17`; `details` must hold no personal data.
    """
    connection = session.connection()
    head = connection.execute(HEAD).one_or_none() or _begin(session)
    text = canonical(details)
    n = head.n + 1
    digest = _digest(key, head.digest, n, at, actor, action, subject, text)
    entry = {"n": n, "at": at, "actor": actor, "action": action, "subject": subject, "details": text, "previous": head.digest}
    connection.execute(ENTRY, {**entry, "digest": digest})
    connection.execute(MOVE_HEAD, {"next": n, "link": digest})


def _begin(session: Session) -> Row[int, str]:
    """The head of an empty trail, locked; of several writers who find it missing, one makes it and the others wait."""
    with suppress(IntegrityError), session.begin_nested():  # the loser's insert waits until the winner has committed
        session.connection().execute(insert(table_of(AuditHead)), {"id": 1, "n": 0, "digest": GENESIS})
    return session.connection().execute(HEAD).one()


@dataclass(frozen=True)
class Flaw:
    """Something wrong in the chain at entry `n`."""

    n: int
    problem: str


def verify(session: Session, key: bytes) -> Iterator[Flaw]:
    """Walk the chain and yield every flaw; nothing yielded means that the trail is whole."""
    expected, previous = 1, GENESIS
    for entry in session.execute(select(AuditEntry).order_by(AuditEntry.n).execution_options(yield_per=1000)).scalars():
        if entry.n != expected:
            yield Flaw(expected, f"entries {expected} to {entry.n - 1} are missing")
        elif entry.previous != previous:
            yield Flaw(entry.n, "does not continue the entry before it")
        digest = _digest(key, entry.previous, entry.n, entry.at, entry.actor, entry.action, entry.subject, entry.details)
        if not hmac.compare_digest(digest, entry.digest):
            yield Flaw(entry.n, "was altered")
        expected, previous = entry.n + 1, entry.digest
    head = session.get(AuditHead, 1)
    if (head.n, head.digest) != (expected - 1, previous) if head else expected != 1:
        yield Flaw(expected, "the trail was cut: its head says more entries were written")
