import csv
import io
import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from survey import exports
from survey.disposition import Disposition
from survey.errors import BadInput
from survey.exports import Disclosure, Order
from survey.store import audit
from survey.store.models import AuditEntry, CallAttempt, Recording, RemarkCode, Transcript, TranscriptCorrection
from survey.store.sealing import KeyRing, place
from tests.survey.month import MARCH, Month

MIXED, ANGRY = ["very_satisfied", "neutral", "unsure", "satisfied", "satisfied"], ["very_dissatisfied"] * 5


@pytest.fixture
def month(session: Session, keys: KeyRing) -> Month:
    month = Month(session, keys, {"=A": 100, "B": 10})
    month.person("=A", Disposition.COMPLETE, MIXED, number="J001")
    month.person("B", Disposition.COMPLETE, ANGRY, number="=J002")
    month.person("B", Disposition.BREAK_OFF, ANGRY[:2])
    month.person("B", Disposition.NO_ANSWER)
    other = Month(session, keys, {"B": 10}, name="another")
    other.person("B", Disposition.COMPLETE, ANGRY)
    session.commit()
    return month


def order(month: Month, what: str, disclosure: Disclosure | None = None) -> Order:
    return Order(what, month.campaign.id, month.campaign.public_id, "tester", MARCH, ZoneInfo("Asia/Shanghai"), disclosure)


def read(session: Session, given: Order) -> list[dict[str, str]]:
    stream = io.StringIO(newline="")
    count = exports.write(session, given, stream)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue(), newline="")))
    assert len(rows) == count
    assert stream.getvalue().count("\n") == stream.getvalue().count("\r\n")
    return rows


def test_answers_have_one_row_for_each_person_and_item(session: Session, month: Month) -> None:
    sid = f"CA{month.campaign.id:04x}{1:028x}"
    rows = read(session, order(month, "answers"))
    assert len(rows) == 5 + 5 + 2
    assert rows[0] == {
        "campaign": month.campaign.public_id, "incident": "J001", "unit": "'=A", "attempt": "1", "carrier_sid": sid, "item": "speed",
        "code": "very_satisfied", "score": "100", "raw": "1", "mode": "keys", "confidence": "", "script_version": "callback-zh v1",
        "answered_at": "2026-03-02T09:01:00+08:00",
    }  # fmt: skip
    assert (rows[2]["code"], rows[2]["score"], rows[2]["raw"]) == ("unsure", "", "6")
    assert rows[5]["incident"] == "'=J002"


def test_attempts_have_status_disposition_and_its_code(session: Session, month: Month) -> None:
    rows = read(session, order(month, "attempts"))
    assert [(row["disposition"], row["aapor"], row["final_aapor"]) for row in rows] == [
        ("complete", "1.1", "1.1"), ("complete", "1.1", "1.1"), ("break_off", "2.12", "2.12"), ("no_answer", "3.13", "3.13"),
    ]  # fmt: skip
    assert (rows[0]["status"], rows[0]["seconds"], rows[0]["requested_at"]) == ("completed", "90", "2026-03-02T09:01:00+08:00")


def test_cases_carry_reasons_and_the_answers_so_far(session: Session, month: Month) -> None:
    rows = read(session, order(month, "cases"))
    assert [(row["incident"], row["reasons"], row["priority"], row["speed"], row["outcome"]) for row in rows] == [
        ("'=J002", "dissatisfied", "3", "very_dissatisfied", "very_dissatisfied"),
        ("2026-02 回访-00003", "dissatisfied", "3", "very_dissatisfied", ""),
    ]


@pytest.mark.parametrize("what", ["answers", "attempts", "cases"])
def test_no_export_holds_a_name_or_a_number(session: Session, month: Month, what: str) -> None:
    stream = io.StringIO(newline="")
    exports.write(session, order(month, what), stream)
    assert "王小明" not in stream.getvalue()
    assert "+86" not in stream.getvalue()
    assert "phone" not in stream.getvalue()


def test_personal_data_needs_a_reason(session: Session, month: Month, keys: KeyRing, audit_key: bytes) -> None:
    with pytest.raises(BadInput, match="reason"):
        exports.authorise(session, order(month, "answers", Disclosure(keys, "  ")), audit_key)
    with pytest.raises(BadInput, match="answers"):
        exports.authorise(session, replace(order(month, "answers"), what="numbers"), audit_key)


