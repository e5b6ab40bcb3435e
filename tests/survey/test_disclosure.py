"""Disclosure: a reason that says something, and permits that are used once even by two requests at a time."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from survey import disclosure
from survey.errors import BadInput, NotAllowed, NotFound
from survey.store.database import session_factory
from survey.store.models import AuditEntry
from tests.ivr.console.builders import a_kept_sound, a_month

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


@pytest.fixture
def kept(file_engine, keys, tmp_path):
    """Sessions, a month with a kept recording."""
    sessions = session_factory(file_engine)
    with sessions.begin() as session:
        month = a_month(session, keys, ("城东派出所",))
        a_kept_sound(session, keys, tmp_path, month.recording)
    return sessions, month


@pytest.mark.parametrize("reason", ["", " \n\t ", "abc", "字" * 201, "\u202e\u200b\x00\x07"])
def test_a_reason_must_say_something(kept, keys, audit_key, reason):
    sessions, month = kept
    with sessions() as session, pytest.raises(BadInput):
        disclosure.unmask(session, keys, audit_key, month.dissatisfied, "li", reason, NOW)


def test_line_breaks_and_controls_do_not_get_into_the_trail(kept, keys, audit_key):
    sessions, month = kept
    with sessions.begin() as session:
        disclosure.unmask(session, keys, audit_key, month.dissatisfied, "li", "本人\r\n来电\x1b[31m查询", NOW)

    with sessions() as session:
        details = session.scalars(select(AuditEntry.details).where(AuditEntry.action == "person.unmask")).one()
    assert details == '{"reason":"本人 来电 [31m查询"}'


def test_personal_data_are_not_in_the_representation(kept, keys, audit_key):
    sessions, month = kept
    with sessions() as session:
        person = disclosure.unmask(session, keys, audit_key, month.dissatisfied, "li", "本人来电查询", NOW)

    assert person.phone == month.phone
    assert month.phone not in repr(person)


def test_nobody_is_unmasked_who_does_not_exist(kept, keys, audit_key):
    sessions, _ = kept
    with sessions() as session, pytest.raises(NotFound):
        disclosure.unmask(session, keys, audit_key, "0" * 32, "li", "本人来电查询", NOW)


def test_of_eight_requests_at_once_one_gets_the_sound(kept, audit_key):
    sessions, month = kept
    with sessions.begin() as session:
        permit = disclosure.permit_listening(session, audit_key, month.recording, "li", "核实投诉", NOW)
    got: list[str] = []
    gate = threading.Barrier(8)

    def redeem() -> None:
        gate.wait()
        try:
            with sessions.begin() as session:
                disclosure.redeem_permit(session, audit_key, month.recording, permit, "li", NOW)
            got.append("sound")
        except NotAllowed:
            got.append("refused")

    threads = [threading.Thread(target=redeem) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got) == ["refused"] * 7 + ["sound"]
