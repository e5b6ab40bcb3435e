"""The page of a call in hand: what was said, who is on the line, danger, and what is typed and not sent yet (O12, O16, O17, O22–O24)."""

import json
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from survey.store.models import AuditEntry, CallAttempt, Draft, Escalation, Hearing, Recording, RemarkCode, Takeover, Transcript
from survey.store.sealing import KeyRing, place
from tests.conftest import StandingClock
from tests.ivr.console.builders import Month, a_kept_sound
from tests.ivr.console.conftest import LogIn, csrf_of
from tests.ivr.console.test_desk import on_duty, over, send, talking, waiting, with_telephones

__all__ = ["waiting", "with_telephones"]
SCRIPT = {"HX-Request": "true"}


@pytest.fixture
def call(sessions: sessionmaker[Session], clock: StandingClock, month: Month, with_telephones: None) -> str:
    """The dissatisfied person of the month waits; the public id of the takeover."""
    with sessions.begin() as session:
        attempt = session.scalars(select(CallAttempt).join(CallAttempt.respondent).where(Recording.attempt_id == CallAttempt.id)).first()
        takeover = Takeover(attempt_id=attempt.id, reason="dissatisfied", opened_at=clock.now())
        session.add(takeover)
        session.flush()
        return takeover.public_id


@pytest.fixture
def client(log_in: LogIn, call: str) -> FlaskClient:
    """The operator who has claimed the call."""
    found = on_duty(log_in)
    assert send(found, f"/desk/calls/{call}/claim") == 303
    return found


def remark(sessions: sessionmaker[Session], keys: KeyRing, month: Month, clock: StandingClock, *words: tuple[str, float]) -> None:
    """What the person said in the recording, as the machine has understood it."""
    with sessions.begin() as session:
        recording = session.scalars(select(Recording).where(Recording.public_id == month.recording)).one()
        recording.state, recording.kept_at = "kept", clock.now()
        row = Transcript(public_id="c" * 32, recording_id=recording.id, language="zh", state="done", confidence=0.6, made_at=clock.now())
        told = json.dumps([[word, 0.0, 1.0, sure] for word, sure in words], ensure_ascii=False)
        row.words_sealed = keys.seal(told, place("transcripts", "words_sealed", row.public_id))
        row.text_sealed = keys.seal("".join(word for word, _ in words), place("transcripts", "text_sealed", row.public_id))
        session.add(row)


def danger(sessions: sessionmaker[Session], keys: KeyRing, month: Month, clock: StandingClock) -> None:
    """The rules find words of danger in the recording."""
    with sessions.begin() as session:
        recording = session.scalars(select(Recording).where(Recording.public_id == month.recording)).one()
        code = RemarkCode(public_id="d" * 32, recording_id=recording.id, code="unclassified", hot_spot=False, hazard=False, danger=True,
                          abuse=False, by="rules", at=clock.now())  # fmt: skip
        code.evidence_sealed = keys.seal('[["danger", "救命"]]', place("remark_codes", "evidence_sealed", code.public_id))
        session.add(code)
        case = session.scalars(select(Escalation).where(Escalation.public_id == month.case)).one()
        case.reasons = [*case.reasons, "danger"]


# ── what was said ────────────────────────────────────────────────────────────────────────────────────


def test_what_was_keyed_is_told_by_step(client: FlaskClient, call: str, open_page) -> None:
    text = open_page(client, f"/desk/calls/{call}").text

    assert "群众说了什么" in text
    assert "按键 5" in text


def test_a_remark_is_marked_as_the_machine_s_with_its_doubtful_words_and_can_be_listened_to(
    client: FlaskClient, call: str, open_page, sessions, keys, month, clock, tmp_path
) -> None:
    with sessions.begin() as session:
        a_kept_sound(session, keys, tmp_path, month.recording)
    remark(sessions, keys, month, clock, ("民警", 0.9), ("来得", 0.3), ("慢", 0.9))
    html = client.get(f"/desk/calls/{call}/course").text

    assert "机器转写" in html
    assert '民警<span class="unsure">来得<sup>?</sup></span>慢' in html
    assert "把握低" not in html.partition("机器转写")[2].partition("</p>")[0], "the remark as a whole is sure enough"
    open_page(client, f"/desk/calls/{call}")
    address = f"/recordings/{month.recording}/permits"
    assert f'action="{address}"' in html
    answer = client.post(address, data={"csrf_token": csrf_of(client, "/desk"), "reason": "通话中核实"}, follow_redirects=True)
    assert "<audio" in answer.text
    with sessions() as session:
        assert "recording.permit" in session.scalars(select(AuditEntry.action)).all()


