"""Use cases of drafts: what somebody types into a form is kept for them until it is sent (O24, C29).

A draft may hold names and numbers, so it lies sealed and only its writer reads it. What nobody has sent for two weeks is erased (R64).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from survey.errors import BadInput, CannotUnseal
from survey.store.leases import hold
from survey.store.models import Draft
from survey.store.models.base import public_id
from survey.store.queries import drafts as queries
from survey.store.sealing import KeyRing, place

KEPT_FOR = timedelta(days=14)
TIDY_EVERY = timedelta(hours=1)
LONGEST = 20_000
"""Characters of all fields together."""


@dataclass(frozen=True, repr=False)
class Kept:
    """What was typed, field by field, and when it was saved; without a moment where nothing is kept."""

    fields: Mapping[str, str] = field(default_factory=dict)
    saved_at: datetime | None = None


NOTHING = Kept()


def keep(session: Session, keys: KeyRing, user_id: int, form: str, fields: Mapping[str, str], now: datetime) -> None:
    """Keep what somebody has typed into a form, in place of what was kept before; all fields empty: nothing is kept.

    Raises BadInput for more than LONGEST characters.
    """
    if sum(len(text) for text in fields.values()) > LONGEST:
        raise BadInput(f"草稿最多 {LONGEST} 字 / a draft has {LONGEST} characters at most")
    if not any(text.strip() for text in fields.values()):
        queries.delete_draft(session, user_id, form)
        return
    identity = public_id()
    sealed = keys.seal_bytes(json.dumps(dict(fields), ensure_ascii=False).encode(), _place(identity))
    queries.put_draft(session, {"public_id": identity, "user_id": user_id, "form": form, "fields_sealed": sealed, "saved_at": now})


def kept(session: Session, keys: KeyRing, user_id: int, form: str) -> Kept:
    """What somebody has typed into a form and not sent; NOTHING where there is none, or where it cannot be read any more."""
    draft = queries.draft_of(session, user_id, form)
    if draft is None:
        return NOTHING
    try:
        opened = keys.open_bytes(draft.fields_sealed, _place(draft.public_id))
    except CannotUnseal:
        return NOTHING
    return Kept(json.loads(opened), draft.saved_at)


def drop(session: Session, user_id: int, form: str) -> None:
    """The form was sent: nothing of it is kept here."""
    queries.delete_draft(session, user_id, form)


def tidy(session: Session, now: datetime) -> None:
    """Once an hour: erase what nobody has touched for KEPT_FOR."""
    if hold(session, "drafts", now.isoformat(), now, TIDY_EVERY):
        queries.delete_older(session, now - KEPT_FOR)


def _place(identity: str) -> str:
    return place(Draft.__tablename__, "fields_sealed", identity)
