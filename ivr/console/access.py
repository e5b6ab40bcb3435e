"""Who may see what: default deny, the cookie, and what stands against going on (RS49, RS51–RS53). Log-in and log-out: `login`."""

import hashlib
import logging
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, flash, g, redirect, request, session, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console.services import services
from survey import accounts, desk
from survey.accounts import Visitor, roles

logger = logging.getLogger(__name__)

OPEN_ENDPOINTS = (
    "static", "login.show", "login.enter", "login.code", "login.prove", "login.language", "health.healthz", "health.readyz",
    "health.metrics",
)  # fmt: skip
"""The only pages that need no log-in."""

ADMINISTRATOR, OPERATOR, CENTRE, INSPECTION, UNIT, COMMANDER, AUDITOR = accounts.ROLES
EVERYBODY = accounts.ROLES
HOUSE = tuple(one for one in accounts.ROLES if one != UNIT)
"""Everybody but the units that were called about: they never see whom the survey asks (R12)."""
DESK = roles.DESK
AT_THE_DESK = ("desk.board", "desk.state")
"""Pages that refresh by themselves and yet are a sign of life while their visitor is on duty: the desk is waited at, not clicked."""
LONGEST_PATH = 200

View = TypeVar("View", bound=Callable[..., Any])


def role(*allowed: str) -> Callable[[View], View]:
    """Mark a view with the roles that may use it. A view without a mark is refused to everybody."""

    def mark(view: View) -> View:
        view.allowed_roles = frozenset(allowed)  # type: ignore[attr-defined]
        return view

    return mark


def always(view: View) -> View:
    """Mark a view that stays open to those who must first settle something with their account."""
    view.is_always_open = True  # type: ignore[attr-defined]
    return view


def guard(app: Flask) -> None:
    """Put the guard before every request of the app."""
    app.before_request(_admit)


def visitor() -> Visitor | None:
    """The logged-in person of this request."""
    found: Visitor | None = g.get("visitor")
    return found


def present() -> Visitor:
    """The logged-in person of a page that only such a one can open."""
    person = visitor()
    if person is None:
        abort(403)
    return person


def actor() -> str:
    """The name of the logged-in person, for the audit trail."""
    return present().name


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


def needs_second_factor(person: Visitor) -> bool:
    """Whether the person's role must have a second factor and this account has none."""
    return person.role in services().second_factor_roles and not person.second_factor


def note_refusal() -> None:
    """Write down who was refused what: in the audit trail for a person, else in the log, where anybody may cause any number of lines.

    What an open page asks for again and again is written down once: the cookie says that it was, and no reader can make that up.
    """
    if refreshes_itself():
        asked = hashlib.sha256(request.full_path.encode()).hexdigest()[:16]
        if session.get("refused") == asked:
            return
        session["refused"] = asked
    person, house, path = visitor(), services(), ascii(request.path)[1:-1][:LONGEST_PATH]
    told = {"action": "access.refused", "method": request.method, "path": path}
    level = logging.WARNING if person else logging.INFO  # a log-in that has run out is everyday
    logger.log(level, "refused: %s %s", request.method, path, extra={**told, "role": person.role if person else "nobody"})
    if person is not None:
        with house.sessions.begin() as writing:
            accounts.note_refused(writing, person, request.endpoint or "", request.method, path, house.clock.now(), house.office.audit_key)


def _admit() -> Response | None:
    person = g.visitor = _recognise()
    if request.endpoint is None:
        return None  # no such address: answered by the 404 page, which knows no ids
    if not is_allowed(request.endpoint, person.role if person else None):
        if person is not None:
            abort(403)  # noted where it is answered
        note_refusal()
        return _to_log_in()
    return _to_account(person) if person is not None and _is_unsettled(person) else None


def _is_unsettled(person: Visitor) -> bool:
    """Whether the person must first choose a password or set a second factor, and is not about to."""
    view = current_app.view_functions.get(request.endpoint or "")
    if request.endpoint in OPEN_ENDPOINTS or getattr(view, "is_always_open", False):
        return False
    return person.must_change or needs_second_factor(person)


def _to_account(person: Visitor) -> Response:
    flash(_("请先更换初始密码。") if person.must_change else _("您的角色须启用动态口令，请先设置。"), "warning")
    return _go_to(url_for("account.show"))


def _to_log_in() -> Response:
    return _go_to(url_for("login.show", next=_page_left()))


def _page_left() -> str:
    """The address to come back to after the log-in: of the page, where a part of it asked, and none for what cannot be asked again."""
    if _is_fragment():
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        return local_address(page.path + (f"?{page.query}" if page.query else ""))
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def _go_to(where: str) -> Response:
    """To another page; a fragment asks the browser to go there as a whole."""
    if _is_fragment():
        return current_app.response_class(status=401, headers={"HX-Redirect": where})
    return redirect(where, 303)


def _is_fragment() -> bool:
    return request.headers.get("HX-Request") == "true"


def refreshes_itself() -> bool:
    """Whether the page asks of its own accord: a part of it, or its socket."""
    return _is_fragment() or request.endpoint == "live.listen"


def _recognise() -> Visitor | None:
    """The visitor by cookie. What asks by itself is no sign of life and does not prolong the log-in, but for the desk on duty."""
    token = session.get("token")
    if token is None or request.endpoint == "static":
        return None
    house, now = services(), services().clock.now()
    with house.reads() as reading:
        person = accounts.find_session(reading, token, now)
        is_due = person is not None and accounts.is_note_due(reading, person, now) and _is_sign_of_life(reading, person)
    if person is not None and is_due:
        with house.sessions.begin() as writing:
            accounts.note_seen(writing, person, now)
    return person


def _is_sign_of_life(reading: Session, person: Visitor) -> bool:
    if not refreshes_itself():
        return True
    return request.endpoint in AT_THE_DESK and desk.duty.is_on(reading, person.token_digest)
