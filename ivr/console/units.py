"""The units: the codes by which incidents, accounts and orders belong to them. They come with the incidents' files."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import ADMINISTRATOR, CENTRE, role
from ivr.console.account import hand
from ivr.console.forms import NO_PROBLEM, Problem
from ivr.console.rendering import render
from ivr.console.services import services
from survey.accounts.emails import change_unit_email
from survey.errors import BadInput
from survey.store.queries import people as queries
from survey.store.queries.people import UnitRow

units = Blueprint("units", __name__)
LONGEST_TYPED = 255


@dataclass(frozen=True)
class UnitsPage:
    """Every unit; the form of a problem bears the unit's code."""

    rows: list[UnitRow]
    problem: Problem = NO_PROBLEM


@units.get("/units")
@role(ADMINISTRATOR, CENTRE)
def index() -> str:
    """Every unit, with its accounts and incidents counted."""
    return _page()


@units.post("/units/email")
@role(ADMINISTRATOR)
def email() -> Response | tuple[str, int]:
    """Set the address to which notices for a unit are sent."""
    code, typed = request.form.get("code", ""), request.form.get("email", "")[:LONGEST_TYPED]
    try:
        with services().unit_of_work() as work:
            change_unit_email(work.session, hand(), code, typed)
    except BadInput as wrong:
        return _page(Problem(code, wrong.field, words.in_language(wrong), request.form)), 422
    flash(_("单位邮箱已保存。"), "success")
    return redirect(url_for("units.index"), 303)


def _page(problem: Problem = NO_PROBLEM) -> str:
    with services().reads() as session:
        return render("units/index.html", UnitsPage(queries.units(session), problem))
