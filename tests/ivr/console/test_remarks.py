"""Remarks: read, listened to against a reason, corrected, coded; what alleges abuse is inspection's alone (R32, R35, R62)."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from survey.alarms import AlarmKind
from survey.fieldwork import transcripts
from survey.fieldwork.alarms import is_standing
from survey.fieldwork.transcripts import Verbatim
from survey.store.models import AuditEntry, CallAttempt, Recording, RemarkCode, ScriptVersion, TranscriptCorrection
from survey.store.sealing import place
from tests.ivr.console.builders import NOON, a_kept_sound, a_recording
from tests.ivr.console.conftest import post

SCRIPT = Path(__file__).parents[3] / "config" / "scripts" / "callback-zh.yaml"
REASON = "核对群众意见内容"


@pytest.fixture
def remark(services, month, sessions):
    """Lets the recogniser have understood these words in the month's remark; returns the remark's public identity."""
    with sessions.begin() as session:
        session.scalars(select(ScriptVersion)).one().text = SCRIPT.read_text("utf-8")
        a_kept_sound(session, services.office.keys, services.data, month.recording)

    def understood(*words: str, confidence: float = 0.9) -> str:
        with services.unit_of_work() as work:
            number = work.session.scalars(select(Recording.id).where(Recording.public_id == month.recording)).one()
            transcripts.order_transcript(work, number, {"zh"}, NOON)
            work.session.flush()
            transcripts.prepare_transcription(work, number, {"zh"}, NOON)
            heard = Verbatim(tuple((word, n, n + 0.5, confidence) for n, word in enumerate(words)), "small-zh")
            transcripts.note_transcribed(work, services.office, number, heard, NOON)
        return str(month.recording)

    return understood


def entries(sessions, action: str) -> list[AuditEntry]:
    with sessions() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.n)))


def test_the_list_shows_text_class_place_and_confidence(log_in, open_page, remark):
    remark("建议", "在", "人民", "路口", "装", "红绿灯", "经常", "有人", "飙车")
    text = open_page(log_in("operator"), "/remarks").text

    assert "建议在人民路口装红绿灯经常有人飙车" in text
    assert "已转写" in text
    assert "0.90" in text
    assert "建议" in text
    assert "安全隐患 人民路口" in text
    assert "共 1 条" in text


def test_a_remark_that_is_not_transcribed_yet_stands_in_the_list(log_in, open_page, remark):
    assert "待转写" in open_page(log_in("operator"), "/remarks").text


def test_filters_stand_in_the_address_and_find_what_they_say(log_in, open_page, remark):
    remark("建议", "多", "巡逻")
    client = log_in("operator")

    def count(query: str) -> bool:
        return "共 1 条" in open_page(client, f"/remarks?{query}").text

    assert count("month=2026-10&item=remark&code=idea&state=done&language=zh")
    assert count("unit=1")
    assert count("unit=9999999999999999999999&code=nonsense"), "what is offered nowhere is no filter"
    assert not count("code=praise")
    assert not count("state=needs_review")
    assert not count("code=uncoded")


def test_the_page_tells_which_words_led_to_the_class(log_in, open_page, remark):
    address = f"/remarks/{remark('建议', '在', '人民', '路口', '装', '红绿灯')}"
    text = open_page(log_in("operator"), address).text

    assert "建议：建议" in text
    assert "地点：人民路口" in text
    assert "词表规则" in text


def test_long_numbers_are_masked_until_a_reason_is_given(log_in, open_page, remark):
    address = f"/remarks/{remark('我', '电话', '幺', '三', '八', '零', '零', '零', '零', '谢谢')}"
    client = log_in("operator")
    for page in ("/remarks", address):
        text = open_page(client, page).text
        assert "我电话*****谢谢" in text
        assert "幺三八" not in text

    assert "我电话幺三八零零零零谢谢" in post(client, f"{address}/open", reason=REASON).text
    assert "幺三八" not in open_page(client, address).text


@pytest.mark.parametrize("reason", ["", "abc", "字" * 201])
def test_without_a_reason_nothing_is_opened(log_in, remark, sessions, reason):
    address = f"/remarks/{remark('谢谢')}"
    answer = post(log_in("operator"), f"{address}/open", reason=reason)

    assert answer.status_code == 422
    assert "请写明事由" in answer.text
    assert "<audio" not in answer.text
    assert entries(sessions, "remark.open") == entries(sessions, "recording.permit") == []


def test_with_a_reason_the_sound_is_heard_once_and_the_trail_knows(log_in, remark, services, month, sessions):
    address, client = f"/remarks/{remark('谢谢')}", log_in("operator")
    answer = post(client, f"{address}/open", reason=REASON)

    [permit] = entries(sessions, "recording.permit")
    assert (permit.actor, json.loads(permit.details)) == ("operator", {"reason": REASON})
    assert [one.subject for one in entries(sessions, "remark.open")] == [f"recording:{month.recording}"]
    sound = f"/recordings/{month.recording}/permits/{permit.n}/sound"
    assert sound in answer.text
    assert client.get(sound).data[:4] == b"RIFF"
    assert client.get(sound).status_code == 403


def test_unsure_words_are_marked_by_a_sign_too(log_in, remark):
    answer = post(log_in("operator"), f"/remarks/{remark('谢谢', confidence=0.3)}/open", reason=REASON)

    assert '<span class="unsure">谢谢<sup>?</sup></span>' in answer.text


def test_a_correction_is_shown_and_the_machines_version_stays(log_in, open_page, remark, sessions, keys):
    address, client = f"/remarks/{remark('见', '装', '灯')}", log_in("operator")
    answer = post(client, f"{address}/correct", text="建议装路灯")

    assert answer.status_code == 303
    text = open_page(client, address).text
    assert "以上为人工更正后的文字" in text
    assert "见装灯" in text
    assert "operator 建议装路灯" in text
    assert "建议装路灯 人工更正" not in open_page(client, "/remarks?code=praise").text
    assert "人工更正" in open_page(client, "/remarks?code=idea").text
    with sessions() as session:
        [one] = session.scalars(select(TranscriptCorrection))
        assert keys.open(one.text_sealed, place("transcript_corrections", "text_sealed", one.public_id)) == "建议装路灯"
    assert len(entries(sessions, "remark.correct")) == 1


def test_an_empty_correction_is_complained_of_at_its_field(log_in, remark):
    answer = post(log_in("operator"), f"/remarks/{remark('谢谢')}/correct", text=" ")

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "请填写" in answer.text


def test_a_person_codes_it_again_and_history_tells(log_in, open_page, remark, sessions):
    address, client = f"/remarks/{remark('谢谢')}", log_in("operator")
    answer = post(client, f"{address}/code", code="need", hazard="yes", place="人民路")

    assert answer.status_code == 303
    text = open_page(client, address).text
    assert "operator ◎ 诉求 ▲ 安全隐患 人民路" in text
    assert "词表规则 ✓ 表扬" in text
    with sessions() as session:
        assert [(one.code, one.by) for one in session.scalars(select(RemarkCode).order_by(RemarkCode.id))] == [
            ("praise", "rules"), ("need", "operator"),
        ]  # fmt: skip
    assert [json.loads(one.details) for one in entries(sessions, "remark.code")] == [{"after": "need", "before": "praise"}]


@pytest.mark.parametrize(("code", "where"), [("nonsense", ""), ("need", "长" * 101)])
def test_a_coding_that_cannot_be_is_refused(log_in, remark, sessions, code, where):
    answer = post(log_in("operator"), f"/remarks/{remark('谢谢')}/code", code=code, place=where)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert entries(sessions, "remark.code") == []


def test_words_of_danger_are_told_until_a_person_has_coded_the_remark(log_in, open_page, remark, sessions):
    address, client = f"/remarks/{remark('救命')}", log_in("operator")

    def stands() -> bool:
        with sessions() as session:
            return is_standing(session, AlarmKind.DANGER_SAID, f"recording:{address[-32:]}")

    assert stands()
    assert "录音中有表示危险的词语：救命" in open_page(client, address).text
    assert "共 1 条" in open_page(client, "/remarks?state=danger").text
    post(client, f"{address}/code", code="unclassified")

    assert not stands()
    assert "录音中有表示危险的词语" not in open_page(client, address).text
    assert "没有符合条件的群众意见" in open_page(client, "/remarks?state=danger").text


def test_what_alleges_abuse_is_for_inspection_alone(log_in, open_page, remark, app):
    address = f"/remarks/{remark('民警', '收', '红包')}"
    for role in ("operator", "administrator"):
        client = log_in(role)
        assert "没有符合条件的群众意见" in open_page(client, "/remarks").text
        assert client.get(address).status_code == 404
        for what in ("open", "correct", "code"):
            assert post(client, f"{address}/{what}", reason=REASON, text="谢谢", code="praise").status_code == 404

    assert "已转督察" in open_page(log_in("inspection"), address).text


def test_who_finds_an_allegation_while_correcting_is_told_where_it_went(log_in, open_page, remark):
    address, client = f"/remarks/{remark('民警', '收', '红', '报')}", log_in("operator")
    answer = post(client, f"{address}/correct", text="民警收红包")

    assert answer.headers["Location"] == "/remarks"
    assert "已转督察" in client.get("/remarks").text
    assert client.get(address).status_code == 404


def test_a_failed_transcription_waits_for_a_person_and_says_why(log_in, open_page, remark, services, month, sessions):
    remark()
    client = log_in("operator")
    text = open_page(client, "/remarks?state=needs_review").text

    assert "待人工听写 未听出字词" in text
    post(client, f"/remarks/{month.recording}/correct", text="希望多巡逻")
    assert "没有符合条件的群众意见" in open_page(client, "/remarks?state=needs_review").text


def test_a_recording_that_is_not_kept_is_no_remark_yet(log_in, month, sessions):
    with sessions.begin() as session:
        attempt = session.get_one(CallAttempt, 1)
        other = a_recording(session, attempt, "reason").public_id

    assert log_in("operator").get(f"/remarks/{other}").status_code == 404


def test_the_pages_speak_english(log_in, open_page, remark):
    address, client = f"/remarks/{remark('救命')}", log_in("operator", "en")
    for page in ("/remarks", "/remarks?state=danger", address):
        rest = open_page(client, page).text.replace("救命", "").replace("中文", "").replace("城东派出所", "").replace("测试operator", "")
        assert not [each for each in rest if "\u4e00" <= each <= "\u9fff"], rest
