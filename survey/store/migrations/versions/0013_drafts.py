"""What was typed and not sent yet; what an operator did about danger; who has just hung up.

Revision ID: 0013
"""

import sqlalchemy as sa

from survey.store.migrations.steps import AddColumns, BuildIndex, NewTable

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

STEPS = (
    AddColumns("takeovers", (
        sa.Column("danger_choice", sa.String(length=16), server_default="", nullable=False),
        sa.Column("danger_at", MOMENT, nullable=True),
    )),
    BuildIndex("takeovers", ("ended_at",)),
    NewTable("drafts", (
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("fields_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_drafts_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_drafts"),
        sa.UniqueConstraint("public_id", name="uq_drafts_public_id"),
        sa.UniqueConstraint("user_id", "form", name="uq_drafts_user_id_form"),
        sa.Index("ix_drafts_saved_at", "saved_at"),
    )),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
