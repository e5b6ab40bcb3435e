"""Photos and PDFs that belong to an order: known by their content, kept sealed below the data folder (O39)."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey import orders
from survey.casework.changes import carry_out, found, standing_of
from survey.casework.withholding import cleaner_of
from survey.errors import BadInput, CannotUnseal, NotAllowed, NotFound
from survey.fieldwork.office import Office
from survey.order_moves import Actor
from survey.store.models import Order, OrderAttachment
from survey.store.models.base import public_id
from survey.store.sealing import KeyRing, place

LARGEST = 20 * 1024 * 1024
MOST = 50
"""Files of one order."""
FOLDER = "attachments"
KINDS = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""The first bytes of what may be attached."""


@dataclass(frozen=True)
class SealedFile:
    """A file that lies sealed below the data folder: `digest` is SHA-256 of it in the clear, `kind` its media type."""

    public_id: str
    path: str
    digest: str
    kind: str
    size_bytes: int


def kind_of(content: bytes) -> str:
    """The media type by the content, whatever the file is called. Raises BadInput for another kind, nothing, or above 20 MB."""
    if len(content) > LARGEST:
        raise BadInput("附件不得超过 20 MB / an attachment has 20 MB at most", "file")
    for beginning, kind in KINDS.items():
        if content.startswith(beginning):
            return kind
    raise BadInput("只接受 PDF、JPEG、PNG 文件 / only PDF, JPEG and PNG files are taken", "file")


def keep_file(keys: KeyRing, data: Path, content: bytes) -> SealedFile:
    """Write a file sealed below the data folder, whole or not at all. Call it outside of any transaction. Raises BadInput, OSError."""
    kind, identity = kind_of(content), public_id()
    path = Path(FOLDER) / identity[:2] / f"{identity}.sealed"
    _write(data / path, keys.seal_bytes(content, _place(identity)))
    return SealedFile(identity, str(path), hashlib.sha256(content).hexdigest(), kind, len(content))


def _write(path: Path, sealed: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def attach(
    session: Session, office: Office, order_id: str, actor: Actor, version: int, file: SealedFile, name: str, now: datetime
) -> OrderAttachment:
    """Add a kept file to an order under the name that it was sent with. Raises NotFound, NotAllowed, Overtaken, BadInput."""
    order = found(session, order_id, actor, version)
    shown = "".join(c for c in name.replace("\\", "/").split("/")[-1] if c.isprintable()).strip()
    if not 1 <= len(shown) <= 255:
        raise BadInput("文件名须为 1–255 个字符 / a file name has 1 to 255 characters", "file")
    if (session.scalar(select(func.count(OrderAttachment.id)).where(OrderAttachment.order_id == order.id)) or 0) >= MOST:
        raise NotAllowed(f"每张交办单最多 {MOST} 个附件 / an order has {MOST} attachments at most")
    carry_out(session, office, order, orders.attach(standing_of(order), actor, now, file.kind))
    attachment = OrderAttachment(
        public_id=file.public_id, order_id=order.id, path=file.path, digest=file.digest, kind=file.kind, size_bytes=file.size_bytes,
        name_sealed=office.keys.seal(shown, place(OrderAttachment.__tablename__, "name_sealed", file.public_id)), by=actor.name, at=now,
    )  # fmt: skip
    session.add(attachment)
    session.flush()
    return attachment


def known_files(session: Session, identities: Sequence[str]) -> set[str]:
    """Which of these kept files belong to an order by now."""
    return set(session.scalars(select(OrderAttachment.public_id).where(OrderAttachment.public_id.in_(identities))))


def file_name(session: Session, office: Office, attachment: OrderAttachment) -> str:
    """The name that the file was sent with, without the person's name and number; one of our making where it cannot be read."""
    clean = cleaner_of(office, session.get_one(Order, attachment.order_id).respondent.incident)
    try:
        name = office.keys.open(attachment.name_sealed, place(OrderAttachment.__tablename__, "name_sealed", attachment.public_id))
    except CannotUnseal:
        name = None
    return clean(name) or f"attachment.{attachment.kind.rpartition('/')[2]}"


def permit_reading(session: Session, office: Office, attachment_id: str, actor: Actor, now: datetime) -> OrderAttachment:
    """The attachment for somebody who may see its order, written to the trail. Read it after the commit. Raises NotFound."""
    attachment = session.scalars(select(OrderAttachment).where(OrderAttachment.public_id == attachment_id)).one_or_none()
    if attachment is None:
        raise NotFound("没有这个附件 / there is no such attachment")
    order = found(session, session.get_one(Order, attachment.order_id).public_id, actor)
    office.record(session, now, actor.name, "attachment.read", f"order:{order.public_id}", attachment=attachment_id)
    return attachment


def read_file(keys: KeyRing, data: Path, attachment: OrderAttachment) -> bytes:
    """The file in the clear. Raises CannotUnseal, OSError."""
    return keys.open_bytes((data / attachment.path).read_bytes(), _place(attachment.public_id))


def _place(identity: str) -> str:
    return place(OrderAttachment.__tablename__, "path", identity)
