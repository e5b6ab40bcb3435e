"""Campaigns: progress that always adds up, and the switches (A37, A38)."""

from dataclasses import fields
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from ivr.console.charts import bins, histogram, strip
from survey.disposition import Disposition
from survey.fieldwork.placement import note_rejected
from survey.store.models import AuditEntry, CallAttempt, Campaign, Respondent
from survey.store.queries.console import BUCKETS, Dialled, Tally, _tally, progress, total
from tests.ivr.console.builders import NOON, an_attempt
from tests.ivr.console.conftest import post

PARTS = ("complete", "partial", "refused", "non_contact", "other", "not_eligible", "left")


def _parts(tally: Tally) -> int:
    return sum(getattr(tally, name) for name in PARTS)


def test_every_outcome_class_has_its_column():
    assert {one.outcome_class for one in Disposition} == set(BUCKETS)
    assert set(BUCKETS.values()) | {"left"} == set(PARTS)
    assert set(PARTS) | {"planned", "called", "reached"} == {field.name for field in fields(Tally)}


def test_the_columns_add_up_to_the_sample_in_each_row_and_in_the_total(sessions, month):
    with sessions() as session:
        rows = progress(session, month.campaign)

    assert [row.unit for row in rows] == sorted(["城东派出所", "城西派出所", "高新区派出所"])
    assert all(_parts(row.tally) == row.tally.planned == 12 for row in rows)
    assert total(rows) == Tally(36, 30, 21, 9, 3, 6, 3, 3, 3, 9)


def test_a_machine_that_answers_is_not_a_person_reached(sessions, month):
    with sessions.begin() as session:
        session.query(CallAttempt).update({"answered_by": "machine"})
        rows = progress(session, month.campaign)

    assert total(rows).reached == 0
    assert total(rows).called == 30


def test_an_answerer_that_nobody_classified_counts_as_a_person(sessions, month):
    with sessions.begin() as session:
        session.query(CallAttempt).update({"answered_by": None})
        rows = progress(session, month.campaign)

    assert total(rows).reached == 21


@given(st.lists(st.sampled_from([(state, one) for state in ("waiting", "calling", "closed", "needs_review") for one in Disposition])))
def test_whatever_happens_the_sum_is_the_sample(people):
    tally = sum((_tally(state, one.word, 1, 0) for state, one in people), Tally())

    assert _parts(tally) == tally.planned == len(people)


def test_the_list_shows_campaigns_with_their_state(log_in, open_page, month):
    page = open_page(log_in("commander"), "/campaigns")

    assert "2026年10月回访" in page.text
    assert "进行中" in page.text
    assert "模拟" in page.text


def test_the_page_shows_the_figures_and_refreshes_itself(log_in, open_page, month):
    page = open_page(log_in("commander"), f"/campaigns/{month.campaign}")

    section = next(one for one in page.all("section") if one.attributes.get("id") == "progress")
    assert section.attributes["hx-get"] == f"/campaigns/{month.campaign}/progress"
    assert section.attributes["hx-trigger"] == "every 2s"
    foot = [one.text for one in page.elements if one.name in ("td", "th")][-50:]
    assert "合计" in " ".join(foot)
    assert "每 2 秒自动更新" in page.text


def test_the_refreshed_part_is_the_part_alone(log_in, month):
    answer = log_in("operator").get(f"/campaigns/{month.campaign}/progress")

    assert answer.text.strip().startswith("<section")
    assert "<html" not in answer.text


def test_an_ended_campaign_does_not_refresh_and_has_no_switches(log_in, open_page, month, sessions):
    with sessions.begin() as session:
        session.query(Campaign).update({"state": "finished", "finished_at": NOON})

    page = open_page(log_in("administrator"), f"/campaigns/{month.campaign}")

    assert "hx-trigger" not in page.html
    assert "停止任务" not in page.text


def test_only_administrators_see_the_switches(log_in, open_page, month):
    assert "停止任务" in open_page(log_in("administrator"), f"/campaigns/{month.campaign}").text
    assert "停止任务" not in open_page(log_in("operator"), f"/campaigns/{month.campaign}").text


def test_pause_and_resume(log_in, month, sessions):
    client = log_in("administrator")

    assert post(client, f"/campaigns/{month.campaign}/pause", reason="线路维护").status_code == 303
    assert _state(sessions) == ("paused", "线路维护")
    assert "线路维护" in client.get(f"/campaigns/{month.campaign}").text
    assert post(client, f"/campaigns/{month.campaign}/resume").status_code == 303
    assert _state(sessions) == ("running", "")


