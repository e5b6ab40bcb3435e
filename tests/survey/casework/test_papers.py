"""The document of an order for each reader: what it holds, what never comes out of it, what the trail keeps (O34, O35, R35, R63)."""

import hashlib
import json
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from survey import casework
from survey.casework.papers import order_paper, quotes_of
from survey.errors import BadInput, NotAllowed, NotFound
from survey.fieldwork.escalations import escalate
from survey.order_moves import Actor
from survey.order_replies import Reply
from survey.paper.content import Paper, ReplyText
from survey.store.models import (
    AuditEntry,
    CallAttempt,
    Escalation,
    Incident,
    Recall,
    Recording,
    RemarkCode,
    Takeover,
    Transcript,
    TranscriptCorrection,
    User,
)
from survey.store.sealing import place
from survey.struck_out import STRUCK
from tests.survey.casework.conftest import CENTRE, IMPROVED, INSPECTOR, LEADER, NAME, VISITED, Bureau

NUMBER = "+8610000000000"
TOLD = f"我是{NAME}，我的电话是 100 0000 0000，民警态度不好"


def printed(bureau: Bureau, order_id: str, reader: Actor, reason: str | None = None, language: str = "zh") -> Paper:
    with bureau.ground.work() as work:
        return order_paper(
            work.session, bureau.ground.office, order_id, reader, bureau.terms, bureau.now, kind="docx", language=language, reason=reason
        )


@pytest.mark.parametrize("is_answered", [False, True])
def test_what_another_unit_has_signed_and_replied_is_not_the_present_ones(bureau: Bureau, is_answered: bool) -> None:
    [order_id] = bureau.issued()
    first, unit = bureau.view(order_id, CENTRE).unit, bureau.unit(order_id)
    if is_answered:
        bureau.answered(order_id)
    else:
        bureau.do("sign", order_id, unit)
    second = bureau.another_unit()
    bureau.do("reassign", order_id, CENTRE, second, "辖区在城西")

    told = printed(bureau, order_id, CENTRE)
    assert (told.signed_by, told.signed_at, told.latest) == ("", "", ReplyText())
    assert [reply.by for reply in told.replies] == [f"{first} {unit.name}"] * is_answered, "history says whose it was"

    other = Actor("officer.ma", "unit", second)
    bureau.do("sign", order_id, other)
    bureau.do("take_in_hand", order_id, other)
    bureau.do("answer", order_id, other, VISITED, bureau.terms)
    told = printed(bureau, order_id, CENTRE)
    assert (told.signed_by, told.latest.by) == ("officer.ma", "officer.ma")


def trail(bureau: Bureau) -> list[tuple[str, str, dict[str, object]]]:
    with bureau.ground.sessions() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action.in_(("order.print", "order.contact"))).order_by(AuditEntry.n))
        return [(one.actor, one.action, json.loads(one.details)) for one in entries]


def say_why(bureau: Bureau, text: str = TOLD, *, corrected: str = "") -> None:
    """The person has said why, and the machine, then perhaps somebody else, has written it down."""
    keys = bureau.ground.office.keys
    with bureau.ground.work() as work:
        attempt = work.session.scalars(select(CallAttempt)).first()
        assert attempt is not None
        recording = Recording(
            respondent_id=attempt.respondent_id, attempt_id=attempt.id, item="reason", carrier_sid="RE1", state="kept",
            announced_at=bureau.now, kept_at=bureau.now, public_id=hashlib.md5(b"1").hexdigest(),
        )  # fmt: skip
        work.session.add(recording)
        work.session.flush()
        transcript = Transcript(
            public_id=hashlib.md5(b"2").hexdigest(), recording_id=recording.id, language="zh", state="done", confidence=0.83,
            text_sealed=keys.seal(text, place("transcripts", "text_sealed", hashlib.md5(b"2").hexdigest())), made_at=bureau.now,
        )  # fmt: skip
        work.session.add(transcript)
        work.session.flush()
        if corrected:
            identity = hashlib.md5(b"3").hexdigest()
            sealed = keys.seal(corrected, place("transcript_corrections", "text_sealed", identity))
            assert sealed is not None
            work.session.add(
                TranscriptCorrection(public_id=identity, transcript_id=transcript.id, text_sealed=sealed, by="centre.li", at=bureau.now)
            )


def test_the_document_says_what_was_found_and_when_it_is_due(bureau: Bureau) -> None:
    [order_id] = bureau.issued()

    found = printed(bureau, order_id, CENTRE)

    assert (found.number, found.unit, found.incident_number, found.due_on) == (
        "2026-0001",
        "城东派出所",
        "J000000",
        "2026年3月17日（周二）",
    )
    assert found.items == "出警速度、处警态度"
    assert [(one.answer, one.bad) for one in found.ratings] == [
        ("不满意", "★"), ("非常不满意", "★"), ("满意", ""), ("未答", ""), ("未答", ""),
    ]  # fmt: skip
    assert (found.call_mode, found.script, found.consent) == ("按键", "回访 v1", "同意责任单位联系")
    assert (found.own_words, found.replies, found.latest.people) == ("当事人未陈述", (), "")


