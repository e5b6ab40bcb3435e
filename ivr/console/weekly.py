"""The weekly list of orders: on a page, to print, and as a file (R54)."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from flask import Blueprint, redirect, send_file, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console.access import AUDITOR, CENTRE, COMMANDER, INSPECTION, UNIT, actor, present, role
from ivr.console.language import current_language
from ivr.console.rendering import render
from ivr.console.services import services
from survey import casework
from survey.accounts import people
from survey.casework import WeeklyList
from survey.sheet import html, text
from survey.sheet import weekly as sheet
from survey.store import audit
from survey.working_days import CalendarMissing

weekly = Blueprint("weekly", __name__)


@dataclass(frozen=True)
class WeeklyPage:
    """The list laid out in the page's language; `show` turns a cell into words. `problem` says why there is none."""

    title: str
    blocks: Any
    language: str
    show: Any
    problem: str = ""


@weekly.get("/weekly")
@role(UNIT, CENTRE, COMMANDER, INSPECTION, AUDITOR)
def index() -> str | tuple[str, int]:
    """The list as it stands now: a unit's own, inspection's own, else of all units."""
    house, language = services(), current_language()
    try:
        with house.reads() as session:
            found = _build(session)
    except CalendarMissing as missing:
        return render("weekly/index.html", WeeklyPage("", (), language, text.show, _problem(missing))), 503
    bureau = house.office.bureau
    return render(
        "weekly/index.html", WeeklyPage(sheet.title(found, bureau, language), sheet.blocks(found, bureau, language), language, text.show)
    )


@weekly.get("/weekly/list.css")
@role(UNIT, CENTRE, COMMANDER, INSPECTION, AUDITOR)
def style() -> Response:
    """How the list looks, on screen and on paper."""
    return Response(html.style(), mimetype="text/css")


@weekly.get("/weekly/list.<any(csv,xlsx):kind>")
@role(UNIT, CENTRE, COMMANDER, INSPECTION, AUDITOR)
def download(kind: str) -> Response:
    """The list as a file; who took it stands in the audit trail."""
    house, language = services(), current_language()
    try:
        with house.reads() as session:
            found, whose = _build(session), str(_whose(session)[0])
    except CalendarMissing:
        return redirect(url_for("weekly.index"), 303)  # which says so
    data = sheet.render(found, house.office.bureau, kind, language)
    with house.sessions.begin() as session:
        subject = f"list:{found.day}"
        audit.append(session, house.office.audit_key, house.clock.now(), actor(), "list.download", subject, kind=kind, of=whose)
    name = f"{'交办单每周清单' if language == 'zh' else 'weekly-orders'}-{found.day}.{kind}"
    return send_file(BytesIO(data), mimetype=sheet.KINDS[kind], as_attachment=True, download_name=name)


def _build(session: Session) -> WeeklyList:
    house = services()
    return casework.weekly_list(session, house.office.terms, *_whose(session), house.clock.now())


def _problem(missing: CalendarMissing) -> str:
    return _("%(year)s 年的节假日安排尚未载入，无法推算工作日；请管理员载入该年的安排。", year=missing.year)


def _whose(session: Session) -> tuple[int | str, str]:
    """Whose orders the visitor may see, and the name of the unit."""
    user = people.known(session, present().name)
    if user.role == UNIT:
        return user.unit_id or 0, people.unit_name(session, user)
    return (casework.INSPECTION if user.role == INSPECTION else casework.ALL_UNITS), ""
