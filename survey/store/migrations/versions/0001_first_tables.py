"""The first tables.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "audit_entries",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=48), nullable=False),
        sa.Column("subject", sa.String(length=96), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_audit_entries")),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "draws",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("replicates", sa.Integer(), nullable=False),
        sa.Column("frame_count", sa.Integer(), nullable=False),
        sa.Column("frame_digest", sa.String(length=64), nullable=False),
        sa.Column("program_version", sa.String(length=32), nullable=False),
        sa.Column("allocation", sa.JSON(), nullable=False),
        sa.Column("exclusions", sa.JSON(), nullable=False),
        sa.Column("incident_count", sa.Integer(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draws")),
    )
    op.create_index(op.f("ix_draws_month"), "draws", ["month"], unique=False)
    op.create_table(
        "incident_imports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("file_digest", sa.String(length=64), nullable=False),
        sa.Column("mapping_name", sa.String(length=128), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_imports")),
    )
    op.create_index(op.f("ix_incident_imports_file_digest"), "incident_imports", ["file_digest"], unique=False)
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=96), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "login_failures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.String(length=96), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failures")),
    )
    op.create_index(op.f("ix_login_failures_subject"), "login_failures", ["subject"], unique=False)
    op.create_table(
        "script_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_script_versions")),
        sa.UniqueConstraint("digest", name=op.f("uq_script_versions_digest")),
        sa.UniqueConstraint("name", "number", name=op.f("uq_script_versions_name_number")),
    )
    op.create_table(
        "units",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
        sa.UniqueConstraint("code", name=op.f("uq_units_code")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("draw_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("script_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("calls_per_second", sa.Double(), nullable=False),
        sa.Column("caller_id", sa.String(length=20), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["draw_id"], ["draws.id"], name=op.f("fk_campaigns_draw_id")),
        sa.ForeignKeyConstraint(["script_version_id"], ["script_versions.id"], name=op.f("fk_campaigns_script_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("public_id", name=op.f("uq_campaigns_public_id")),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("call_type", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("phone_key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reporter_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("officer_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("place_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("exclusion", sa.String(length=32), nullable=True),
        sa.Column("made_up", sa.Boolean(), nullable=False),
        sa.Column("row_digest", sa.String(length=64), nullable=False),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["incident_imports.id"], name=op.f("fk_incidents_import_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_incidents_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("number", name=op.f("uq_incidents_number")),
    )
    op.create_index(op.f("ix_incidents_closed_at"), "incidents", ["closed_at"], unique=False)
    op.create_index(op.f("ix_incidents_phone_key"), "incidents", ["phone_key"], unique=False)
    op.create_table(
        "user_sessions",
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id")),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_user_sessions")),
    )
    op.create_index(op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"], unique=False)
    op.create_table(
        "drawn_incidents",
        sa.Column("draw_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("replicate", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draws.id"], name=op.f("fk_drawn_incidents_draw_id")),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_drawn_incidents_incident_id")),
        sa.PrimaryKeyConstraint("draw_id", "position", name=op.f("pk_drawn_incidents")),
    )
    op.create_index(op.f("ix_drawn_incidents_incident_id"), "drawn_incidents", ["incident_id"], unique=False)
    op.create_table(
        "respondents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("replicate", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("phone_key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("disposition", sa.String(length=24), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_reason", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_respondents_campaign_id")),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_respondents_incident_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_respondents_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_respondents")),
        sa.UniqueConstraint("campaign_id", "incident_id", name=op.f("uq_respondents_campaign_id_incident_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_respondents_public_id")),
    )
    op.create_index(
        op.f("ix_respondents_campaign_id_state_replicate_due_at"),
        "respondents",
        ["campaign_id", "state", "replicate", "due_at"],
        unique=False,
    )
    op.create_index(op.f("ix_respondents_incident_id"), "respondents", ["incident_id"], unique=False)
    op.create_index(op.f("ix_respondents_phone_key"), "respondents", ["phone_key"], unique=False)
    op.create_table(
        "call_attempts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("respondent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("phone_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("live_key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("carrier_sid", sa.String(length=64), nullable=True),
        sa.Column("answered_by", sa.String(length=32), nullable=True),
        sa.Column("error", sa.String(length=64), nullable=False),
        sa.Column("disposition", sa.String(length=24), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("flow_state", sa.JSON(), nullable=True),
        sa.Column("script_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ringing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_call_attempts_campaign_id")),
        sa.ForeignKeyConstraint(["respondent_id"], ["respondents.id"], name=op.f("fk_call_attempts_respondent_id")),
        sa.ForeignKeyConstraint(["script_version_id"], ["script_versions.id"], name=op.f("fk_call_attempts_script_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_attempts")),
        sa.UniqueConstraint("carrier_sid", name=op.f("uq_call_attempts_carrier_sid")),
        sa.UniqueConstraint("live_key", name=op.f("uq_call_attempts_live_key")),
        sa.UniqueConstraint("respondent_id", "number", name=op.f("uq_call_attempts_respondent_id_number")),
        sa.UniqueConstraint("token", name=op.f("uq_call_attempts_token")),
    )
    op.create_index(op.f("ix_call_attempts_campaign_id_status"), "call_attempts", ["campaign_id", "status"], unique=False)
    op.create_index(op.f("ix_call_attempts_requested_at"), "call_attempts", ["requested_at"], unique=False)
    op.create_index(op.f("ix_call_attempts_respondent_id"), "call_attempts", ["respondent_id"], unique=False)
    op.create_index("ix_call_attempts_unsettled", "call_attempts", ["settled_at", "status"], unique=False)
    op.create_table(
        "answers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("respondent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("script_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("raw", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["call_attempts.id"], name=op.f("fk_answers_attempt_id")),
        sa.ForeignKeyConstraint(["respondent_id"], ["respondents.id"], name=op.f("fk_answers_respondent_id")),
        sa.ForeignKeyConstraint(["script_version_id"], ["script_versions.id"], name=op.f("fk_answers_script_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        sa.UniqueConstraint("respondent_id", "item", name=op.f("uq_answers_respondent_id_item")),
    )
    op.create_index(op.f("ix_answers_attempt_id"), "answers", ["attempt_id"], unique=False)
    op.create_table(
        "carrier_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=96), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["call_attempts.id"], name=op.f("fk_carrier_events_attempt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_events")),
        sa.UniqueConstraint("attempt_id", "kind", "key", name=op.f("uq_carrier_events_attempt_id_kind_key")),
    )
    op.create_table(
        "disposition_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("respondent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("old", sa.String(length=24), nullable=False),
        sa.Column("new", sa.String(length=24), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["call_attempts.id"], name=op.f("fk_disposition_changes_attempt_id")),
        sa.ForeignKeyConstraint(["respondent_id"], ["respondents.id"], name=op.f("fk_disposition_changes_respondent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposition_changes")),
    )
    op.create_index(op.f("ix_disposition_changes_respondent_id"), "disposition_changes", ["respondent_id"], unique=False)
    op.create_table(
        "escalations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("respondent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("route", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("consent", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["attempt_id"], ["call_attempts.id"], name=op.f("fk_escalations_attempt_id")),
        sa.ForeignKeyConstraint(["respondent_id"], ["respondents.id"], name=op.f("fk_escalations_respondent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
        sa.UniqueConstraint("public_id", name=op.f("uq_escalations_public_id")),
        sa.UniqueConstraint("respondent_id", name=op.f("uq_escalations_respondent_id")),
    )
    op.create_table(
        "recordings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("respondent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item", sa.String(length=32), nullable=False),
        sa.Column("carrier_sid", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("problem", sa.String(length=128), nullable=False),
        sa.Column("fetch_tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("path", sa.String(length=255), nullable=True),
        sa.Column("sound_digest", sa.String(length=64), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("carrier_copy_deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["attempt_id"], ["call_attempts.id"], name=op.f("fk_recordings_attempt_id")),
        sa.ForeignKeyConstraint(["respondent_id"], ["respondents.id"], name=op.f("fk_recordings_respondent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
        sa.UniqueConstraint("carrier_sid", name=op.f("uq_recordings_carrier_sid")),
        sa.UniqueConstraint("public_id", name=op.f("uq_recordings_public_id")),
    )
    op.create_index(op.f("ix_recordings_respondent_id"), "recordings", ["respondent_id"], unique=False)
    op.create_table(
        "suppressions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("phone_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=64), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["attempt_id"], ["call_attempts.id"], name=op.f("fk_suppressions_attempt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
    )
    op.create_index(op.f("ix_suppressions_phone_key"), "suppressions", ["phone_key"], unique=False)
    op.create_index(
        "uq_suppressions_standing", "suppressions", ["phone_key"], unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"), postgresql_where=sa.text("lifted_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "turns",
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["call_attempts.id"], name=op.f("fk_turns_attempt_id")),
        sa.PrimaryKeyConstraint("attempt_id", "step", name=op.f("pk_turns")),
    )


def downgrade() -> None:
    """Drop everything."""
    op.drop_table("turns")
    op.drop_index("uq_suppressions_standing", table_name="suppressions")
    op.drop_index(op.f("ix_suppressions_phone_key"), table_name="suppressions")
    op.drop_table("suppressions")
    op.drop_index(op.f("ix_recordings_respondent_id"), table_name="recordings")
    op.drop_table("recordings")
    op.drop_table("escalations")
    op.drop_index(op.f("ix_disposition_changes_respondent_id"), table_name="disposition_changes")
    op.drop_table("disposition_changes")
    op.drop_table("carrier_events")
    op.drop_index(op.f("ix_answers_attempt_id"), table_name="answers")
    op.drop_table("answers")
    op.drop_index("ix_call_attempts_unsettled", table_name="call_attempts")
    op.drop_index(op.f("ix_call_attempts_respondent_id"), table_name="call_attempts")
    op.drop_index(op.f("ix_call_attempts_requested_at"), table_name="call_attempts")
    op.drop_index(op.f("ix_call_attempts_campaign_id_status"), table_name="call_attempts")
    op.drop_table("call_attempts")
    op.drop_index(op.f("ix_respondents_phone_key"), table_name="respondents")
    op.drop_index(op.f("ix_respondents_incident_id"), table_name="respondents")
    op.drop_index(op.f("ix_respondents_campaign_id_state_replicate_due_at"), table_name="respondents")
    op.drop_table("respondents")
    op.drop_index(op.f("ix_drawn_incidents_incident_id"), table_name="drawn_incidents")
    op.drop_table("drawn_incidents")
    op.drop_index(op.f("ix_user_sessions_user_id"), table_name="user_sessions")
    op.drop_table("user_sessions")
    op.drop_index(op.f("ix_incidents_phone_key"), table_name="incidents")
    op.drop_index(op.f("ix_incidents_closed_at"), table_name="incidents")
    op.drop_table("incidents")
    op.drop_table("campaigns")
    op.drop_table("users")
    op.drop_table("units")
    op.drop_table("script_versions")
    op.drop_index(op.f("ix_login_failures_subject"), table_name="login_failures")
    op.drop_table("login_failures")
    op.drop_table("leases")
    op.drop_index(op.f("ix_incident_imports_file_digest"), table_name="incident_imports")
    op.drop_table("incident_imports")
    op.drop_index(op.f("ix_draws_month"), table_name="draws")
    op.drop_table("draws")
    op.drop_table("audit_head")
    op.drop_table("audit_entries")
