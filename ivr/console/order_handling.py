"""What the responsible unit does with an order on its page, or inspection with its own (R49, R50, R52, R53; C28–C31)."""

from datetime import date, datetime

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import drafts, words
from ivr.console.access import role
from ivr.console.order_access import order_actor, roles_of, unknown_noted
from ivr.console.order_files import Kept, act_with_files, attach_all
from ivr.console.order_page import act, refused
from ivr.console.services import services
from ivr.console.uploads import LARGEST_UPLOAD, takes_file
from survey import casework
from survey.errors import BadInput, NotAllowed
from survey.order_moves import Actor
from survey.order_replies import Reply

order_handling = Blueprint("order_handling", __name__)


@order_handling.post("/orders/<public_id:public_id>/sign")
@role(*roles_of("sign"))
def sign(public_id: str) -> Response | tuple[str, int]:
    """Sign for it: one click."""

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.sign(session, services().office, public_id, actor, version, now)

    return act(public_id, "sign", do, _("已签收。"))


@order_handling.post("/orders/<public_id:public_id>/take-in-hand")
@role(*roles_of("take_in_hand"))
def take_in_hand(public_id: str) -> Response | tuple[str, int]:
    """Begin to work on it, for the first time or again."""

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.take_in_hand(session, services().office, public_id, actor, version, now)

    return act(public_id, "take_in_hand", do, _("已开始办理。"))


@order_handling.post("/orders/<public_id:public_id>/answer")
@role(*roles_of("answer"))
@takes_file(LARGEST_UPLOAD, "orders.show")
def answer(public_id: str) -> Response | tuple[str, int]:
    """Reply, with the files that belong to it: all of it is taken, or nothing; what was typed is kept until it is (C29)."""
    office = services().office
    try:
        with unknown_noted(), services().unit_of_work() as work:
            if casework.may_answer(work.session, public_id, order_actor()):
                drafts.keep(work.session, drafts.ANSWER, public_id)
    except BadInput as wrong:
        return refused(public_id, "answer", wrong)

    def do(session: Session, actor: Actor, version: int, now: datetime, kept: Kept) -> None:
        reply, version = _reply(), attach_all(session, public_id, actor, version, now, kept)
        casework.answer(session, office, public_id, actor, version, reply, office.terms, now)
        drafts.drop(session, drafts.ANSWER, public_id)

    return act_with_files(public_id, "answer", do, _("回复已提交，期限停止计算。"))


@order_handling.post("/orders/<public_id:public_id>/answer/draft")
@role(*roles_of("answer"))
@takes_file(LARGEST_UPLOAD, "orders.show")  # the button sends the whole form; its files are not kept
def keep_draft(public_id: str) -> Response | tuple[str, int]:
    """Keep what is typed into the reply."""
    try:
        with unknown_noted(), services().unit_of_work() as work:
            if not casework.may_answer(work.session, public_id, order_actor()):
                raise NotAllowed("此单目前不能回复，草稿未保存 / the order takes no reply now: the draft was not saved")
            drafts.keep(work.session, drafts.ANSWER, public_id)
    except (BadInput, NotAllowed) as problem:
        return words.in_language(problem), 409
    return drafts.saved(url_for("orders.show", public_id=public_id))


@order_handling.post("/orders/<public_id:public_id>/ask-extension")
@role(*roles_of("ask_extension"))
def ask_extension(public_id: str) -> Response | tuple[str, int]:
    """The head of the unit asks once for more working days."""
    house, form = services(), request.form

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        days = form.get("days", 0, int)
        casework.ask_extension(
            session, house.office, public_id, actor, version, days, form.get("reason", ""), house.office.terms, now
        )  # fmt: skip

    return act(public_id, "ask_extension", do, _("延期申请已提交，待审批；审批前期限不变。"))


@order_handling.post("/orders/<public_id:public_id>/appeal")
@role(*roles_of("appeal"))
def appeal(public_id: str) -> Response | tuple[str, int]:
    """The unit says that the rating is untrue or was not about it."""
    form = request.form

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        ground, argument = form.get("ground", ""), form.get("argument", "")
        casework.appeal(session, services().office, public_id, actor, version, ground, argument, now, form.getlist("items"))

    return act(public_id, "appeal", do, _("申诉已提交，由本单位以外的人员裁定；期限照常计算。"))


def _reply() -> Reply:
    """The reply as it was typed. Raises BadInput for a day that is none."""
    given = {name: request.form.get(name, "") for name in ("finding", "cause", "measure", "explanation", "improvement", "people", "place")}
    return Reply(**given, visited_on=_day(request.form.get("visited_on", "")))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text.strip() else None
    except ValueError:
        raise BadInput("上门日期须写作 2026-11-30 / the day of the visit is written like 2026-11-30", "visited_on") from None
