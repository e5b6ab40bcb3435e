"""What becomes of a recorded remark: text once, coded with its words, danger and abuse to a person; the sound always stays."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from survey import fieldwork
from survey.alarms import AlarmKind
from survey.errors import BadInput
from survey.events import Digits, Recorded
from survey.fieldwork import transcripts
from survey.fieldwork.alarms import is_standing
from survey.fieldwork.recordings import discard
from survey.fieldwork.transcripts import PAUSES, TRIES, Judgement, TranscriptionOrder, Verbatim
from survey.store.models import AuditEntry, CallAttempt, Escalation, Recording, RemarkCode, Respondent, Transcript, TranscriptCorrection
from survey.store.queries import remarks as queries
from survey.store.queries.remarks import Filters
from survey.store.sealing import place
from tests.survey.fieldwork.conftest import Ground

SID = "RE" + "1" * 32
TO_THE_REMARK = "1" + "12121" + "1"
MODELS = {"zh": object()}


@pytest.fixture
def recording(ground: Ground) -> int:
    """A remark whose sound is kept, in a call that goes on."""
    ground.launch(1)
    token = ground.dial_next()[1]
    ground.talk(token, TO_THE_REMARK)
    ground.turn(token, len(TO_THE_REMARK) + 1, Recorded(SID, 7.0, "#"))
    keep(ground, 1)
    return 1


def keep(ground: Ground, recording_id: int) -> None:
    with ground.work() as work:
        fieldwork.prepare_fetch(work, recording_id, ground.now)
        fieldwork.note_kept(work, recording_id, "recordings/x.sealed", "0" * 64, 7.0, ground.now)
        fieldwork.note_deleted(work, recording_id, None, ground.now)


def order(ground: Ground, recording_id: int, models: object = MODELS) -> None:
    with ground.work() as work:
        transcripts.order_transcript(work, recording_id, models, ground.now)  # type: ignore[arg-type]


def prepare(ground: Ground, recording_id: int, models: object = MODELS) -> TranscriptionOrder | None:
    with ground.work() as work:
        return transcripts.prepare_transcription(work, recording_id, models, ground.now)  # type: ignore[arg-type]


def said(*words: str, confidence: float = 0.9) -> Verbatim:
    return Verbatim(tuple((word, n / 2, n / 2 + 0.4, confidence) for n, word in enumerate(words)), "small-zh")


def understand(ground: Ground, recording_id: int, *words: str) -> bool:
    with ground.work() as work:
        return transcripts.note_transcribed(work, ground.office, recording_id, said(*words), ground.now)


def fail(ground: Ground, recording_id: int, *, final: bool = False) -> None:
    with ground.work() as work:
        transcripts.note_transcription_problem(work, recording_id, "failed: time / time", final=final)


def transcribed(ground: Ground, recording_id: int, *words: str) -> None:
    order(ground, recording_id)
    assert prepare(ground, recording_id)
    assert understand(ground, recording_id, *words)


def transcript(ground: Ground) -> Transcript:
    with ground.sessions() as session:
        return session.scalars(select(Transcript)).one()


def codes(ground: Ground) -> list[RemarkCode]:
    with ground.sessions() as session:
        return list(session.scalars(select(RemarkCode).order_by(RemarkCode.id)))


def case(ground: Ground) -> Escalation | None:
    with ground.sessions() as session:
        return session.scalar(select(Escalation))


def alarms(ground: Ground, recording_id: int = 1) -> bool:
    with ground.sessions() as session:
        subject = f"recording:{session.get_one(Recording, recording_id).public_id}"
        return is_standing(session, AlarmKind.DANGER_SAID, subject)


def text_of(ground: Ground) -> str | None:
    one = transcript(ground)
    return ground.office.keys.open(one.text_sealed, place("transcripts", "text_sealed", one.public_id))


def test_a_kept_recording_is_ordered_once_and_wakes_the_job(ground: Ground, recording: int) -> None:
    order(ground, recording)
    order(ground, recording)

    assert (transcript(ground).state, transcript(ground).language, transcript(ground).due_at) == ("waiting", "zh", ground.now)
    assert ground.queue.asked.count(("transcribe", recording, 0)) == 1


def test_the_text_is_stored_sealed_with_its_words_and_their_mean_confidence(ground: Ground, recording: int) -> None:
    order(ground, recording)
    prepare(ground, recording)
    with ground.work() as work:
        heard = Verbatim((("在", 0.0, 0.2, 1.0), ("人民", 0.2, 0.6, 0.8), ("路口", 0.6, 1.0, 0.6), ("飙车", 1.0, 1.5, 0.6)), "small-zh")
        transcripts.note_transcribed(work, ground.office, recording, heard, ground.now)

    kept = transcript(ground)
    assert text_of(ground) == "在人民路口飙车"
    assert (kept.state, kept.model, kept.due_at, kept.made_at) == ("done", "small-zh", None, ground.now)
    assert kept.confidence == pytest.approx(0.75)
    words = ground.office.keys.open(kept.words_sealed, place("transcripts", "words_sealed", kept.public_id))
    assert json.loads(words or "")[1] == ["人民", 0.2, 0.6, 0.8]


def test_the_rules_code_it_and_keep_the_words_that_led_there(ground: Ground, recording: int) -> None:
    transcribed(ground, recording, "在", "人民", "路口", "经常", "有人", "飙车")

    [code] = codes(ground)
    assert (code.code, code.hazard, code.hot_spot, code.danger, code.abuse, code.by) == ("unclassified", True, False, False, False, "rules")
    opened = [
        ground.office.keys.open(sealed, place("remark_codes", column, code.public_id))
        for column, sealed in (("place_sealed", code.place_sealed), ("evidence_sealed", code.evidence_sealed))
    ]
    assert opened == ["人民路口", '[["hazard", "飙车"], ["place", "人民路口"]]']


def test_the_result_is_stored_once(ground: Ground, recording: int) -> None:
    transcribed(ground, recording, "建议", "加强", "巡逻")

    assert not understand(ground, recording, "另外", "一种")
    assert text_of(ground) == "建议加强巡逻"
    assert len(codes(ground)) == 1
    assert prepare(ground, recording) is None


def test_a_failed_try_is_followed_by_others_ever_later_and_in_the_end_by_a_person(ground: Ground, recording: int) -> None:
    order(ground, recording)
    pauses = []
    for _ in range(TRIES):
        assert prepare(ground, recording)
        assert prepare(ground, recording) is None, "not before its time"
        fail(ground, recording)
        due = transcript(ground).due_at
        if due is not None:
            pauses.append(due - ground.now)
            ground.clock.moment = due

    assert pauses == list(PAUSES[: TRIES - 1])
    assert (transcript(ground).state, transcript(ground).due_at, transcript(ground).tries) == ("needs_review", None, TRIES)
    with ground.sessions() as session:
        kept = session.get_one(Recording, recording)
        assert (kept.state, kept.path) == ("kept", "recordings/x.sealed"), "the sound stays"


def test_a_try_that_killed_its_process_counts(ground: Ground, recording: int) -> None:
    order(ground, recording)
    for pause in PAUSES:
        assert prepare(ground, recording)
        ground.clock.moment += pause  # nobody tells how it ended

    assert prepare(ground, recording) is None
    assert (transcript(ground).state, transcript(ground).problem) == ("needs_review", "died")


def test_what_is_no_sound_goes_to_a_person_at_once(ground: Ground, recording: int) -> None:
    order(ground, recording)
    prepare(ground, recording)
    fail(ground, recording, final=True)

    assert transcript(ground).state == "needs_review"
    assert prepare(ground, recording) is None


def test_a_recording_in_which_nothing_was_understood_goes_to_a_person(ground: Ground, recording: int) -> None:
    transcribed(ground, recording)

    assert (transcript(ground).state, transcript(ground).problem, transcript(ground).confidence) == ("needs_review", "nothing_heard", None)
    assert codes(ground) == []


def test_without_a_model_it_waits_and_that_is_no_failure(ground: Ground, recording: int) -> None:
    order(ground, recording, {})
    assert (transcript(ground).state, transcript(ground).tries) == ("no_model", 0)
    assert ("transcribe", recording, 0) not in ground.queue.asked
    with ground.sessions() as session:
        assert queries.due_transcripts(session, ground.now, {}) == []
        assert queries.due_transcripts(session, ground.now, {"en"}) == []
        assert queries.due_transcripts(session, ground.now + timedelta(days=30), {"zh"}) == [recording], "a model was installed"

    assert prepare(ground, recording)
    understand(ground, recording, "谢谢")
    assert transcript(ground).state == "done"


def test_a_model_that_is_taken_away_costs_no_try(ground: Ground, recording: int) -> None:
    order(ground, recording)

    assert prepare(ground, recording, {}) is None
    assert (transcript(ground).state, transcript(ground).tries) == ("no_model", 0)


def test_what_nobody_has_ordered_is_found_by_taking_stock(ground: Ground, recording: int) -> None:
    with ground.work() as work:
        transcripts.take_stock(work, MODELS, ground.now)
    assert transcript(ground).state == "waiting"
    assert ("transcribe", recording, 0) in ground.queue.asked


def test_stock_finds_what_lies_before_behind_and_between(ground: Ground, recording: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of seven at a time; the fifth was ordered when it was kept, the sixth is kept lately by a worker of the release before."""
    monkeypatch.setattr(queries, "BATCH", 2)
    with ground.work() as work:
        work.session.add_all(
            Recording(respondent_id=1, attempt_id=1, item="remark", carrier_sid=f"RE{n}", state="kept", path="x", announced_at=ground.now,
                      kept_at=ground.now - timedelta(days=90))
            for n in range(2, 8)
        )  # fmt: skip
    order(ground, 5)
    order(ground, 7)
    with ground.work() as work:
        work.session.get_one(Recording, 6).kept_at = ground.now - timedelta(hours=1)
        work.session.get_one(Recording, recording).kept_at = ground.now - timedelta(days=90)

    taken = []
    for _ in range(3):
        with ground.work() as work:
            transcripts.take_stock(work, MODELS, ground.now)
        ground.clock.advance(minutes=1)
        with ground.sessions() as session:
            taken.append(sorted(session.scalars(select(Transcript.recording_id))))
    assert taken == [[3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7]]


