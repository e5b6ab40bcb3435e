"""Caps, holds, alarms, booked call-backs, incoming calls, and what the guard against silent calls needs.

Revision ID: 0002
"""

import sqlalchemy as sa

from survey.store.migrations.steps import AddColumns, BuildIndex, NewTable

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
NOT_LIFTED, NOT_CLEARED = sa.text("lifted_at IS NULL"), sa.text("cleared_at IS NULL")
WAITING = ("campaign_id", "state", "replicate", "due_at")

STEPS = (
    AddColumns("campaigns", (
        sa.Column("hourly_calls", sa.Integer(), nullable=True),
        sa.Column("daily_calls", sa.Integer(), nullable=True),
        sa.Column("spend_limit", sa.Double(), nullable=True),
        sa.Column("minute_price", sa.Double(), server_default="0", nullable=False),
    )),
    AddColumns("respondents", (
        sa.Column("booked_for", MOMENT, nullable=True),
        sa.Column("booked_by", sa.String(length=64), server_default="", nullable=False),
        sa.Column("review_reason", sa.String(length=64), server_default="", nullable=False),
        sa.Column("pushed_back", sa.Integer(), server_default="0", nullable=False),
    )),
    AddColumns("call_attempts", (
        sa.Column("direction", sa.String(length=8), server_default="out", nullable=False),
        sa.Column("voice_at", MOMENT, nullable=True),
        sa.Column("abandoned", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=True),
    )),
    NewTable("holds", (
        sa.Column("id", ID, nullable=False),
        sa.Column("scope", sa.String(length=48), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=255), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("lifted_at", MOMENT, nullable=True),
        sa.Column("lifted_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        sa.Index("uq_holds_standing", "scope", "reason", unique=True, sqlite_where=NOT_LIFTED, postgresql_where=NOT_LIFTED),
    )),
    NewTable("alarms", (
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
        sa.PrimaryKeyConstraint("id", name="pk_alarms"),
        sa.Index("uq_alarms_standing", "kind", "subject", unique=True, sqlite_where=NOT_CLEARED, postgresql_where=NOT_CLEARED),
    )),
    BuildIndex("call_attempts", ("phone_key",)),
    BuildIndex("call_attempts", ("answered_at",)),
    BuildIndex("call_attempts", ("status",)),
    BuildIndex("call_attempts", ("claimed_at",)),
    BuildIndex("respondents", ("booked_for",)),
    BuildIndex("respondents", (*WAITING, "id"), instead_of=WAITING),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
