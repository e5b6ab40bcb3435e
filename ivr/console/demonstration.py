"""The demonstration's own button: on to the next working day. Anywhere else it is refused, and the refusal stands in the trail."""

from datetime import datetime

from flask import Blueprint, abort, flash, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import EVERYBODY, actor, local_address, role
from ivr.console.language import moment
from ivr.console.services import services
from survey.errors import SurveyError

demonstration = Blueprint("demonstration", __name__)


@demonstration.post("/demonstration/next-day")
@role(*EVERYBODY)
def next_day() -> Response:
    """Move the clock to the next working day's opening, so that deadlines, reminders and second calls come by themselves."""
    move = services().next_day
    if move is None:
        abort(403)
    try:
        flash(_("现在是 %(moment)s。", moment=moment(move(actor()))), "success")
    except SurveyError as wrong:
        flash(words.in_language(wrong), "danger")
    return redirect(local_address(request.form.get("next")), 303)


def virtual_now() -> datetime | None:
    """The demonstration's time; None where the clock is no demonstration's."""
    house = services()
    return house.clock.now() if house.next_day is not None else None
