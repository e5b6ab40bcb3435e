"""Drafts in the database: one row a person and form."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from survey.store.models import Draft, table_of

KEY = ("user_id", "form")


def put_draft(session: Session, values: dict[str, Any]) -> None:
    """Store a draft in one statement; a later one takes its place."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(table_of(Draft)).values(values)
    newer = {name: fresh.excluded[name] for name in values if name not in KEY}
    session.execute(fresh.on_conflict_do_update(index_elements=KEY, set_=newer))


def draft_of(session: Session, user_id: int, form: str) -> Draft | None:
    """What somebody has typed into a form and not sent."""
    wanted = select(Draft).where(Draft.user_id == user_id, Draft.form == form)
    return session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()


def delete_draft(session: Session, user_id: int, form: str) -> None:
    """Delete a draft, if there is one."""
    session.execute(delete(Draft).where(Draft.user_id == user_id, Draft.form == form))


def delete_older(session: Session, before: datetime) -> None:
    """Delete the drafts that were saved last before that moment."""
    session.execute(delete(Draft).where(Draft.saved_at < before))
