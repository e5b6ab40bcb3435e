"""Call-backs that an operator promises: a time within the calling windows, kept by the machine."""

from datetime import datetime

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import DESK, actor, role
from ivr.console.calls import page_of
from ivr.console.escalations import sees_inspection
from ivr.console.forms import Problem
from ivr.console.rendering import render
from ivr.console.services import services
from survey.errors import BadInput, NotAllowed
from survey.fieldwork import bookings as use_cases
from survey.store.queries import console_calls

bookings = Blueprint("bookings", __name__)


@bookings.post("/calls/<public_id:public_id>/booking")
@role(*DESK)
def book(public_id: str) -> Response | tuple[str, int]:
    """Promise a call at the time given, which is the bureau's local time."""
    house = services()
    try:
        at = datetime.fromisoformat(request.form.get("at", "")).replace(tzinfo=house.office.bureau.tzinfo)
        with house.unit_of_work() as work:
            respondent = console_calls.lock_respondent(work.session, public_id, sees_inspection())
            use_cases.book(work.session, house.office, respondent, at, actor(), house.clock.now())
        flash(_("已预约，届时自动拨打。"), "success")
    except ValueError:
        return _refuse(public_id, _("未预约：请填写日期和时间。"))
    except BadInput as wrong:
        return _refuse(public_id, _("未预约：%(why)s", why=words.in_language(wrong)))
    except NotAllowed as wrong:
        flash(_("未预约：%(why)s", why=words.in_language(wrong)), "danger")
    return redirect(url_for("calls.show", public_id=public_id), 303)


def _refuse(public_id: str, message: str) -> tuple[str, int]:
    return render("calls/show.html", page_of(public_id, booking=Problem("booking", "at", message, request.form))), 422
