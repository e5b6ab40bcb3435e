"""The refusal list on its page: who sees what of it, how a number is registered, found and lifted (R16, R35, R63)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from survey.fieldwork.suppressions import opt_out
from survey.store.models import AuditEntry, CallAttempt, Escalation, Respondent, Suppression
from tests.ivr.console.builders import NOON
from tests.ivr.console.conftest import post
from tests.ivr.console.pages import Page

UNKNOWN = "+86 100 9999 9999"


@pytest.fixture
def refused(month, sessions, services) -> int:
    """The dissatisfied person pressed 0 in our call; the entry's number."""
    with sessions.begin() as session:
        attempt = session.scalars(select(CallAttempt).join(Respondent).where(Respondent.public_id == month.dissatisfied)).first()
        opt_out(session, services.office, attempt.phone_key, "refused in the call", NOON - timedelta(hours=1), attempt.id)
        return session.scalars(select(Suppression.id)).one()


def _entries(sessions) -> list[Suppression]:
    with sessions() as session:
        return list(session.scalars(select(Suppression).order_by(Suppression.id)))


def _deeds(sessions) -> list[tuple[str, str]]:
    with sessions() as session:
        return [(entry.actor, entry.action) for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.n))]


def _wrong(answer) -> tuple[str, str]:
    """The id of the field that is marked, and what is said at it."""
    page = Page.parse(answer.text)
    page.check()
    [wrong] = [one for one in [*page.all("input"), *page.all("select")] if one.attributes.get("aria-invalid") == "true"]
    [complaint] = [one for one in page.all("span") if one.attributes.get("id") == wrong.attributes["aria-describedby"]]
    return wrong.attributes["id"], complaint.text


def test_an_entry_shows_the_last_digits_the_source_and_the_call(log_in, open_page, month, refused):
    page = open_page(log_in("operator"), "/suppressions")

    assert "*" * 10 + month.phone[-4:] in page.text
    assert month.phone not in page.html
    assert "回访通话中按 0" in page.text
    assert f"/calls/{month.dissatisfied}" in [one.attributes.get("href") for one in page.all("a")]


@pytest.mark.parametrize("role", ["operator", "administrator"])
def test_of_a_case_that_went_to_inspection_neither_digits_nor_call_are_shown(log_in, open_page, month, sessions, refused, role):
    client = log_in(role)
    seen = open_page(client, "/suppressions")
    assert (month.phone[-4:] in seen.text, month.dissatisfied in seen.html) == (True, True)
    with sessions.begin() as session:
        session.query(Escalation).update({"route": "inspection"})

    hidden = open_page(client, "/suppressions")

    assert (month.phone[-4:] in hidden.text, month.dissatisfied in hidden.html) == (False, False)
    assert "回访通话中按 0" in hidden.text


def test_an_operator_registers_a_number_and_nobody_waits_on_it_any_more(log_in, open_page, month, sessions):
    with sessions() as session:
        waiting = session.scalars(select(Respondent).where(Respondent.state == "waiting").order_by(Respondent.id)).first()
    number = f"+86 100 {waiting.incident_id:08}"
    client = log_in("operator")

    post(client, "/suppressions", number=number, source="letter")

    page = open_page(client, "/suppressions")
    assert "已登记，即刻生效" in page.text
    assert "来信要求" in page.text
    assert ("operator", "suppression.register") in _deeds(sessions)
    with sessions() as session:
        person = session.get_one(Respondent, waiting.id)
        assert (person.state, person.close_reason, person.disposition) == ("closed", "opted_out", "refusal_before")


def test_a_number_that_no_incident_has_is_registered_without_digits(log_in, open_page, month, sessions):
    client = log_in("operator")
    post(client, "/suppressions", number=UNKNOWN, source="hotline")

    page = open_page(client, "/suppressions")

    assert "9999" not in page.html
    assert "来电要求" in page.text
    assert len(_entries(sessions)) == 1


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        ({"number": "110", "source": "hotline"}, "number", "紧急或公务短号，绝不外呼，改填报警人本人的号码"),
        ({"number": "", "source": "hotline"}, "number", "没有号码"),
        ({"number": UNKNOWN, "source": "rumour"}, "source", "来源须为"),
    ],
)
def test_what_cannot_be_registered_is_said_at_its_field_and_kept(log_in, sessions, form, field, said):
    answer = post(log_in("operator"), "/suppressions", **form)

    assert answer.status_code == 422
    assert _wrong(answer)[0] == field
    assert said in _wrong(answer)[1]
    assert form["number"] in {one.attributes.get("value") for one in Page.parse(answer.text).all("input")}
    assert _entries(sessions) == []


