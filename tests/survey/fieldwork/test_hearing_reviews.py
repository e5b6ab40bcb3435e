"""Reviews of utterances: only what can be said at the question, append-only, on record; the answer stays (R30)."""

import json

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.bureau import Bureau
from survey.errors import BadInput, NotFound
from survey.fieldwork import Office
from survey.fieldwork.hearing_reviews import Offered, listen_to, offered, review_hearing
from survey.phone import NumberPolicy
from survey.store.models import Answer, AuditEntry, CallAttempt, Hearing, HearingReview
from survey.store.sealing import place
from tests.ivr.console.builders import NOON, a_campaign, a_draw, a_respondent, a_script, a_unit, an_answer, an_attempt, an_incident
from tests.survey.scripts import text_of

COMMANDS = ("back", "human", "not_now", "never", "repeat", "danger")


@pytest.fixture
def office(keys, audit_key) -> Office:
    bureau = Bureau("某市公安局", "City Police Bureau", "12389", 3, "Asia/Shanghai")
    return Office(keys, audit_key, bureau, NumberPolicy(fictitious=True))


@pytest.fixture
def attempt(session: Session, keys) -> CallAttempt:
    unit = a_unit(session)
    campaign = a_campaign(session, a_draw(session, [unit]), a_script(session, text=text_of("callback-zh.yaml")))
    found = an_attempt(session, a_respondent(session, campaign, an_incident(session, keys, unit)))
    an_answer(session, found, "speed", "satisfied", mode="speech", confidence=0.9)
    return found


@pytest.fixture
def heard(session: Session, attempt: CallAttempt, office: Office):
    """An utterance in the call, its sound kept unless told otherwise."""

    def made(
        code: str | None = "satisfied", node: str = "speed", step: int = 1, outcome: str = "accepted", sound: bytes = b"\xff"
    ) -> Hearing:
        row = Hearing(
            attempt_id=attempt.id, step=step, node=node, item=node, language="zh-CN", code=code, confidence=0.9, evidence="满意",
            outcome=outcome, latency_ms=300, seconds=1.0, at=NOON,
        )  # fmt: skip
        session.add(row)
        session.flush()
        if sound:
            row.sound_sealed = office.keys.seal_bytes(sound, place("hearings", "sound_sealed", row.public_id))
        return row

    return made


def entries(session: Session) -> list[tuple[str, str, str, dict[str, object]]]:
    found = session.scalars(select(AuditEntry).order_by(AuditEntry.n))
    return [(one.actor, one.action, one.subject, json.loads(one.details)) for one in found]


def test_a_question_offers_its_choices_and_what_means_the_same_everywhere(session, office, heard):
    found = offered(session, office, heard())

    assert found.choices[0] == ("very_satisfied", "非常满意")
    assert [code for code, _ in found.choices][-1] == "unsure"
    assert found.commands == COMMANDS


@pytest.mark.parametrize(("code", "outcome"), [("satisfied", "doubted"), ("never", "accepted")])
def test_what_follows_something_asked_back_is_yes_or_no(session, office, heard, code, outcome):
    heard(code, outcome=outcome)

    assert offered(session, office, heard("yes", step=2)) == Offered((("yes", ""), ("no", "")), COMMANDS)


@pytest.mark.parametrize(("code", "outcome"), [("satisfied", "accepted"), ("satisfied", "unclear"), ("repeat", "accepted")])
def test_what_was_not_asked_back_leaves_the_question_as_it_is(session, office, heard, code, outcome):
    heard(code, outcome=outcome)

    assert len(offered(session, office, heard("neutral", step=2)).choices) == 6


@pytest.mark.parametrize("node", ["gone", "remark", "opening"])
def test_at_a_step_without_choices_only_commands_are_offered(session, office, heard, node):
    assert offered(session, office, heard(node=node)) == Offered((), COMMANDS)


def test_reviews_are_added_and_stand_in_the_trail_and_the_answer_stays(session, office, heard):
    hearing = heard()
    review_hearing(session, office, hearing, "dissatisfied", "wang", NOON)
    review_hearing(session, office, hearing, None, "li", NOON)
    session.flush()

    assert [(one.code, one.by) for one in session.scalars(select(HearingReview).order_by(HearingReview.id))] == [
        ("dissatisfied", "wang"), (None, "li"),
    ]  # fmt: skip
    told = {"understood": "satisfied", "outcome": "accepted"}
    assert entries(session) == [
        ("wang", "hearing.review", f"hearing:{hearing.public_id}", {**told, "found": "dissatisfied"}),
        ("li", "hearing.review", f"hearing:{hearing.public_id}", {**told, "found": None}),
    ]
    assert session.scalars(select(Answer)).one().code == "satisfied"


def test_what_cannot_be_said_there_is_refused_and_leaves_nothing(session, office, heard):
    with pytest.raises(BadInput) as refused:
        review_hearing(session, office, heard(), "yes", "wang", NOON)

    assert refused.value.field == "code"
    assert entries(session) == []
    assert session.scalars(select(HearingReview)).all() == []


def test_listening_hands_out_the_sound_and_stands_in_the_trail(session, office, heard):
    hearing = heard(sound=b"\x7f\xff")
    found = listen_to(session, office, hearing, "wang", NOON)

    assert office.keys.open_bytes(found.sealed, found.place) == b"\x7f\xff"
    assert entries(session) == [("wang", "hearing.play", f"hearing:{hearing.public_id}", {})]


def test_without_sound_nothing_is_heard_or_reviewed(session, office, heard):
    silent = heard(sound=b"")
    with pytest.raises(NotFound):
        listen_to(session, office, silent, "wang", NOON)
    with pytest.raises(NotFound):
        review_hearing(session, office, silent, "satisfied", "wang", NOON)

    assert entries(session) == []
