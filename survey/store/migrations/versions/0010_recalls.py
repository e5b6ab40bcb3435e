"""The second calls after a unit's answer, and of which kind campaigns and scripts are.

Revision ID: 0010
"""

import sqlalchemy as sa

from survey.store.migrations.steps import AddColumns, NewTable

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

STEPS = (
    AddColumns("campaigns", (sa.Column("kind", sa.String(length=16), server_default="survey", nullable=False),)),
    AddColumns("script_versions", (sa.Column("kind", sa.String(length=16), server_default="survey", nullable=False),)),
    NewTable("recall_rounds", (
        sa.Column("campaign_id", ID, autoincrement=False, nullable=False),
        sa.Column("follows_id", ID, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_recall_rounds_campaign_id"),
        sa.ForeignKeyConstraint(["follows_id"], ["campaigns.id"], name="fk_recall_rounds_follows_id"),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_recall_rounds"),
        sa.UniqueConstraint("follows_id", "round", name="uq_recall_rounds_follows_id_round"),
    )),
    NewTable("recalls", (
        sa.Column("id", ID, nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("respondent_id", ID, nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("noted_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_recalls_order_id"),
        sa.ForeignKeyConstraint(["respondent_id"], ["respondents.id"], name="fk_recalls_respondent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_recalls"),
        sa.UniqueConstraint("order_id", "round", name="uq_recalls_order_id_round"),
        sa.UniqueConstraint("respondent_id", name="uq_recalls_respondent_id"),
        sa.Index("ix_recalls_noted_at", "noted_at"),
    )),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
