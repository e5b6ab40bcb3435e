"""The audit trail for those who check the house, and the check itself (R65)."""

from dataclasses import dataclass

from flask import Blueprint, request

from ivr.console.access import ADMINISTRATOR, AUDITOR, role
from ivr.console.rendering import render
from ivr.console.services import services
from survey.store.audit import Flaw, verify
from survey.store.queries import console_cases
from survey.store.queries.console_cases import Paged

audit = Blueprint("audit", __name__)
FLAWS_SHOWN = 20


@dataclass(frozen=True)
class AuditPage:
    """One page of the trail; `checked` says whether the whole chain was just walked, `flaws` what was found."""

    paged: Paged
    checked: bool = False
    flaws: tuple[Flaw, ...] = ()


@audit.get("/audit")
@role(ADMINISTRATOR, AUDITOR)
def index() -> str:
    """The trail, newest first."""
    with services().reads() as session:
        page = AuditPage(console_cases.audit_entries(session, request.args.get("page", 1, int)))
    return render("audit/index.html", page)


@audit.get("/audit/check")
@role(ADMINISTRATOR, AUDITOR)
def check() -> str:
    """Walk the whole chain and say whether it is whole."""
    house = services()
    with house.reads() as session:
        paged = console_cases.audit_entries(session, 1)
        flaws = tuple(flaw for flaw, _n in zip(verify(session, house.office.audit_key), range(FLAWS_SHOWN), strict=False))
    return render("audit/index.html", AuditPage(paged, True, flaws))
