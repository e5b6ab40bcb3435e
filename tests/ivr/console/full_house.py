"""A house with everything in it, for the tests that look at every page: each state of a call, order, ticket, takeover, account."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Thread

import pyotp
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from ivr.console.app import create_console_app
from ivr.console.services import ConsoleServices
from survey import accounts, casework
from survey.accounts.people import seal_telephone
from survey.alarms import AlarmKind
from survey.fieldwork import transcripts
from survey.fieldwork.alarms import raise_alarm
from survey.fieldwork.holds import open_hold, scope_of
from survey.fieldwork.reviews import ask_review
from survey.fieldwork.transcripts import Verbatim
from survey.holds import HoldReason
from survey.store import passwords as passwords_at_rest
from survey.store.models import (
    CallAttempt,
    Campaign,
    Duty,
    Escalation,
    Hearing,
    HearingReview,
    Incident,
    Notice,
    NoticeDelivery,
    Order,
    OrderAttachment,
    Recording,
    Respondent,
    ScriptVersion,
    Suppression,
    Takeover,
    Unit,
    User,
)  # fmt: skip
from survey.store.sealing import place
from tests.conftest import StandingClock
from tests.ivr.console.builders import NOON, Month, a_campaign, a_kept_sound, a_month, a_respondent, an_attempt, an_escalation
from tests.ivr.console.conftest import OWN_UNIT, one_account_per_role, post
from tests.ivr.console.order_desk import OrderDesk, press, take
from tests.ivr.console.test_account import KEY
from tests.ivr.console.test_hearings import MULAW
from tests.survey.scripts import text_of

TELEPHONE = "+8610000009001"
WRAPPED: dict[str, object] = {"ended_at": NOON, "result": "ended", "wrap_until": NOON + timedelta(seconds=120)}
TAKEOVERS: dict[str, dict[str, object]] = {
    "claimed": {"state": "claimed", "claimed_at": NOON},
    "ready": {"state": "ready", "claimed_at": NOON, "ready_at": NOON},
    "talking": {"state": "talking", "joined_at": NOON, "bridged_at": NOON},
    "held": {"state": "talking", "joined_at": NOON, "bridged_at": NOON, "held": True, "held_there": True},
    "muted": {"state": "talking", "joined_at": NOON, "bridged_at": NOON, "muted": True, "muted_there": True},
    "steering": {"state": "talking", "joined_at": NOON, "bridged_at": NOON, "muted": True},
    "danger": {"state": "talking", "reason": "danger", "joined_at": NOON, "bridged_at": NOON},
    "wrap": {"state": "wrap", **WRAPPED},
    "done": {"state": "done", **WRAPPED, "wrapped_at": NOON, "verdict": "resolved"},
}
"""The states of a call in an operator's hands."""
ORDERS: dict[str, tuple[tuple[str, str], ...]] = {
    "issued": (),
    "signed": (("unit", "sign"),),
    "in_hand": (("unit", "sign"), ("unit", "take_in_hand")),
    "with_files": (("unit", "sign"), ("unit", "take_in_hand"), ("unit", "attach")),
    "extension": (("unit", "sign"), ("unit", "take_in_hand"), ("unit", "ask_extension")),
    "appeal": (("unit", "sign"), ("unit", "take_in_hand"), ("unit", "appeal")),
    "answered": (("unit", "sign"), ("unit", "take_in_hand"), ("unit", "answer")),
    "recalling": (("unit", "sign"), ("unit", "take_in_hand"), ("unit", "answer"), ("centre", "begin_recall")),
    "returned": (("unit", "sign"), ("unit", "take_in_hand"), ("unit", "answer"), ("centre", "return")),
    "closed": (("unit", "sign"), ("unit", "take_in_hand"), ("unit", "answer"), ("centre", "close")),
    "void": (("centre", "void"),),
}
"""The states of an order, and who did what to bring it there."""


