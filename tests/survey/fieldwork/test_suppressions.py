"""The refusal list: what a refusal ends and which code it leaves, who may stand on it, and how a person lifts it (R16, R17)."""

import json

import pytest
from sqlalchemy import select

from survey import drawing, fieldwork
from survey.disposition import OUTCOME_CLASSES, Disposition, by_class
from survey.errors import BadInput, NotAllowed, NotFound
from survey.fieldwork import suppressions
from survey.store.models import AuditEntry, Campaign, DispositionChange, Draw, Respondent, Suppression
from survey.store.queries import fieldwork as queries
from tests.survey.fieldwork.conftest import Ground

THEIRS = "+8610000000000"
AS_TYPED = "+86 100 0000 0000"


def refuse(ground: Ground, reason: str = "refused by calling us") -> None:
    with ground.work() as work:
        fieldwork.opt_out(work.session, ground.office, ground.office.keys.phone_key(THEIRS), reason, ground.now)


def register(ground: Ground, typed: str = AS_TYPED, **more: str) -> int:
    with ground.work() as work:
        return suppressions.register(work.session, ground.office, typed, "王姐", ground.now, **more)


def lift(ground: Ground, number: int, reason: str = "本人来函，同意再访") -> None:
    with ground.work() as work:
        suppressions.lift(work.session, ground.office, number, "李主任", reason, ground.now)


def people(ground: Ground) -> list[Respondent]:
    with ground.sessions() as session:
        return list(session.scalars(select(Respondent).order_by(Respondent.id)))


def codes(ground: Ground) -> list[str]:
    return [person.disposition for person in people(ground)]


def changes(ground: Ground) -> list[tuple[str, str]]:
    with ground.sessions() as session:
        return [(change.old, change.new) for change in session.scalars(select(DispositionChange).order_by(DispositionChange.id))]


def trail(ground: Ground) -> list[tuple[str, str, str, dict[str, object]]]:
    with ground.sessions() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.subject.startswith("suppression:")).order_by(AuditEntry.n))
        return [(entry.actor, entry.action, entry.subject, json.loads(entry.details)) for entry in entries]


def end_as(ground: Ground, **values: object) -> None:
    """Everybody is closed as told."""
    with ground.sessions.begin() as session:
        session.query(Respondent).update({"state": "closed", "close_reason": "max_attempts", "due_at": None, **values})


@pytest.fixture
def missed(ground: Ground) -> Ground:
    """One person, whom we have called once in vain."""
    ground.launch(1)
    _, token = ground.dial_next()
    ground.end(token, "no_answer")
    return ground


def test_key_0_of_somebody_who_calls_us_back_is_a_refusal_with_its_history(missed: Ground) -> None:
    refuse(missed)

    (person,) = people(missed)
    assert (person.state, person.close_reason, person.disposition) == ("closed", "opted_out", "refusal_before")
    assert Disposition.from_word(person.disposition).aapor == "2.111"
    assert changes(missed) == [("not_attempted", "no_answer"), ("no_answer", "refusal_before")]
    with missed.sessions() as session:
        counted = {Disposition.from_word(word): count for word, count in queries.dispositions(session, person.campaign_id)}
    assert by_class(counted) == dict.fromkeys(OUTCOME_CLASSES, 0) | {"R": 1}


def test_a_refusal_that_is_said_twice_changes_nothing_the_second_time(missed: Ground) -> None:
    refuse(missed)
    refuse(missed)

    assert len(changes(missed)) == 2
    assert [action for _, action, _, _ in trail(missed)] == ["contact.opt_out"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("no_answer", "refusal_before"), ("not_confirmed", "refusal_before"), ("not_available", "refusal_before"),
        ("complete", "complete"), ("partial", "partial"), ("refusal", "refusal"), ("wrong_person", "wrong_person"),
        ("duplicate", "duplicate"), ("circumstances", "circumstances"),
    ],
)  # fmt: skip
def test_who_was_closed_without_a_final_code_has_refused_and_a_final_code_stays(missed: Ground, before: str, after: str) -> None:
    end_as(missed, disposition=before)

    refuse(missed)

    (person,) = people(missed)
    assert (person.disposition, person.close_reason) == (after, "max_attempts")