def test_with_a_reason_numbers_come_readable_and_the_trail_says_why(
    session: Session, month: Month, keys: KeyRing, audit_key: bytes
) -> None:
    given = order(month, "attempts", Disclosure(keys, "投诉核查"))
    exports.authorise(session, given, audit_key)
    rows = read(session, given)
    assert (rows[0]["phone"], rows[0]["reporter"]) == ("+8610000000001", "王小明")
    entry = session.query(AuditEntry).one()
    assert (entry.actor, entry.action, entry.subject) == ("tester", "export", f"campaign:{month.campaign.id}")
    assert json.loads(entry.details) == {"what": "attempts", "personal_data": True, "reason": "投诉核查"}
    assert not list(audit.verify(session, audit_key))


def test_a_case_without_consent_carries_no_name_even_with_a_reason(session: Session, month: Month, keys: KeyRing) -> None:
    rows = read(session, order(month, "cases", Disclosure(keys, "督查")))
    assert [(row["consent"], row["phone"], row["reporter"]) for row in rows] == [("no", "", ""), ("yes", "+8610000000003", "王小明")]


def test_rows_are_fetched_in_batches(session: Session, month: Month, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(session, order(month, "answers"))
    monkeypatch.setattr("survey.store.queries.exports.BATCH", 2)
    assert read(session, order(month, "answers")) == whole


def a_remark(session: Session, month: Month, keys: KeyRing) -> Recording:
    """A remark of the first person, transcribed and coded."""
    attempt = session.scalars(select(CallAttempt).order_by(CallAttempt.id)).first()
    assert attempt is not None
    recording = Recording(
        respondent_id=attempt.respondent_id, attempt_id=attempt.id, item="remark", carrier_sid="RE1", state="kept", path="x", seconds=7.5,
        announced_at=MARCH, kept_at=MARCH,
    )  # fmt: skip
    session.add(recording)
    session.flush()
    transcript = Transcript(public_id="a" * 32, recording_id=recording.id, language="zh", state="done", confidence=0.75, model="small-zh")
    transcript.made_at, transcript.text_sealed = MARCH, keys.seal("=建议多巡逻", place("transcripts", "text_sealed", "a" * 32))
    code = RemarkCode(
        public_id="b" * 32,
        recording_id=recording.id,
        code="idea",
        hot_spot=False,
        hazard=True,
        danger=False,
        abuse=False,
        by="rules",
        at=MARCH,
    )
    code.place_sealed = keys.seal("人民路口", place("remark_codes", "place_sealed", "b" * 32))
    session.add_all([transcript, code])
    session.commit()
    return recording


def test_remarks_hold_no_words_without_a_reason(session: Session, month: Month, keys: KeyRing) -> None:
    recording = a_remark(session, month, keys)
    [row] = read(session, order(month, "remarks"))

    assert (row["incident"], row["remark"], row["item"], row["language"]) == ("J001", recording.public_id, "remark", "zh")
    assert (row["state"], row["confidence"], row["model"], row["corrected"]) == ("done", "0.75", "small-zh", "0")
    assert (row["class"], row["hot_spot"], row["hazard"], row["coded_by"]) == ("idea", "0", "1", "rules")
    assert not {"text", "place", "evidence"} & row.keys()


def test_remarks_with_a_reason_hold_text_and_place_and_a_correction_goes_before_the_machines(
    session: Session, month: Month, keys: KeyRing
) -> None:
    a_remark(session, month, keys)
    given = order(month, "remarks", Disclosure(keys, "年度汇总"))
    [row] = read(session, given)
    assert (row["text"], row["place"], row["evidence"]) == ("'=建议多巡逻", "人民路口", "")

    correction = TranscriptCorrection(public_id="c" * 32, transcript_id=1, by="wang", at=MARCH)
    correction.text_sealed = keys.seal_bytes("建议装路灯".encode(), place("transcript_corrections", "text_sealed", "c" * 32))
    session.add(correction)
    session.commit()
    [row] = read(session, given)
    assert (row["text"], row["corrected"]) == ("建议装路灯", "1")


def test_a_remark_that_nobody_has_transcribed_is_exported_too(session: Session, month: Month, keys: KeyRing) -> None:
    recording = a_remark(session, month, keys)
    for table in (RemarkCode, Transcript):
        session.execute(delete(table))
    session.commit()
    [row] = read(session, order(month, "remarks", Disclosure(keys, "年度汇总")))

    assert (row["remark"], row["state"], row["class"], row["text"]) == (recording.public_id, "waiting", "", "")