def test_stock_is_taken_once_a_minute(ground: Ground, recording: int) -> None:
    def take() -> None:
        with ground.work() as work:
            transcripts.take_stock(work, MODELS, ground.now)

    def count() -> int:
        with ground.sessions() as session:
            return session.scalar(select(func.count(Transcript.id))) or 0

    with ground.work() as work:
        work.session.get_one(Recording, recording).state = "announced"
    take()
    with ground.work() as work:
        work.session.get_one(Recording, recording).state = "kept"
    ground.clock.advance(seconds=59)
    take()
    assert count() == 0
    ground.clock.advance(seconds=1)
    take()
    assert count() == 1


def test_words_that_are_taken_back_leave_no_text(ground: Ground, recording: int) -> None:
    transcribed(ground, recording, "救命")
    with ground.work() as work:
        transcripts.correct(work, ground.office, recording, "救命啊", "wang", ground.now)
    with ground.work() as work:
        discard(work, work.session.get_one(CallAttempt, 1), SID, ground.now)
        transcripts.forget_transcript(work, recording, ground.now)

    with ground.sessions() as session:
        assert [session.scalar(select(func.count(table.id))) for table in (Transcript, TranscriptCorrection, RemarkCode)] == [0, 0, 0]
    assert not alarms(ground)
    order(ground, recording)
    with ground.sessions() as session:
        assert session.scalar(select(Transcript)) is None


