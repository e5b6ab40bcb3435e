"""The operator's desk: on duty, calls that wait, the call in one's hands, and how it is sorted out (O1–O27)."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import drafts, words
from ivr.console.access import DESK, actor, present, role
from ivr.console.forms import Problem
from ivr.console.rendering import render
from ivr.console.services import services
from ivr.console.takeovers import keep_typed, shown, takeover_page
from survey import desk as use
from survey.accounts.people import known, telephone_of
from survey.desk import Board, WrapUp
from survey.errors import BadInput, CannotUnseal, NotAllowed
from survey.phone import mask
from survey.store.models import User

desk = Blueprint("desk", __name__)


@dataclass(frozen=True)
class DeskPage:
    """The desk; `telephone` is the one that rings, masked."""

    board: Board
    telephone: str


@desk.get("/desk")
@role(*DESK)
def index() -> str:
    """The desk."""
    return render("desk/index.html", _desk())


@desk.get("/desk/board")
@role(*DESK)
def board() -> str:
    """The part of the desk that changes by itself."""
    return render("desk/board.html", _desk())


@desk.post("/desk/duty")
@role(*DESK)
def duty() -> Response:
    """Go on duty, off duty, or be free, busy or away."""
    house, wanted, person = services(), request.form.get("state", ""), present()
    try:
        with house.unit_of_work() as work:
            user, now = _user(work.session), house.clock.now()
            if wanted == "on":
                use.duty.begin(work.session, house.office, user, person.token_digest, now)
            elif wanted == "off":
                use.duty.end(work.session, house.office, user, now)
            else:
                use.duty.choose(work.session, house.office, user, wanted, now)
    except (BadInput, NotAllowed) as problem:
        flash(words.in_language(problem), "danger")
    return redirect(url_for("desk.index"), 303)


@desk.post("/desk/calls/<public_id:public_id>/claim")
@role(*DESK)
def claim(public_id: str) -> Response:
    """Take a waiting call; whoever comes second reads who was first (O9)."""
    house = services()
    try:
        with house.unit_of_work() as work:
            use.claim(work, house.office, public_id, _user(work.session), house.clock.now())
    except NotAllowed as problem:
        flash(words.in_language(problem), "warning")
        return redirect(url_for("desk.index"), 303)
    return redirect(url_for("desk.show", public_id=public_id), 303)


@desk.post("/desk/calls/<public_id:public_id>/decline")
@role(*DESK)
def decline(public_id: str) -> Response:
    """Leave a call to the others."""
    house = services()
    with house.unit_of_work() as work:
        use.decline(work.session, house.office, public_id, _user(work.session), house.clock.now())
    return redirect(url_for("desk.index"), 303)


@desk.get("/desk/calls/<public_id:public_id>")
@role(*DESK)
def show(public_id: str) -> str | Response:
    """The call in one's hands."""
    return shown(public_id, "desk/show.html")


@desk.get("/desk/calls/<public_id:public_id>/state")
@role(*DESK)
def state(public_id: str) -> str | Response:
    """The part of the call's page that changes by itself."""
    return shown(public_id, "desk/state.html", is_fragment=True)


@desk.post("/desk/calls/<public_id:public_id>/deed")
@role(*DESK)
def deed(public_id: str) -> Response:
    """Hold, mute, give back, end, or take more time to sort out."""
    house, wanted = services(), request.form.get("deed", "")
    try:
        with house.unit_of_work() as work:
            user, now = _user(work.session), house.clock.now()
            match wanted:
                case "hold" | "unhold":
                    use.takeovers.hold(work, house.office, public_id, user, now, on=wanted == "hold")
                case "mute" | "unmute":
                    use.takeovers.mute(work, house.office, public_id, user, now, on=wanted == "mute")
                case "call_off":
                    use.callbacks.call_off(work, house.office, public_id, user, now)
                case "prolong":
                    use.takeovers.prolong(work.session, house.office, public_id, user)
                case _:
                    use.wish(work, house.office, public_id, user, wanted, now)
    except (BadInput, NotAllowed) as problem:
        flash(words.in_language(problem), "warning")
    return redirect(url_for("desk.show", public_id=public_id), 303)


@desk.post("/desk/calls/<public_id:public_id>/answers")
@role(*DESK)
def answer(public_id: str) -> Response:
    """Write down what the person has told (O20)."""
    house, item, code = services(), request.form.get("item", ""), request.form.get("code", "")
    try:
        with house.unit_of_work() as work:
            use.write_answer(work.session, house.office, public_id, _user(work.session), item, code, house.clock.now())
    except (BadInput, NotAllowed) as problem:
        flash(words.in_language(problem), "danger")
    return redirect(url_for("desk.show", public_id=public_id) + "#answers", 303)


@desk.post("/desk/calls/<public_id:public_id>/wrap-up")
@role(*DESK)
def wrap_up(public_id: str) -> Response | tuple[str, int]:
    """Sort the call out; what cannot stand together, or comes too late, is refused with the reason (O27) and shown again (O24)."""
    house, form = services(), request.form
    given = WrapUp(form.get("verdict", ""), form.get("consent", "unasked"), form.get("remark", ""))
    try:
        keep_typed(public_id)
        with house.unit_of_work() as work:
            use.wrap_up(work.session, house.office, public_id, _user(work.session), given, house.clock.now())
            drafts.drop(work.session, drafts.WRAP_UP, public_id)
    except BadInput as problem:
        return render("desk/show.html", takeover_page(public_id, Problem.of("wrap_up", problem, form))), 422
    except NotAllowed as problem:
        page = shown(public_id, "desk/show.html", Problem("wrap_up", "", words.in_language(problem), form))
        return page if isinstance(page, Response) else (page, 409)
    flash(_("已整理，您现在空闲。"), "success")
    return redirect(url_for("desk.index"), 303)


def _desk() -> DeskPage:
    house, person = services(), present()
    with house.reads() as session:
        user = _user(session)
        seen = use.board(session, house.office, user.id, person.token_digest, house.clock.now())
        return DeskPage(seen, _telephone(user))


def _telephone(user: User) -> str:
    try:
        number = telephone_of(services().office.keys, user.name, user.telephone_sealed)
    except CannotUnseal:
        return ""
    return number if number.startswith("sip:") else mask(number) if number else ""


def _user(session: Session) -> User:
    return known(session, actor())
