"""The page of a call in the operator's hands: what it shows, and what is done on it beside the talk (O14, O16, O17, O22, O24)."""

import hashlib
from dataclasses import dataclass, replace

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import drafts, words
from ivr.console.access import DESK, actor, role
from ivr.console.calls import UNMASKED_SECONDS, CallPage, page_of, reason_wanted
from ivr.console.drafts import Typed
from ivr.console.escalations import sees_inspection
from ivr.console.forms import NO_PROBLEM, Problem
from ivr.console.rendering import render
from ivr.console.services import services
from survey import desk as use
from survey import disclosure
from survey.accounts.people import known
from survey.bureau import Bureau
from survey.desk import Taken, TakeoverView
from survey.errors import BadInput, NotAllowed, NotFound
from survey.store.models import User
from survey.store.queries.desk import IN_HAND

takeovers = Blueprint("takeovers", __name__)
UNCHANGED = 204
"""The answer to a fragment that is as the browser has it: nothing is put in its place, nobody's place on the page is lost."""


@dataclass(frozen=True)
class TakeoverPage:
    """A call in the operator's hands, with the facts of the incident, masked unless `call.is_unmasked`.

    `typed` is what stands in the form that sorts the call out; `may_listen`: its recordings are not inspection's alone;
    `is_fragment`: only a part of the page is shown, which brings along what changes elsewhere on it.
    """

    it: TakeoverView
    call: CallPage
    bureau: Bureau
    typed: Typed
    may_listen: bool
    problem: Problem = NO_PROBLEM
    is_fragment: bool = False
    unmasked_seconds: int = UNMASKED_SECONDS

    @property
    def is_in_hand(self) -> bool:
        """Whether the operator still has something to do with it."""
        return self.it.state in IN_HAND

    @property
    def course_seen(self) -> str:
        """What tells one state of answers and words from another."""
        shown = (self.it.asked, self.it.said, self.it.state, self.may_listen)
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


@takeovers.get("/desk/calls/<public_id:public_id>/course")
@role(*DESK)
def course(public_id: str) -> str | Response | tuple[str, int]:
    """Questions, answers and what was said, where they have changed since the browser has seen them."""
    try:
        page = takeover_page(public_id)
    except (Taken, Hidden):  # the part of the page that shows the state says so
        return "", UNCHANGED
    return ("", UNCHANGED) if request.args.get("seen") == page.course_seen else render("desk/course.html", page)


@takeovers.get("/desk/calls/<public_id:public_id>/person")
@role(*DESK)
def person(public_id: str) -> str | Response:
    """Who is on the line, masked: takes the place of what was shown for half a minute."""
    return shown(public_id, "desk/person.html", is_fragment=True)


@takeovers.post("/desk/calls/<public_id:public_id>/person")
@role(*DESK)
def reveal(public_id: str) -> str | Response | tuple[str, int]:
    """Show number, names and place against a reason, which is entered in the audit trail; masked again by itself (O17)."""
    is_fragment = request.headers.get("HX-Request") == "true"
    template = "desk/person.html" if is_fragment else "desk/show.html"
    try:
        page = replace(takeover_page(public_id), is_fragment=is_fragment)
        page = replace(page, call=_unmasked(page))
    except Taken as problem:
        return _taken(problem)
    except BadInput:
        complaint = Problem("reveal", "reason", reason_wanted(), request.form)
        page = replace(takeover_page(public_id, complaint), is_fragment=is_fragment)
        return render(template, page), 200 if is_fragment else 422  # htmx shows no refusal
    response = Response(render(template, page), mimetype="text/html")
    if not is_fragment:
        response.headers["Refresh"] = f"{UNMASKED_SECONDS}; url={url_for('desk.show', public_id=public_id)}"
    return response


def _unmasked(page: TakeoverPage) -> CallPage:
    house, reason = services(), request.form.get("reason", "")
    with house.sessions.begin() as session:
        found = disclosure.unmask(
            session, house.office.keys, house.office.audit_key, page.it.respondent, actor(), reason, house.clock.now()
        )  # fmt: skip
    return replace(page.call, person=found, is_unmasked=True)


@takeovers.post("/desk/calls/<public_id:public_id>/danger")
@role(*DESK)
def settle_danger(public_id: str) -> Response:
    """Say what was done about a person who may be in danger (O22)."""
    house = services()
    try:
        with house.unit_of_work() as work:
            choice, user = request.form.get("choice", ""), _user(work.session)
            use.settle_danger(work.session, house.office, public_id, user, choice, house.clock.now())
    except (BadInput, NotAllowed) as problem:
        flash(words.in_language(problem), "warning")
    return redirect(url_for("desk.show", public_id=public_id), 303)


@takeovers.post("/desk/calls/<public_id:public_id>/draft")
@role(*DESK)
def keep_draft(public_id: str) -> Response | tuple[str, int]:
    """Keep what is typed into the form that sorts the call out (O24)."""
    try:
        keep_typed(public_id)
    except (BadInput, NotAllowed) as problem:
        return words.in_language(problem), 409
    return drafts.saved(url_for("desk.show", public_id=public_id))


def keep_typed(public_id: str) -> None:
    """Keep what was sent of the form, while the call is in the visitor's hands. Raises NotFound, Taken, NotAllowed, BadInput."""
    house = services()
    with house.unit_of_work() as work:
        use.takeovers.mine(work.session, public_id, _user(work.session), *IN_HAND)
        drafts.keep(work.session, drafts.WRAP_UP, public_id)


def shown(public_id: str, template: str, problem: Problem = NO_PROBLEM, *, is_fragment: bool = False) -> str | Response:
    """A page, or a part of it, of the visitor's own call; somebody else's leads to the desk."""
    try:
        return render(template, replace(takeover_page(public_id, problem), is_fragment=is_fragment))
    except Taken as problem:
        return _taken(problem)
    except Hidden:
        return _to_desk(_("内容反映民警违法违纪，已转督察，此后仅督察可见。"))


class Hidden(NotFound):
    """The call is over, and its case has become inspection's alone (R35)."""


def takeover_page(public_id: str, problem: Problem = NO_PROBLEM) -> TakeoverPage:
    """Everything that the page shows. Raises NotFound, Taken for somebody else's call, Hidden."""
    house = services()
    with house.reads() as session:
        found = use.view(session, house.office, public_id, _user(session), house.clock.now())
        typed = Typed("wrap_up", problem, drafts.kept(session, drafts.WRAP_UP, public_id))
    try:
        call = page_of(found.respondent, in_hand=found.state in IN_HAND)
    except NotFound:
        raise Hidden from None
    case = call.detail.case
    may_listen = sees_inspection() or case is None or case.route != "inspection"
    return TakeoverPage(found, call, house.office.bureau, typed, may_listen, problem)


def _taken(problem: Taken) -> Response:
    return _to_desk(words.in_language(problem))


def _to_desk(told: str) -> Response:
    """Back to the desk; a fragment asks the browser to go there as a whole."""
    flash(told, "warning")
    if request.headers.get("HX-Request") == "true":
        return Response(status=UNCHANGED, headers={"HX-Redirect": url_for("desk.index")})
    return redirect(url_for("desk.index"), 303)


def _user(session: Session) -> User:
    return known(session, actor())
