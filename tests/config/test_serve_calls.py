"""Stops, a killed supervisor, a pause and a lost carrier while real processes call people on SQLite (RS67, RS68, RS14, RS6).

`SERVE_ENGINE=postgresql` plays the same on PostgreSQL, where every scene passes too.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select

from survey import fieldwork
from survey.holds import HoldReason
from survey.store.models import CallAttempt, Campaign, Respondent
from tests import postgres
from tests.config.serving import DIALLERS, LONGEST_SECONDS, MINUTE, SECOND, Scene, scene_in
from tests.config.test_serve import ROOT, wait_until
from tests.simulation import checker, ledger
from tests.weather.proxy import DOWN, FAIR, MUTE

PEOPLE, LINES = 16, 10
"""People of each campaign, so that some still wait when all lines are taken."""

WAITING = "waiting for calls in progress"
Told = Any

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as stack:
        url = ""
        if os.environ.get("SERVE_ENGINE") == "postgresql":
            programs = postgres.programs()
            assert programs is not None
            url = stack.enter_context(postgres.running(programs))
        yield stack.enter_context(scene_in(tmp_path_factory.mktemp("scene") / "data", url))


def ten_live(scene: Scene) -> list[str]:
    """Launch a campaign and go on until ten calls are live, of which some talk; their sids."""
    scene.launch(PEOPLE, lines=LINES, calls_per_second=5.0)
    scene.until(lambda: len(scene.live()) >= LINES and sum(call["answered_at"] is not None for call in scene.live()) >= LINES // 2)
    return [call["sid"] for call in scene.live()]


def told(record_property: Told, sentence: str) -> None:
    record_property("told", sentence)


def test_a_signal_lets_ten_live_calls_end_and_begins_no_other(scene: Scene, record_property: Told) -> None:
    live = ten_live(scene)
    before = len(scene.calls())
    assert scene.serve is not None
    scene.serve.send_signal(signal.SIGTERM)
    wait_until(lambda: WAITING in scene.text() and not scene.named("worker:dial") and not scene.named("clock"), LONGEST_SECONDS)

    while scene.exchange.state().live_calls:
        assert scene.serve.poll() is None, "it waits as long as somebody talks"
        scene.exchange.advance(scene.now + 5 * SECOND)
    status = scene.serve.wait(timeout=LONGEST_SECONDS)

    assert status == 0
    assert scene.family() == {}
    calls = {call["sid"]: call for call in scene.calls()}
    assert len(calls) == before, "no new call was placed although lines were free and people waited"
    cut = [sid for sid in live if calls[sid]["status"] != "completed" or calls[sid]["problems"]]
    assert cut == []
    assert scene.count("waiting", "claimed", "requested", "placed", "initiated", "ringing", "in_progress") == 0
    told(record_property, f"RS67: {len(live)} live calls at SIGTERM, {len(cut)} cut, {len(calls) - before} new, exit {status}")
    scene.start()


def test_a_second_signal_ends_at_once_and_the_next_start_repairs_what_was_left(scene: Scene, record_property: Told) -> None:
    live = ten_live(scene)
    assert scene.serve is not None
    heard = scene.text().count(WAITING)
    scene.serve.send_signal(signal.SIGTERM)
    wait_until(lambda: scene.text().count(WAITING) > heard, LONGEST_SECONDS)
    asked = time.monotonic()
    scene.serve.send_signal(signal.SIGTERM)
    status = scene.serve.wait(timeout=LONGEST_SECONDS)
    seconds = time.monotonic() - asked

    assert status == 0
    assert seconds < scene.settings.drain_seconds / 2, "it does not wait for the calls"
    assert {call["sid"] for call in scene.live()} == set(live), "virtual time stands: all of them go on"
    assert scene.family() == {}
    scene.exchange.advance(scene.now + 2 * MINUTE)
    assert scene.count("placed", "initiated", "ringing", "in_progress") > 0, "nobody could tell us how they ended"
    scene.start()
    scene.until(lambda: _is_settled(scene, live), 20 * SECOND)
    told(record_property, f"RS67: the second SIGTERM ended everything in {seconds:.1f} s; {len(live)} calls left in mid-air are settled")


def _is_settled(scene: Scene, sids: list[str]) -> bool:
    with scene.house.sessions() as session:
        settled = session.scalars(select(CallAttempt.carrier_sid).where(CallAttempt.settled_at.is_not(None)))
        return set(sids) <= set(settled)


def test_a_killed_supervisor_leaves_nobody_and_the_next_start_goes_on(scene: Scene, record_property: Told) -> None:
    ten_live(scene)
    scene.line.set(MUTE)  # requests arrive, answers do not: a fetch of a recording and a call are in hand
    (recorder,) = scene.named("worker:recordings")
    end = time.monotonic() + LONGEST_SECONDS
    while not _has_child(recorder):
        assert time.monotonic() < end, "no remark came to be fetched"
        scene.exchange.advance(scene.now + SECOND)
        time.sleep(0.2)
    workers = scene.house.redis.smembers("rq:workers")
    before = scene.family()
    assert scene.serve is not None
    scene.serve.kill()
    scene.serve.wait()

    began = time.monotonic()
    wait_until(lambda: scene.family() == {}, LONGEST_SECONDS)
    seconds = time.monotonic() - began
    scene.line.set(FAIR)
    scene.start()

    assert any("valkey" in words for words in before.values())
    assert workers & scene.house.redis.smembers("rq:workers"), "their keys are still there: nobody could take them away"
    so_far = len(scene.calls())
    scene.until(lambda: len(scene.calls()) > so_far or not scene.count_waiting(), 5 * SECOND)
    told(record_property, f"RS68: {len(before)} processes gone {seconds:.1f} s after kill -9; calls go on")


def _has_child(pid: int) -> bool:
    """Whether the worker has a work-horse at this moment."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().strip() != ""


