"""Orders on the console's pages: cases made ripe, orders issued by the program, forms filled in as a person would."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from ivr.console.services import ConsoleServices
from survey import casework
from survey.store.models import AuditEntry, Campaign, Escalation, Order, Unit, User
from tests.conftest import StandingClock
from tests.ivr.console.builders import (
    NOON,
    a_campaign,
    a_draw,
    a_respondent,
    a_script,
    an_answer,
    an_attempt,
    an_escalation,
    an_incident,
)

FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.S)
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
ACTION = re.compile(r'action="([^"]+)"')
SCORES = {
    "speed": "dissatisfied",
    "attitude": "very_dissatisfied",
    "outcome": "satisfied",
    "equipment": "satisfied",
    "appearance": "neutral",
}
NAME = "赵小满"
RIGHT_UNIT = 4711
"""Another unit than that of the orders."""
PDF = b"%PDF-1.4 visit"
WORDS = {
    "sign": {}, "take_in_hand": {}, "begin_recall": {}, "appeal": {"ground": "untrue", "argument": "录像显示三分钟到场"},
    "answer": {"finding": "substantiated", "cause": "officer", "measure": "批评教育", "visited_on": "2026-11-23", "people": "钱所长"},
    "ask_extension": {"days": "2", "reason": "需外地核实"}, "decide_extension": {"decision": "refused", "reason": "期限足够"},
    "decide_appeal": {"decision": "rejected", "reason": "录像不支持"}, "return": {"reason": "措施不具体"},
    "reassign": {"unit": str(RIGHT_UNIT), "reason": "在其辖区"},
    "supervise": {"reason": "一再拖延"}, "close": {"outcome": "unverified", "reason": "当事人出国"}, "void": {"reason": "误发"},
    "note_recall": {"result": "dissatisfied"}, "attach": {},
}  # fmt: skip
"""Each action's form, filled in well."""
ADDRESS = {"take_in_hand": "take-in-hand", "ask_extension": "ask-extension", "decide_extension": "decide-extension",
           "decide_appeal": "decide-appeal", "begin_recall": "begin-recall", "note_recall": "note-recall",
           "attach": "attachments"}  # fmt: skip
ACTIONS = {ADDRESS.get(action, action): action for action in WORDS}
"""What the end of a form's address means."""


@dataclass
class OrderDesk:
    """What a test of order pages touches."""

    services: ConsoleServices
    clock: StandingClock
    made: int = 0

    def __post_init__(self) -> None:
        with self.services.sessions.begin() as session:
            session.merge(Unit(id=RIGHT_UNIT, code="right", name="城北派出所"))

    def cases(
        self, count: int = 1, *, unit: str = "south", consent: str = "yes", reasons: Sequence[str] = ("dissatisfied",),
        settled: bool = True, incident: int | None = None,
    ) -> list[str]:  # fmt: skip
        """So many people of the unit rated speed and attitude badly; the public ids of their cases."""
        with self.services.sessions.begin() as session:
            row = session.scalars(select(Unit).where(Unit.code == unit)).one() if unit else None
            campaign = session.scalars(select(Campaign)).first() or a_campaign(session, a_draw(session, [row]), a_script(session))  # type: ignore[list-item]
            found = []
            for _ in range(count):
                self.made += 1
                number = 5000 + self.made
                known = an_incident(session, self.services.office.keys, row, number, reporter=NAME)
                respondent = a_respondent(session, campaign, known, number, state="closed", disposition="complete", closed_at=NOON)
                attempt = an_attempt(session, respondent, **({} if settled else {"settled_at": None}))
                for item, code in SCORES.items():
                    an_answer(session, attempt, item, code)
                route = "inspection" if "abuse_alleged" in reasons else "centre"
                case = an_escalation(session, attempt, reasons=list(reasons), consent=consent, route=route)
                found.append(case.public_id)
            return found

    def issued(self, count: int = 1, **made: object) -> list[str]:
        """The public ids of the orders of so many fresh cases, issued by the program."""
        cases = self.cases(count, **made)  # type: ignore[arg-type]
        with self.services.unit_of_work() as work:
            office = self.services.office
            casework.issue_due(work.session, office, office.terms, self.clock.now())
        with self.services.sessions() as session:
            mine = select(Order.public_id).join(Escalation, Order.escalation_id == Escalation.id).where(Escalation.public_id.in_(cases))
            return list(session.scalars(mine.order_by(Order.serial)))

    def order(self, order_id: str) -> Order:
        with self.services.sessions() as session:
            order = session.scalars(select(Order).where(Order.public_id == order_id)).one()
            assert order.escalation is not None
            return order

    def case(self, case_id: str) -> Escalation:
        with self.services.sessions() as session:
            return session.scalars(select(Escalation).where(Escalation.public_id == case_id)).one()

    def make_head(self, name: str = "unit") -> None:
        """The account is that of the head of its unit."""
        with self.services.sessions.begin() as session:
            session.scalars(select(User).where(User.name == name)).one().is_head = True

    def trail(self, action: str) -> list[AuditEntry]:
        with self.services.sessions() as session:
            return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.n)))


def forms(html: str) -> dict[str, dict[str, str]]:
    """The forms of a page: address → hidden fields."""
    found = {}
    for head, body in FORM.findall(html):
        address = ACTION.search(head)
        assert address
        found[address[1]] = dict(HIDDEN.findall(body))
    return found


def offered(html: str, order_id: str) -> set[str]:
    """The actions that an order's page offers."""
    ends = {address.removeprefix(f"/orders/{order_id}/") for address in forms(html)}
    return {ACTIONS[end] for end in ends if end in ACTIONS}


def press(client: FlaskClient, page: str, address: str, files: Sequence[tuple[bytes, str]] = (), **words: str) -> TestResponse:
    """Open the page, fill in the form with that address, and send it."""
    hidden = forms(client.get(page).text)
    assert address in hidden, f"{page} does not offer {address}: {sorted(hidden)}"
    return send(client, address, hidden[address], files, **words)


def send(client: FlaskClient, address: str, hidden: dict[str, str], files: Sequence[tuple[bytes, str]] = (), **words: str) -> TestResponse:
    """Send a form."""
    data: MultiDict[str, object] = MultiDict({**hidden, **words})
    for content, name in files:
        data.add("file", (BytesIO(content), name))
    return client.post(address, data=data, content_type="multipart/form-data" if files else None)


def take(client: FlaskClient, order_id: str, action: str, files: Sequence[tuple[bytes, str]] = (), **words: str) -> TestResponse:
    """Take an action on an order's page, its form filled in well but for the words given."""
    typed = WORDS[action] | words
    if action == "attach" and not files:
        files = [(PDF, "现场.pdf")]
    return press(client, f"/orders/{order_id}", f"/orders/{order_id}/{ADDRESS.get(action, action)}", files, **typed)
