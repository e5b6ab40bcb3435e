"""Answers by voice: figures with their n, a queue to listen to, reviews that change no answer, listening in the trail (R30, R46, RS54)."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ivr.console.app import create_console_app
from speech.audio import decode_wav, mulaw_to_pcm, pcm_to_mulaw
from survey.store.models import Answer, AuditEntry, CallAttempt, Campaign, Escalation, Hearing, HearingReview, Respondent, ScriptVersion
from survey.store.sealing import place
from tests.ivr.console.builders import NOON
from tests.ivr.console.conftest import post

SCRIPT = Path(__file__).parents[3] / "config" / "scripts" / "callback-zh.yaml"
MULAW = pcm_to_mulaw(mulaw_to_pcm(bytes(range(256)) * 16))


@pytest.fixture
def hear(services, month, sessions):
    """Lets an utterance have been heard in the dissatisfied person's call; returns its public identity."""
    with sessions.begin() as session:
        session.scalars(select(ScriptVersion)).one().text = SCRIPT.read_text("utf-8")

    def heard(code: str | None, confidence: float = 0.7, outcome: str = "accepted", sound: bytes = MULAW, **changes: object) -> str:
        with sessions.begin() as session:
            attempt = session.scalars(select(CallAttempt).join(Respondent).where(Respondent.public_id == month.dissatisfied)).one()
            row = Hearing(
                attempt_id=attempt.id, step=1, node="speed", item="speed", language="zh-CN", code=code, confidence=confidence,
                evidence="满意", outcome=outcome, latency_ms=400, seconds=0.5, at=NOON - timedelta(hours=1),
            )  # fmt: skip
            for name, value in changes.items():
                setattr(row, name, value)
            session.add(row)
            session.flush()
            if sound:
                row.sound_sealed = services.office.keys.seal_bytes(sound, place("hearings", "sound_sealed", row.public_id))
            return row.public_id

    return heard


def entries(sessions, action: str) -> list[AuditEntry]:
    with sessions() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.n)))


def lines(page) -> list[str]:
    """The lines of a page's tables, each as one text."""
    return [" ".join(element.text.split()) for element in page.all("tr")]


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────


def test_figures_tell_what_was_heard_and_what_they_rest_on(log_in, open_page, hear, sessions):
    heard = (
        ("satisfied", 0.9, "accepted", 300), ("satisfied", 0.8, "accepted", 900), ("neutral", 0.6, "doubted", 200),
        (None, 0.1, "unclear", 100), ("neutral", 0.9, "late", 350),
    )  # fmt: skip
    for code, confidence, outcome, ms in heard:
        hear(code, confidence, outcome, latency_ms=ms)
    with sessions.begin() as session:
        session.scalars(select(Answer).where(Answer.item == "attitude").limit(1)).one().mode = "speech"
    found = lines(open_page(log_in("commander"), "/hearings"))

    assert "出警速度 0.0 % 0/12 5 2 1 1 1 100.0 % 1/1 0.85 n=2 300 / 900 n=5" in found
    assert "处警态度 8.3 % 1/12 0 0 0 0 0 无数据 0/0 无数据 n=0 无数据 n=0" in found
    assert "出警速度 2 0 无数据 0/0 无数据 n=0 0 n=0 0 n=0" in found


def test_the_error_rate_comes_from_last_reviews_with_its_interval(log_in, open_page, hear):
    wrong, right, unsure = hear("satisfied"), hear("satisfied"), hear("satisfied", outcome="doubted")
    client = log_in("operator")
    for public_id, code in ((wrong, "satisfied"), (wrong, "very_dissatisfied"), (right, "satisfied"), (unsure, "dissatisfied")):
        assert post(client, f"/hearings/{public_id}/review", code=code).status_code == 303

    assert "出警速度 2 2 50.0 % 1/2 9.5–90.5 % 50.0 % 9.5–90.5 % n=2 0 n=2 1 n=2" in lines(open_page(client, "/hearings"))