@pytest.mark.parametrize(
    ("kind", "language", "said"),
    [
        ("credentials", "zh", "已暂停：运营商拒绝外呼：运营商账号或密钥无效（错误码 20003）"),
        ("bad_caller_id", "en", "Paused: The carrier refuses to call: the caller ID is not permitted (error code 20003)"),
    ],
)
def test_a_campaign_halted_by_the_carrier_says_why_in_the_first_place(log_in, open_page, services, month, kind, language, said):
    _refuse_a_call(services, kind)

    page = open_page(log_in("commander", language), f"/campaigns/{month.campaign}")

    alert = next(one for one in page.all("p") if "alert" in one.attributes.get("class", ""))
    assert said in alert.text
    assert page.elements.index(alert) < page.elements.index(page.all("dl")[0])
    assert said in open_page(log_in("commander", language), "/").text
    assert said.split("：", 1)[-1].split("Paused: ")[-1] in open_page(log_in("commander", language), "/campaigns").text


def _refuse_a_call(services, kind: str) -> None:
    with services.unit_of_work() as work:
        respondent = work.session.scalars(select(Respondent).where(Respondent.state == "calling")).first()
        respondent.tries = 1
        attempt = an_attempt(work.session, respondent, status="requested", disposition=None, settled_at=None, live_key=respondent.phone_key)
        note_rejected(work, services.office, attempt.id, kind, "20003", NOON)


def test_pausing_twice_says_that_the_state_has_changed(log_in, month, sessions):
    client = log_in("administrator")
    post(client, f"/campaigns/{month.campaign}/pause")

    post(client, f"/campaigns/{month.campaign}/pause")

    assert "任务状态已变化" in client.get(f"/campaigns/{month.campaign}").text
    assert _state(sessions)[0] == "paused"


def test_stopping_needs_the_tick_and_a_reason(log_in, month, sessions):
    client = log_in("administrator")

    assert "请先勾选" in post(client, f"/campaigns/{month.campaign}/stop", reason="月份弄错").text
    assert "请写明原因" in post(client, f"/campaigns/{month.campaign}/stop", understood="yes", reason=" ").text
    assert _state(sessions)[0] == "running"

    post(client, f"/campaigns/{month.campaign}/stop", understood="yes", reason="月份弄错")
    assert _state(sessions) == ("stopped", "月份弄错")
    with sessions() as session:
        assert not session.scalars(select(Respondent).where(Respondent.state == "waiting")).all()


def test_who_moved_a_switch_stands_in_the_audit_trail(log_in, month, sessions):
    post(log_in("administrator"), f"/campaigns/{month.campaign}/pause", reason="线路维护")

    with sessions() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "campaign.pause")).one()
    assert (entry.actor, entry.subject, entry.at) == ("administrator", f"campaign:{month.campaign}", NOON)


@pytest.mark.parametrize("move", ["pause", "resume", "stop"])
def test_a_campaign_that_does_not_exist_cannot_be_moved(log_in, move, month):
    assert post(log_in("administrator"), f"/campaigns/{'0' * 32}/{move}", understood="yes").status_code == 404


def _state(sessions) -> tuple[str, str]:
    with sessions() as session:
        one = session.scalars(select(Campaign)).one()
        return one.state, one.state_reason


START = NOON.replace(tzinfo=None)
MOMENTS = st.datetimes(START, START + timedelta(days=30), timezones=st.just(UTC))


@given(st.lists(st.builds(Dialled, MOMENTS, st.booleans()), max_size=60), st.sampled_from(["Asia/Shanghai", "America/Los_Angeles", "UTC"]))
def test_the_histogram_counts_every_call_once_in_ascending_bins(attempts, name):
    found = bins(attempts, ZoneInfo(name))

    assert sum(one.answered for one in found) == sum(one.answered for one in attempts)
    assert sum(one.answered + one.unanswered for one in found) == len(attempts)
    assert [one.start for one in found] == sorted(one.start for one in found)


@given(st.lists(st.builds(Dialled, MOMENTS, st.booleans()), min_size=1, max_size=60))
def test_the_bars_stay_inside_the_picture(attempts):
    chart = histogram(bins(attempts, NOON.tzinfo))

    assert all(one.x >= 0 and one.x + one.width <= chart.width + 0.2 for one in chart.rectangles)
    assert all(chart.top - 0.2 <= one.y and one.y + one.height <= chart.base + 0.2 for one in chart.rectangles)


@given(st.tuples(*[st.integers(0, 500)] * 7))
def test_the_strip_is_filled_exactly(counts):
    tally = Tally(sum(counts), 0, 0, *counts)

    assert sum(one.width for one in strip(tally)) == pytest.approx(100 if tally.planned else 0, abs=0.05)
