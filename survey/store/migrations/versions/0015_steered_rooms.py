"""When the operator's telephone was picked up; what the carrier has accepted of hold and mute, beside what the operator wants.

Revision ID: 0015
"""

import sqlalchemy as sa

from survey.store.migrations.steps import AddColumns

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STEPS = (
    AddColumns("takeovers", (
        sa.Column("picked_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_there", sa.Boolean(), server_default=sa.false(), nullable=True),
        sa.Column("muted_there", sa.Boolean(), server_default=sa.false(), nullable=True),
    )),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
