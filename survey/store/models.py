"""The tables. Personal data lies only in columns ending in `_sealed` (see `sealing`); numbers are found by `phone_key`.

Times are UTC and timezone-aware in Python. `public_id` is the opaque identity used in URLs and bound into sealed values.
"""

import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)  # fmt: skip
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

Id = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware moment, stored in UTC. A naive one is refused: nobody knows which zone it meant."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: give it a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s",
    })  # fmt: skip
    type_annotation_map: ClassVar = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON, bytes: LargeBinary}


def table_of(entity: type[Base]) -> Table:
    """The bare table behind an entity, for statements that run often and need no mapping."""
    return cast(Table, entity.__table__)


def _public_id() -> str:
    return uuid.uuid4().hex


class Unit(Base):
    """A police unit that handles incidents: the stratum of the sample and the row of the sheet."""

    __tablename__ = "units"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(128))


class IncidentImport(Base):
    """One run of `import` over one file, with its counts."""

    __tablename__ = "incident_imports"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    file_name: Mapped[str] = mapped_column(String(255))
    file_digest: Mapped[str] = mapped_column(String(64), index=True)
    mapping_name: Mapped[str] = mapped_column(String(128))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # read, new, changed, known, rejected


class Incident(Base):
    """A police incident somebody reported. `exclusion` is the one standing reason why it is not called, if any."""

    __tablename__ = "incidents"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=_public_id)
    number: Mapped[str] = mapped_column(String(64), unique=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    category: Mapped[str] = mapped_column(String(64))
    call_type: Mapped[str] = mapped_column(String(64), default="")
    occurred_at: Mapped[datetime]
    arrived_at: Mapped[datetime | None]
    closed_at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64))  # the called party's time zone
    phone_key: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    phone_sealed: Mapped[bytes | None]
    reporter_sealed: Mapped[bytes | None]
    officer_sealed: Mapped[bytes | None]
    place_sealed: Mapped[bytes | None]
    exclusion: Mapped[str | None] = mapped_column(String(32))  # word of survey.eligibility.Exclusion
    made_up: Mapped[bool] = mapped_column(default=False)
    row_digest: Mapped[str] = mapped_column(String(64))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("incident_imports.id"))
    unit: Mapped[Unit | None] = relationship()
    __table_args__ = (Index(None, "closed_at"), Index(None, "phone_key"))


class Draw(Base):
    """One month's random sample: everything that is needed to draw it again (R10)."""

    __tablename__ = "draws"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    month: Mapped[str] = mapped_column(String(7), index=True)  # YYYY-MM, local calendar of the bureau
    size: Mapped[int]
    minimum: Mapped[int]
    seed: Mapped[int] = mapped_column(BigInteger)
    replicates: Mapped[int]
    frame_count: Mapped[int]
    frame_digest: Mapped[str] = mapped_column(String(64))
    program_version: Mapped[str] = mapped_column(String(32))
    allocation: Mapped[list[Any]]  # [{unit, frame, drawn}], frame order
    exclusions: Mapped[dict[str, Any]]  # reason -> count; frame_count + sum = incidents of the month
    incident_count: Mapped[int]
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)  # zone of the month's calendar, quarantine_days
    drawn_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None] = mapped_column(Text)


class DrawnIncident(Base):
    """One place in the sample: `position` is the order of the draw, `replicate` counts from 1."""

    __tablename__ = "drawn_incidents"
    draw_id: Mapped[int] = mapped_column(ForeignKey("draws.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    replicate: Mapped[int]
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    weight: Mapped[float]  # N_h / n_h
    incident: Mapped[Incident] = relationship()


class ScriptVersion(Base):
    """One immutable, published text of a call script."""

    __tablename__ = "script_versions"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    number: Mapped[int]
    language: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    published_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (UniqueConstraint("name", "number"),)


class Campaign(Base):
    """One fielding of one script version on one draw. `state`: ready, running, paused, stopped, finished."""

    __tablename__ = "campaigns"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=_public_id, unique=True)
    name: Mapped[str] = mapped_column(String(128))
    month: Mapped[str] = mapped_column(String(7))
    draw_id: Mapped[int] = mapped_column(ForeignKey("draws.id"))
    script_version_id: Mapped[int] = mapped_column(ForeignKey("script_versions.id"))
    state: Mapped[str] = mapped_column(String(16), default="ready")
    state_reason: Mapped[str] = mapped_column(Text, default="")
    lines: Mapped[int]  # concurrent calls at most
    calls_per_second: Mapped[float]
    caller_id: Mapped[str] = mapped_column(String(20))
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)  # see survey.contact_rules.Rules
    simulated: Mapped[bool] = mapped_column(default=False)  # such answers never enter a real month
    hourly_calls: Mapped[int | None]  # calls started in any hour at most; None: no cap
    daily_calls: Mapped[int | None]  # the same in any 24 hours
    spend_limit: Mapped[float | None]  # of the estimated bill, in the currency of the price of a minute
    minute_price: Mapped[float] = mapped_column(default=0.0, server_default="0")  # of a started minute of talk
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    draw: Mapped[Draw] = relationship()
    script_version: Mapped[ScriptVersion] = relationship()


