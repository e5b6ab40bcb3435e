"""Orders whose person is called again: who is called, when, by which script, and what is noted (R51)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import casework, fieldwork, reporting, scripting
from survey.casework import tickets
from survey.contact_rules import Rules
from survey.errors import BadInput, NotAllowed, NotFound
from survey.events import Answered, Digits, Heard
from survey.fieldwork.escalations import note_consent
from survey.order_clock import Terms
from survey.store.models import Alarm, CallAttempt, Campaign, Draw, Escalation, Order, Respondent, ScriptVersion, Suppression
from survey.store.queries.console_cases import visible_respondents
from survey.store.queries.incidents import dialled_keys
from survey.store.queries.ledger import ledger
from tests.survey.casework.conftest import CENTRE, INSPECTOR, VISITED, Bureau, bureau, ground
from tests.survey.scripts import FOLLOWUPS, text_of

__all__ = ["bureau", "ground"]
SATISFIED, DISSATISFIED, ALLEGING = "1111", "122111", "122121"
NEXT_MORNING = datetime(2026, 3, 11, 1, tzinfo=UTC)
MORNING = datetime(2026, 3, 12, 1, 30, tzinfo=UTC)


def tick(bureau: Bureau) -> casework.Recalled:
    with bureau.ground.work() as work:
        return casework.recall_due(work.session, bureau.ground.office, bureau.terms, bureau.now)


def begun(bureau: Bureau, people: int = 1) -> list[str]:
    """Orders that were answered two days ago, and whose people are waiting for the second call; the clock stands at an opening."""
    orders = bureau.issued(people)
    for order_id in orders:
        bureau.answered(order_id)
    bureau.ground.clock.moment = MORNING
    assert tick(bureau).begun == tuple(orders)
    return orders


def called(bureau: Bureau, keys: str) -> None:
    """The next person due picks up, presses these keys, and the call is settled."""
    _, token = bureau.ground.dial_next()
    bureau.ground.talk(token, keys)
    bureau.ground.end(token)


def followups(bureau: Bureau) -> Sequence[Respondent]:
    with bureau.ground.sessions() as session:
        people = session.scalars(select(Respondent).join(Campaign).where(Campaign.kind == "followup").order_by(Respondent.id)).all()
        assert all(person.campaign.name and person.incident.number for person in people)
        return people


def campaigns(bureau: Bureau, kind: str = "followup") -> Sequence[Campaign]:
    with bureau.ground.sessions() as session:
        return session.scalars(select(Campaign).where(Campaign.kind == kind).order_by(Campaign.id)).all()


def change(bureau: Bureau, move: str, campaign_id: int) -> None:
    with bureau.ground.work() as work:
        found = work.session.get_one(Campaign, campaign_id)
        getattr(fieldwork, move)(work.session, bureau.ground.office, found, "admin", bureau.now, "审计要求")


# ── who is called, when, by what ─────────────────────────────────────────────────────────────────────


def test_an_answered_order_brings_its_person_into_a_campaign_that_takes_everything_from_the_survey(bureau: Bureau) -> None:
    [order_id] = begun(bureau)
    [survey], [again], [person] = campaigns(bureau, "survey"), campaigns(bureau), followups(bureau)

    assert bureau.order(order_id).state == "recalling"
    assert again.name == "三月回访·回访复核"
    same = ("month", "draw_id", "lines", "calls_per_second", "caller_id", "rules", "simulated", "spend_limit", "minute_price")
    assert [getattr(again, name) for name in same] == [getattr(survey, name) for name in same]
    assert (again.state, person.state, person.tries) == ("running", "waiting", 0)
    assert tick(bureau) == casework.Recalled()


def test_the_shipped_script_is_published_once_for_all(bureau: Bureau) -> None:
    begun(bureau, 2)

    with bureau.ground.sessions() as session:
        scripts = session.scalars(select(ScriptVersion).where(ScriptVersion.kind == "followup")).all()
    assert [(script.name, script.number, script.published_by) for script in scripts] == [("回访复核", 1, "system")]
    assert len(campaigns(bureau)) == 1


def test_a_script_of_the_bureaus_own_goes_before_the_shipped_one(bureau: Bureau) -> None:
    text = text_of(FOLLOWUPS[0]).replace("name: 回访复核", "name: 本局复核话术")
    with bureau.ground.work() as work:
        scripting.publish(work.session, text, "李警官", "自拟", bureau.now, bureau.ground.office.audit_key)
    begun(bureau)

    with bureau.ground.sessions() as session:
        assert session.get_one(Campaign, campaigns(bureau)[0].id).script_version.name == "本局复核话术"


def test_without_any_script_of_the_language_the_order_waits_for_a_person(bureau: Bureau) -> None:
    bureau.ground.office = replace(bureau.ground.office, followups={})
    [order_id] = bureau.issued()
    bureau.answered(order_id)

    assert tick(bureau) == casework.Recalled()
    assert bureau.order(order_id).state == "answered"


def test_an_answer_at_night_is_followed_by_a_call_in_the_morning(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.ground.clock.moment = datetime(2026, 3, 10, 13, tzinfo=UTC)  # nine in the evening
    bureau.answered(order_id)
    tick(bureau)

    assert [person.due_at for person in followups(bureau)] == [NEXT_MORNING]
    assert bureau.ground.claim() == []


def test_a_survey_call_and_a_second_call_do_not_come_on_one_day(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    with bureau.ground.work() as work:
        for attempt in work.session.scalars(select(CallAttempt)):
            attempt.requested_at = bureau.now
    bureau.ground.clock.advance(hours=5)
    bureau.answered(order_id)
    tick(bureau)

    assert bureau.ground.claim() == []
    assert [person.due_at for person in followups(bureau)] == [NEXT_MORNING]
    bureau.ground.clock.moment = NEXT_MORNING
    assert len(bureau.ground.claim()) == 1


def test_nor_does_the_survey_call_somebody_who_was_called_again_that_day(bureau: Bureau) -> None:
    bureau.ground.office = replace(bureau.ground.office, quarantine_days=0)
    begun(bureau)
    called(bureau, SATISFIED)
    later, first = bureau.ground.launch(1), followups(bureau)[0].incident
    with bureau.ground.work() as work:
        same = work.session.scalars(select(Respondent).where(Respondent.campaign_id == later)).one()
        for name in ("phone_key", "phone_sealed", "public_id"):
            setattr(same.incident, name, getattr(first, name))
        same.phone_key = first.phone_key
    bureau.ground.clock.advance(hours=5)

    assert bureau.ground.claim() == []
    bureau.ground.clock.moment = MORNING + timedelta(days=1)
    assert len(bureau.ground.claim()) == 1


def test_the_quarantine_keeps_off_no_second_call_and_a_second_call_prolongs_no_quarantine(bureau: Bureau) -> None:
    begun(bureau)
    with bureau.ground.work() as work:
        for attempt in work.session.scalars(select(CallAttempt)):
            attempt.requested_at = bureau.now - timedelta(days=2)
    called(bureau, SATISFIED)

    key = followups(bureau)[0].phone_key
    with bureau.ground.sessions() as session:
        assert dialled_keys(session, bureau.now - timedelta(days=1), bureau.now) == frozenset()
        assert dialled_keys(session, bureau.now - timedelta(days=3), bureau.now) == {key}


def test_who_calls_back_while_the_second_call_is_due_is_asked_by_its_script(bureau: Bureau) -> None:
    [order_id] = begun(bureau)
    ground, key = bureau.ground, followups(bureau)[0].phone_key
    assert key is not None
    with ground.work() as work:
        caller = fieldwork.recognise(work.session, ground.office, key, "CAback", bureau.now)
        token = fieldwork.take_up(work, ground.office, key, "CAback", bureau.now)
    assert (caller.standing, token is not None) == ("waited_for", True)
    ground.talk(token or "", SATISFIED)
    ground.end(token or "")
    tick(bureau)

    assert bureau.order(order_id).outcome == "satisfied"
    with ground.work() as work:
        assert fieldwork.recognise(work.session, ground.office, key, "CAagain", bureau.now).standing == "known"


# ── what is noted ────────────────────────────────────────────────────────────────────────────────────


def test_what_the_person_says_is_noted_once(bureau: Bureau) -> None:
    [order_id] = begun(bureau)
    called(bureau, SATISFIED)

    assert tick(bureau).noted == (order_id,)
    assert tick(bureau) == casework.Recalled()
    order = bureau.order(order_id)
    assert (order.state, order.outcome) == ("closed", "satisfied")
    with bureau.ground.sessions() as session:
        [recall] = casework.recalls_of(session, order)
    assert (recall.result, recall.noted_at, recall.close_reason) == ("satisfied", bureau.now, "finished")
    assert [(call.number, call.direction, call.disposition) for call in recall.calls] == [(1, "out", "complete")]


def test_two_people_of_one_campaign_are_told_apart(bureau: Bureau) -> None:
    first, second = begun(bureau, 2)
    tokens = [bureau.ground.attempt(attempt_id).token for attempt_id in bureau.ground.claim() if bureau.ground.place_call(attempt_id)]
    for token, keys in zip(tokens, (SATISFIED, DISSATISFIED), strict=True):
        bureau.ground.talk(token, keys)
    for token in tokens:
        bureau.ground.end(token)
    tick(bureau)

    assert {bureau.order(first).state, bureau.order(second).state} == {"closed", "returned"}


def test_the_campaign_rests_when_nobody_is_left_and_goes_on_with_the_next_answer(bureau: Bureau) -> None:
    first, second = bureau.issued(2)
    bureau.answered(first)
    bureau.ground.clock.moment = MORNING
    tick(bureau)
    called(bureau, SATISFIED)
    tick(bureau)
    assert [campaign.state for campaign in campaigns(bureau)] == ["finished"]

    bureau.answered(second)
    tick(bureau)
    assert [(campaign.state, campaign.finished_at) for campaign in campaigns(bureau)] == [("running", None)]


def test_an_order_that_the_desk_returns_meanwhile_is_not_asked_about(bureau: Bureau) -> None:
    [order_id] = begun(bureau)
    bureau.do("return_", order_id, CENTRE, "材料不全", bureau.terms)
    tick(bureau)
    assert [(person.state, person.close_reason) for person in followups(bureau)] == [("closed", "order_went_on")]
    assert [campaign.state for campaign in campaigns(bureau)] == ["finished"], "nobody is left in that round"

    bureau.answered(order_id)
    tick(bureau)
    with bureau.ground.sessions() as session:
        rounds = casework.recalls_of(session, bureau.order(order_id))
    assert [(recall.round, recall.result, recall.noted_at is None) for recall in rounds] == [(1, "", False), (2, "", True)]
    assert [campaign.name for campaign in campaigns(bureau)] == ["三月回访·回访复核", "三月回访·第2次回访复核"]


def test_who_is_on_the_line_meanwhile_may_finish_and_changes_nothing(bureau: Bureau) -> None:
    [order_id] = begun(bureau)
    _, token = bureau.ground.dial_next()
    bureau.ground.turn(token, 0, Answered())
    bureau.do("return_", order_id, CENTRE, "材料不全", bureau.terms)
    tick(bureau)
    for step, key in enumerate(SATISFIED, 1):
        bureau.ground.turn(token, step, Digits(key))
    bureau.ground.end(token)
    tick(bureau)

    assert bureau.order(order_id).state == "returned"
    assert [person.disposition for person in followups(bureau)] == ["complete"]


def test_a_refused_number_closes_the_order_without_a_call(bureau: Bureau) -> None:
    [order_id] = begun(bureau)
    with bureau.ground.work() as work:
        work.session.add(Suppression(phone_key=followups(bureau)[0].phone_key, reason="letter:desk", at=bureau.now))
    assert bureau.ground.claim() == []
    tick(bureau)

    assert bureau.order(order_id).outcome == "no_recall_wanted"


def test_a_round_that_a_person_has_stopped_leaves_its_orders_to_people(bureau: Bureau) -> None:
    first, second = bureau.issued(2)
    bureau.answered(first)
    bureau.ground.clock.moment = MORNING
    tick(bureau)
    change(bureau, "stop", campaigns(bureau)[0].id)
    bureau.answered(second)

    assert tick(bureau) == casework.Recalled()
    assert [bureau.order(order_id).state for order_id in (first, second)] == ["recalling", "answered"]


def test_a_paused_round_takes_people_in_and_calls_nobody(bureau: Bureau) -> None:
    first, second = bureau.issued(2)
    bureau.answered(first)
    bureau.ground.clock.moment = MORNING
    tick(bureau)
    change(bureau, "pause", campaigns(bureau)[0].id)
    bureau.answered(second)

    assert tick(bureau).begun == (second,)
    assert bureau.ground.claim() == []


def test_a_result_that_needs_next_years_calendar_waits_for_it_with_an_alarm(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    [order_id] = begun(bureau)
    called(bureau, DISSATISFIED)
    known, bureau.terms = bureau.terms, Terms(own_calendar=replace(bureau.terms.calendar, years=frozenset({2019})))
    tick(bureau)
    with bureau.ground.sessions() as session:
        assert [alarm.subject for alarm in session.scalars(select(Alarm).where(Alarm.cleared_at.is_(None)))] == ["recalls"]
    assert bureau.order(order_id).state == "recalling"

    bureau.terms = known
    assert tick(bureau).noted == (order_id,)
    with bureau.ground.sessions() as session:
        assert session.scalars(select(Alarm).where(Alarm.cleared_at.is_(None))).all() == []


def test_consent_that_is_taken_back_in_the_second_call_holds_for_the_order(bureau: Bureau) -> None:
    [order_id] = begun(bureau)
    [person] = followups(bureau)
    assert bureau.view(order_id, CENTRE).may_be_contacted
    with bureau.ground.work() as work:
        note_consent(work.session, person.id, "no")

    assert not bureau.view(order_id, CENTRE).may_be_contacted


# ── danger and abuse ─────────────────────────────────────────────────────────────────────────────────


def test_danger_that_is_heard_stops_the_call_and_leaves_the_order_to_a_person(bureau: Bureau) -> None:
    [order_id] = begun(bureau)
    _, token = bureau.ground.dial_next()
    bureau.ground.turn(token, 0, Answered())
    bureau.ground.turn(token, 1, Digits("1"))
    assert bureau.ground.turn(token, 2, Heard("danger", 0.9, "救命")).startswith("notice.danger")
    bureau.ground.end(token)
    tick(bureau)

    assert [(person.disposition, person.close_reason) for person in followups(bureau)] == [("circumstances", "handed_over")]
    assert bureau.order(order_id).state == "recalling"
    with bureau.ground.sessions() as session:
        assert [case.reasons for case in session.scalars(select(Escalation).order_by(Escalation.id))] == [["dissatisfied"], ["danger"]]
    assert bureau.sweep().issued == ()


def test_an_allegation_takes_the_open_order_from_its_unit(bureau: Bureau) -> None:
    [order_id] = begun(bureau)
    unit = bureau.unit(order_id)
    called(bureau, ALLEGING)
    tick(bureau)

    with bureau.ground.sessions() as session:
        cases = session.scalars(select(Escalation).order_by(Escalation.id)).all()
        assert [(case.reasons, case.route) for case in cases] == [
            (["dissatisfied", "abuse_alleged"], "inspection"), (["abuse_alleged"], "inspection"),
        ]  # fmt: skip
        with pytest.raises(NotFound):
            casework.found(session, order_id, unit)
        assert visible(session, inspection=False) == set()
        assert len(visible(session, inspection=True)) == 2
    assert bureau.sweep() == casework.Issued(rerouted=(order_id,))
    tick(bureau)
    assert bureau.sweep() == casework.Issued()
    assert (bureau.order(order_id).route, bureau.order(order_id).state) == ("inspection", "issued")


@pytest.mark.parametrize(("reason", "route"), [("human_requested", "inspection"), ("danger", "centre")])
@pytest.mark.parametrize("way", ["found", "merged"])
def test_what_was_open_of_a_second_call_goes_to_inspection_with_the_order(bureau: Bureau, way: str, reason: str, route: str) -> None:
    begun(bureau)
    office, [person] = bureau.ground.office, followups(bureau)
    called(bureau, DISSATISFIED)
    with bureau.ground.work() as work:
        attempt = work.session.scalars(select(CallAttempt).where(CallAttempt.respondent_id == person.id)).one()
        case_id = fieldwork.escalate(work.session, office, attempt, reason, bureau.now).id
        assert work.session.get_one(Escalation, case_id).route == "centre"
    with bureau.ground.work() as work:
        case = work.session.scalars(select(Order)).one().escalation
        if way == "found":
            fieldwork.escalate(work.session, office, case.attempt, "abuse_alleged", bureau.now)
        else:
            case.route = "inspection"
            casework.issue_due(work.session, office, bureau.terms, bureau.now)

    with bureau.ground.sessions() as session:
        assert session.get_one(Escalation, case_id).route == route


def test_with_the_order_that_inspection_took_over_the_allegation_of_the_second_call_leaves_the_queue(bureau: Bureau) -> None:
    [order_id] = begun(bureau)
    called(bureau, ALLEGING)
    tick(bureau)
    bureau.sweep()
    for step in ("sign", "take_in_hand"):
        bureau.do(step, order_id, INSPECTOR)
    assert waiting(bureau) == [["dissatisfied", "abuse_alleged"], ["abuse_alleged"]]
    bureau.do("answer", order_id, INSPECTOR, VISITED, bureau.terms)
    bureau.do("close", order_id, INSPECTOR, "unverified", "已查清")

    assert waiting(bureau) == []
    assert bureau.sweep() == casework.Issued()


def test_an_allegation_with_a_promised_call_is_closed_by_hand_once_its_order_is(bureau: Bureau) -> None:
    [order_id] = begun(bureau)
    called(bureau, ALLEGING)
    tick(bureau)
    bureau.sweep()
    with bureau.ground.work() as work:
        case = work.session.scalars(select(Escalation).order_by(Escalation.id.desc()).limit(1)).one()
        case.reasons, ticket_id = [*case.reasons, "human_requested"], case.public_id

    def close() -> None:
        with bureau.ground.work() as work:
            tickets.close_ticket(work.session, bureau.ground.office, ticket_id, INSPECTOR, "已回电", bureau.now)

    with pytest.raises(NotAllowed, match="closed with its order"):
        close()
    bureau.do("void", order_id, INSPECTOR, "另案处理")
    assert waiting(bureau) == [["abuse_alleged", "human_requested"]]
    close()
    assert waiting(bureau) == []


def waiting(bureau: Bureau) -> list[list[str]]:
    with bureau.ground.sessions() as session:
        return list(session.scalars(select(Escalation.reasons).where(Escalation.state == "open").order_by(Escalation.id)))


def visible(session: Session, *, inspection: bool) -> set[int]:
    return set(session.scalars(select(Respondent.id).where(*visible_respondents(inspection))))


def test_an_allegation_that_is_found_after_the_order_was_closed_becomes_an_order_to_inspection(bureau: Bureau) -> None:
    [order_id] = begun(bureau)
    called(bureau, SATISFIED)
    tick(bureau)
    with bureau.ground.work() as work:
        attempt = work.session.scalars(select(CallAttempt).order_by(CallAttempt.id.desc()).limit(1)).one()
        fieldwork.escalate(work.session, bureau.ground.office, attempt, "abuse_alleged", bureau.now)
    tick(bureau)

    [issued] = bureau.sweep().issued
    assert (bureau.order(issued).route, bureau.order(order_id).outcome) == ("inspection", "satisfied")
    assert bureau.sweep().issued == ()


def test_inspections_own_order_is_decided_by_the_call_as_any_other(bureau: Bureau) -> None:
    bureau.cases(reasons=("dissatisfied", "abuse_alleged"), route="inspection")
    [order_id] = bureau.sweep().issued
    for use_case in ("sign", "take_in_hand"):
        bureau.do(use_case, order_id, INSPECTOR)
    bureau.do("answer", order_id, INSPECTOR, VISITED, bureau.terms)
    bureau.ground.clock.moment = MORNING
    tick(bureau)
    called(bureau, ALLEGING)

    assert tick(bureau).noted == (order_id,)
    assert bureau.order(order_id).state == "returned"
    with bureau.ground.sessions() as session:
        assert visible(session, inspection=False) == set()


# ── what is counted ──────────────────────────────────────────────────────────────────────────────────


def test_the_months_sheet_does_not_know_of_second_calls(bureau: Bureau) -> None:
    def sheet() -> object:
        with bureau.ground.sessions() as session:
            made = reporting.build_sheet(session, "2026-02", bureau.ground.office.bureau, MORNING)
            return replace(made, head=replace(made.head, audit_n=0, audit_digest="", provisional=False), digest="")

    bureau.issued()
    before = sheet()
    bureau.ground.clock.moment = MORNING
    with bureau.ground.sessions() as session:
        order_id = session.scalars(select(Order.public_id)).one()
    bureau.answered(order_id)
    tick(bureau)
    called(bureau, DISSATISFIED)
    tick(bureau)

    assert sheet() == before
    with bureau.ground.sessions() as session:
        again = session.scalars(select(Campaign).where(Campaign.kind == "followup")).one()
        with pytest.raises(BadInput, match="no sheet"):
            reporting.build_campaign_sheet(session, again, bureau.ground.office.bureau, MORNING)


def test_the_ledger_shows_the_second_call_as_its_fourth_level(bureau: Bureau) -> None:
    begun(bureau)
    called(bureau, SATISFIED)
    tick(bureau)

    with bureau.ground.sessions() as session:
        incident_id = session.scalars(select(Respondent.incident_id).distinct()).one()
        lines = ledger(session, bureau.ground.office.keys, incident_id, "Asia/Shanghai")
    assert [line.level for line in lines] == ["telephone", "home_visit", "re_callback"]
    assert (lines[-1].result, lines[-1].answers["satisfied_now"]) == ("satisfied", "yes")


def test_a_survey_is_not_begun_with_a_follow_up_script(bureau: Bureau) -> None:
    ground = bureau.ground
    with ground.work() as work:
        script = scripting.publish(work.session, text_of(FOLLOWUPS[0]), "admin", "", ground.now, ground.office.audit_key)
        draw = ground._draw(work, 1, 1, same_number=False)
        with pytest.raises(NotAllowed, match="second calls"):
            fieldwork.launch(
                work.session, ground.office, draw, script, Rules(), ground.now, name="误用", lines=1, calls_per_second=1.0,
                caller_id="+8610", simulated=True, by="admin",
            )  # fmt: skip


def test_a_sample_is_worked_again_although_second_calls_about_it_go_on(bureau: Bureau) -> None:
    begun(bureau)
    change(bureau, "stop", campaigns(bureau, "survey")[0].id)
    with bureau.ground.work() as work:
        draw = work.session.scalars(select(Draw)).one()
        script = work.session.scalars(select(ScriptVersion).where(ScriptVersion.kind == "survey")).one()
        fieldwork.launch(
            work.session, bureau.ground.office, draw, script, Rules(), bureau.now, name="重新开始", lines=1, calls_per_second=1.0,
            caller_id="+8610", simulated=True, by="admin",
        )  # fmt: skip

    assert len(campaigns(bureau, "survey")) == 2
