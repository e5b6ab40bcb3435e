"""Call detail: the whole story with provenance, personal data only against a reason (R63, RS54, RS57, RS62)."""

import json

import pytest
from sqlalchemy import select

from survey.store.models import AuditEntry, Incident, Recording, Turn
from tests.ivr.console.builders import NOON, a_kept_sound
from tests.ivr.console.conftest import post


def _entries(sessions, action: str) -> list[AuditEntry]:
    with sessions() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.n)))


def test_the_story_of_a_call_is_told_with_its_provenance(log_in, open_page, month):
    text = open_page(log_in("operator"), f"/calls/{month.dissatisfied}").text

    assert "警情 20261014000002" in text
    assert "城东派出所" in text
    assert "7 分钟" in text
    assert "出警速度 非常不满意 0 5 按键 — 警情回访 v1" in text
    assert "完成访问 1.1" in text
    assert "同意" in text
    assert "第 1 次通话过程（共 7 步）" in text
    assert "录音结束" in text


def test_personal_data_are_masked_on_every_page(log_in, month):
    for role in ("administrator", "operator"):
        client = log_in(role)
        for address in (f"/calls/{month.dissatisfied}", f"/campaigns/{month.campaign}/calls", "/escalations", "/", "/reports/2026-10"):
            html = client.get(address).text
            assert month.phone not in html
            assert month.phone[3:] not in html
            assert "报警人2" not in html
            assert "东环路" not in html
    assert "**0002" in client.get(f"/calls/{month.dissatisfied}").text


def test_without_a_reason_nothing_is_shown(log_in, month, sessions):
    client = log_in("operator")

    for reason in ("", "   ", "abc", "字" * 201):
        answer = post(client, f"/calls/{month.dissatisfied}/unmask", reason=reason)
        assert answer.status_code == 422
        assert month.phone not in answer.text
        assert "请写明事由" in answer.text

    assert _entries(sessions, "person.unmask") == []


def test_with_a_reason_it_is_shown_once_and_stands_in_the_trail(log_in, month, sessions):
    client = log_in("operator")

    answer = post(client, f"/calls/{month.dissatisfied}/unmask", reason="本人来电查询进度")

    assert answer.status_code == 200
    assert month.phone in answer.text
    assert "报警人2" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Refresh"] == f"30; url=/calls/{month.dissatisfied}"
    entry = _entries(sessions, "person.unmask")[0]
    assert (entry.actor, entry.subject, entry.at) == ("operator", f"respondent:{month.dissatisfied}", NOON)
    assert json.loads(entry.details) == {"reason": "本人来电查询进度"}
    assert month.phone not in entry.details
    assert month.phone not in client.get(f"/calls/{month.dissatisfied}").text


def test_when_the_trail_cannot_be_written_the_number_is_not_shown(log_in, month, monkeypatch):
    client = log_in("operator")

    def broken(*args, **more):
        raise OSError("disk full")

    monkeypatch.setattr("survey.disclosure.audit.append", broken)
    answer = post(client, f"/calls/{month.dissatisfied}/unmask", reason="本人来电查询进度")

    assert answer.status_code == 500
    assert month.phone not in answer.text


def test_a_value_that_cannot_be_read_spoils_nothing_else(log_in, open_page, month, sessions):
    with sessions.begin() as session:
        one = session.scalars(select(Incident).where(Incident.number == month.incident_number)).one()
        one.phone_sealed, one.reporter_sealed = one.reporter_sealed, b"\1\2k1 broken"  # moved to another column; cut short

    text = open_page(log_in("operator"), f"/calls/{month.dissatisfied}").text

    assert "电话 ?" in text
    assert "出警速度" in text


def test_the_list_is_filtered_by_outcome(log_in, open_page, month):
    client = log_in("operator")

    everybody = open_page(client, f"/campaigns/{month.campaign}/calls")
    refused = open_page(client, f"/campaigns/{month.campaign}/calls?outcome=refusal")

    assert "共 36 人" in everybody.text
    assert "共 3 人" in refused.text
    assert open_page(client, f"/campaigns/{month.campaign}/calls?outcome=nonsense").text.count("共 36 人") == 1


def _listen(client, month) -> str:
    answer = post(client, f"/recordings/{month.recording}/permits", reason="核实投诉内容")
    assert answer.status_code == 303
    return answer.headers["Location"]


@pytest.fixture
def wav(sessions, keys, month, tmp_path) -> bytes:
    with sessions.begin() as session:
        return a_kept_sound(session, keys, tmp_path, month.recording)


def test_a_recording_is_heard_once_against_a_reason(log_in, open_page, month, wav, sessions):
    client = log_in("operator")
    address = _listen(client, month)

    page = open_page(client, address)
    first, second = client.get(f"{address}/sound"), client.get(f"{address}/sound")

    assert page.one("audio").attributes["src"] == f"{address}/sound"
    assert first.data == wav
    assert first.mimetype == "audio/wav"
    assert first.headers["Cache-Control"] == "no-store"
    assert second.status_code == 403
    assert [json.loads(one.details).get("reason") for one in _entries(sessions, "recording.permit")] == ["核实投诉内容"]
    assert len(_entries(sessions, "recording.play")) == 1


def test_no_reason_no_sound(log_in, month, wav, sessions):
    answer = post(log_in("operator"), f"/recordings/{month.recording}/permits", reason="")

    assert answer.status_code == 422
    assert _entries(sessions, "recording.permit") == []


def test_a_permit_is_for_its_owner_its_recording_and_two_minutes(log_in, month, wav, clock):
    client = log_in("operator")
    address = _listen(client, month)
    number = int(address.rsplit("/", 1)[1])

    assert log_in("administrator").get(f"{address}/sound").status_code == 403
    assert client.get(f"/recordings/{month.recording}/permits/{number - 1}/sound").status_code == 403
    assert client.get(f"/recordings/{month.recording}/permits/{number + 99}/sound").status_code == 403
    assert client.get(f"/recordings/{'0' * 32}/permits/{number}/sound").status_code == 404
    clock.advance(minutes=2, seconds=1)
    assert client.get(f"{address}/sound").status_code == 403


def test_a_recording_still_at_the_carrier_cannot_be_heard(log_in, month):
    client = log_in("operator")

    answer = post(client, f"/recordings/{month.recording}/permits", reason="核实投诉内容")

    assert answer.headers["Location"] == f"/calls/{month.dissatisfied}"
    assert "录音尚未取回" in client.get(answer.headers["Location"]).text


def test_a_recording_whose_file_was_swapped_is_not_played(log_in, month, wav, tmp_path, keys, sessions):
    with sessions() as session:
        path = tmp_path / session.scalars(select(Recording.path)).one()
    path.write_bytes(keys.seal_bytes(wav, "recordings.path:" + "0" * 32))
    client = log_in("operator")

    assert client.get(f"{_listen(client, month)}/sound").status_code == 404


def test_what_was_said_is_never_on_the_page_of_turns(log_in, month, sessions):
    with sessions.begin() as session:
        said = {"event": "heard", "code": "satisfied", "confidence": 0.9, "text": "我住东环路五号"}
        session.query(Turn).filter(Turn.step == 2).update({"event": said})

    html = log_in("operator").get(f"/calls/{month.dissatisfied}").text

    assert "我住东环路五号" not in html
    assert "satisfied" in html