def test_long_numbers_in_a_remark_are_masked(client: FlaskClient, call: str, sessions, keys, month, clock) -> None:
    remark(sessions, keys, month, clock, ("电话", 0.9), *((digit, 0.9) for digit in "13800001234"))

    html = client.get(f"/desk/calls/{call}").text
    assert "电话*****" in html
    assert "1380000" not in html


def test_an_unsure_answer_is_marked_by_words_and_sign(client: FlaskClient, call: str, sessions, clock) -> None:
    with sessions.begin() as session:
        attempt_id = session.scalars(select(Takeover.attempt_id)).one()
        session.add(Hearing(
            attempt_id=attempt_id, step=3, node="speed", item="speed", language="zh-CN", code="dissatisfied", confidence=0.6,
            evidence="不满意", outcome="doubted", latency_ms=100, seconds=1.0, sound_sealed=b"x", at=clock.now(),
        ))  # fmt: skip
    html = client.get(f"/desk/calls/{call}/course").text

    assert '<span class="unsure">“不满意”<sup>?</sup></span>' in html
    assert "把握低" in html
    assert "<audio" in html


def test_the_fragment_comes_again_only_when_something_has_changed(client: FlaskClient, call: str, sessions, keys, month, clock) -> None:
    seen = client.get(f"/desk/calls/{call}/course").text.partition("seen=")[2].partition('"')[0]
    unchanged = client.get(f"/desk/calls/{call}/course?seen={seen}")
    assert (unchanged.status_code, unchanged.data) == (204, b"")
    remark(sessions, keys, month, clock, ("慢", 0.9))

    assert "机器转写" in client.get(f"/desk/calls/{call}/course?seen={seen}").text


def test_the_operator_keeps_the_call_whose_case_goes_to_inspection_without_its_sound(
    client: FlaskClient, call: str, sessions, keys, month, clock
) -> None:
    remark(sessions, keys, month, clock, ("打人", 0.9))
    with sessions.begin() as session:
        session.scalars(select(Escalation).where(Escalation.public_id == month.case)).one().route = "inspection"

    html = client.get(f"/desk/calls/{call}").text
    assert "打人" in html
    assert f"/recordings/{month.recording}" not in html
    assert f"/escalations/{month.case}" not in html


# ── who is on the line ───────────────────────────────────────────────────────────────────────────────


def test_number_and_name_are_shown_against_a_reason_and_masked_by_the_next_load(client, call, open_page, sessions, month) -> None:
    assert month.phone not in open_page(client, f"/desk/calls/{call}").text
    answer = client.post(f"/desk/calls/{call}/person", data={"csrf_token": csrf_of(client, "/desk"), "reason": "核对来电号码"})

    assert month.phone in answer.text
    assert answer.headers["Refresh"] == f"30; url=/desk/calls/{call}"
    assert month.phone not in client.get(f"/desk/calls/{call}").text
    with sessions() as session:
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.action == "person.unmask")).all()
        assert "核对来电号码" in entry.details


def test_without_a_reason_nothing_is_shown_and_the_place_is_told(client, call, month, sessions) -> None:
    answer = client.post(f"/desk/calls/{call}/person", data={"csrf_token": csrf_of(client, "/desk"), "reason": " "})

    assert answer.status_code == 422
    assert month.phone not in answer.text
    assert 'aria-invalid="true"' in answer.text
    with sessions() as session:
        assert "person.unmask" not in session.scalars(select(AuditEntry.action)).all()


def test_with_script_only_that_part_of_the_page_changes_and_hides_itself(client, call, month) -> None:
    token = csrf_of(client, "/desk")
    shown = client.post(f"/desk/calls/{call}/person", data={"csrf_token": token, "reason": "核对来电号码"}, headers=SCRIPT).text

    assert month.phone in shown
    assert "<html" not in shown
    assert "delay:30s" in shown
    assert month.phone not in client.get(f"/desk/calls/{call}/person", headers=SCRIPT).text


def test_a_colleague_is_shown_nothing_of_the_call(log_in: LogIn, client, call, month) -> None:
    other = on_duty(log_in, "centre")
    answer = other.post(f"/desk/calls/{call}/person", data={"csrf_token": csrf_of(other, "/desk"), "reason": "核对来电号码"})

    assert answer.status_code == 303
    assert other.get(f"/desk/calls/{call}/state", headers=SCRIPT).headers["HX-Redirect"] == "/desk"
    assert other.get(f"/desk/calls/{call}/course").data == b""
    assert other.post(f"/desk/calls/{call}/draft", data={"csrf_token": csrf_of(other, "/desk"), "remark": "x"}).status_code == 409


# ── danger ───────────────────────────────────────────────────────────────────────────────────────────