class Respondent(Base):
    """A drawn person. `state`: waiting (to be called at `due_at`), calling, closed, needs_review."""

    __tablename__ = "respondents"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=_public_id, unique=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    position: Mapped[int]
    replicate: Mapped[int]
    weight: Mapped[float]
    phone_key: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    due_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)  # attempts that reached the carrier
    disposition: Mapped[str] = mapped_column(String(24), default="not_attempted")
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str] = mapped_column(String(64), default="")
    booked_for: Mapped[datetime | None]  # a call-back that was promised for this time; the contact rules' spacing gives way to it
    booked_by: Mapped[str] = mapped_column(String(64), default="", server_default="")  # respondent, or the user who booked it
    review_reason: Mapped[str] = mapped_column(String(64), default="", server_default="")  # why a person must look
    pushed_back: Mapped[int] = mapped_column(default=0, server_default="0")  # times in a row that the carrier had no room for the call
    campaign: Mapped[Campaign] = relationship()
    incident: Mapped[Incident] = relationship()
    unit: Mapped[Unit | None] = relationship()
    __table_args__ = (
        UniqueConstraint("campaign_id", "incident_id"),
        Index(None, "campaign_id", "state", "replicate", "due_at", "id"),  # the order in which the sweep takes them
        Index(None, "booked_for"),
    )


class CallAttempt(Base):
    """One dialling of one respondent.

    `status` is the technical ladder of `survey.ladder` (forward only), `disposition` the verdict.
    `token` names the attempt in the carrier's URLs; `live_key` equals `phone_key` while the attempt may ring,
    so that a unique index forbids two live attempts to one number.
    """

    __tablename__ = "call_attempts"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    respondent_id: Mapped[int] = mapped_column(ForeignKey("respondents.id"), index=True)
    number: Mapped[int]  # 1, 2, ... per respondent
    direction: Mapped[str] = mapped_column(String(8), default="out", server_default="out")  # out, or in: the person called back
    token: Mapped[str] = mapped_column(String(32), unique=True)
    epoch: Mapped[int] = mapped_column(default=0)
    phone_key: Mapped[bytes] = mapped_column(LargeBinary(16))
    live_key: Mapped[bytes | None] = mapped_column(LargeBinary(16), unique=True)
    status: Mapped[str] = mapped_column(String(16), default="claimed")
    carrier_sid: Mapped[str | None] = mapped_column(String(64), unique=True)
    answered_by: Mapped[str | None] = mapped_column(String(32))
    error: Mapped[str] = mapped_column(String(64), default="")  # carrier's or our code, e.g. 21211, timeout
    disposition: Mapped[str | None] = mapped_column(String(24))
    step: Mapped[int] = mapped_column(default=0)  # turns answered so far = number of the step expected next
    flow_state: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    script_version_id: Mapped[int] = mapped_column(ForeignKey("script_versions.id"))
    claimed_at: Mapped[datetime]
    requested_at: Mapped[datetime | None]
    placed_at: Mapped[datetime | None]
    ringing_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    voice_at: Mapped[datetime | None]  # our first words were handed to the carrier
    ended_at: Mapped[datetime | None]
    seconds: Mapped[int | None]
    abandoned: Mapped[bool] = mapped_column(default=False, server_default=false())  # a person answered and heard nothing in time (R18)
    settled_at: Mapped[datetime | None]  # the respondent's next step was decided; without a disposition: nothing rang
    asked_at: Mapped[datetime | None]  # the carrier was last asked what became of the call
    respondent: Mapped[Respondent] = relationship()
    campaign: Mapped[Campaign] = relationship()
    __table_args__ = (
        UniqueConstraint("respondent_id", "number"),
        Index(None, "campaign_id", "status"),
        Index(None, "status"),
        Index(None, "claimed_at"),
        Index(None, "requested_at"),
        Index("ix_call_attempts_unsettled", "settled_at", "status"),
        Index(None, "phone_key"),
        Index(None, "answered_at"),
    )


class Turn(Base):
    """One round trip of a call: the event that came, the reply that was sent. A repeat gets the same reply."""

    __tablename__ = "turns"
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    node: Mapped[str] = mapped_column(String(64))  # script step waiting after this turn, or "" at the end
    event: Mapped[dict[str, Any]]
    reply: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Answer(Base):
    """One respondent's answer to one item, with its provenance."""

    __tablename__ = "answers"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    respondent_id: Mapped[int] = mapped_column(ForeignKey("respondents.id"))
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"), index=True)
    script_version_id: Mapped[int] = mapped_column(ForeignKey("script_versions.id"))
    item: Mapped[str] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(String(32))
    score: Mapped[float | None]
    raw: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8))  # keys, speech, human
    confidence: Mapped[float | None]
    answered_at: Mapped[datetime]
    attempt: Mapped[CallAttempt] = relationship()
    __table_args__ = (UniqueConstraint("respondent_id", "item"),)


