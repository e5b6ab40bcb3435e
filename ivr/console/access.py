"""Who may see what: default deny, the cookie, log-in, log-out, choice of language (RS49, RS51–RS53)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, current_app, flash, g, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ivr.console.language import LANGUAGES, current_language
from ivr.console.rendering import render
from ivr.console.services import services
from survey import accounts
from survey.accounts import Refused, Visitor

OPEN_ENDPOINTS = ("static", "access.log_in_page", "access.log_in", "access.language", "health.healthz", "health.readyz", "health.metrics")
"""The only pages that need no log-in."""

ADMINISTRATOR, OPERATOR, COMMANDER, AUDITOR = accounts.ROLES
EVERYBODY = accounts.ROLES

View = TypeVar("View", bound=Callable[..., Any])
access = Blueprint("access", __name__)


@dataclass(frozen=True)
class LogInPage:
    """`next` is the local address to go to after the log-in."""

    next: str
    name: str = ""
    refused: bool = False


def role(*allowed: str) -> Callable[[View], View]:
    """Mark a view with the roles that may use it. A view without a mark is refused to everybody."""

    def mark(view: View) -> View:
        view.allowed_roles = frozenset(allowed)  # type: ignore[attr-defined]
        return view

    return mark


def guard(app: Flask) -> None:
    """Put the guard before every request of the app."""
    app.before_request(_admit)


def visitor() -> Visitor | None:
    """The logged-in person of this request."""
    found: Visitor | None = g.get("visitor")
    return found


def actor() -> str:
    """The name of the logged-in person, for the audit trail."""
    person = visitor()
    if person is None:
        abort(403)
    return person.name


def local_address(address: str | None) -> str:
    """The address if it stays on this site, else the home page: a log-in never leads elsewhere."""
    if not address or not address.startswith("/") or address.startswith("//") or "\\" in address or not address.isprintable():
        return "/"
    parts = urlsplit(address)
    return address if not parts.scheme and not parts.netloc else "/"


def is_allowed(endpoint: str, roles_of: str | None) -> bool:
    """Whether the role may use the endpoint: by its mark, or because it is open."""
    if endpoint in OPEN_ENDPOINTS:
        return True
    view = current_app.view_functions.get(endpoint)
    return roles_of is not None and roles_of in getattr(view, "allowed_roles", frozenset())


def _admit() -> Response | None:
    g.visitor = _recognise()
    if request.endpoint is None or is_allowed(request.endpoint, g.visitor.role if g.visitor else None):
        return None  # no such address: answered by the 404 page, which knows no ids
    if g.visitor is not None:
        abort(403)
    return _to_log_in()


def _to_log_in() -> Response:
    """To the log-in page; a fragment asks the browser to go there as a whole."""
    back = request.full_path.rstrip("?") if request.method == "GET" and not _is_fragment() else "/"
    where = url_for("access.log_in_page", next=back)
    if _is_fragment():
        return current_app.response_class(status=401, headers={"HX-Redirect": where})
    return redirect(where, 303)


def _is_fragment() -> bool:
    return request.headers.get("HX-Request") == "true"


def _recognise() -> Visitor | None:
    """The visitor by cookie. A fragment that refreshes by itself is no sign of life, so it does not prolong the log-in."""
    token = session.get("token")
    if token is None or request.endpoint == "static":
        return None
    house, now = services(), services().clock.now()
    with house.reads() as reading:
        person = accounts.find_session(reading, token, now)
        is_due = person is not None and not _is_fragment() and accounts.is_note_due(reading, person, now)
    if person is not None and is_due:
        with house.sessions.begin() as writing:
            accounts.note_seen(writing, person, now)
    return person


@access.get("/login")
def log_in_page() -> Response | str:
    """The log-in page."""
    if visitor() is not None:
        return redirect("/", 303)
    return render("access/login.html", LogInPage(local_address(request.args.get("next"))))


@access.post("/login")
def log_in() -> Response | tuple[str, int]:
    """Check name and password; the same words and the same time for every reason to refuse."""
    house, form = services(), request.form
    name, after = form.get("name", "").strip()[:64], local_address(form.get("next"))
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
        return render("access/login.html", LogInPage(after, name, refused=True)), 401
    session.clear()
    session["token"] = result.token
    return redirect(after, 303)


@access.post("/logout")
@role(*EVERYBODY)
def log_out() -> Response:
    """End the log-in on the server and forget the cookie."""
    house, person = services(), visitor()
    if person is not None:
        with house.sessions.begin() as writing:
            accounts.log_out(writing, person, house.clock.now(), house.office.audit_key)
    language_kept = current_language()
    session.clear()
    session["language"] = language_kept
    flash(_("您已退出登录。"), "success")
    return redirect(url_for("access.log_in_page"), 303)


@access.post("/language")
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