def test_figures_are_of_a_month_or_of_a_campaign(log_in, open_page, hear, month):
    hear("satisfied")
    client = log_in("auditor")

    def told(query: str) -> bool:
        return "n=1" in open_page(client, f"/hearings?{query}").text

    assert told("month=2026-10")
    assert told(f"campaign={month.campaign}")
    assert told("month=nonsense&campaign=nonsense"), "what is offered nowhere chooses nothing"


def test_another_months_calls_are_not_among_them(log_in, open_page, hear, month, sessions):
    hear("satisfied")
    with sessions.begin() as session:
        old = session.scalars(select(Campaign)).one()
        session.add(Campaign(
            name="九月", month="2026-09", draw_id=old.draw_id, script_version_id=old.script_version_id, lines=1, calls_per_second=1.0,
            caller_id=old.caller_id, created_at=NOON,
        ))  # fmt: skip

    assert "所选范围内尚无回答" in open_page(log_in("auditor"), "/hearings?month=2026-09").text


def test_simulated_calls_count_among_no_real_ones(services, passwords, hear, month):
    hear("satisfied")
    app = create_console_app(replace(services, simulated=False))
    client = app.test_client()
    post(client, "/login", name="commander", password=passwords["commander"])

    assert "所选范围内尚无回答" in client.get("/hearings?month=2026-10").text
    assert "n=1" in client.get(f"/hearings?campaign={month.campaign}").text


def test_confidence_is_told_for_each_day_of_the_bureaus_calendar(log_in, open_page, hear):
    hear("satisfied", 0.9, at=NOON)
    hear("satisfied", 0.7, at=NOON - timedelta(hours=11, minutes=59))  # one minute past midnight in Shanghai
    hear("satisfied", 0.6, at=NOON - timedelta(hours=12, minutes=1))
    hear("satisfied", 0.1, "unclear", at=NOON)
    found = lines(open_page(log_in("operator"), "/hearings"))

    assert found[-2:] == ["11月23日 周一 0.80 2", "11月22日 周日 0.60 1"]


def test_without_a_model_the_page_says_that_keys_alone_answer_and_how_to_install_one(log_in, open_page, month):
    text = open_page(log_in("administrator"), "/hearings").text

    assert "通话只能按键作答" in text
    assert "./huifang speech install zh" in text


def test_with_models_the_page_says_which_languages_are_understood(services, passwords, month):
    app = create_console_app(replace(services, office=replace(services.office, languages=frozenset({"zh", "en"}))))
    client = app.test_client()
    post(client, "/login", name="commander", password=passwords["commander"])
    text = client.get("/hearings").text

    assert "目前能听懂：普通话、英语。" in text
    assert "speech install" not in text


def test_who_may_not_listen_is_shown_no_way_to(log_in, open_page, hear):
    public_id = hear("satisfied")
    for role in ("commander", "auditor"):
        client = log_in(role)
        assert "听音复核" not in open_page(client, "/hearings").text
        assert client.get(f"/hearings/{public_id}/sound").status_code == 403


# ── listening ────────────────────────────────────────────────────────────────────────────────────────


def test_the_least_certain_utterance_opens_first_with_the_questions_choices(log_in, open_page, hear):
    hear("satisfied", 0.9)
    least = hear("neutral", 0.3, "doubted")
    page = open_page(log_in("operator"), "/hearings/review")
    buttons = {one.attributes["value"]: " ".join(one.text.split()) for one in page.all("button") if one.attributes.get("name") == "code"}

    assert f"/hearings/{least}/sound" in page.html
    assert buttons["very_satisfied"] == "1 非常满意"
    assert buttons["unsure"] == "6 说不清"
    assert buttons["none"] == "0 听不清"
    assert buttons["human"] == "要求人工"
    assert "机器听成 一般" in page.text
    assert "autoplay" not in page.html


