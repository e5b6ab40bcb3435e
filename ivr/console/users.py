"""The accounts, for administrators: who may log in, as what, for which unit, and what to do when somebody forgets or loses something."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import ADMINISTRATOR, actor, role
from ivr.console.account import email_shown, hand, telephone_shown
from ivr.console.forms import NO_PROBLEM, Problem
from ivr.console.rendering import render
from ivr.console.services import services
from survey.accounts import ROLES, NewAccount, administration
from survey.accounts.administration import Change
from survey.accounts.emails import mask_email
from survey.accounts.people import Hand
from survey.errors import BadInput, NotAllowed
from survey.phone import mask
from survey.store.queries import people as queries
from survey.store.queries.people import UserRow

users = Blueprint("users", __name__)
LONGEST_TYPED = 255
FIELDS = ("display_name", "role", "unit", "head", "telephone", "email")
"""What the form of an account holds, each beside what stood there when the page was opened (`was_…`)."""
Act = Callable[[Session, Hand, str], None]


@dataclass(frozen=True)
class FirstPassword:
    """A password that is shown this once."""

    name: str
    password: str


@dataclass(frozen=True)
class Line:
    """One account in the list, its telephone and e-mail address masked."""

    row: UserRow
    telephone: str
    email: str


@dataclass(frozen=True)
class UsersPage:
    """All accounts, and the form for another."""

    lines: list[Line]
    roles: list[tuple[str, str]]
    units: list[tuple[str, str]]
    given: FirstPassword | None = None
    problem: Problem = NO_PROBLEM


@dataclass(frozen=True)
class Overtaken:
    """A field that has changed since the page was opened: its name, what stood there, and what stands there now."""

    field: str
    was: str
    now: str


@dataclass(frozen=True)
class UserPage:
    """One account, `stands` by the names of the form's fields; `is_own`: the visitor's, whose role and access another administrator
    must change; `overtaken` is what others have changed meanwhile."""

    row: UserRow
    stands: Mapping[str, str]
    is_own: bool
    roles: list[tuple[str, str]]
    units: list[tuple[str, str]]
    given: FirstPassword | None = None
    problem: Problem = NO_PROBLEM
    overtaken: Sequence[Overtaken] = ()


@users.get("/users")
@role(ADMINISTRATOR)
def index() -> str:
    """All accounts."""
    return _list()


@users.post("/users")
@role(ADMINISTRATOR)
def add() -> str | tuple[str, int]:
    """Create an account; its first password stands on the answer to this and nowhere else."""
    texts = {name: _typed(name) for name in ("name", "role", "display_name", "unit", "telephone", "email")}
    new = NewAccount(**texts, is_head=_typed("head") == "yes")
    try:
        with services().unit_of_work() as work:
            password = administration.add(work.session, hand(), new)
    except BadInput as wrong:
        return _list(problem=Problem("add", wrong.field, words.in_language(wrong), request.form)), 422
    return _list(FirstPassword(new.name, password))


@users.get("/users/<name>")
@role(ADMINISTRATOR)
def show(name: str) -> str:
    """One account and what can be done with it."""
    return _one(name)


@users.post("/users/<name>/change")
@role(ADMINISTRATOR)
def change(name: str) -> Response | tuple[str, int]:
    """Change the name as shown, role, unit, its head, telephone, e-mail address; what was not touched stays as it is."""
    touched = _touched()
    try:
        with services().unit_of_work() as work:
            overtaken = _overtaken(_stands(queries.user(work.session, name)))
            if not overtaken:
                administration.change(work.session, hand(), name, _change(touched))
        if overtaken:
            message = _("未保存：您打开此页后，此账号已有变动，见下。请核对后重新提交。")
            return _one(name, problem=Problem("change", "", message, touched), overtaken=overtaken), 409
    except BadInput as wrong:
        return _one(name, problem=Problem("change", wrong.field, words.in_language(wrong), request.form)), 422
    except NotAllowed as wrong:
        flash(words.in_language(wrong), "danger")
        return _to(name)
    flash(_("已保存，自其下一次操作起生效。"), "success")
    return _to(name)


@users.post("/users/<name>/disable")
@role(ADMINISTRATOR)
def disable(name: str) -> Response:
    """Shut the account out from its next request on."""
    return _act(name, administration.disable, _("账号已停用，其登录均已退出。"))


@users.post("/users/<name>/enable")
@role(ADMINISTRATOR)
def enable(name: str) -> Response:
    """Let the account in again."""
    return _act(name, administration.enable, _("账号已恢复，可用原密码登录。"))


@users.post("/users/<name>/remove-second-factor")
@role(ADMINISTRATOR)
def remove_second_factor(name: str) -> Response:
    """Ask the account for no code any more: its telephone is lost."""
    return _act(name, administration.remove_second_factor, _("动态口令已解除，其登录均已退出。请提醒本人重新设置。"))


@users.post("/users/<name>/renew-password")
@role(ADMINISTRATOR)
def renew_password(name: str) -> str | Response:
    """Give a new random password, which stands on the answer to this and nowhere else."""
    try:
        with services().unit_of_work() as work:
            password = administration.renew_password(work.session, hand(), name)
    except NotAllowed as wrong:
        flash(words.in_language(wrong), "danger")
        return _to(name)
    return _one(name, FirstPassword(name, password))


def _act(name: str, act: Act, done: str) -> Response:
    try:
        with services().unit_of_work() as work:
            act(work.session, hand(), name)
        flash(done, "success")
    except NotAllowed as wrong:
        flash(words.in_language(wrong), "danger")
    return _to(name)


def _to(name: str) -> Response:
    return redirect(url_for("users.show", name=name), 303)


def _typed(field: str) -> str:
    return request.form.get(field, "").strip()[:LONGEST_TYPED]


def _roles() -> list[tuple[str, str]]:
    return [(one, words.say(words.ROLES, one)) for one in ROLES]


def _list(given: FirstPassword | None = None, problem: Problem = NO_PROBLEM) -> str:
    with services().reads() as session:
        rows, units = queries.users(session), queries.unit_choices(session)
    lines = [_line(row) for row in rows]
    return render("users/index.html", UsersPage(lines, _roles(), units, given, problem))


def _touched() -> dict[str, str]:
    """What was changed in the form; a role goes with its unit."""
    form = request.form
    found = {key: _typed(key) for key in FIELDS if key in form and _typed(key) != form.get(f"was_{key}")}
    return {**found, "unit": _typed("unit")} if "role" in found and "unit" in form else found


def _change(touched: Mapping[str, str]) -> Change:
    given = {key: value for key, value in touched.items() if key != "head"}
    return Change(**given, is_head=touched["head"] == "yes" if "head" in touched else None)


def _stands(row: UserRow) -> dict[str, str]:
    """What the form of the account shows."""
    return {
        "display_name": row.display_name, "role": row.role, "unit": row.unit, "head": "yes" if row.is_head else "no",
        "telephone": telephone_shown(row.name, row.telephone_sealed), "email": email_shown(row.name, row.email_sealed),
    }  # fmt: skip


def _overtaken(stands: Mapping[str, str]) -> list[Overtaken]:
    """What does not stand as the page had it."""
    was = {key: request.form.get(f"was_{key}", stands[key]) for key in FIELDS}
    return [Overtaken(key, was[key], stands[key]) for key in FIELDS if was[key] != stands[key]]


def _one(
    name: str, given: FirstPassword | None = None, problem: Problem = NO_PROBLEM, overtaken: Sequence[Overtaken] = ()
) -> str:  # fmt: skip
    with services().reads() as session:
        row, units = queries.user(session, name), queries.unit_choices(session)
    return render("users/show.html", UserPage(row, _stands(row), row.name == actor(), _roles(), units, given, problem, overtaken))


def _line(row: UserRow) -> Line:
    telephone, email = telephone_shown(row.name, row.telephone_sealed), email_shown(row.name, row.email_sealed)
    return Line(row, _masked(telephone), email if email == "?" else mask_email(email))


def _masked(telephone: str) -> str:
    return "sip:…" if telephone.startswith("sip:") else mask(telephone)