def test_a_number_that_stands_on_the_list_is_not_registered_twice(log_in, open_page, month, sessions, refused):
    client = log_in("operator")

    post(client, "/suppressions", number=month.phone, source="hotline")

    assert "此号码已在拒访登记中" in open_page(client, "/suppressions").text
    assert len(_entries(sessions)) == 1


def test_a_number_is_found_by_its_keyed_hash_with_its_whole_history(log_in, month, sessions, services, refused):
    client = log_in("administrator")
    post(client, f"/suppressions/{refused}/lift", reason="本人来函")
    post(client, "/suppressions", number=month.phone, source="visit")
    post(client, "/suppressions", number=UNKNOWN, source="hotline")

    answer = post(client, "/suppressions/search", number=f"0086 {month.phone[3:]}")

    page = Page.parse(answer.text)
    page.check()
    assert f"号码 {'*' * 10}{month.phone[-4:]} 的登记：" in page.text
    assert len(page.all("tr")) == 1 + 2
    assert month.phone not in answer.text
    assert "本人来函" in page.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_number_without_entry_is_said_to_have_none(log_in, month):
    assert "没有此号码的登记" in post(log_in("operator"), "/suppressions/search", number=UNKNOWN).text


def test_what_is_no_number_is_not_looked_for(log_in, refused):
    answer = post(log_in("operator", "en"), "/suppressions/search", number="nobody")

    assert answer.status_code == 422
    assert _wrong(answer) == ("search-number", "not a telephone number: write a telephone number")


def test_an_administrator_lifts_an_entry_with_a_reason_and_the_history_stays(log_in, open_page, month, sessions, refused):
    client = log_in("administrator")

    post(client, f"/suppressions/{refused}/lift", reason="本人来函，同意再访")

    assert "已解除：此号码可再次被抽中" in open_page(client, "/suppressions").text
    lifted = open_page(client, "/suppressions?tab=lifted")
    assert "本人来函，同意再访" in lifted.text
    assert "administrator" in lifted.text
    [entry] = _entries(sessions)
    assert (entry.lifted_by, entry.lift_reason) == ("administrator", "本人来函，同意再访")
    assert ("administrator", "suppression.lift") in _deeds(sessions)


@pytest.mark.parametrize(("reason", "said"), [(" ", "请写明原因"), ("{phone} 同意再访", "请勿写出号码")])
def test_without_a_usable_reason_nothing_is_lifted(log_in, month, sessions, refused, reason, said):
    answer = post(log_in("administrator"), f"/suppressions/{refused}/lift", reason=reason.format(phone=month.phone))

    assert answer.status_code == 422
    assert _wrong(answer)[0] == f"reason-{refused}"
    assert said in _wrong(answer)[1]
    assert _entries(sessions)[0].lifted_at is None


def test_what_was_lifted_by_another_is_said_to_be(log_in, open_page, refused):
    client = log_in("administrator")
    for _ in range(2):
        post(client, f"/suppressions/{refused}/lift", reason="本人来函")

    assert f"拒访登记 {refused} 已经解除" in open_page(client, "/suppressions").text


@pytest.mark.parametrize("number", ["77", "9" * 30])
def test_an_entry_that_is_not_there_is_a_page_that_is_not_there(log_in, refused, number):
    assert post(log_in("administrator"), f"/suppressions/{number}/lift", reason="本人来函").status_code == 404


def test_an_operator_is_not_offered_to_lift(log_in, open_page, refused):
    assert "/lift" not in open_page(log_in("operator"), "/suppressions").html


@pytest.mark.parametrize("role", ["commander", "auditor"])
def test_others_are_not_led_to_the_list(log_in, open_page, role):
    assert "/suppressions" not in open_page(log_in(role), "/").html


def test_a_long_list_comes_in_pages_newest_first(log_in, open_page, sessions):
    with sessions.begin() as session:
        session.add_all(Suppression(phone_key=b"%016d" % n, reason="by letter", at=NOON + timedelta(minutes=n)) for n in range(60))
    client = log_in("operator")

    first, second = open_page(client, "/suppressions"), open_page(client, "/suppressions?tab=standing&page=2")

    assert (len(first.all("tr")), len(second.all("tr"))) == (51, 11)
    assert "12:59" in first.text
    assert "by letter" in first.text
    assert "12:09" in second.text
