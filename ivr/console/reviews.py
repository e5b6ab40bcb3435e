"""Review: respondents of whom only a person can say whether they are called again (reliability §2.2)."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import DESK, actor, role
from ivr.console.forms import LONGEST_REASON, NO_PROBLEM, Problem
from ivr.console.rendering import render
from ivr.console.services import services
from survey.errors import BadInput, NotAllowed
from survey.fieldwork.reviews import Review, needs_review, resolve

reviews = Blueprint("reviews", __name__)
DONE = {"call_again": _l("已交回待拨，下一可拨时段再拨。"), "close": _l("已结束，不再拨打。")}


@dataclass(frozen=True)
class ReviewsPage:
    """Everybody who waits for a person's decision."""

    waiting: list[Review]
    problem: Problem = NO_PROBLEM


@reviews.get("/reviews")
@role(*DESK)
def index() -> str:
    """Who waits, why, and which of the carrier's calls are in question."""
    return _page()


@reviews.post("/reviews/<int:number>")
@role(*DESK)
def decide(number: int) -> Response | tuple[str, int]:
    """Call again or close, with a reason."""
    house, verdict = services(), request.form.get("verdict", "")
    reason = request.form.get("reason", "").strip()[:LONGEST_REASON]
    try:
        with house.unit_of_work() as work:
            resolve(work.session, house.office, number, verdict, actor(), reason, house.clock.now())
        flash(str(DONE[verdict]), "success")
    except BadInput as wrong:
        return _page(Problem(f"review-{number}", "reason", words.in_language(wrong), request.form)), 422
    except NotAllowed as wrong:
        flash(words.in_language(wrong), "danger")
    return redirect(url_for("reviews.index"), 303)


def _page(problem: Problem = NO_PROBLEM) -> str:
    with services().reads() as session:
        return render("reviews/index.html", ReviewsPage(needs_review(session), problem))
