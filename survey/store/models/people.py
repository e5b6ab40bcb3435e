"""Who may use the console, and the trail of what was done."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.store.models.base import Base, Id


class User(Base):
    """A person who may log in. `role`: a word of survey.accounts.ROLES. What is sealed is bound to `name`, which never changes.

    `unit_id` bears no foreign key: to come to a table with rows it would lock both tables. Units are never deleted.
    """

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    unit_id: Mapped[int | None] = mapped_column(Id)  # of the role `unit` alone
    is_head: Mapped[bool] = mapped_column(default=False, server_default=false())  # of that unit: asks for extensions (R52)
    telephone_sealed: Mapped[bytes | None]  # where the desk is called: E.164 or sip:
    email_sealed: Mapped[bytes | None]  # where notices about orders are sent
    password_hash: Mapped[str] = mapped_column(String(255))
    password_set_at: Mapped[datetime | None]
    must_change: Mapped[bool] = mapped_column(default=False, server_default=false())  # the password is known to who gave it
    totp_secret_sealed: Mapped[bytes | None]
    totp_since: Mapped[datetime | None]  # None: the secret was shown, but no code has proved yet that it arrived
    totp_step: Mapped[int | None] = mapped_column(BigInteger)  # the 30-second step of the last code taken: each is taken once
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


class HalfLogin(Base):
    """A right password that waits for the code of the second factor. A table of its own: nothing that admits visitors looks here."""

    __tablename__ = "half_logins"
    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
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
