"""The append-only, hash-chained trail of draw, contact, answer and access (R65).

digest_n = HMAC-SHA-256(key, digest_{n-1} ‖ canonical JSON of entry n). An edited, dropped, inserted or
reordered entry is found at its place; a cut tail is found by comparing with the head row, and by the
head that is printed on each sheet.

Whoever adds a link locks the head until the end of the transaction, so that on PostgreSQL all others who add one wait as
long. A unit of work therefore collects what is noted in it and writes it last, after everything else.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey.store.models import AuditEntry, AuditHead, table_of

GENESIS = "0" * 64
COLLECTED = "noted for the audit trail"
HEAD = select(AuditHead.n, AuditHead.digest).where(AuditHead.id == 1).with_for_update()
ENTRY = insert(table_of(AuditEntry))
MOVE_HEAD = update(table_of(AuditHead)).where(AuditHead.id == 1).values(n=bindparam("next"), digest=bindparam("link"))


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: one text for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _digest(key: bytes, previous: str, n: int, at: datetime, actor: str, action: str, subject: str, details: str) -> str:
    record = canonical([n, at.astimezone(UTC).isoformat(), actor, action, subject, details])
    return hmac.new(key, (previous + record).encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Noted:
    """An entry that is not in the chain yet."""

    key: bytes
    at: datetime
    actor: str
    action: str
    subject: str
    details: str


def append(session: Session, key: bytes, at: datetime, actor: str, action: str, subject: str, **details: Any) -> None:
    """Add one entry inside the caller's transaction; the head row is locked until it ends.

    `subject` is like `attempt:17`; `details` must hold no personal data.
    """
    _link(session, [Noted(key, at, actor, action, subject, canonical(details))])


def note(session: Session, key: bytes, at: datetime, actor: str, action: str, subject: str, **details: Any) -> None:
    """Have one entry added by the caller's transaction: as its last act where the session collects, else at once."""
    noted = Noted(key, at, actor, action, subject, canonical(details))
    collected = session.info.get(COLLECTED)
    if collected is None:
        _link(session, [noted])
    else:
        collected.append(noted)


def collect(session: Session) -> None:
    """From here on keep what is noted until `write_collected`, which must come before the commit."""
    session.info[COLLECTED] = []


def write_collected(session: Session) -> None:
    """Add everything that was noted, in the order in which it was; the rest of the transaction is written first."""
    collected = session.info.pop(COLLECTED, None)
    if collected:
        session.flush()
        _link(session, collected)


def _link(session: Session, entries: Sequence[Noted]) -> None:
    connection = session.connection()
    head = connection.execute(HEAD).one_or_none() or _begin(session)
    n, previous, rows = head.n, head.digest, []
    for entry in entries:
        n += 1
        digest = _digest(entry.key, previous, n, entry.at, entry.actor, entry.action, entry.subject, entry.details)
        told = {"at": entry.at, "actor": entry.actor, "action": entry.action, "subject": entry.subject, "details": entry.details}
        rows.append({"n": n, **told, "previous": previous, "digest": digest})
        previous = digest
    connection.execute(ENTRY, rows if len(rows) > 1 else rows[0])
    connection.execute(MOVE_HEAD, {"next": n, "link": previous})


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
