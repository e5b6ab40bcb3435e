"""The own account, for everybody: password, second factor, the telephone of the desk, the e-mail address, language."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import EVERYBODY, actor, always, needs_second_factor, present, role
from ivr.console.forms import NO_PROBLEM, Problem
from ivr.console.language import is_english
from ivr.console.rendering import render
from ivr.console.services import services
from survey.accounts import emails, own, people, second_factor
from survey.accounts.own import SHORTEST_PASSWORD
from survey.accounts.people import Hand
from survey.accounts.second_factor import Key
from survey.errors import BadInput, CannotUnseal, NotAllowed

account = Blueprint("account", __name__)
LONGEST_TYPED = 128
KEPT = frozenset({"telephone", "email"})
"""What is shown again of a form that was wrong: never a password or a code."""


@dataclass(frozen=True)
class AccountPage:
    """The visitor's own account; `key` is shown this once; `is_begun`: a key was shown that no code has confirmed."""

    name: str
    unit: str
    telephone: str
    email: str
    is_set: bool
    is_begun: bool
    must_change: bool
    needs_second_factor: bool
    shortest: int
    key: Key | None = None
    problem: Problem = NO_PROBLEM


@account.get("/account")
@role(*EVERYBODY)
@always
def show() -> str:
    """The own account."""
    return _page()


@account.post("/account/password")
@role(*EVERYBODY)
@always
def password() -> Response | tuple[str, int]:
    """Change the own password; other log-ins of the account end."""
    old, new, repeated = (request.form.get(name, "") for name in ("old", "new", "repeated"))
    try:
        own.change_password(services().sessions, hand(), old, new, repeated, present().token_digest)
    except BadInput as wrong:
        return _page(problem=_problem("password", wrong)), 422
    flash(_("密码已更换；此账号在其他地方的登录均已退出。"), "success")
    return _back()


@account.post("/account/second-factor")
@role(*EVERYBODY)
@always
def begin() -> Response | str | tuple[str, int]:
    """Show a fresh key once, against the password."""
    house = services()
    issuer = house.office.bureau.name_en if is_english() else house.office.bureau.name
    try:
        key = own.begin_second_factor(house.sessions, hand(), request.form.get("password", ""), issuer)
    except BadInput as wrong:
        return _page(problem=_problem("begin", wrong)), 422
    except NotAllowed as wrong:
        flash(words.in_language(wrong), "danger")
        return _back()
    return _page(key)


@account.post("/account/second-factor/confirm")
@role(*EVERYBODY)
@always
def confirm() -> Response | tuple[str, int]:
    """Ask for codes from the next log-in on."""
    try:
        with services().unit_of_work() as work:
            own.confirm_second_factor(work.session, hand(), request.form.get("code", "")[:LONGEST_TYPED])
    except BadInput as wrong:
        return _page(problem=_problem("confirm", wrong)), 422
    flash(_("动态口令已启用：下次登录时，除密码外还须输入手机上的 6 位数字。"), "success")
    return _back()


@account.post("/account/telephone")
@role(*EVERYBODY)
@always
def telephone() -> Response | tuple[str, int]:
    """Keep the number at which the own desk is called."""
    try:
        with services().unit_of_work() as work:
            own.change_telephone(work.session, hand(), request.form.get("telephone", ""))
    except BadInput as wrong:
        return _page(problem=_problem("telephone", wrong)), 422
    flash(_("值班电话已保存。"), "success")
    return _back()


@account.post("/account/email")
@role(*EVERYBODY)
@always
def email() -> Response | tuple[str, int]:
    """Keep the address to which notices about orders are sent."""
    try:
        with services().unit_of_work() as work:
            own.change_email(work.session, hand(), request.form.get("email", ""))
    except BadInput as wrong:
        return _page(problem=_problem("email", wrong)), 422
    flash(_("通知邮箱已保存。"), "success")
    return _back()


def hand() -> Hand:
    """The visitor, acting on accounts now."""
    house = services()
    return Hand(actor(), house.clock.now(), house.office.keys, house.office.audit_key, house.office.numbers)


def telephone_shown(name: str, sealed: bytes | None) -> str:
    """An account's telephone; `?` when it cannot be read, so that the rest of the page still shows."""
    try:
        return people.telephone_of(services().office.keys, name, sealed)
    except CannotUnseal:
        return "?"


def email_shown(name: str, sealed: bytes | None) -> str:
    """An account's e-mail address; `?` when it cannot be read."""
    try:
        return emails.email_of(services().office.keys, name, sealed)
    except CannotUnseal:
        return "?"


def _back() -> Response:
    return redirect(url_for("account.show"), 303)


def _problem(form: str, wrong: BadInput) -> Problem:
    typed = {name: value for name, value in request.form.items() if name in KEPT}
    return Problem(form, wrong.field, words.in_language(wrong), typed)


def _page(key: Key | None = None, problem: Problem = NO_PROBLEM) -> str:
    with services().reads() as session:
        return render("account/show.html", _load(session, key, problem))


def _load(session: Session, key: Key | None, problem: Problem) -> AccountPage:
    person = present()
    user = people.known(session, person.name)
    return AccountPage(
        user.name, people.unit_name(session, user), telephone_shown(user.name, user.telephone_sealed),
        email_shown(user.name, user.email_sealed), second_factor.is_set(user), second_factor.is_begun(user), user.must_change,
        needs_second_factor(person), SHORTEST_PASSWORD, key, problem,
    )  # fmt: skip
