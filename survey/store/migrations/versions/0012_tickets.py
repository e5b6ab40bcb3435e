"""Who works on a ticket of the human queue, its notes, the ticket that it was merged into; who is the head of a unit.

Revision ID: 0012
"""

import sqlalchemy as sa

from survey.store.migrations.steps import AddColumns, BuildIndex, NewTable

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

STEPS = (
    AddColumns("users", (sa.Column("is_head", sa.Boolean(), server_default=sa.false(), nullable=False),)),
    AddColumns("escalations", (
        sa.Column("claimed_by", sa.String(length=64), nullable=True),
        sa.Column("claimed_at", MOMENT, nullable=True),
        sa.Column("merged_into_id", ID, nullable=True),
    )),
    BuildIndex("escalations", ("state", "due_at")),
    NewTable("ticket_notes", (
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("escalation_id", ID, nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalations.id"], name="fk_ticket_notes_escalation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_notes"),
        sa.UniqueConstraint("public_id", name="uq_ticket_notes_public_id"),
        sa.Index("ix_ticket_notes_escalation_id", "escalation_id"),
    )),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