def test_words_that_are_taken_back_while_they_are_listened_to_are_not_stored(ground: Ground, recording: int) -> None:
    order(ground, recording)
    prepare(ground, recording)
    with ground.work() as work:
        discard(work, work.session.get_one(CallAttempt, 1), SID, ground.now)

    assert not understand(ground, recording, "救命")
    assert transcript(ground).text_sealed is None
    assert case(ground) is None


def test_danger_opens_a_case_of_the_first_priority_and_an_alarm_in_the_same_transaction(ground: Ground, recording: int) -> None:
    transcribed(ground, recording, "快来人", "救命")

    opened = case(ground)
    assert opened is not None
    assert (opened.reasons, opened.priority, opened.route) == (["danger"], 1, "centre")
    assert alarms(ground)


def test_an_allegation_goes_to_inspection_and_nobody_else_sees_the_remark(ground: Ground, recording: int) -> None:
    transcribed(ground, recording, "民警", "收", "红包")

    opened = case(ground)
    assert opened is not None
    assert (opened.reasons, opened.route) == (["abuse_alleged"], "inspection")
    assert not alarms(ground), "an alarm would be read by others"
    with ground.sessions() as session:
        assert queries.remarks(session, Filters(), 1, inspection=False).total == 0
        assert queries.remarks(session, Filters(), 1, inspection=True).total == 1


def test_what_was_denied_alarms_nobody(ground: Ground, recording: int) -> None:
    transcribed(ground, recording, "民警", "没有", "打人")

    assert case(ground) is None
    assert not alarms(ground)


def _hang_up(ground: Ground) -> str:
    with ground.sessions() as session:
        token = session.scalars(select(CallAttempt.token)).one()
    ground.end(token)
    return token


def test_an_interview_stays_one_when_danger_is_heard_afterwards(ground: Ground, recording: int) -> None:
    _hang_up(ground)
    transcribed(ground, recording, "救命")

    assert ground.attempt(1).disposition == "complete"
    assert ground.respondent_of(1).disposition == "complete"


