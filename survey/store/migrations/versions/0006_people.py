"""Roles with a unit, telephones of the desk, the second factor, and log-ins that still wait for its code.

Revision ID: 0006
"""

import sqlalchemy as sa

from survey.store.migrations.steps import AddColumns, NewTable

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

STEPS = (
    AddColumns("users", (
        sa.Column("unit_id", ID, nullable=True),
        sa.Column("telephone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_since", MOMENT, nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=True),
        sa.Column("password_set_at", MOMENT, nullable=True),
        sa.Column("must_change", sa.Boolean(), server_default=sa.false(), nullable=False),
    )),
    NewTable("half_logins", (
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_half_logins_user_id"),
        sa.PrimaryKeyConstraint("token_digest", name="pk_half_logins"),
        sa.Index("ix_half_logins_user_id", "user_id"),
    )),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