def test_what_was_asked_back_is_answered_by_yes_or_no(log_in, open_page, hear):
    hear("satisfied", 0.6, "doubted", sound=b"")
    answer = hear("yes", 0.9, step=2)
    page = open_page(log_in("operator"), f"/hearings/{answer}")

    assert [one.attributes["value"] for one in page.all("button") if one.attributes.get("data-key")] == ["yes", "no", "none"]


def test_the_sound_is_played_as_a_wav_file_and_each_listening_stands_in_the_trail(log_in, hear, sessions):
    public_id, client = hear("satisfied"), log_in("operator")
    client.get(f"/hearings/{public_id}")
    assert entries(sessions, "hearing.play") == []
    answer = client.get(f"/hearings/{public_id}/sound")
    client.get(f"/hearings/{public_id}/sound")

    sound = decode_wav(answer.data)
    assert answer.mimetype == "audio/wav"
    assert answer.headers["Cache-Control"] == "no-store"
    assert (sound.rate, sound.pcm.tolist()) == (8000, mulaw_to_pcm(MULAW).tolist())
    assert [(one.actor, one.subject) for one in entries(sessions, "hearing.play")] == [("operator", f"hearing:{public_id}")] * 2


def test_what_has_no_sound_cannot_be_listened_to_or_reviewed(log_in, hear, sessions):
    silent, client = hear("satisfied", sound=b""), log_in("operator")

    assert client.get(f"/hearings/{silent}").status_code == 404
    assert client.get(f"/hearings/{silent}/sound").status_code == 404
    assert post(client, f"/hearings/{silent}/review", code="satisfied").status_code == 404
    assert entries(sessions, "hearing.play") == entries(sessions, "hearing.review") == []
    assert "没有待听的话语" in client.get("/hearings/review").text


def test_a_sound_that_cannot_be_unsealed_is_not_found(log_in, hear, sessions):
    public_id = hear("satisfied")
    with sessions.begin() as session:
        session.scalars(select(Hearing)).one().sound_sealed = b"altered"

    assert log_in("operator").get(f"/hearings/{public_id}/sound").status_code == 404


def test_a_review_opens_the_next_one_and_keeps_the_filters(log_in, open_page, hear, sessions):
    first, second = hear("satisfied", 0.3), hear("satisfied", 0.4)
    hear("neutral", 0.35, "unclear")
    client = log_in("operator")
    answer = post(client, f"/hearings/{first}/review?outcome=accepted&language=zh&item=speed", code="satisfied")
    page = open_page(client, answer.headers["Location"])

    assert f"/hearings/{second}/sound" in page.html
    assert "autoplay" in page.html
    assert "共 1 条" in page.text
    [entry] = entries(sessions, "hearing.review")
    assert (entry.actor, entry.subject) == ("operator", f"hearing:{first}")
    assert json.loads(entry.details) == {"found": "satisfied", "outcome": "accepted", "understood": "satisfied"}


def test_a_review_changes_no_answer_but_shows_the_call_of_a_wrong_one(log_in, open_page, hear, month, sessions):
    public_id, client = hear("satisfied"), log_in("operator")

    def answers() -> list[tuple[str, str, str]]:
        with sessions() as session:
            return [(one.item, one.code, one.mode) for one in session.scalars(select(Answer).order_by(Answer.id))]

    before = answers()
    answer = post(client, f"/hearings/{public_id}/review", code="very_dissatisfied")
    page = open_page(client, answer.headers["Location"])

    assert answers() == before
    assert "复核不改动回答" in page.text
    assert f'href="/calls/{month.dissatisfied}"' in page.html
    assert open_page(client, f"/calls/{month.dissatisfied}").text
    assert "采纳有误" in open_page(client, "/hearings/review?reviewed=yes").text


def test_nobody_sees_the_persons_name_or_number(log_in, open_page, hear, month):
    public_id, client = hear("satisfied"), log_in("administrator")
    post(client, f"/hearings/{public_id}/review", code="neutral")
    for address in ("/hearings", "/hearings/review?reviewed=all", f"/hearings/{public_id}"):
        text = open_page(client, address).text
        assert month.phone[-4:] not in text.replace(month.dissatisfied, "")
        assert "报警人" not in text
        assert month.incident_number not in text


