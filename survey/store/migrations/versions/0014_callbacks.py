"""What a call is made for: the machine's interview, or an operator who calls a person back about a case.

Revision ID: 0014
"""

import sqlalchemy as sa

from survey.store.migrations.steps import AddColumns

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STEPS = (
    AddColumns("call_attempts", (sa.Column("purpose", sa.String(length=8), server_default="survey", nullable=False),)),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
