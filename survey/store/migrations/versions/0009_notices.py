"""Addresses for e-mail, notices on their way to them, and who has read which notice.

Revision ID: 0009
"""

import sqlalchemy as sa

from survey.store.migrations.steps import AddColumns, NewTable

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

STEPS = (
    AddColumns("users", (sa.Column("email_sealed", sa.LargeBinary(), nullable=True),)),
    AddColumns("units", (sa.Column("email", sa.String(length=254), server_default="", nullable=False),)),
    NewTable("notice_deliveries", (
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("notice_id", ID, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("problem", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_notice_deliveries_notice_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notice_deliveries"),
        sa.UniqueConstraint("notice_id", "channel", "recipient", name="uq_notice_deliveries_notice_id_channel_recipient"),
        sa.UniqueConstraint("public_id", name="uq_notice_deliveries_public_id"),
        sa.Index("ix_notice_deliveries_state_due_at", "state", "due_at"),
    )),
    NewTable("notice_readings", (
        sa.Column("user_id", ID, autoincrement=False, nullable=False),
        sa.Column("notice_id", ID, autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_notice_readings_notice_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_notice_readings_user_id"),
        sa.PrimaryKeyConstraint("user_id", "notice_id", name="pk_notice_readings"),
    )),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