def test_a_later_review_counts_and_the_earlier_one_stays(log_in, open_page, hear, sessions):
    public_id, client = hear("satisfied"), log_in("operator")
    post(client, f"/hearings/{public_id}/review", code="none")
    post(client, f"/hearings/{public_id}/review", code="satisfied")

    with sessions() as session:
        assert [one.code for one in session.scalars(select(HearingReview).order_by(HearingReview.id))] == [None, "satisfied"]
    assert "1 1 0.0 % 0/1" in next(line for line in lines(open_page(client, "/hearings"))[8:] if line.startswith("出警速度"))
    text = open_page(client, f"/hearings/{public_id}").text
    assert "operator · 满意" in text
    assert "operator · 听不清" in text
    assert "有误" not in text


@pytest.mark.parametrize("code", ["", "nonsense", "yes"])
def test_what_cannot_be_said_at_the_question_is_refused(log_in, hear, sessions, code):
    public_id, client = hear("satisfied"), log_in("operator")
    answer = post(client, f"/hearings/{public_id}/review", code=code)

    assert answer.headers["Location"] == f"/hearings/{public_id}?reviewed=no"
    assert "该题没有这个选项" in client.get(answer.headers["Location"]).text
    assert entries(sessions, "hearing.review") == []


def test_who_skips_comes_to_the_next_one_and_in_the_end_back(log_in, hear):
    first, second = hear("satisfied", 0.3), hear("satisfied", 0.3)
    client = log_in("operator")

    assert f"/hearings/{second}/sound" in client.get(f"/hearings/review?after={first}").text
    assert f"/hearings/{first}/sound" in client.get(f"/hearings/review?after={second}").text
    assert f"/hearings/{first}/sound" in client.get("/hearings/review?after=nonsense").text


def test_filters_find_what_they_say(log_in, open_page, hear):
    hear("satisfied")
    hear(None, 0.1, "unclear", language="en")
    client = log_in("operator")

    def count(query: str) -> str:
        text = open_page(client, f"/hearings/review?{query}").text
        return next((f"{n}" for n in (1, 2) if f"共 {n} 条" in text), "0")

    assert count("") == count("reviewed=all") == count("item=speed") == "2"
    assert count("outcome=unclear&language=en") == count("language=zh") == "1"
    assert count("reviewed=yes") == count("outcome=late") == "0"


def test_a_call_that_went_to_inspection_is_not_reviewed_by_anybody_else(log_in, hear, month, sessions):
    public_id = hear("satisfied")
    with sessions.begin() as session:
        person = session.scalars(select(Respondent).where(Respondent.public_id == month.dissatisfied)).one()
        session.scalars(select(Escalation).where(Escalation.respondent_id == person.id)).one().route = "inspection"

    for role in ("operator", "administrator"):
        client = log_in(role)
        for address in (f"/hearings/{public_id}", f"/hearings/{public_id}/sound"):
            assert client.get(address).status_code == 404
        assert post(client, f"/hearings/{public_id}/review", code="neutral").status_code == 404
        assert "没有待听的话语" in client.get(f"/hearings/review?after={public_id}").text
    assert entries(sessions, "hearing.play") == []


def test_the_pages_speak_english(log_in, open_page, hear):
    public_id, client = hear("satisfied"), log_in("operator", "en")
    hear(None, 0.2, "unclear")
    post(client, f"/hearings/{public_id}/review", code="dissatisfied")
    for page in ("/hearings", "/hearings/review", f"/hearings/review?after={public_id}&reviewed=all", f"/hearings/{public_id}"):
        rest = open_page(client, page).text
        for name in ("满意", "中文", "测试operator", "2026年10月回访"):
            rest = rest.replace(name, "")
        assert not [each for each in rest if "\u4e00" <= each <= "\u9fff"], rest
