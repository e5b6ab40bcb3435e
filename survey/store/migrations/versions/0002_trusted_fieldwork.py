"""Caps, holds, alarms, booked call-backs, incoming calls, and what the guard against silent calls needs.

Only adds (one index takes the place of its own beginning): code of the release before goes on working on these tables.

Revision ID: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
COLUMNS: dict[str, tuple[sa.Column[Any], ...]] = {
    "campaigns": (
        sa.Column("hourly_calls", sa.Integer(), nullable=True),
        sa.Column("daily_calls", sa.Integer(), nullable=True),
        sa.Column("spend_limit", sa.Double(), nullable=True),
        sa.Column("minute_price", sa.Double(), server_default="0", nullable=False),
    ),
    "respondents": (
        sa.Column("booked_for", MOMENT, nullable=True),
        sa.Column("booked_by", sa.String(length=64), server_default="", nullable=False),
        sa.Column("review_reason", sa.String(length=64), server_default="", nullable=False),
        sa.Column("pushed_back", sa.Integer(), server_default="0", nullable=False),
    ),
    "call_attempts": (
        sa.Column("direction", sa.String(length=8), server_default="out", nullable=False),
        sa.Column("voice_at", MOMENT, nullable=True),
        sa.Column("abandoned", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=True),
    ),
}


def upgrade() -> None:
    """Add the columns, the two tables and the indexes."""
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index(op.f("ix_call_attempts_phone_key"), "call_attempts", ["phone_key"], unique=False)
    op.create_index(op.f("ix_call_attempts_answered_at"), "call_attempts", ["answered_at"], unique=False)
    for name in ("status", "claimed_at"):
        op.create_index(op.f(f"ix_call_attempts_{name}"), "call_attempts", [name], unique=False)
    waiting = ["campaign_id", "state", "replicate", "due_at"]
    op.create_index(op.f(f"ix_respondents_{'_'.join(waiting)}_id"), "respondents", [*waiting, "id"], unique=False)
    op.drop_index(op.f(f"ix_respondents_{'_'.join(waiting)}"), "respondents")
    op.create_index(op.f("ix_respondents_booked_for"), "respondents", ["booked_for"], unique=False)
    op.create_table(
        "holds",
        sa.Column("id", ID, nullable=False),
        sa.Column("scope", sa.String(length=48), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=255), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("lifted_at", MOMENT, nullable=True),
        sa.Column("lifted_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    _unique_standing("holds", ["scope", "reason"], "lifted_at IS NULL")
    op.create_table(
        "alarms",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=96), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("raised_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("acknowledged_at", MOMENT, nullable=True),
        sa.Column("acknowledged_by", sa.String(length=64), nullable=True),
        sa.Column("cleared_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
    )
    _unique_standing("alarms", ["kind", "subject"], "cleared_at IS NULL")


def _unique_standing(table: str, columns: list[str], standing: str) -> None:
    where = sa.text(standing)
    op.create_index(f"uq_{table}_standing", table, columns, unique=True, sqlite_where=where, postgresql_where=where)
