"""Files that belong to an order: taken by their content, kept sealed, shown to who may see the order, each reading on record (O39)."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from io import BytesIO

from flask import Blueprint, abort, send_file
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console.access import role
from ivr.console.order_access import MAY_READ, order_actor, roles_of, unknown_noted
from ivr.console.order_page import act, refused
from ivr.console.services import services
from ivr.console.uploads import LARGEST_UPLOAD, MOST_AT_ONCE, Sent, sent, takes_file
from survey import casework
from survey.casework import SealedFile
from survey.errors import BadInput, CannotUnseal
from survey.order_moves import Actor

log = logging.getLogger(__name__)
order_files = Blueprint("order_files", __name__)
IMAGES = ("image/jpeg", "image/png")


Kept = list[tuple[SealedFile, str]]
DoWithFiles = Callable[[Session, Actor, int, datetime, Kept], object]


@order_files.post("/orders/<public_id:public_id>/attachments")
@role(*roles_of("attach"))
@takes_file(LARGEST_UPLOAD, "orders.show")
def attach(public_id: str) -> Response | tuple[str, int]:
    """Add files to the order."""

    def do(session: Session, actor: Actor, version: int, now: datetime, kept: Kept) -> None:
        if not kept:
            raise BadInput("请选择文件 / choose a file", "file")
        attach_all(session, public_id, actor, version, now, kept)

    return act_with_files(public_id, "attach", do, _("附件已添加。"))


def attach_all(session: Session, order_id: str, actor: Actor, version: int, now: datetime, kept: Kept) -> int:
    """Give the order the kept files; the version that it has then."""
    for file, name in kept:
        casework.attach(session, services().office, order_id, actor, version, file, name, now)
        version += 1
    return version


def act_with_files(order_id: str, form: str, do: DoWithFiles, done: str) -> Response | tuple[str, int]:
    """Like `act`, with the files of the form: written sealed before the transaction, taken away again where it did not get them."""
    house = services()
    with unknown_noted(), house.reads() as session:
        casework.found(session, order_id, order_actor())  # nobody fills the disk of an order that is none of theirs
    try:
        kept = _keep(sent("file", MOST_AT_ONCE))
    except BadInput as wrong:
        return refused(order_id, form, wrong)
    try:
        return act(order_id, form, lambda session, actor, version, now: do(session, actor, version, now, kept), done)
    finally:
        _forget_unused(kept)


def _keep(files: Sequence[Sent]) -> Kept:
    """All of them, or none. Raises BadInput, also where the disk takes no more."""
    house, kept = services(), Kept()
    for file in files:
        casework.kind_of(file.content)
    try:
        for file in files:
            kept.append((casework.keep_file(house.office.keys, house.data, file.content), file.name))
    except OSError as problem:
        _forget_unused(kept)
        log.error("an attachment could not be kept: %s", problem, extra={"action": "attachment_failed"})
        zh, en = (
            "附件未能保存，请稍后重试；仍不成功的，请管理员检查磁盘",
            "the files could not be kept: try again later, or have the disk looked at",
        )
        raise BadInput(f"{zh} / {en}", "file") from problem
    return kept


def _forget_unused(kept: Kept) -> None:
    house = services()
    with house.reads() as session:
        known = casework.known_files(session, [file.public_id for file, _name in kept])
    for file, _name in kept:
        if file.public_id not in known:
            (house.data / file.path).unlink(missing_ok=True)


@order_files.get("/orders/attachments/<public_id:public_id>")
@role(*MAY_READ)
def show(public_id: str) -> Response:
    """The file in the clear, after its reading was written to the trail; pictures are shown in place, a PDF is handed over."""
    house = services()
    with unknown_noted(), house.unit_of_work() as work:
        attachment = casework.permit_reading(work.session, house.office, public_id, order_actor(), house.clock.now())
        name = casework.file_name(work.session, house.office, attachment)
    try:
        content = casework.read_file(house.office.keys, house.data, attachment)
    except (CannotUnseal, OSError):
        abort(404)
    is_image = attachment.kind in IMAGES
    return send_file(BytesIO(content), mimetype=attachment.kind, download_name=name, as_attachment=not is_image, conditional=False)