def test_danger_is_a_banner_that_goes_by_a_choice_alone(client, call, open_page, sessions, keys, month, clock) -> None:
    remark(sessions, keys, month, clock, ("救命", 0.9))
    assert "群众可能正面临危险" not in open_page(client, f"/desk/calls/{call}").text
    danger(sessions, keys, month, clock)
    state = client.get(f"/desk/calls/{call}/state").text
    assert "群众可能正面临危险" in state
    assert "录音中有：救命" in state
    assert "指挥大厅电话 0100-5550119" in state, "the duty desk's number"

    talking(sessions, clock, call)
    over(sessions, clock, call)
    token = csrf_of(client, "/desk")
    refused = client.post(f"/desk/calls/{call}/wrap-up", data={"csrf_token": token, "verdict": "call_back", "remark": "在听"})
    assert refused.status_code == 422
    assert "先在页面上方选择已采取的处置" in refused.text
    assert "在听" in refused.text

    assert send(client, f"/desk/calls/{call}/danger", choice="hall") == 303
    page = open_page(client, f"/desk/calls/{call}").text
    assert "群众可能正面临危险" not in page
    assert "已通知指挥大厅" in page
    assert client.post(f"/desk/calls/{call}/wrap-up", data={"csrf_token": token, "verdict": "call_back"}).status_code == 303


# ── drafts ───────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_typed_is_kept_sealed_restored_and_gone_when_it_is_sent(client, call, open_page, sessions, clock) -> None:
    talking(sessions, clock, call)
    token = csrf_of(client, "/desk")
    typed = {"csrf_token": token, "by_script": "1", "verdict": "call_back", "remark": "下午再联系赵小满"}
    assert client.post(f"/desk/calls/{call}/draft", data=typed).json == {"saved": "已保存 12:00"}
    with sessions() as session:
        assert "赵小满".encode() not in session.scalars(select(Draft.fields_sealed)).one()

    over(sessions, clock, call)
    html = client.get(f"/desk/calls/{call}").text
    assert "下午再联系赵小满" in html
    assert 'value="call_back" checked' in html
    assert "已保存 12:00" in html
    assert 'data-drafted="verdict remark"' in html
    open_page(client, f"/desk/calls/{call}")
    assert client.post(f"/desk/calls/{call}/wrap-up", data={"csrf_token": token, "verdict": "call_back"}).status_code == 303
    with sessions() as session:
        assert session.scalars(select(Draft)).all() == []


def test_without_script_a_button_saves_and_says_so(client, call, open_page) -> None:
    answer = client.post(f"/desk/calls/{call}/draft", data={"csrf_token": csrf_of(client, "/desk"), "remark": "稍后再说"})

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/desk/calls/{call}")
    text = open_page(client, f"/desk/calls/{call}").text
    assert "已保存 12:00" in text
    assert "稍后再说" in text


def test_what_was_refused_is_kept_as_well(client, call, sessions, clock) -> None:
    over(sessions, clock, call)
    data = {"csrf_token": csrf_of(client, "/desk"), "verdict": "call_back", "consent": "no", "remark": "不要再打"}
    assert client.post(f"/desk/calls/{call}/wrap-up", data=data).status_code == 422

    assert "不要再打" in client.get(f"/desk/calls/{call}").text, "also after the page was closed"


def test_what_was_noted_of_a_talk_stands_in_the_history_of_the_ticket(client, call, open_page, sessions, clock, month) -> None:
    over(sessions, clock, call)
    token = csrf_of(client, "/desk")
    data = {"csrf_token": token, "verdict": "call_back", "remark": "下午三点以后在家"}
    assert client.post(f"/desk/calls/{call}/wrap-up", data=data).status_code == 303

    text = open_page(client, f"/escalations/{month.case}").text
    assert "人工通话：另行回电" in text
    assert "下午三点以后在家" in text


def test_a_late_save_does_not_bring_back_what_was_sent(client, call, sessions, clock) -> None:
    over(sessions, clock, call)
    token = csrf_of(client, "/desk")
    assert client.post(f"/desk/calls/{call}/wrap-up", data={"csrf_token": token, "verdict": "call_back"}).status_code == 303

    assert client.post(f"/desk/calls/{call}/draft", data={"csrf_token": token, "by_script": "1", "remark": "x"}).status_code == 409
    with sessions() as session:
        assert session.scalars(select(Draft)).all() == []


def test_a_note_that_was_not_sent_in_time_is_still_shown(client, call, sessions, clock) -> None:
    over(sessions, clock, call)
    send(client, f"/desk/calls/{call}/draft", remark="需再联系")
    with sessions.begin() as session:
        session.scalars(select(Takeover)).one().state = "done"

    text = client.get(f"/desk/calls/{call}").text
    assert "以下备注未提交" in text
    assert "需再联系" in text