def test_a_carrier_out_of_reach_is_tried_every_half_minute_and_dialled_again_by_itself(scene: Scene, record_property: Told) -> None:
    scene.settle_down()
    before, began = len(scene.calls()), scene.now
    scene.line.set(DOWN)
    campaign_id = scene.launch(PEOPLE, lines=LINES, calls_per_second=5.0)
    while len(tries := _unanswered(scene, began)) < 4 and scene.now < began + 20 * MINUTE:
        scene.go_on(10 * SECOND)

    with scene.house.sessions() as session:
        people = session.scalars(select(Respondent).where(Respondent.campaign_id == campaign_id)).all()
    said = command(scene, "campaign", "holds")
    reached = len(scene.calls())
    scene.line.set(FAIR)
    scene.until(lambda: len(scene.calls()) >= before + LINES, 5 * SECOND)

    assert reached == before
    assert len(tries) == 4
    assert min(later - earlier for earlier, later in pairwise(tries)) >= 30 * SECOND
    assert {(person.state, person.tries) for person in people} == {("waiting", 0)}
    assert HoldReason.UNREACHABLE.en in said
    since = datetime.fromisoformat(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", said)[0])
    assert tries[0] - SECOND < since < tries[1], "it says since when"
    told(record_property, f"RS6: {len(tries)} requests in {(tries[-1] - began).seconds} s without a carrier; dialled again by itself")


def _unanswered(scene: Scene, since: datetime) -> list[datetime]:
    """When calls were asked for that the carrier knows nothing of."""
    with scene.look() as session:
        unanswered = select(CallAttempt.requested_at).where(CallAttempt.requested_at >= since, CallAttempt.carrier_sid.is_(None))
        return sorted(moment for moment in set(session.scalars(unanswered)) if moment)


def command(scene: Scene, *words: str) -> str:
    """What a command of ours prints."""
    environment = {**os.environ, **scene.settings.as_environment(), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "config.cli", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_in_the_end_everybody_was_called_once_and_only_who_was_cut_off_a_second_time(scene: Scene, record_property: Told) -> None:
    ten_live(scene)
    scene.until_over()

    with scene.house.sessions() as session:
        people = session.scalars(select(Respondent)).all()
        attempts = session.execute(select(CallAttempt.carrier_sid, CallAttempt.respondent_id).where(CallAttempt.carrier_sid.is_not(None)))
        whom = {row.carrier_sid: row.respondent_id for row in attempts}
        rules = session.scalars(select(Campaign)).all()[0].rules
    calls: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for call in scene.calls():
        calls[whom[call["sid"]]].append(call)
    again = [theirs for theirs in calls.values() if len(theirs) > 1]

    assert _judged(scene, rules) == []
    cut = {person for person, theirs in calls.items() if any(call["problems"] for call in theirs)}
    assert {person.disposition for person in people if person.id not in cut} == {"complete"}
    assert {person.state for person in people} == {"closed"}
    assert set(calls) == {person.id for person in people}
    assert all(call["problems"] for theirs in again for call in theirs[:-1]), "who had heard us to the end was not called again"
    told(record_property, f"{len(people)} people, {len(scene.calls())} calls, {len(again)} called again because they had been cut off")


def _judged(scene: Scene, rules: dict[str, Any]) -> list[str]:
    """What the independent judges find, the carrier's record being the witness."""
    with scene.house.sessions() as session:
        books = ledger.read_books(session, scene.house.keys, scene.house.audit_key)
    terms = checker.terms_of(rules, lines=LINES, calls_per_second=5.0, slack_seconds=90, pace_allowance=30)
    cases = {attempt.sid: str(attempt.case) for attempt in books.attempts if attempt.sid}
    persons = [checker.Person(case.number) for case in books.cases]
    journal = scene.calls()
    return checker.violations(journal, persons, terms, case_of=cases) + ledger.disagreements(journal, books)


QUEUED = 200


def test_a_pause_while_two_hundred_calls_are_queued_calls_off_what_does_not_ring_yet(scene: Scene, record_property: Told) -> None:
    campaign_id = scene.launch(QUEUED + 2 * LINES, lines=LINES // 2, calls_per_second=300.0)
    scene.until(lambda: sum(call["ringing_at"] is not None for call in scene.live()) >= LINES // 2, SECOND)
    before = len(scene.calls())
    scene.change(campaign_id, lines=QUEUED + LINES // 2)
    scene.exchange.advance(scene.now + SECOND)
    wait_until(lambda: len(scene.calls()) >= before + 3 * QUEUED // 4, LONGEST_SECONDS)  # the rest is still being handed over

    with scene.house.unit_of_work() as work:
        fieldwork.pause(work.session, scene.house.office, work.session.get_one(Campaign, campaign_id), "test", scene.now)
    paused, placed = time.monotonic(), len(scene.calls())
    wait_until(lambda: all(call["ringing_at"] for call in scene.live()), LONGEST_SECONDS)
    seconds = time.monotonic() - paused
    ringing, called_off = scene.live(), [call for call in scene.calls()[before:] if call["status"] == "canceled"]

    assert len(scene.calls()) <= placed + DIALLERS, "no more than each worker had in its hand"
    assert len(called_off) >= QUEUED // 2
    assert not any(call["ringing_at"] for call in called_off)
    after = len(scene.calls())
    scene.until(lambda: _is_all_settled(scene), 20 * SECOND)
    told(
        record_property,
        f"RS14: {len(called_off)} queued calls called off {seconds:.1f} s after the pause, {after - placed} placed after it",
    )

    calls = {call["sid"]: call for call in scene.calls()}
    assert len(calls) == after
    assert ringing
    assert {calls[call["sid"]]["status"] for call in ringing} == {"completed"}
    off = {call["sid"] for call in called_off}
    with scene.house.sessions() as session:
        attempts = session.scalars(select(CallAttempt).where(CallAttempt.carrier_sid.in_(off))).all()
        people = [session.get_one(Respondent, attempt.respondent_id) for attempt in attempts]
    assert len(people) == len(off)
    assert {(person.state, person.tries) for person in people} == {("waiting", 0)}, "who was called off has had no try"


def _is_all_settled(scene: Scene) -> bool:
    with scene.house.sessions() as session:
        return session.scalar(select(CallAttempt.id).where(CallAttempt.settled_at.is_(None)).limit(1)) is None
