"""Who signed an entry of the on-site register is sealed.

Revision ID: 0016
"""

import sqlalchemy as sa

from survey.store.migrations.steps import AddColumns

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STEPS = (
    AddColumns("register_entries", (sa.Column("by_sealed", sa.LargeBinary(), nullable=True),)),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
