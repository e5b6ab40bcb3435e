"""What the voice door counts, what it tells about itself, and when it calls for help (RS27, RS71)."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, select

from ivr import measures
from ivr.voice.app import create_voice_app
from ivr.voice.forgery import MINUTE_SECONDS, MOST_A_MINUTE, Forgeries
from ivr.voice.routes import VoiceServices
from survey.alarms import AlarmKind
from survey.store.models import Alarm
from tests.ivr.voice.conftest import Line
from tests.survey.fieldwork.conftest import Ground


def counted(name: str, **labels: str) -> float:
    return measures.REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_turn_is_timed_under_its_route_and_a_repeat_is_told_from_a_step_ahead(line: Line) -> None:
    kinds = ("new", "repeat", "ahead")
    before = {kind: counted("huifang_turns_total", kind=kind) for kind in kinds}
    timed = counted("huifang_webhook_seconds_count", route="take_turn")

    line.step(0)
    line.step(0)
    line.step(5)

    assert {kind: counted("huifang_turns_total", kind=kind) - before[kind] for kind in kinds} == dict.fromkeys(kinds, 1)
    assert counted("huifang_webhook_seconds_count", route="take_turn") == timed + 3


def test_a_refused_request_is_counted_apart_from_what_the_carrier_sends(line: Line) -> None:
    refused, timed = counted("huifang_webhooks_refused_total", status="403"), counted("huifang_webhook_seconds_count", route="take_turn")

    line.post(f"/voice/attempts/{line.token}/steps/0", sign=False)

    assert counted("huifang_webhooks_refused_total", status="403") == refused + 1
    assert counted("huifang_webhook_seconds_count", route="take_turn") == timed


class Ticks:
    """A monotonic clock that is moved by hand."""

    at = 1000.0

    def __call__(self) -> float:
        return self.at


def standing(ground: Ground) -> list[tuple[str, int]]:
    with ground.sessions() as session:
        return [(row.kind, row.count) for row in session.scalars(select(Alarm))]


def test_a_few_refusals_touch_no_database_and_many_write_one_row_a_minute(ground: Ground) -> None:
    ticks, statements = Ticks(), []
    door = Forgeries(ground.work, ground.clock, ticks)
    event.listen(ground.engine, "before_cursor_execute", lambda *given: statements.append(given[2].split()[0]))

    for _ in range(MOST_A_MINUTE):
        door.note(403)
    assert statements == []

    for _ in range(500):
        door.note(403)
    assert statements.count("INSERT") == 1
    assert len(statements) <= 3, "a transaction, the calendar that may have changed, the row"
    assert standing(ground) == [(AlarmKind.FORGED_WEBHOOKS.word, 1)]

    ticks.at += MINUTE_SECONDS
    for _ in range(500):
        door.note(403)
    assert standing(ground) == [(AlarmKind.FORGED_WEBHOOKS.word, 2)]


def test_refusals_spread_over_minutes_raise_nothing(ground: Ground) -> None:
    ticks = Ticks()
    door = Forgeries(ground.work, ground.clock, ticks)
    for _ in range(20):
        for _ in range(MOST_A_MINUTE):
            door.note(403)
        ticks.at += MINUTE_SECONDS

    assert standing(ground) == []


def test_a_database_that_is_gone_does_not_open_the_door(line: Line, services: VoiceServices) -> None:
    def nothing() -> Any:
        raise ConnectionError("no database")

    client = create_voice_app(replace(services, unit_of_work=nothing)).test_client()

    assert [client.post("/voice/incoming").status_code for _ in range(MOST_A_MINUTE + 3)] == [403] * (MOST_A_MINUTE + 3)


@pytest.mark.parametrize(("status", "causes"), [(200, {"database": "ok"}), (503, {"database": "failing"})])
def test_readiness_is_told_to_this_machine_alone(services: VoiceServices, status: int, causes: dict[str, str]) -> None:
    client = create_voice_app(replace(services, ready=lambda: (status, causes))).test_client()

    near = client.get("/readyz")
    assert (near.status_code, near.json) == (status, causes)
    for far in ({"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}, {"headers": {"X-Forwarded-For": "127.0.0.1"}}):
        answer = client.get("/readyz", **far)
        assert (answer.status_code, answer.data) == (403, b"")


def test_health_asks_nothing_of_anybody(services: VoiceServices) -> None:
    def nothing() -> Any:
        raise ConnectionError("no database")

    assert create_voice_app(replace(services, unit_of_work=nothing)).test_client().get("/healthz").status_code == 200
