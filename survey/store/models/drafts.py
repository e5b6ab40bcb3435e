"""What people have typed into a form and not sent yet."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from survey.store.models.base import Base, Id, public_id


class Draft(Base):
    """One person's unsent text in one form (O24, C29). `form` names it with its record, e.g. `wrap_up:<public id>`.

    `fields_sealed` is a JSON object of the form's fields; it may hold anything that a person types. Each save makes a new `public_id`.
    """

    __tablename__ = "drafts"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    form: Mapped[str] = mapped_column(String(64))
    fields_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    saved_at: Mapped[datetime] = mapped_column(index=True)
    __table_args__ = (UniqueConstraint("user_id", "form"),)
