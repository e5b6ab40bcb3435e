"""What was said in recordings, as text: the machine's, people's corrections, and how it is coded.

Revision ID: 0005
"""

import sqlalchemy as sa

from survey.store.migrations.steps import BuildIndex, NewTable

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

STEPS = (
    NewTable("transcripts", (
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("problem", sa.String(length=128), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_transcripts_recording_id"),
        sa.PrimaryKeyConstraint("id", name="pk_transcripts"),
        sa.UniqueConstraint("public_id", name="uq_transcripts_public_id"),
        sa.UniqueConstraint("recording_id", name="uq_transcripts_recording_id"),
        sa.Index("ix_transcripts_language_due_at", "language", "due_at"),
    )),
    NewTable("transcript_corrections", (
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("transcript_id", ID, nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["transcript_id"], ["transcripts.id"], name="fk_transcript_corrections_transcript_id"),
        sa.PrimaryKeyConstraint("id", name="pk_transcript_corrections"),
        sa.UniqueConstraint("public_id", name="uq_transcript_corrections_public_id"),
        sa.Index("ix_transcript_corrections_transcript_id", "transcript_id"),
    )),
    NewTable("remark_codes", (
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("hot_spot", sa.Boolean(), nullable=False),
        sa.Column("hazard", sa.Boolean(), nullable=False),
        sa.Column("danger", sa.Boolean(), nullable=False),
        sa.Column("abuse", sa.Boolean(), nullable=False),
        sa.Column("place_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("evidence_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_remark_codes_recording_id"),
        sa.PrimaryKeyConstraint("id", name="pk_remark_codes"),
        sa.UniqueConstraint("public_id", name="uq_remark_codes_public_id"),
        sa.Index("ix_remark_codes_recording_id", "recording_id"),
    )),
    BuildIndex("recordings", ("kept_at",)),
)  # fmt: skip
"""Taken by `migrate`, one after another, while the release before is at work."""