class Recording(Base):
    """The person's own words on one item. `state`: announced, kept, discarded, needs_review. The sound lies sealed in `path`."""

    __tablename__ = "recordings"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=_public_id, unique=True)
    respondent_id: Mapped[int] = mapped_column(ForeignKey("respondents.id"), index=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"))
    item: Mapped[str] = mapped_column(String(32))
    carrier_sid: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(16), default="announced")
    problem: Mapped[str] = mapped_column(String(128), default="")
    fetch_tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(index=True)  # asked for by every sweep
    seconds: Mapped[float | None]
    path: Mapped[str | None] = mapped_column(String(255))  # below the data folder
    sound_digest: Mapped[str | None] = mapped_column(String(64))
    announced_at: Mapped[datetime]
    kept_at: Mapped[datetime | None] = mapped_column(index=True)
    carrier_copy_deleted_at: Mapped[datetime | None]
    attempt: Mapped[CallAttempt] = relationship()


class Hearing(Base):
    """One utterance at a question of a call, as the machine has understood it.

    `code` is a choice of the question or a command, None for nothing; `outcome`: accepted, doubted (to be confirmed by key), unclear,
    late (a key came first). `latency_ms` is the time from the end of the speech to the decision. The sound, 8 kHz mu-law, lies sealed
    in `sound_sealed` where a person shall check it.
    """

    __tablename__ = "hearings"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=_public_id, unique=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"), index=True)
    step: Mapped[int]
    node: Mapped[str] = mapped_column(String(64))
    item: Mapped[str] = mapped_column(String(32))
    language: Mapped[str] = mapped_column(String(16))
    code: Mapped[str | None] = mapped_column(String(32))
    confidence: Mapped[float]
    evidence: Mapped[str] = mapped_column(String(128))
    outcome: Mapped[str] = mapped_column(String(16))
    latency_ms: Mapped[int]
    seconds: Mapped[float]
    sound_sealed: Mapped[bytes | None]
    at: Mapped[datetime] = mapped_column(index=True)
    attempt: Mapped[CallAttempt] = relationship()


class HearingReview(Base):
    """What a person heard in an utterance: `code` as in `Hearing`, None when nothing can be made out.

    Never changed; the last one counts.
    """

    __tablename__ = "hearing_reviews"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    hearing_id: Mapped[int] = mapped_column(ForeignKey("hearings.id"), index=True)
    code: Mapped[str | None] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    hearing: Mapped[Hearing] = relationship()


class Escalation(Base):
    """A case in the human queue. Exactly one per respondent; later reasons are added to it."""

    __tablename__ = "escalations"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=_public_id, unique=True)
    respondent_id: Mapped[int] = mapped_column(ForeignKey("respondents.id"), unique=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"))
    reasons: Mapped[list[Any]]  # in order of appearance: dissatisfied, human_requested, danger, abuse_alleged
    route: Mapped[str] = mapped_column(String(16), default="centre")  # centre or inspection (R35)
    priority: Mapped[int]  # 1 at once, 2 today, 3 in time
    consent: Mapped[str] = mapped_column(String(8), default="unasked")  # yes, no, unasked
    state: Mapped[str] = mapped_column(String(16), default="open")  # open, withdrawn
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    respondent: Mapped[Respondent] = relationship()
    attempt: Mapped[CallAttempt] = relationship()


class Suppression(Base):
    """A number that must not be called. Final until a named person lifts it with a reason (R16)."""

    __tablename__ = "suppressions"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    phone_key: Mapped[bytes] = mapped_column(LargeBinary(16), index=True)
    reason: Mapped[str] = mapped_column(String(64))
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("call_attempts.id"))
    at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(64))
    lift_reason: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        Index(
            "uq_suppressions_standing", "phone_key", unique=True, sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )  # fmt: skip


class DispositionChange(Base):
    """Every change of a respondent's disposition, kept."""

    __tablename__ = "disposition_changes"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    respondent_id: Mapped[int] = mapped_column(ForeignKey("respondents.id"), index=True)
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("call_attempts.id"))
    old: Mapped[str] = mapped_column(String(24))
    new: Mapped[str] = mapped_column(String(24))
    at: Mapped[datetime]