def test_a_note_that_is_sent_too_late_is_shown_again_with_the_way_to_its_ticket(client, call, sessions, clock, month) -> None:
    over(sessions, clock, call)
    token = csrf_of(client, "/desk")
    with sessions.begin() as session:
        session.scalars(select(Takeover)).one().state = "done"

    answer = client.post(f"/desk/calls/{call}/wrap-up", data={"csrf_token": token, "verdict": "call_back", "remark": "需再联系"})

    assert answer.status_code == 409
    assert "通话已不在这一步" in answer.text
    assert "需再联系" in answer.text
    assert f'href="/escalations/{month.case}"' in answer.text


def test_what_somebody_else_s_call_is_about_is_not_shown_to_who_sends_its_form(log_in: LogIn, client, call, sessions, clock) -> None:
    over(sessions, clock, call)
    other = on_duty(log_in, "administrator")
    answer = other.post(f"/desk/calls/{call}/wrap-up", data={"csrf_token": csrf_of(other, "/desk"), "verdict": "call_back"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk")


def test_the_button_is_gone_when_the_time_to_sort_out_is_over(client, call, sessions, clock, month) -> None:
    over(sessions, clock, call)
    assert 'id="sorted-out"' in client.get(f"/desk/calls/{call}/state").text
    with sessions.begin() as session:
        session.scalars(select(Takeover)).one().state = "done"

    html = client.get(f"/desk/calls/{call}/state").text
    assert 'id="sort-out" hx-swap-oob="true"' in html
    assert 'id="sorted-out"' not in html


# ── ends ─────────────────────────────────────────────────────────────────────────────────────────────


def test_who_hangs_up_while_the_telephone_rings_has_hung_up_and_can_be_called_back(client, call, open_page, sessions, month, clock) -> None:
    with sessions.begin() as session:
        takeover = session.scalars(select(Takeover)).one()
        takeover.state, takeover.result, takeover.ended_at = "done", "left", clock.now()

    page = client.get(f"/desk/calls/{call}/state").text
    assert "对方已挂断" in page
    assert "已整理" not in page
    assert f"/escalations/{month.case}" in page
    board = client.get("/desk/board").text
    assert "对方已挂断" in board
    assert f"/escalations/{month.case}" in board
    clock.advance(seconds=61)
    assert "对方已挂断" not in client.get("/desk/board").text


@pytest.mark.parametrize(("result", "told"), [("lost", "您的线路中断"), ("left", "对方已挂断")])
def test_a_line_that_broke_is_told_the_answers_are_kept_and_the_way_back_is_one_click(
    client, call, sessions, month, clock, result: str, told: str
) -> None:
    talking(sessions, clock, call)
    send(client, f"/desk/calls/{call}/answers", item="speed", code="dissatisfied")
    over(sessions, clock, call)
    with sessions.begin() as session:
        session.scalars(select(Takeover)).one().result = result

    html = client.get(f"/desk/calls/{call}").text
    assert told in html
    assert "已录入的回答均已保存" in html
    assert f'href="/escalations/{month.case}"' in html
    assert "人工录入" in html


def test_the_time_to_sort_out_is_prolonged_twice_by_a_minute_and_no_more(client, call, open_page, sessions, clock) -> None:
    over(sessions, clock, call)
    for _ in range(3):
        send(client, f"/desk/calls/{call}/deed", deed="prolong")

    with sessions() as session:
        assert session.scalars(select(Takeover)).one().wrap_until == clock.now() + timedelta(seconds=120 + 2 * 60)
    text = open_page(client, f"/desk/calls/{call}").text
    assert "最多延长 2 次" in text
    assert "再加 60 秒" not in text
    assert "整理时间还剩 240 秒" in text


# ── the end of a talk ────────────────────────────────────────────────────────────────────────────────


def test_who_talks_for_nearly_an_hour_is_told_when_the_carrier_will_cut_the_line(
    client: FlaskClient, call: str, open_page, sessions, clock
) -> None:
    talking(sessions, clock, call)

    def state_of_a_call_that_began(minutes: int) -> str:
        with sessions.begin() as session:
            takeover = session.scalars(select(Takeover).where(Takeover.public_id == call)).one()
            takeover.picked_up_at = clock.now() - timedelta(minutes=1)
            takeover.attempt.answered_at = clock.now() - timedelta(minutes=minutes)
        return open_page(client, f"/desk/calls/{call}").text

    assert "自动挂断" not in state_of_a_call_that_began(54)
    assert "还剩 180 秒" in state_of_a_call_that_began(57), "the older of the two calls ends first"
    assert "还剩 0 秒" in state_of_a_call_that_began(70)