@dataclass(frozen=True)
class House:
    """A served console: `names` is what an address may name, `passwords` are those of its accounts."""

    app: Flask
    services: ConsoleServices
    clock: StandingClock
    passwords: dict[str, str]
    names: dict[str, str]
    address: str = ""


def furnished(services: ConsoleServices, clock: StandingClock) -> House:
    """Fill an empty database with everything; the console over it, not yet served."""
    services = replace(services, next_day=lambda by: NOON)
    app = create_console_app(services)
    with services.sessions.begin() as session:
        passwords = one_account_per_role(session)
        for name in ("newcomer", "half"):
            passwords[name] = accounts.add_user(session, name, "operator", f"测试{name}", NOON)
        month = a_month(session, services.office.keys, rounds=2)
        _make_busy(session, month)
    house = House(app, services, clock, passwords, {**_names_of(month)})
    _hear(house, month)
    for furnish in (_keep_accounts, _take_over, _work_on_orders, _work_on_tickets, _call_again, _send_notices):
        house.names.update(furnish(house, month))
    return house


@contextmanager
def served(house: House) -> Iterator[House]:
    """The house on a port of this machine."""
    server = make_server("127.0.0.1", 0, house.app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield replace(house, address=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()


@contextmanager
def quick_hashes() -> Iterator[None]:
    """Hash passwords cheaply while the accounts are made, as the console's own tests do."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords_at_rest, "_hasher", quick)
        patch.setattr(passwords_at_rest, "_NOBODY", quick.hash("nobody"))
        yield


def logged_in(house: House, role: str, language: str = "zh") -> FlaskClient:
    """A client in which the role has just logged in; `half` has yet to give the code of its second factor."""
    client = house.app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    answer = post(client, "/login", name=role, password=house.passwords[role])
    assert answer.status_code == 303, answer.text
    return client


def _keep_accounts(house: House, month: Month) -> dict[str, str]:
    """The newcomer must choose a password; `half` has a second factor."""
    client = logged_in(house, "half")
    shown = post(client, "/account/second-factor", password=house.passwords["half"])
    authenticator = pyotp.TOTP(KEY.search(shown.text)[1].replace(" ", ""))  # type: ignore[index]
    assert post(client, "/account/second-factor/confirm", code=authenticator.at(NOON)).status_code == 303
    permit = post(logged_in(house, "operator"), f"/recordings/{month.recording}/permits", reason="核实投诉内容")
    assert permit.status_code == 303, permit.text
    with house.services.sessions.begin() as session:
        session.execute(update(User).where(User.name == "newcomer").values(must_change=True))
        number = permit.headers["Location"].rpartition("/")[2]
        return {
            "permit": number,
            "incident": session.scalars(select(Incident.public_id).where(Incident.number == month.incident_number)).one(),
        }


# ── the month ────────────────────────────────────────────────────────────────────────────────────────


def _names_of(month: Month) -> dict[str, str]:
    return {"campaign": month.campaign, "call": month.dissatisfied, "recording": month.recording, "case": month.case,
            "number": month.incident_number}  # fmt: skip


def _make_busy(session: Session, month: Month) -> None:
    """What makes pages long: alarms, holds, a review, numbers that are not called, limits."""
    campaign = session.scalars(select(Campaign)).one()
    campaign.hourly_calls, campaign.spend_limit, campaign.minute_price = 1, 1.0, 0.4
    for respondent in session.scalars(select(Respondent).where(Respondent.state == "waiting").limit(2)):
        ask_review(session, respondent, "never_listed", NOON)
    raise_alarm(session, AlarmKind.CARRIER_REFUSED, scope_of(campaign), NOON, refusal="bad_caller_id", code="21212")
    raise_alarm(session, AlarmKind.NO_CALLBACKS, scope_of(campaign), NOON)
    open_hold(session, scope_of(campaign), HoldReason.ABANDONED, NOON, detail="4/60")
    key = session.scalars(select(Respondent)).first().phone_key  # type: ignore[union-attr]
    session.add(Suppression(phone_key=key, reason="hotline:operator", at=NOON))
    session.add(Suppression(phone_key=key, reason="visit:centre", at=NOON, lifted_at=NOON, lifted_by="operator", lift_reason="本人来函"))
    session.execute(update(ScriptVersion).values(text=text_of("callback-zh.yaml")))


def _hear(house: House, month: Month) -> None:
    """Utterances, reviewed and not, and a remark that was written down."""
    keys, office = house.services.office.keys, house.services.office
    with house.services.sessions.begin() as session:
        a_kept_sound(session, keys, house.services.data, month.recording)
        attempt = session.scalars(select(CallAttempt).join(Respondent).where(Respondent.public_id == month.dissatisfied)).one()
        for n, code in enumerate(("satisfied", "neutral", "very_dissatisfied", None)):
            row = Hearing(
                attempt_id=attempt.id, step=1, node="speed", item="speed", language="zh-CN", code=code, confidence=0.5 + n / 10,
                evidence="满意", outcome="accepted" if code else "unclear", latency_ms=400, seconds=0.5, at=NOON - timedelta(hours=n + 1),
            )  # fmt: skip
            session.add(row)
            session.flush()
            row.sound_sealed = keys.seal_bytes(MULAW, place("hearings", "sound_sealed", row.public_id))
        house.names["hearing"] = row.public_id
        session.add(HearingReview(hearing_id=row.id, code="dissatisfied", by="centre", at=NOON))
    with house.services.unit_of_work() as work:
        number = work.session.scalars(select(Recording.id).where(Recording.public_id == month.recording)).one()
        transcripts.order_transcript(work, number, {"zh"}, NOON)
        work.session.flush()
        transcripts.prepare_transcription(work, number, {"zh"}, NOON)
        spoken = ("建议", "在", "人民", "路口", "装", "红绿灯")
        heard = Verbatim(tuple((word, n, n + 0.5, 0.3 if n == 2 else 0.9) for n, word in enumerate(spoken)), "small-zh")
        transcripts.note_transcribed(work, office, number, heard, NOON)


# ── the desk ─────────────────────────────────────────────────────────────────────────────────────────


def _take_over(house: House, month: Month) -> dict[str, str]:
    """Two people wait, and the operator has one call in each state in hand; centre has one too, the administrator is away."""
    with house.services.sessions.begin() as session:
        for user in session.scalars(select(User)):
            seal_telephone(house.services.office.keys, user, TELEPHONE)
        attempts = iter(session.scalars(select(CallAttempt).where(CallAttempt.disposition == "complete").order_by(CallAttempt.id)))
        operator, centre = (session.scalars(select(User).where(User.name == name)).one() for name in ("operator", "centre"))
        session.add(Duty(user_id=centre.id, state="talking", since=NOON, note=""))
        session.add(Duty(user_id=operator.id, state="busy", since=NOON, note="missed"))
        for reason in ("dissatisfied", "danger"):
            session.add(Takeover(attempt_id=next(attempts).id, reason=reason, opened_at=NOON))
        mine = Takeover(attempt_id=next(attempts).id, reason="human_requested", opened_at=NOON, operator_id=centre.id)
        mine.state, mine.joined_at = "talking", NOON
        session.add(mine)
        return {f"takeover_{name}": _one_taken(session, next(attempts), operator, changes) for name, changes in TAKEOVERS.items()}


def _one_taken(session: Session, attempt: CallAttempt, operator: User, changes: dict[str, object]) -> str:
    row = Takeover(**{"attempt_id": attempt.id, "reason": "dissatisfied", "opened_at": NOON, "operator_id": operator.id, **changes})
    session.add(row)
    session.flush()
    return row.public_id


# ── orders, tickets, second calls, notices ───────────────────────────────────────────────────────────


def _work_on_orders(house: House, month: Month) -> dict[str, str]:
    """One order in each state, one late, one that alleges abuse, one case whose order is not issued yet."""
    desk = OrderDesk(house.services, house.clock)
    desk.make_head()
    orders = dict(zip((*ORDERS, "late", "supervised"), desk.issued(len(ORDERS) + 2), strict=True))
    clients = {role: logged_in(house, role) for role in ("unit", "centre")}
    for name, deeds in ORDERS.items():
        for role, action in deeds:
            take(clients[role], orders[name], action)
    [orders["abuse"]] = desk.issued(reasons=("dissatisfied", "abuse_alleged"))
    [orders["refusing"]] = desk.issued(consent="no")
    for role, action in (("unit", "sign"), ("unit", "take_in_hand")):
        take(clients[role], orders["refusing"], action)
    with house.services.sessions.begin() as session:
        session.execute(update(Order).where(Order.public_id == orders["late"]).values(due_at=NOON - timedelta(days=40), returns=2))
        session.execute(update(Order).where(Order.public_id == orders["supervised"]).values(state="supervised", supervised=True))
        attachment = session.scalars(select(OrderAttachment.public_id)).first()
    desk.cases(unit="")
    return {
        "attachment": str(attachment),
        "case_ripe": desk.cases()[0],
        **{f"order_{name}": public_id for name, public_id in orders.items()},
    }


def _work_on_tickets(house: House, month: Month) -> dict[str, str]:
    """A ticket nobody has, one with notes in the operator's hands and a twin to merge, one closed."""
    desk, operator = OrderDesk(house.services, house.clock, made=500), logged_in(house, "operator")
    free, mine, closed = desk.cases(3, reasons=("human_requested",))
    for case in (mine, closed):
        press(operator, f"/escalations/{case}", f"/escalations/{case}/claim")
        press(operator, f"/escalations/{case}", f"/escalations/{case}/note", text="10:20 致电，本人约下午再谈")
    press(operator, f"/escalations/{closed}", f"/escalations/{closed}/close", text="已答复，本人无异议")
    with house.services.sessions.begin() as session:
        first = session.scalars(select(Escalation).where(Escalation.public_id == mine)).one()
        survey = session.scalars(select(Campaign)).one()
        again = a_campaign(session, survey.draw, survey.script_version, name="2026年11月回访", state="paused", state_reason="线路维护")
        attempt = an_attempt(session, a_respondent(session, again, first.respondent.incident, 9000))
        twin = an_escalation(session, attempt, reasons=["human_requested"], priority=2, consent="no", due_at=NOON).public_id
        return {"ticket_free": free, "ticket_mine": mine, "ticket_closed": closed, "ticket_twin": twin, "paused": again.public_id}


def _call_again(house: House, month: Month) -> dict[str, str]:
    """A finished campaign of second calls, and one that was stopped."""
    with house.services.sessions.begin() as session:
        survey = session.scalars(select(Campaign).where(Campaign.public_id == month.campaign)).one()
        again = a_campaign(session, survey.draw, survey.script_version, kind="followup", name="2026年10月回访·回访复核", state="finished")
        stopped = a_campaign(session, survey.draw, survey.script_version, name="2026年9月回访", state="stopped", state_reason="误建")
        return {"followup": again.public_id, "stopped": stopped.public_id}


def _send_notices(house: House, month: Month) -> dict[str, str]:
    """Reminders to the unit and the centre; one could not be delivered."""
    with house.services.unit_of_work() as work:
        own = work.session.scalars(select(Unit).where(Unit.code == OWN_UNIT)).one()
        own.email = "south@police.example"
        fresh = casework.reminders(work.session, house.services.office, house.services.office.terms, NOON)
        casework.address(work.session, fresh, {"file", "mail", "webhook"}, NOON)
        work.session.flush()
        work.session.execute(update(NoticeDelivery).values(state="failed", tries=8, problem="recipient 550"))
        assert work.session.scalars(select(Notice)).first(), "nobody is reminded of anything"
    return {}
