"""Calls: a campaign's respondents, one respondent's whole story, and what is shown only against a reason (R63, RS54)."""

from dataclasses import dataclass
from io import BytesIO

from flask import Blueprint, abort, flash, redirect, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ivr.console.access import DESK, INSPECTION, actor, role
from ivr.console.escalations import DueDate, due_date, sees_inspection
from ivr.console.forms import NO_PROBLEM, Problem
from ivr.console.rendering import render
from ivr.console.services import services
from survey import disclosure
from survey.disclosure import Person
from survey.errors import BadInput, CannotUnseal, NotAllowed
from survey.phone import mask
from survey.store.queries import console, console_calls
from survey.store.queries.console_calls import CallDetail, SealedIncident
from survey.store.queries.console_cases import Paged

calls = Blueprint("calls", __name__)
MAY_LOOK = (*DESK, INSPECTION)
UNMASKED_SECONDS = 30


@dataclass(frozen=True)
class CallsPage:
    """One page of a campaign's respondents; `dispositions` counts them by outcome for the filter."""

    campaign: str
    campaign_name: str
    dispositions: list[tuple[str, int]]
    chosen: str | None
    paged: Paged


@dataclass(frozen=True)
class CallPage:
    """One respondent. `person` is in clear only right after a reasoned request, else masked."""

    detail: CallDetail
    person: Person
    is_unmasked: bool
    arrival_minutes: int | None
    due: DueDate | None
    problem: str = ""
    booking: Problem = NO_PROBLEM


@dataclass(frozen=True)
class ListenPage:
    """A recording that may be heard once."""

    recording: str
    permit: int
    call: str


@calls.get("/campaigns/<public_id:public_id>/calls")
@role(*MAY_LOOK)
def index(public_id: str) -> str:
    """The respondents of a campaign; outcome and page stand in the address."""
    with services().reads() as session:
        campaign = console.campaign(session, public_id)
        known = console_calls.dispositions_of(session, public_id)
        chosen = request.args.get("outcome")
        chosen = chosen if chosen in dict(known) else None
        paged = console_calls.respondents(session, public_id, chosen, request.args.get("page", 1, int), sees_inspection())
    return render("calls/index.html", CallsPage(public_id, campaign.summary.name, known, chosen, paged))


@calls.get("/calls/<public_id:public_id>")
@role(*MAY_LOOK)
def show(public_id: str) -> str:
    """One respondent, personal data masked."""
    return render("calls/show.html", page_of(public_id))


@calls.post("/calls/<public_id:public_id>/unmask")
@role(*MAY_LOOK)
def unmask(public_id: str) -> tuple[str, int] | Response:
    """Show the personal data once, against a reason; the page masks them again by itself after half a minute."""
    house = services()
    page = page_of(public_id)  # also refuses what the visitor may not know of
    try:
        with house.sessions.begin() as session:
            person = disclosure.unmask(
                session, house.office.keys, house.office.audit_key, public_id, actor(), request.form.get("reason", ""), house.clock.now()
            )
    except BadInput:
        return render("calls/show.html", page_of(public_id, problem=reason_wanted())), 422
    shown = render("calls/show.html", CallPage(page.detail, person, True, page.arrival_minutes, page.due))
    return Response(
        shown, mimetype="text/html", headers={"Refresh": f"{UNMASKED_SECONDS}; url={url_for('calls.show', public_id=public_id)}"}
    )


@calls.post("/recordings/<public_id:public_id>/permits")
@role(*MAY_LOOK)
def permit(public_id: str) -> Response | tuple[str, int]:
    """Allow to hear a recording once, against a reason."""
    house = services()
    with house.reads() as reading:
        call = console_calls.recording_owner(reading, public_id, sees_inspection())
    try:
        with house.sessions.begin() as session:
            number = disclosure.permit_listening(
                session, house.office.audit_key, public_id, actor(), request.form.get("reason", ""), house.clock.now()
            )
    except BadInput:
        return render("calls/show.html", page_of(call, problem=reason_wanted())), 422
    except NotAllowed:
        flash(_("录音尚未取回，暂不能收听。"), "danger")
        return redirect(url_for("calls.show", public_id=call), 303)
    return redirect(url_for("calls.listen", public_id=public_id, number=number), 303)


@calls.get("/recordings/<public_id:public_id>/permits/<int:number>")
@role(*MAY_LOOK)
def listen(public_id: str, number: int) -> str:
    """The page that plays the recording."""
    with services().reads() as session:
        call = console_calls.recording_owner(session, public_id, sees_inspection())
    return render("calls/listen.html", ListenPage(public_id, number, call))


@calls.get("/recordings/<public_id:public_id>/permits/<int:number>/sound")
@role(*MAY_LOOK)
def sound(public_id: str, number: int) -> Response:
    """The sound itself, once per permit; the permit is used up in the audit trail before a byte is sent."""
    house = services()
    with house.reads() as reading:
        console_calls.recording_owner(reading, public_id, sees_inspection())
    try:
        with house.sessions.begin() as session:
            sealed = disclosure.redeem_permit(session, house.office.audit_key, public_id, number, actor(), house.clock.now())
        data = house.office.keys.open_bytes((house.data / sealed.path).read_bytes(), sealed.place)
    except NotAllowed:
        abort(403)
    except (CannotUnseal, FileNotFoundError):
        abort(404)
    return send_file(BytesIO(data), mimetype="audio/wav", conditional=False)


def page_of(public_id: str, problem: str = "", booking: Problem = NO_PROBLEM, *, in_hand: bool = False) -> CallPage:
    """The respondent's page, personal data masked; with what was wrong with a reason, or with a time for a call-back.

    `in_hand`: the visitor has the call, so that they see it also where its case has gone to inspection meanwhile (R35).
    """
    house = services()
    with house.reads() as session:
        detail = console_calls.call_detail(session, public_id, in_hand or sees_inspection())
    incident, case = detail.incident, detail.case
    due = due_date(case, house.clock.now(), house.office.bureau.tzinfo) if case else None
    return CallPage(detail, _masked(incident), False, _minutes(incident), due, problem, booking)


def _masked(incident: SealedIncident) -> Person:
    """What is shown without a reason: the last digits of the number, the first letter of the names, no place."""
    keys = services().office.keys
    phone = disclosure.open_field(keys, incident.phone, "phone", incident.public_id)
    reporter = disclosure.open_field(keys, incident.reporter, "reporter", incident.public_id)
    officer = disclosure.open_field(keys, incident.officer, "officer", incident.public_id)
    return Person(
        mask(phone) if phone and phone != disclosure.UNREADABLE else phone,
        _initial(reporter),
        _initial(officer),
        "****" if incident.place else None,
    )


def _initial(name: str | None) -> str | None:
    return f"{name[0]}**" if name and name != disclosure.UNREADABLE else name


def _minutes(incident: SealedIncident) -> int | None:
    """Whole minutes from the report to the arrival."""
    if incident.arrived_at is None:
        return None
    return round((incident.arrived_at - incident.occurred_at).total_seconds() / 60)


def reason_wanted() -> str:
    """What is said where a reason says nothing or too much."""
    return _("请写明事由（%(least)s 至 %(most)s 个字）后重试。", least=disclosure.SHORTEST_REASON, most=disclosure.LONGEST_REASON)