class CarrierEvent(Base):
    """What happened to a call at the carrier, so that a repeat is recognised: callbacks that were applied, legs, failures."""

    __tablename__ = "carrier_events"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"))
    kind: Mapped[str] = mapped_column(String(16))  # status, recording, machine, second_leg, led_back, broken
    key: Mapped[str] = mapped_column(String(96))  # sequence number, recording sid and status...
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("attempt_id", "kind", "key"),)


class Lease(Base):
    """A named right that one process holds until `expires_at`, e.g. the sweep."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(96))
    expires_at: Mapped[datetime]


class Hold(Base):
    """Why nobody is dialled now although campaigns run: a cap, the guard against silent calls, a carrier out of reach.

    `scope` is `carrier` (everything) or `campaign:<public id>`; a hold stands until `lifted_at`. One that ends by itself
    names the time in `until`.
    """

    __tablename__ = "holds"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    scope: Mapped[str] = mapped_column(String(48))
    reason: Mapped[str] = mapped_column(String(32))  # word of survey.holds.HoldReason
    detail: Mapped[str] = mapped_column(String(255), default="")
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = (
        Index(
            "uq_holds_standing", "scope", "reason", unique=True, sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )  # fmt: skip


class Alarm(Base):
    """Something that a person must see to. One row stands for a kind and a subject, however often it is raised."""

    __tablename__ = "alarms"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))  # word of survey.alarms.AlarmKind
    subject: Mapped[str] = mapped_column(String(96))  # e.g. attempt:17, campaign:<public id>, sweep
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)  # no personal data
    raised_at: Mapped[datetime]
    seen_at: Mapped[datetime]  # raised last
    count: Mapped[int] = mapped_column(default=1)
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(64))
    cleared_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "uq_alarms_standing", "kind", "subject", unique=True, sqlite_where=text("cleared_at IS NULL"),
            postgresql_where=text("cleared_at IS NULL"),
        ),
    )  # fmt: skip


class User(Base):
    """A person who may log in. `role`: administrator, operator, commander, auditor."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(String(255))
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class UserSession(Base):
    """A log-in, kept on the server so that it can be ended. `token_digest` is SHA-256 of the cookie's value."""

    __tablename__ = "user_sessions"
    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    language: Mapped[str] = mapped_column(String(8), default="")
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    user: Mapped[User] = relationship()


class LoginFailure(Base):
    """A failed log-in, by account and by address, for the throttle."""

    __tablename__ = "login_failures"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subject: Mapped[str] = mapped_column(String(96), index=True)  # "user:<name>" or "address:<ip>"
    at: Mapped[datetime]


class AuditHead(Base):
    """The last link of the audit chain; its row is locked while a link is added."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(Id)
    digest: Mapped[str] = mapped_column(String(64))


class AuditEntry(Base):
    """One link: digest = HMAC(key, previous digest ‖ canonical JSON of the entry). Numbered without gaps."""

    __tablename__ = "audit_entries"
    n: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(48))
    subject: Mapped[str] = mapped_column(String(96))
    details: Mapped[str] = mapped_column(Text)  # canonical JSON, no personal data
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class Transcript(Base):
    """What the machine has understood of a recording. `state`: waiting, no_model, done, needs_review; the sound stays whatever comes.

    Text and words are the person's own, so they are sealed; `words_sealed` is JSON: [[word, start, end, confidence], ...].
    """

    __tablename__ = "transcripts"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=_public_id, unique=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"), unique=True)
    language: Mapped[str] = mapped_column(String(16))  # zh, en: the first part of the script's
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(128), default="")
    model: Mapped[str] = mapped_column(String(128), default="")
    confidence: Mapped[float | None]  # mean over the words; None: nothing was understood
    text_sealed: Mapped[bytes | None]
    words_sealed: Mapped[bytes | None]
    made_at: Mapped[datetime | None]
    recording: Mapped[Recording] = relationship()
    __table_args__ = (Index(None, "language", "due_at"),)


class TranscriptCorrection(Base):
    """What a person heard in the recording instead; the machine's version stays, and so does each earlier correction."""

    __tablename__ = "transcript_corrections"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=_public_id, unique=True)
    transcript_id: Mapped[int] = mapped_column(ForeignKey("transcripts.id"), index=True)
    text_sealed: Mapped[bytes]
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class RemarkCode(Base):
    """One coding of a remark, by the rules or by a person; the last one holds (R62).

    `code` is a word of survey.coding.CLASSES; `evidence_sealed` is JSON: [[kind, word], ...], the words that led to it.
    """

    __tablename__ = "remark_codes"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=_public_id, unique=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"), index=True)
    code: Mapped[str] = mapped_column(String(16))
    hot_spot: Mapped[bool]
    hazard: Mapped[bool]
    danger: Mapped[bool]
    abuse: Mapped[bool]
    place_sealed: Mapped[bytes | None]
    evidence_sealed: Mapped[bytes | None]
    by: Mapped[str] = mapped_column(String(64))  # "rules", or the user
    at: Mapped[datetime]
