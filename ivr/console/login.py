"""Coming and going: log-in by password and code, log-out, choice of language."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ivr.console.access import EVERYBODY, always, local_address, role, visitor
from ivr.console.language import LANGUAGES, current_language
from ivr.console.rendering import render
from ivr.console.services import services
from survey import accounts, desk
from survey.accounts import Expired, HalfIn, LoggedIn, Refused
from survey.accounts.people import known

login = Blueprint("login", __name__)
LONGEST_NAME, LONGEST_CODE = 64, 16


@dataclass(frozen=True)
class LogInPage:
    """`next` is the local address to go to after the log-in."""

    next: str
    name: str = ""
    refused: bool = False


@login.get("/login")
def show() -> Response | str:
    """The log-in page."""
    if visitor() is not None:
        return redirect("/", 303)
    return render("login/show.html", LogInPage(local_address(request.args.get("next"))))


@login.post("/login")
def enter() -> Response | tuple[str, int]:
    """Check name and password; the same words and the same time for every reason to refuse."""
    house, form = services(), request.form
    name, after = form.get("name", "").strip()[:LONGEST_NAME], local_address(form.get("next"))
    result = accounts.log_in(
        house.sessions,
        name,
        form.get("password", ""),
        request.remote_addr or "",
        current_language(),
        house.clock.now(),
        house.office.audit_key,
    )
    if isinstance(result, Refused):
        return render("login/show.html", LogInPage(after, name, refused=True)), 401
    if isinstance(result, HalfIn):
        language_kept = current_language()
        session.clear()
        session["half"], session["language"] = result.token, language_kept
        return redirect(url_for("login.code", next=after), 303)
    return _let_in(result, after)


@login.get("/login/code")
def code() -> Response | str:
    """The page that asks for the code of the second factor."""
    if visitor() is not None or "half" not in session:
        return redirect(url_for("login.show"), 303)
    return render("login/code.html", LogInPage(local_address(request.args.get("next"))))


@login.post("/login/code")
def prove() -> Response | tuple[str, int]:
    """Check the code; until then the half-open log-in opens nothing."""
    house, form, after = services(), request.form, local_address(request.form.get("next"))
    result = accounts.prove_code(
        house.sessions,
        session.get("half", ""),
        form.get("code", "")[:LONGEST_CODE],
        request.remote_addr or "",
        current_language(),
        house.clock.now(),
        house.office.keys,
        house.office.audit_key,
    )
    if isinstance(result, Refused):
        return render("login/code.html", LogInPage(after, refused=True)), 401
    if isinstance(result, Expired):
        session.pop("half", None)
        flash(_("等待动态口令已超过 5 分钟，请重新登录。"), "warning")
        return redirect(url_for("login.show", next=after), 303)
    return _let_in(result, after)


@login.post("/logout")
@role(*EVERYBODY)
@always
def leave() -> Response:
    """End the log-in on the server and forget the cookie."""
    house, person = services(), visitor()
    if person is not None:
        with house.unit_of_work() as work:
            now = house.clock.now()
            desk.duty.leave(work.session, house.office, known(work.session, person.name), person.token_digest, now)
            accounts.log_out(work.session, person, now, house.office.audit_key)
    language_kept = current_language()
    session.clear()
    session["language"] = language_kept
    flash(_("您已退出登录。"), "success")
    return redirect(url_for("login.show"), 303)


@login.post("/language")
def language() -> Response:
    """Switch the language of all pages and come back."""
    wanted = request.form.get("language", "")
    if wanted not in LANGUAGES:
        abort(400)
    session["language"] = wanted
    person = visitor()
    if person is not None:
        with services().sessions.begin() as writing:
            accounts.choose_language(writing, person, wanted)
    return redirect(local_address(request.form.get("next")), 303)


def _let_in(entered: LoggedIn, after: str) -> Response:
    house, person = services(), entered.visitor
    with house.unit_of_work() as work:
        desk.duty.resume(work.session, known(work.session, person.name), person.token_digest, house.clock.now())
    session.clear()
    session["token"] = entered.token
    return redirect(after, 303)