def test_a_life_of_an_order_stands_on_its_document(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.answered(order_id)
    bureau.recall(order_id, "dissatisfied")
    bureau.answered(order_id, Reply("partly", "objective", explanation="已说明", visited_on=VISITED.visited_on, people="钱所长"))
    bureau.recall(order_id, "satisfied")

    found = printed(bureau, order_id, CENTRE)

    assert [(one.round, one.finding, one.cause, one.people) for one in found.replies] == [
        ("1", "属实", "民警原因", "钱所长"), ("2", "部分属实", "客观原因", "钱所长"),
    ]  # fmt: skip
    assert found.latest.explanation == "已说明"
    assert (found.returns, found.outcome, found.archive_number) == ("1", "再次回访满意", "2026-0001")
    assert found.recall == found.closed_at + " 再次回访满意"
    assert [step.what for step in found.steps][:4] == ["下发交办单", "签收", "开始办理", "回复"]


def test_what_is_decided_after_the_end_does_not_move_the_moment_of_the_end(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.do("appeal", order_id, bureau.unit(order_id), "untrue", "录像显示五分钟到场")
    bureau.answered(order_id)
    bureau.recall(order_id, "satisfied")
    before = printed(bureau, order_id, CENTRE).closed_at
    bureau.ground.clock.advance(days=3)
    bureau.do("decide_appeal", order_id, CENTRE, is_upheld=True, reason="录像属实")

    assert (printed(bureau, order_id, CENTRE).closed_at, before) == (before, "2026年3月10日 10:00")


def test_in_english_the_same_document_says_the_same(bureau: Bureau) -> None:
    [order_id] = bureau.issued()

    found = printed(bureau, order_id, CENTRE, language="en")

    assert (found.due_on, found.items, found.consent) == ("2026-03-17 (Tue)", "Speed, Attitude", "agrees to be contacted")


def test_the_own_words_are_the_machines_with_its_confidence_until_a_person_has_listened(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    say_why(bureau, "来得太慢")

    assert (printed(bureau, order_id, CENTRE).own_words, printed(bureau, order_id, CENTRE).own_words_note) == (
        "来得太慢", "机器转写，置信度 83%",
    )  # fmt: skip


def test_what_a_person_wrote_down_is_not_called_the_machines(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    say_why(bureau, "来的太满", corrected="来得太慢")

    assert (printed(bureau, order_id, CENTRE).own_words, printed(bureau, order_id, CENTRE).own_words_note) == ("来得太慢", "")


def test_words_that_a_machine_could_not_make_out_are_not_called_its_transcript(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    say_why(bureau, "")

    assert (printed(bureau, order_id, CENTRE).own_words, printed(bureau, order_id, CENTRE).own_words_note) == ("有录音，尚无文字", "")


def record(bureau: Bureau, respondent_id: int, item: str, text: str = "", *, abuse: bool = False, state: str = "kept") -> str:
    """A recording of the person, written down by the machine if there is a text; its public id."""
    keys, identity = bureau.ground.office.keys, uuid4().hex
    with bureau.ground.work() as work:
        attempt_id = work.session.scalars(select(CallAttempt.id).order_by(CallAttempt.id.desc())).first()
        recording = Recording(
            respondent_id=respondent_id, attempt_id=attempt_id, item=item, carrier_sid=identity, state=state, announced_at=bureau.now,
            public_id=identity,
        )  # fmt: skip
        work.session.add(recording)
        work.session.flush()
        work.session.add(Transcript(
            public_id=identity, recording_id=recording.id, language="zh", state="done" if text else "no_model", confidence=0.9,
            text_sealed=keys.seal(text or None, place("transcripts", "text_sealed", identity)),
        ))  # fmt: skip
        if abuse:
            work.session.add(RemarkCode(
                recording_id=recording.id, code="none", hot_spot=False, hazard=False, danger=False, abuse=True, by="rules", at=bureau.now,
            ))  # fmt: skip
    return identity


def called_again(bureau: Bureau, order_id: str) -> int:
    """The respondent that the order's person is in the second call."""
    bureau.answered(order_id)
    with bureau.ground.work() as work:
        casework.recall_due(work.session, bureau.ground.office, bureau.terms, bureau.now)
        return work.session.scalars(select(Recall.respondent_id)).one()


@pytest.mark.parametrize("state", ["kept", "announced", "needs_review"])
def test_a_recording_without_a_text_is_named_and_can_be_listened_to_once_it_is_here(bureau: Bureau, state: str) -> None:
    [order_id] = bureau.issued()
    recording = record(bureau, bureau.order(order_id).respondent_id, "reason", state=state)

    assert printed(bureau, order_id, CENTRE).own_words == "有录音，尚无文字"
    with bureau.ground.sessions() as session:
        [quote] = quotes_of(session, bureau.ground.office, order_id, CENTRE)
    assert (quote.text, quote.recording) == ("", recording if state == "kept" else "")


def test_what_was_said_in_the_second_call_stands_on_the_order_with_its_number(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    say_why(bureau, "来得太慢")
    record(bureau, called_again(bureau, order_id), "reason", "还是没人来说明")

    assert printed(bureau, order_id, CENTRE).own_words == "来得太慢\n第 1 次再次回访：还是没人来说明"
    with bureau.ground.sessions() as session:
        quotes = quotes_of(session, bureau.ground.office, order_id, bureau.unit(order_id))
    assert [(quote.text, quote.round) for quote in quotes] == [("来得太慢", 0), ("还是没人来说明", 1)]


def test_inspection_reads_the_allegation_that_the_second_call_has_brought(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    again = called_again(bureau, order_id)
    record(bureau, again, "remark", "他们打了我", abuse=True)
    record(bureau, again, "remark", "路灯坏了")
    unit = bureau.unit(order_id)
    assert printed(bureau, order_id, unit).own_words == "当事人未陈述", "the unit does not hear of it"
    with bureau.ground.work() as work:
        case = work.session.scalars(select(Escalation)).one()
        escalate(work.session, bureau.ground.office, case.attempt, "abuse_alleged", bureau.now)

    found = printed(bureau, order_id, INSPECTOR)
    assert (found.own_words, found.reasons) == ("第 1 次再次回访：他们打了我", "评价不满意、反映违法违纪")


def test_who_issued_signed_and_replied_is_called_by_name_and_the_program_by_its_own(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.answered(order_id)
    account = bureau.unit(order_id).name
    with bureau.ground.work() as work:
        work.session.add(User(name=account, display_name="周所长", role="unit", password_hash="", created_at=bureau.now))

    found = printed(bureau, order_id, bureau.unit(order_id))

    assert (found.issued_by, found.signed_by, found.latest.by, found.printed_by) == ("系统", "周所长", "周所长", "周所长")
    assert {step.by for step in found.steps} == {"系统", "周所长"}
    assert printed(bureau, order_id, CENTRE, language="en").issued_by == "the system"


def note_talk(bureau: Bureau, remark: str, verdict: str = "order") -> None:
    """An operator has talked with the person, and sorted the call out."""
    keys, identity = bureau.ground.office.keys, hashlib.md5(verdict.encode()).hexdigest()
    with bureau.ground.work() as work:
        attempt_id = work.session.scalars(select(CallAttempt.id).order_by(CallAttempt.id.desc())).first()
        sealed = keys.seal(remark, place("takeovers", "remark_sealed", identity))
        work.session.add(
            Takeover(
                public_id=identity,
                attempt_id=attempt_id,
                reason="dissatisfied",
                state="done",
                opened_at=bureau.now,
                verdict=verdict,
                remark_sealed=sealed,
            )
        )


def test_what_the_operator_noted_of_the_talk_stands_beside_the_own_words_as_theirs(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    say_why(bureau, "来得太慢")
    note_talk(bureau, "要求所里说明")

    assert printed(bureau, order_id, CENTRE).own_words == "来得太慢\n值班员记录：要求所里说明"
    assert printed(bureau, order_id, CENTRE, language="en").own_words.endswith("Noted by the operator: 要求所里说明")


def test_what_was_noted_of_a_second_call_that_sends_the_order_back_stands_on_it(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.answered(order_id)
    with bureau.ground.work() as work:
        casework.recall_due(work.session, bureau.ground.office, bureau.terms, bureau.now)
        person = work.session.scalars(select(Recall)).one().respondent
        work.session.add(CallAttempt(
            campaign_id=person.campaign_id, respondent_id=person.id, number=1, token="f" * 32, phone_key=b"", status="completed",
            script_version_id=person.campaign.script_version_id, claimed_at=bureau.now,
        ))  # fmt: skip
    note_talk(bureau, "门锁仍未修好")

    assert printed(bureau, order_id, CENTRE).own_words == "第 1 次再次回访：值班员记录：门锁仍未修好"


def test_what_an_operator_noted_of_a_talk_that_did_not_lead_to_the_order_is_not_for_the_unit(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    note_talk(bureau, "晚上八点以后再打", verdict="call_back")

    assert printed(bureau, order_id, CENTRE).own_words == "当事人未陈述"


def test_the_page_quotes_what_the_paper_does_without_name_and_number_whoever_wrote_them(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    say_why(bureau, f"我是{NAME}，来得太慢")
    note_talk(bureau, "要求所里说明")

    with bureau.ground.sessions() as session:
        [said, noted] = quotes_of(session, bureau.ground.office, order_id, bureau.unit(order_id))

    assert (said.text, said.confidence, said.by_operator) == (f"我是{STRUCK}，来得太慢", 0.83, False)
    assert (noted.text, noted.by_operator) == ("要求所里说明", True)


def test_who_may_not_know_of_an_order_reads_no_word_of_it(bureau: Bureau) -> None:
    [order_id] = bureau.issued()

    with bureau.ground.sessions() as session, pytest.raises(NotFound):
        quotes_of(session, bureau.ground.office, order_id, Actor("elsewhere", "unit", "另一个单位"))


@pytest.mark.parametrize("consent", ["no", "unasked"])
def test_without_consent_no_text_holds_name_or_number_whoever_typed_them_in(bureau: Bureau, consent: str) -> None:
    [order_id] = bureau.issued(consent=consent)
    say_why(bureau)
    note_talk(bureau, f"{NAME} 要求回电 {NUMBER}")
    bureau.answered(order_id, Reply("partly", "objective", explanation=f"已向{NAME}（10000000000）说明", improvement=f"{NAME}已谅解"))

    for reader in (CENTRE, LEADER, bureau.unit(order_id), INSPECTOR):
        told = repr(printed(bureau, order_id, reader).by_name())
        assert NAME not in told
        assert "10000000000" not in told
        assert "0000 0000" not in told
        assert STRUCK in told
    assert (printed(bureau, order_id, CENTRE).person_name, printed(bureau, order_id, CENTRE).person_number) == ("不予提供", "不予提供")


def test_without_consent_no_reason_opens_who_it_is(bureau: Bureau) -> None:
    [order_id] = bureau.issued(consent="no")

    with pytest.raises(NotAllowed, match="did not agree"):
        printed(bureau, order_id, CENTRE, "上门需要")
    assert trail(bureau) == []


def test_with_consent_a_reason_shows_name_and_number_and_both_stand_in_the_trail(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    say_why(bureau)
    unit = bureau.unit(order_id)

    masked, named = printed(bureau, order_id, unit), printed(bureau, order_id, unit, "上门回访")

    assert (NAME in repr(masked.by_name()), masked.person_name) == (False, "登录系统写明事由后查看")
    assert (named.person_name, named.person_number) == (NAME, NUMBER)
    assert NAME in named.own_words
    assert [(actor, action) for actor, action, _ in trail(bureau)] == [
        (unit.name, "order.print"), (unit.name, "order.contact"), (unit.name, "order.print"),
    ]  # fmt: skip
    assert [details["named"] for _, action, details in trail(bureau) if action == "order.print"] == [False, True]
    assert NAME not in json.dumps(trail(bureau), ensure_ascii=False)


def test_a_reason_that_says_nothing_is_refused(bureau: Bureau) -> None:
    [order_id] = bureau.issued()

    with pytest.raises(BadInput, match="reason is needed"):
        printed(bureau, order_id, CENTRE, " ")
    with pytest.raises(NotAllowed, match="role"):
        printed(bureau, order_id, LEADER, "督导需要")


def test_an_allegation_of_abuse_is_printed_by_inspection_alone(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    unit = bureau.unit(order_id)
    with bureau.ground.work() as work:
        work.session.execute(update(Escalation).values(route="inspection"))

    for reader in (CENTRE, LEADER, unit, Actor("operator.wang", "operator"), Actor("admin", "administrator")):
        with pytest.raises(NotFound):
            printed(bureau, order_id, reader)
    assert printed(bureau, order_id, INSPECTOR).number == "2026-0001"
    assert [actor for actor, _, _ in trail(bureau)] == [INSPECTOR.name]


def test_another_unit_finds_no_such_order(bureau: Bureau) -> None:
    [order_id] = bureau.issued()

    with pytest.raises(NotFound):
        printed(bureau, order_id, Actor("officer.other", "unit", 4711))


def test_what_cannot_be_unsealed_leaves_the_rest_readable(bureau: Bureau) -> None:
    [order_id] = bureau.issued(consent="no")
    bureau.answered(order_id, IMPROVED)
    say_why(bureau)
    with bureau.ground.work() as work:
        work.session.execute(update(Incident).values(officer_sealed=b"broken", reporter_sealed=b"broken"))
        work.session.execute(update(Transcript).values(text_sealed=b"broken"))

    found = printed(bureau, order_id, CENTRE)

    assert (found.officer, found.own_words, found.latest.improvement) == ("?", "?", "增派警力")
