"""Numbers without a gap: each is given once, and one whose transaction fails is given again (R47, O34)."""

import re
import unicodedata

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from survey.store.models import OrderNumber


def next_number(session: Session, kind: str, year: int) -> int:
    """The next number of the kind (order, archive, calendar) in the year, from 1. Whoever else wants one waits until the caller commits."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(OrderNumber).values(kind=kind, year=year, last=0).on_conflict_do_nothing())
    mine = update(OrderNumber).where(OrderNumber.kind == kind, OrderNumber.year == year)
    taken = mine.values(last=OrderNumber.last + 1).returning(OrderNumber.last)
    return session.execute(taken.execution_options(synchronize_session=False)).scalar_one()


def number_text(year: int, serial: int) -> str:
    """The number of an order as people write it: 2026-0001."""
    return f"{year}-{serial:04d}"


_WRITTEN = re.compile(r"(\d{4})\W{1,3}(\d{1,7})号?")


def number_of(text: str) -> tuple[int, int] | None:
    """Year and serial of an order's number as people write it, also like 〔2026〕1号 on the paper; None for anything else."""
    found = _WRITTEN.fullmatch(unicodedata.normalize("NFKC", text).strip().lstrip("〔[(【"))
    return (int(found[1]), int(found[2])) if found else None