def test_an_interview_of_which_something_is_left_stays_one_and_is_not_gone_on_with(missed: Ground) -> None:
    with missed.sessions.begin() as session:
        session.query(Respondent).update({"disposition": "partial"})

    refuse(missed)

    (person,) = people(missed)
    assert (person.state, person.close_reason, person.disposition) == ("closed", "opted_out", "partial")


def test_everybody_with_the_number_has_refused_in_every_campaign_that_goes_on_and_nobody_else(ground: Ground) -> None:
    ended = ground.launch(1)
    with ground.work() as work:
        fieldwork.stop(work.session, ground.office, work.session.get_one(Campaign, ended), "tester", ground.now, "enough")
    ground.launch(2, same_number=True)
    paused = ground.launch(2)  # other numbers
    with ground.work() as work:
        fieldwork.pause(work.session, ground.office, work.session.get_one(Campaign, paused), "tester", ground.now)
        work.session.scalars(select(Respondent).where(Respondent.campaign_id == paused)).first().phone_key = key(ground)

    refuse(ground)

    assert codes(ground) == ["not_attempted", "refusal_before", "refusal_before", "refusal_before", "not_attempted"]
    assert [person.state for person in people(ground)] == ["closed"] * 4 + ["waiting"]


def key(ground: Ground) -> bytes:
    return ground.office.keys.phone_key(THEIRS)


@pytest.mark.parametrize(("pressed", "code"), [("", "refusal_before"), ("112345111", "complete")])
def test_a_refusal_while_our_call_is_under_way_gives_way_to_an_interview_alone(ground: Ground, pressed: str, code: str) -> None:
    ground.launch(1)
    _, token = ground.dial_next()
    refuse(ground)

    if pressed:
        ground.talk(token, pressed)
    ground.end(token, "completed" if pressed else "no_answer")

    (person,) = people(ground)
    assert (person.state, person.close_reason, person.disposition) == ("closed", "opted_out", code)


def test_a_call_that_was_called_off_for_a_refusal_leaves_the_refusal(ground: Ground) -> None:
    ground.launch(1)
    _, token = ground.dial_next()
    refuse(ground)

    ground.end(token, "canceled")
    assert ground.claim() == []

    (person,) = people(ground)
    assert (person.state, person.close_reason, person.disposition) == ("closed", "opted_out", "refusal_before")


def test_in_our_own_call_the_call_gives_the_code_and_whoever_shares_the_number_has_refused(ground: Ground) -> None:
    ground.launch(2, same_number=True)
    attempt_id, token = ground.dial_next()
    ground.talk(token, "10")
    ground.end(token)

    other = next(person for person in people(ground) if person.id != ground.respondent_of(attempt_id).id)
    assert ground.respondent_of(attempt_id).disposition == "refusal"
    assert changes(ground) == [("not_attempted", "refusal_before"), ("not_attempted", "refusal")]
    assert (other.state, other.close_reason, other.disposition) == ("closed", "opted_out", "refusal_before")


def test_an_entry_by_hand_holds_at_once_like_key_0_and_tells_who_wrote_it_down(missed: Ground) -> None:
    number = register(missed)

    (person,) = people(missed)
    assert (person.state, person.close_reason, person.disposition) == ("closed", "opted_out", "refusal_before")
    with missed.sessions() as session:
        entry = session.get_one(Suppression, number)
        assert fieldwork.is_suppressed(session, key(missed))
    assert suppressions.source_of(entry.reason) == ("hotline", "王姐")
    assert trail(missed) == [("王姐", "suppression.register", f"suppression:{number}", {"source": "hotline"})]


def test_a_claim_on_a_number_that_was_registered_is_not_dialled(ground: Ground) -> None:
    ground.launch(1)
    (claimed,) = ground.claim()

    register(ground)

    assert ground.prepare(claimed) is None
    assert ground.claim() == []


