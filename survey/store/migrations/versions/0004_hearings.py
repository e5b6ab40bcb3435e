"""What the machine has heard at the questions, and what people found when they listened.

Revision ID: 0004
"""

import sqlalchemy as sa

from survey.store.migrations.steps import NewTable

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

STEPS = (
    NewTable("hearings", (
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("attempt_id", ID, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("evidence", sa.String(length=128), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("sound_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["call_attempts.id"], name="fk_hearings_attempt_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hearings"),
        sa.UniqueConstraint("public_id", name="uq_hearings_public_id"),
        sa.Index("ix_hearings_attempt_id", "attempt_id"),
        sa.Index("ix_hearings_at", "at"),
    )),
    NewTable("hearing_reviews", (
        sa.Column("id", ID, nullable=False),
        sa.Column("hearing_id", ID, nullable=False),
        sa.Column("code", sa.String(length=32), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["hearing_id"], ["hearings.id"], name="fk_hearing_reviews_hearing_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hearing_reviews"),
        sa.Index("ix_hearing_reviews_hearing_id", "hearing_id"),
    )),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
