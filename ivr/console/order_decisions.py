"""What centre and inspection decide on an order's page, and what came of calling the person again (R51–R53, R55)."""

from datetime import date, datetime

from flask import Blueprint, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console.access import role
from ivr.console.order_access import MAY_ACCOUNT, roles_of
from ivr.console.order_page import act
from ivr.console.services import services
from survey import casework
from survey.errors import BadInput
from survey.order_moves import Actor

order_decisions = Blueprint("order_decisions", __name__)


@order_decisions.post("/orders/<public_id:public_id>/decide-extension")
@role(*roles_of("decide_extension"))
def decide_extension(public_id: str) -> Response | tuple[str, int]:
    """Grant or refuse the extension, with the reason."""
    office, is_granted = services().office, _decision("granted", "refused")

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.decide_extension(
            session, office, public_id, actor, version, is_granted=_known(is_granted), reason=_reason(), terms=office.terms, now=now
        )

    return act(public_id, "decide_extension", do, _("延期申请已审批。"))


@order_decisions.post("/orders/<public_id:public_id>/decide-appeal")
@role(*roles_of("decide_appeal"))
def decide_appeal(public_id: str) -> Response | tuple[str, int]:
    """Uphold or reject the appeal, with the reason, and give the order to another unit if one is chosen."""
    is_upheld, unit_id = _decision("upheld", "rejected"), request.form.get("unit", type=int)

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.decide_appeal(
            session, services().office, public_id, actor, version, is_upheld=_known(is_upheld), reason=_reason(), now=now,
            unit_id=unit_id,
        )  # fmt: skip

    return act(public_id, "decide_appeal", do, _("申诉已裁定。"))


@order_decisions.post("/orders/<public_id:public_id>/reassign")
@role(*roles_of("reassign"))
def reassign(public_id: str) -> Response | tuple[str, int]:
    """Give the order to the unit whose affair it is."""
    unit_id = request.form.get("unit", 0, type=int)

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.reassign(session, services().office, public_id, actor, version, unit_id, _reason(), now)

    return act(public_id, "reassign", do, _("已改派，期限重新计算。"))


@order_decisions.post("/orders/<public_id:public_id>/return")
@role(*roles_of("return"))
def return_(public_id: str) -> Response | tuple[str, int]:
    """Send an insufficient reply back."""
    office = services().office

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.return_(session, office, public_id, actor, version, _reason(), office.terms, now)

    return act(public_id, "return", do, _("已退回重办，期限重新计算。"))


@order_decisions.post("/orders/<public_id:public_id>/supervise")
@role(*roles_of("supervise"))
def supervise(public_id: str) -> Response | tuple[str, int]:
    """Put it under the supervision of leadership."""
    office = services().office

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.supervise(session, office, public_id, actor, version, _reason(), office.terms, now)

    return act(public_id, "supervise", do, _("已转督办，期限重新计算。"))


@order_decisions.post("/orders/<public_id:public_id>/close")
@role(*roles_of("close"))
def close(public_id: str) -> Response | tuple[str, int]:
    """Close it by hand."""

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.close(session, services().office, public_id, actor, version, request.form.get("outcome", ""), _reason(), now)

    return act(public_id, "close", do, _("已办结并归档。"))


@order_decisions.post("/orders/<public_id:public_id>/void")
@role(*roles_of("void"))
def void(public_id: str) -> Response | tuple[str, int]:
    """Make an order void that was issued by mistake."""

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.void(session, services().office, public_id, actor, version, _reason(), now)

    return act(public_id, "void", do, _("已作废，编号保留。"))


@order_decisions.post("/orders/<public_id:public_id>/begin-recall")
@role(*roles_of("begin_recall"))
def begin_recall(public_id: str) -> Response | tuple[str, int]:
    """Somebody calls the person again by hand."""

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.begin_recall(session, services().office, public_id, now, actor, version)

    return act(public_id, "begin_recall", do, _("已转入再次回访，请在通话后登记结果。"))


@order_decisions.post("/orders/<public_id:public_id>/note-recall")
@role(*roles_of("note_recall"))
def note_recall(public_id: str) -> Response | tuple[str, int]:
    """What the person said when called again."""
    office = services().office

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.note_recall(session, office, public_id, request.form.get("result", ""), office.terms, now, actor, version)

    return act(public_id, "note_recall", do, _("再次回访结果已登记。"))


@order_decisions.post("/orders/<public_id:public_id>/accountability")
@role(*MAY_ACCOUNT)
def account(public_id: str) -> Response | tuple[str, int]:
    """Hold somebody to account for a fault that a reply has verified."""

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.open_accountability(session, services().office, public_id, actor, request.form.get("fault", ""), now)

    return act(public_id, "account", do, _("已启动责任追究。"))


@order_decisions.post("/orders/<public_id:public_id>/accountability/<public_id:record_id>")
@role(*MAY_ACCOUNT)
def decide_accountability(public_id: str, record_id: str) -> Response | tuple[str, int]:
    """Write down what was decided, and when."""

    def do(session: Session, actor: Actor, version: int, now: datetime) -> None:
        casework.decide_accountability(session, services().office, public_id, record_id, actor, _reason(), _day(), now)

    return act(public_id, f"account-{record_id}", do, _("追究决定已登记。"))


def _reason() -> str:
    return request.form.get("reason", "")


def _decision(yes: str, no: str) -> bool | None:
    return {yes: True, no: False}.get(request.form.get("decision", ""))


def _known(decision: bool | None) -> bool:
    if decision is None:
        raise BadInput("请选择是否同意 / choose a decision", "decision")
    return decision


def _day() -> date:
    try:
        return date.fromisoformat(request.form.get("decided_on", ""))
    except ValueError:
        raise BadInput("决定日期须写作 2026-11-30 / the day of the decision is written like 2026-11-30", "decided_on") from None