def test_a_call_that_brought_no_interview_ends_as_2_35_and_nobody_is_rung_again(ground: Ground) -> None:
    """Taken up after the first two questions, with the remark of an earlier script: what counts is that the person waits."""
    ground.launch(1)
    token = ground.dial_next()[1]
    ground.talk(token, "1")
    with ground.work() as work:
        fieldwork.announce_recording(work, token, "remark", SID, 7.0, ground.now)
    ground.turn(token, 2, Digits("9"))
    ground.end(token)
    with ground.sessions() as session:
        assert session.scalars(select(Respondent)).one().state == "waiting"
    keep(ground, 1)
    transcribed(ground, 1, "救命")

    with ground.sessions() as session:
        person = session.scalars(select(Respondent)).one()
        assert (person.state, person.close_reason, person.disposition) == ("closed", "handed_over", "circumstances")


def test_a_correction_stands_beside_the_machines_version(ground: Ground, recording: int) -> None:
    transcribed(ground, recording, "见", "人民", "录口")
    with ground.work() as work:
        transcripts.correct(work, ground.office, recording, " 建议在人民路口\n装红绿灯 ", "wang", ground.now)

    assert text_of(ground) == "见人民录口"
    with ground.sessions() as session:
        [correction] = session.scalars(select(TranscriptCorrection))
        text = ground.office.keys.open(correction.text_sealed, place("transcript_corrections", "text_sealed", correction.public_id))
        assert (text, correction.by, correction.at) == ("建议在人民路口 装红绿灯", "wang", ground.now)
        assert session.scalars(select(AuditEntry.action).where(AuditEntry.actor == "wang")).all() == ["remark.correct"]
    assert [one.code for one in codes(ground)] == ["unclassified", "idea"], "the rules have read it again"


@pytest.mark.parametrize("text", ["", " \n ", "字" * 2001])
def test_a_correction_must_say_something_and_not_too_much(ground: Ground, recording: int, text: str) -> None:
    with pytest.raises(BadInput), ground.work() as work:
        transcripts.correct(work, ground.office, recording, text, "wang", ground.now)


def test_what_the_machine_could_not_do_a_person_writes_down(ground: Ground, recording: int) -> None:
    with ground.work() as work:
        transcripts.correct(work, ground.office, recording, "民警打我", "wang", ground.now)

    assert (transcript(ground).state, transcript(ground).due_at) == ("done", None)
    opened = case(ground)
    assert opened is not None
    assert set(opened.reasons) == {"danger", "abuse_alleged"}
    assert prepare(ground, recording) is None, "the machine is not asked any more"


def test_a_persons_coding_holds_against_later_corrections_and_ends_the_alarm(ground: Ground, recording: int) -> None:
    transcribed(ground, recording, "救命")
    assert alarms(ground)
    with ground.work() as work:
        transcripts.recode(work, ground.office, recording, Judgement("need", False, True, " 人民路 "), "wang", ground.now)
    assert not alarms(ground)
    with ground.work() as work:
        transcripts.correct(work, ground.office, recording, "谢谢", "li", ground.now)

    assert [(one.code, one.by) for one in codes(ground)] == [("unclassified", "rules"), ("need", "wang")]
    last = codes(ground)[-1]
    assert (last.hazard, last.danger) == (True, True)
    assert ground.office.keys.open(last.place_sealed, place("remark_codes", "place_sealed", last.public_id)) == "人民路"


@pytest.mark.parametrize("judged", [Judgement("nonsense", False, False), Judgement("need", False, False, "长" * 101)])
def test_a_coding_that_says_nothing_known_is_refused(ground: Ground, recording: int, judged: Judgement) -> None:
    with pytest.raises(BadInput), ground.work() as work:
        transcripts.recode(work, ground.office, recording, judged, "wang", ground.now)
    assert codes(ground) == []


def test_remarks_are_found_by_what_is_asked_for(ground: Ground, recording: int) -> None:
    transcribed(ground, recording, "救命", "建议", "多", "巡逻")

    def found(**asked: object) -> int:
        with ground.sessions() as session:
            return queries.remarks(session, Filters(**asked), 1, inspection=True).total  # type: ignore[arg-type]

    assert found(month="2026-02", unit=1, item="remark", code="idea", state="done", language="zh") == 1
    assert found(state="danger") == 1
    for other in ({"month": "2026-01"}, {"unit": 99}, {"item": "reason"}, {"code": "need"}, {"state": "needs_review"}, {"language": "en"}):
        assert found(**other) == 0
    with ground.sessions() as session:
        assert queries.choices(session) == (["2026-02"], [(1, "城东派出所")], ["remark"], ["zh"])
