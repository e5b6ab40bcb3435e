"""Rows that are read again under a lock, in the middle of a unit of work."""

from typing import Any

from sqlalchemy.orm import Session


def read_again(session: Session, row: Any, *columns: str, shared: bool = False) -> None:
    """Read the columns (none named: all) of a row anew, locked until the transaction ends; `shared` lets others read it as well.

    What was changed in this session is written first: SQLAlchemy's own refresh would forget it without a word.
    """
    session.flush()
    session.refresh(row, columns or None, with_for_update={"read": True} if shared else True)
