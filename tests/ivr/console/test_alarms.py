"""Alarms on the page, on the home page, and as a banner for administrators."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from ivr.console.app import create_console_app
from ivr.console.services import ConsoleServices, Operations
from survey.alarms import AlarmKind
from survey.fieldwork.alarms import raise_alarm
from survey.store.models import Alarm, AuditEntry
from tests.ivr.console.builders import NOON
from tests.ivr.console.conftest import post


@pytest.fixture
def raised(sessions: sessionmaker[Session]) -> int:
    """A double ring an hour ago, twice; the id of the alarm."""
    with sessions.begin() as session:
        raise_alarm(session, AlarmKind.DOUBLE_RING, "attempt:17", NOON - timedelta(hours=1), leg="<b>CA9</b>")
        raise_alarm(session, AlarmKind.DOUBLE_RING, "attempt:17", NOON, leg="<b>CA9</b>")
        return session.scalars(select(Alarm.id)).one()


def test_where_no_alarm_stands_no_banner_shows(log_in, open_page):
    client = log_in("administrator")

    assert "目前没有警报" in open_page(client, "/alarms").text
    assert "条警报" not in open_page(client, "/").text


def test_a_standing_alarm_is_on_its_page_on_the_home_page_and_in_the_banner_of_every_page(log_in, open_page, raised, month):
    client = log_in("administrator")

    for address in ("/alarms", "/"):
        page = open_page(client, address)
        assert "同一次拨打振铃两路" in page.text
        assert "紧急" in page.text
        assert "第 17 号呼叫" in page.text
        assert "2026-11-23 11:00" in page.text
    for address in ("/", "/alarms", "/campaigns", "/escalations", "/reports", "/audit"):
        assert "1 条警报，其中 1 条未确认" in open_page(client, address).text


def test_what_an_alarm_tells_is_shown_as_text(log_in, open_page, raised):
    page = open_page(log_in("administrator"), "/alarms")

    assert "leg=<b>CA9</b>" in page.text
    assert "<b>CA9" not in page.html


@pytest.mark.parametrize("role", ["operator", "commander", "auditor"])
def test_the_banner_is_for_administrators(log_in, open_page, raised, role):
    assert "条警报" not in open_page(log_in(role), "/").text


def test_an_auditor_reads_and_takes_nothing_in_hand(log_in, open_page, raised):
    client = log_in("auditor")

    assert "同一次拨打振铃两路" in open_page(client, "/alarms").text
    assert 'name="number"' not in open_page(client, "/alarms").html
    assert post(client, "/alarms", number=str(raised)).status_code == 403


def test_taking_an_alarm_in_hand_is_kept_with_the_name_and_in_the_audit_trail(log_in, open_page, raised, sessions):
    client = log_in("administrator")

    assert post(client, "/alarms", number=str(raised)).status_code == 303

    page = open_page(client, "/alarms")
    assert "1 条警报，其中 0 条未确认" in page.text
    assert "administrator · 2026-11-23 12:00" in page.text
    with sessions() as session:
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.action == "alarm.acknowledge"))
        assert (entry.actor, entry.subject) == ("administrator", f"alarm:{raised}")
    assert "确认警报" in open_page(client, "/audit").text


def test_who_comes_second_is_told_and_changes_nothing(log_in, open_page, raised, sessions):
    client = log_in("administrator")
    post(client, "/alarms", number=str(raised))
    post(client, "/alarms", number=str(raised))

    assert "此警报已由他人确认" in open_page(client, "/alarms").text
    with sessions() as session:
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "alarm.acknowledge")).all()) == 1


@pytest.mark.parametrize("number", ["", "0", "-1", "99", "x", "9" * 40, "1 OR 1=1"])
def test_an_alarm_that_does_not_stand_is_not_found(log_in, number):
    assert post(log_in("administrator"), "/alarms", number=number).status_code == 404


def test_an_alarm_of_a_newer_version_is_shown_by_its_word(log_in, open_page, sessions):
    with sessions.begin() as session:
        session.add(Alarm(kind="martians", subject="sky", details={}, raised_at=NOON, seen_at=NOON))

    assert "martians" in open_page(log_in("administrator"), "/alarms").text


@pytest.mark.parametrize(
    ("age", "environment", "silent"),
    [(0.5, "test", False), (29.0, "production", False), (31.0, "test", True), (None, "test", False), (None, "production", True)],
)
def test_a_clock_process_that_is_not_seen_any_more_is_an_alarm_that_nobody_needs_to_raise(
    services: ConsoleServices, passwords: dict[str, str], open_page: Callable, age: float | None, environment: str, silent: bool
) -> None:
    watched = replace(services, environment=environment, operations=Operations(sweep_age=lambda: age))
    client = create_console_app(watched).test_client()
    post(client, "/login", name="administrator", password=passwords["administrator"])

    page = open_page(client, "/alarms")

    assert ("调度进程（clock）无响应" in page.text) is silent
    assert ("1 条警报，其中 1 条未确认" in page.text) is silent


def test_the_words_are_english_on_an_english_page(log_in, open_page, raised):
    page = open_page(log_in("administrator", "en"), "/alarms")

    assert "One call to a person rang two lines" in page.text
    assert "1 alarm(s), 1 not acknowledged" in page.text