def test_a_number_stands_on_the_list_once(missed: Ground) -> None:
    register(missed)

    with pytest.raises(NotAllowed):
        register(missed, "0086 100 0000 0000", source="letter")


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "没有号码，补录"), ("110", "紧急或公务短号"), ("12389", "本单位自己的号码"), ("13800", "号码不存在"), ("王女士", "不是电话号码")],
)
def test_what_is_no_ones_number_is_refused_with_what_to_do_and_writes_nothing(missed: Ground, typed: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        register(missed, typed)

    assert said in str(refused.value)
    assert refused.value.field == "number"
    assert trail(missed) == []


def test_a_source_that_is_none_is_refused(missed: Ground) -> None:
    with pytest.raises(BadInput) as refused:
        register(missed, source="rumour")

    assert refused.value.field == "source"


def test_a_lifted_number_may_be_drawn_again_and_nobody_is_reopened(missed: Ground) -> None:
    number = register(missed)
    assert drawn(missed) == 0

    missed.clock.advance(days=1)
    lift(missed, number)

    missed.clock.advance(days=1)
    assert drawn(missed) == 1
    (person,) = people(missed)
    assert (person.state, person.disposition) == ("closed", "refusal_before")
    with missed.sessions() as session:
        assert not fieldwork.is_suppressed(session, key(missed))
        entry = session.get_one(Suppression, number)
        assert (entry.lifted_by, entry.lift_reason) == ("李主任", "本人来函，同意再访")
    assert trail(missed)[-1] == ("李主任", "suppression.lift", f"suppression:{number}", {"reason": "本人来函，同意再访"})


def drawn(ground: Ground) -> int:
    """How many of the month are in the frame of a draw made now; none is refused."""
    with ground.sessions() as session:
        session.query(Draw).update({"voided_at": ground.now})
        try:
            made = drawing.draw_sample(
                session, "2026-02", 1, 1, 7, ground.now, "Asia/Shanghai", quarantine_days=0, audit_key=b"key", actor="tester"
            )
        except BadInput:
            return 0
        return made.frame_count


def test_after_a_lift_the_number_may_be_registered_again_and_the_history_is_kept(missed: Ground) -> None:
    first = register(missed)
    lift(missed, first)
    second = register(missed, source="visit")

    with missed.sessions() as session:
        entries = session.scalars(select(Suppression).order_by(Suppression.id)).all()
        assert [(entry.id, entry.lifted_at is None) for entry in entries] == [(first, False), (second, True)]


@pytest.mark.parametrize("reason", ["", "  ", "来电 10000000000 同意再访", "+86 100-0000-0000", "0086 10000000000"])
def test_a_lift_needs_a_reason_without_the_number_in_it(missed: Ground, reason: str) -> None:
    number = register(missed)

    with pytest.raises(BadInput) as refused:
        lift(missed, number, reason)

    assert refused.value.field == "reason"
    with missed.sessions() as session:
        assert session.get_one(Suppression, number).lifted_at is None


def test_another_number_in_a_reason_is_no_ones_concern(missed: Ground) -> None:
    lift(missed, register(missed), "见工单 20260310000123")

    assert trail(missed)[-1][1] == "suppression.lift"


def test_what_is_not_there_or_was_lifted_cannot_be_lifted(missed: Ground) -> None:
    number = register(missed)
    lift(missed, number)

    with pytest.raises(NotAllowed):
        lift(missed, number)
    with pytest.raises(NotFound):
        lift(missed, number + 1)


def test_no_number_stands_in_clear_in_list_or_trail(missed: Ground) -> None:
    lift(missed, register(missed))
    refuse(missed)

    with missed.sessions() as session:
        entries = [str((entry.subject, entry.details)) for entry in session.scalars(select(AuditEntry))]
        rows = [str((row.reason, row.lift_reason)) for row in session.scalars(select(Suppression))]
    assert not any("0000000" in text for text in (*entries, *rows))
