"""The working-day calendar as administrators have changed it.

Revision ID: 0011
"""

import sqlalchemy as sa

from survey.store.migrations.steps import NewTable

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

STEPS = (
    NewTable("calendar_days", (
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_calendar_days"),
    )),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
