"""The on-site register: coverage of a month, one entry by hand, a file of them; a unit works on its own incidents alone (R1, R12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import ADMINISTRATOR, AUDITOR, CENTRE, COMMANDER, INSPECTION, OPERATOR, UNIT, actor, note_refusal, present, role
from ivr.console.forms import NO_PROBLEM, Problem
from ivr.console.language import is_english
from ivr.console.rendering import render
from ivr.console.services import services
from ivr.console.uploads import received, takes_file
from survey import casework
from survey.casework.register import Signing
from survey.casework.register_import import RegisterCounts, RegisterIntake, import_register
from survey.errors import BadInput, NotAllowed, NotFound
from survey.incidents.records import Rejection
from survey.incidents.register_table import LONGEST_NAME, mapping_with
from survey.incidents.sniffing import MEBIBYTE, Limits
from survey.store.queries import register as queries
from survey.store.queries.console import month_bounds
from survey.store.queries.register import Asked, Coverage, Reader

register = Blueprint("register", __name__)
READERS = (ADMINISTRATOR, OPERATOR, CENTRE, INSPECTION, UNIT, COMMANDER, AUDITOR)
WRITERS = (ADMINISTRATOR, CENTRE, UNIT)
LIMITS = Limits(
    text_bytes=8 * MEBIBYTE, sheet_bytes=8 * MEBIBYTE, unpacked_bytes=100 * MEBIBYTE, shared_text_bytes=30 * MEBIBYTE, columns=64
)


@dataclass(frozen=True)
class RegisterPage:
    """One month's coverage by unit and in total, the two forms, and what came of a file."""

    month: str
    rows: list[Coverage]
    total: Coverage
    states: list[tuple[str, str]]
    may_write: bool
    counts: RegisterCounts | None = None
    rejections: Sequence[Rejection] = ()
    problem: Problem = NO_PROBLEM


@register.get("/register")
@role(*READERS)
def index() -> str:
    """The coverage of a month."""
    return _page()


@register.post("/register/entries")
@role(*WRITERS)
def enter() -> Response | tuple[str, int]:
    """Enter one incident's register by hand."""
    house, typed = services(), request.form
    try:
        by, at = _named(typed.get("by", "")), _moment(typed.get("at", ""))
        with house.unit_of_work() as work:
            incident = queries.by_number(work.session, typed.get("number", "").strip(), reader())
            if incident is None:
                raise NotFound("没有这起警情 / there is no such incident")
            if not incident.occurred_at <= at <= house.clock.now():
                raise BadInput("须在报警之后、此刻之前 / must lie between the report and now", "at")
            signing = Signing(typed.get("state", ""), by, at, typed.get("reason", ""))
            casework.enter(work.session, house.office, incident, signing, actor(), house.clock.now())
    except BadInput as wrong:
        return _page(problem=Problem("enter", wrong.field, words.in_language(wrong), typed)), 422
    except (NotAllowed, NotFound) as wrong:
        if isinstance(wrong, NotFound) and reader().is_unit:  # numbers can be guessed; to all others it is a slip of the pen
            note_refusal()
        return _page(problem=Problem("enter", "number", words.in_language(wrong), typed)), 422
    flash(_("已登记警情 %(number)s。", number=typed["number"].strip()), "success")
    return redirect(url_for("register.index", month=request.args.get("month")), 303)


@register.post("/register/import")
@role(*WRITERS)
@takes_file(LIMITS.sheet_bytes, "register.index")
def load() -> str | tuple[str, int]:
    """Import a file; what cannot be used is listed here and written to a file in the data folder."""
    house, now, mine = services(), services().clock.now(), reader()
    unit = (mine.unit_id or -1) if mine.is_unit else None
    intake = RegisterIntake(house.office, mapping_with(house.office.bureau.tzinfo), actor(), now, unit, LIMITS)
    try:
        with received("file") as upload:
            rejects = house.data / "rejects" / f"register-{actor()}-{now:%Y%m%d-%H%M%S}.csv"
            report = import_register(house.unit_of_work, intake, upload.path, rejects)
    except BadInput as wrong:
        return _page(problem=Problem("import", "file", words.in_language(wrong))), 422
    return _page(counts=report.counts, rejections=report.rejections)


def reader() -> Reader:
    """As whom the visitor looks at incidents."""
    person = present()
    return Reader(person.role == UNIT, person.unit)


def month_asked() -> tuple[str, datetime, datetime]:
    """The month in the address, else the present one, with its bounds."""
    house = services()
    zone, now = house.office.bureau.tzinfo, house.clock.now()
    asked = request.args.get("month", "")
    try:
        return asked, *month_bounds(asked, zone)
    except (ValueError, OverflowError):
        this = f"{now.astimezone(zone):%Y-%m}"
        return this, *month_bounds(this, zone)


def _named(text: str) -> str:
    by = "".join(one for one in text if one.isprintable()).strip()
    if not by:
        raise BadInput("请填写登记民警 / who entered it is missing", "by")
    if len(by) > LONGEST_NAME:
        raise BadInput(f"登记民警不超过 {LONGEST_NAME} 字 / the name may have {LONGEST_NAME} characters at most", "by")
    return by


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput("请填写登记时间，如 2026-11-20 14:30 / give a time, like 2026-11-20 14:30", "at") from None
    return at if at.tzinfo else at.replace(tzinfo=services().office.bureau.tzinfo)


def _page(
    *, counts: RegisterCounts | None = None, rejections: Sequence[Rejection] = (), problem: Problem = NO_PROBLEM
) -> str:  # fmt: skip
    month, since, before = month_asked()
    with services().reads() as session:
        rows = queries.coverage(session, Asked(since, before), reader())
    states = [(word, pair[is_english()]) for word, pair in casework.REGISTER_STATES.items() if word != "missing"]
    total = queries.total(rows, _("合计"))
    page = RegisterPage(month, rows, total, states, present().role in WRITERS, counts, rejections, problem)
    return render("register/index.html", page)
