"""The sweep finds due recordings by an index.

Revision ID: 0003
"""

from survey.store.migrations.steps import BuildIndex

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STEPS = (BuildIndex("recordings", ("due_at",)),)
"""Taken by `migrate`, one after another, while the release before is at work."""
