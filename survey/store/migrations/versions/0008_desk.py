"""The desk: who is on duty, which calls wait for an operator, offers, and what operators wrote down.

Revision ID: 0008
"""

import sqlalchemy as sa

from survey.store.migrations.steps import NewTable

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

STEPS = (
    NewTable("duties", (
        sa.Column("user_id", ID, autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_duties_user_id"),
        sa.PrimaryKeyConstraint("user_id", name="pk_duties"),
    )),
    NewTable("takeovers", (
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("attempt_id", ID, nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("operator_id", ID, nullable=True),
        sa.Column("claimed_at", MOMENT, nullable=True),
        sa.Column("rings", sa.Integer(), nullable=False),
        sa.Column("ring_token", sa.String(length=32), nullable=True),
        sa.Column("ring_asked_at", MOMENT, nullable=True),
        sa.Column("operator_sid", sa.String(length=64), nullable=True),
        sa.Column("ready_at", MOMENT, nullable=True),
        sa.Column("joined_at", MOMENT, nullable=True),
        sa.Column("bridged_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("released_at", MOMENT, nullable=True),
        sa.Column("wish", sa.String(length=16), nullable=False),
        sa.Column("held", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("muted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("wrap_until", MOMENT, nullable=True),
        sa.Column("extensions", sa.Integer(), nullable=False),
        sa.Column("wrapped_at", MOMENT, nullable=True),
        sa.Column("verdict", sa.String(length=24), nullable=False),
        sa.Column("remark_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["attempt_id"], ["call_attempts.id"], name="fk_takeovers_attempt_id"),
        sa.ForeignKeyConstraint(["operator_id"], ["users.id"], name="fk_takeovers_operator_id"),
        sa.PrimaryKeyConstraint("id", name="pk_takeovers"),
        sa.UniqueConstraint("public_id", name="uq_takeovers_public_id"),
        sa.UniqueConstraint("ring_token", name="uq_takeovers_ring_token"),
        sa.Index("ix_takeovers_attempt_id", "attempt_id"),
        sa.Index("ix_takeovers_going_on", "state", sqlite_where=sa.text("state <> 'done'"), postgresql_where=sa.text("state <> 'done'")),
        sa.Index(
            "uq_takeovers_open", "attempt_id", unique=True, sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )),
    NewTable("offers", (
        sa.Column("id", ID, nullable=False),
        sa.Column("takeover_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("offered_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["takeover_id"], ["takeovers.id"], name="fk_offers_takeover_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_offers_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_offers"),
        sa.UniqueConstraint("takeover_id", "user_id", "round", name="uq_offers_takeover_id_user_id_round"),
        sa.Index("ix_offers_user_id", "user_id"),
    )),
    NewTable("operator_answers", (
        sa.Column("id", ID, nullable=False),
        sa.Column("takeover_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("item", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("before_code", sa.String(length=32), nullable=True),
        sa.Column("before_raw", sa.String(length=64), nullable=True),
        sa.Column("before_mode", sa.String(length=8), nullable=True),
        sa.Column("before_confidence", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["takeover_id"], ["takeovers.id"], name="fk_operator_answers_takeover_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_operator_answers_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_operator_answers"),
        sa.Index("ix_operator_answers_takeover_id", "takeover_id"),
    )),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
