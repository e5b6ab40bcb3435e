"""Worse designs, run on purpose: the judges must condemn each, or their silence about ours would mean nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ivr.carrier.simulator.faults import FaultPlan, HookFaults
from survey import fieldwork, flow
from survey.actions import SaveAnswer
from survey.contact_rules import Rules
from survey.fieldwork import placement
from survey.fieldwork import turns as turns_module
from survey.fieldwork.attempts import find_attempt
from survey.fieldwork.respondents import wait_again
from survey.store.models import CallAttempt, Respondent, Turn
from survey.store.unit_of_work import UnitOfWork
from tests.simulation.ground import START, Ground
from tests.simulation.history import RATED
from tests.simulation.hub import Fates
from tests.simulation.ledger import Promise
from tests.simulation.line import Weather
from tests.simulation.month import Month, Outcome, Setting
from tests.simulation.world import patched_jobs
from worker import jobs

SILENT_LINE = FaultPlan(status=HookFaults(drop=1.0), machine=HookFaults(drop=1.0))
DOUBTFUL = Weather(error_after=0.5, list_lag_seconds=50.0)
CALM = Setting(0, Fates(), Weather(), FaultPlan(), Rules(start_delay_minutes=0, max_attempts=2, dayparts=1), {"lines": 4}, "short", [])


def people(ground: Ground, *endings: str) -> list[int]:
    return [incident for incident, number in ground.incidents.items() if number[-2:] in endings and number[-4:-2] == "00"]


def played(
    ground: Ground, folder: Path, setting: Setting, who: list[int], prepare: Callable[[Month], object] = lambda month: None
) -> Outcome:
    terms = {"calls_per_second": 1.0, **setting.terms}
    run = Month(ground, folder, replace(setting, terms=terms, groups=[who, []]))
    prepare(run)
    with patched_jobs(run.world.exchange_clock.now, lambda: run.world.hub):
        run.play()
        return run.judge()


def rung_twice(outcome: Outcome) -> list[str]:
    """Calls that came while another rang, or so soon after it that they can only be the same attempt made twice."""
    return [breach for breach in outcome.breaches if "was called again while" in breach or "minutes are the least" in breach]


def test_calm_weather_breaks_nothing(months: Ground, folder: Path) -> None:
    outcome = played(months, folder, CALM, people(months, "00", "28", "53", "80"))

    assert outcome.breaches == []


def test_people_who_book_write_call_us_and_change_pace_and_limits_meanwhile_break_nothing(months: Ground, folder: Path) -> None:
    runs: list[Month] = []
    who = people(months, "00", "28", "53", "72", "80", "85", "97")
    outcome = played(months, folder, replace(CALM, desk=0.5), who, runs.append)

    assert outcome.breaches == []
    assert all(runs[0].desk.done.get(what) for what in ("pace", "limits", "book", "visit", "letter"))


def test_doubt_without_any_callback_rings_nobody_twice(months: Ground, folder: Path) -> None:
    outcome = played(months, folder, replace(CALM, weather=DOUBTFUL, hooks=SILENT_LINE), people(months, "80", "85", "72", "20"))

    assert outcome.faults["error_after"] > 1
    assert outcome.breaches == []


def test_a_grace_shorter_than_the_lag_of_the_list_rings_people_twice(months: Ground, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LIST_GRACE", timedelta(seconds=2))
    outcome = played(
        months,
        folder,
        replace(CALM, weather=replace(DOUBTFUL, list_lag_seconds=300.0), hooks=SILENT_LINE),
        people(months, "80", "85", "72", "20"),
    )

    assert rung_twice(outcome)


def test_a_dialler_that_tries_again_in_doubt_rings_people_twice(months: Ground, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def give_back_in_doubt(work: UnitOfWork, attempt_id: int, problem: str) -> None:
        attempt = work.session.get_one(CallAttempt, attempt_id)
        attempt.status, attempt.live_key, attempt.settled_at = "rejected", None, attempt.requested_at
        wait_again(work.session, attempt.respondent, attempt.claimed_at, attempt.claimed_at)

    monkeypatch.setattr(fieldwork, "note_unknown", give_back_in_doubt)
    outcome = played(months, folder, replace(CALM, weather=DOUBTFUL, hooks=SILENT_LINE), people(months, "80", "85", "72", "20"))

    assert rung_twice(outcome)


def test_without_the_sweep_people_are_lost(months: Ground, folder: Path) -> None:
    def only_claim(run: Month) -> None:
        run.most_turns = 200

        def sweep() -> None:
            with run.world.calmly() as work:
                for attempt_id in fieldwork.claim_due(work, run.world.office, run.world.clock.now()):
                    run.world.hub.note(f"claimed {attempt_id}")

        run.world.sweep = sweep  # type: ignore[method-assign]

    everybody = people(months, "00", "28", "80")

    assert any("left calling" in breach for breach in played(months, folder, replace(CALM, lost=0.5), everybody, only_claim).breaches)
    assert played(months, folder, replace(CALM, lost=0.5), everybody).breaches == []


def naive_turn(work: UnitOfWork, office: Any, token: str, step: int, event: Any, call_sid: str, now: Any, render: Any, *more: Any) -> str:
    """Takes every request for what comes next, whatever step it names: the design that reliability §2.3 warns of."""
    attempt = find_attempt(work.session, token)
    attempt.carrier_sid = attempt.carrier_sid or call_sid
    script = office.script(work.session, attempt.script_version_id)
    state = flow.State.from_json(attempt.flow_state) if attempt.flow_state else flow.start(script)
    state, actions = flow.step(script, state, event)
    for action in actions:
        if isinstance(action, SaveAnswer):
            turns_module.apply(work, office, attempt, action, now)
    attempt.flow_state, attempt.status, attempt.step = state.to_json(), "in_progress", attempt.step + 1
    speaking = tuple(action for action in actions if isinstance(action, turns_module.SPEAKING))
    return render(speaking, attempt.step, turns_module._context(work.session, office, attempt))


def test_a_web_hook_that_knows_no_steps_stores_what_nobody_pressed(months: Ground, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repeating = replace(CALM, hooks=FaultPlan(seed=5, turn=HookFaults(duplicate=0.5, reorder=0.3)))
    who = people(months, "00", "03", "14", "17", "20", "28", "33")
    assert played(months, folder, repeating, who).breaches == []

    monkeypatch.setattr(fieldwork, "take_turn", naive_turn)
    breaches = played(months, folder, repeating, who).breaches

    assert any("stored is" in breach for breach in breaches)
    assert any("repeats were answered differently" in breach for breach in breaches)


def step_the_clock(step: timedelta, before: bool, patch: pytest.MonkeyPatch) -> Callable[[Month], None]:
    """Set the office's clock wrong, before it asks for any call or while it does not know what became of one."""

    def set_the_clock(run: Month) -> None:
        run.worst_clock = abs(step)  # windows and spacing are kept by our clock, which is wrong
        if before:
            run.world.clock.error = step
            return
        note_unknown = placement.note_unknown

        def then_step(work: UnitOfWork, attempt_id: int, problem: str) -> None:
            note_unknown(work, attempt_id, problem)
            run.world.clock.error = step

        patch.setattr(fieldwork, "note_unknown", then_step)

    return set_the_clock


IN_DOUBT = replace(CALM, weather=replace(DOUBTFUL, error_after=1.0), hooks=SILENT_LINE)
"""Every call in doubt and no callback to help: only the carrier's list can tell."""
STEPS = pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(hours=-1)], ids=["an hour ahead", "an hour back"])


@STEPS
@pytest.mark.parametrize("before", [True, False], ids=["wrong before the request", "set while in doubt"])
def test_a_wrong_clock_rings_nobody_twice(
    months: Ground, folder: Path, monkeypatch: pytest.MonkeyPatch, step: timedelta, before: bool
) -> None:
    """RS72."""
    outcome = played(months, folder, IN_DOUBT, people(months, "80", "85", "72"), step_the_clock(step, before, monkeypatch))

    assert outcome.calls > 2
    assert outcome.breaches == []


def test_a_list_that_is_believed_by_our_own_clock_alone_calls_people_again_and_again(
    months: Ground, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour ahead of the carrier: each of our calls seems to be older than its request, so none of them is known again."""
    monkeypatch.setattr(placement, "CLOCKS_APART", timedelta(0))
    monkeypatch.setattr(fieldwork, "CLOCKS_APART", timedelta(0))
    who = people(months, "80", "85", "72")
    outcome = played(months, folder, IN_DOUBT, who, step_the_clock(timedelta(hours=1), True, monkeypatch))

    assert any("no attempt knows of this call" in breach for breach in outcome.breaches)
    assert any("one call more than" in breach for breach in outcome.breaches)


def test_an_empty_list_that_is_believed_at_once_rings_people_twice_when_the_clock_jumps(
    months: Ground, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set forward in the middle of the doubt, the clock says that the grace is over while the list still lags."""
    monkeypatch.setattr(placement, "PROMPT", timedelta(days=1))
    lagging = replace(IN_DOUBT, weather=replace(IN_DOUBT.weather, list_lag_seconds=50.0))
    who = people(months, "80", "85", "72")
    outcome = played(months, folder, lagging, who, step_the_clock(timedelta(hours=1), False, monkeypatch))

    assert any("no attempt knows of this call" in breach for breach in outcome.breaches)


@pytest.mark.parametrize("machine", ["worker 1", "door"])
@pytest.mark.parametrize("seconds", [90, -90])
def test_machines_whose_clocks_are_90_seconds_apart_ring_nobody_twice(months: Ground, folder: Path, machine: str, seconds: int) -> None:
    """RS15, with half of the calls in doubt."""
    apart = replace(CALM, weather=DOUBTFUL, hooks=SILENT_LINE, clocks={machine: timedelta(seconds=seconds)})
    outcome = played(months, folder, apart, people(months, "80", "72", "00"))

    assert outcome.calls > 2
    assert outcome.breaches == []


def test_a_promised_call_comes_at_its_minute(months: Ground, folder: Path) -> None:
    """R36: nobody is in the way here, so nothing excuses that it came late."""
    runs: list[Month] = []

    def promise(run: Month) -> None:
        runs.append(run)
        with run.world.calmly() as work:
            respondent = work.session.scalars(select(Respondent)).one()
            at, now = START + timedelta(hours=2), run.world.clock.now()
            fieldwork.book(work.session, run.world.office, respondent, at, "tester", now)
            run.desk.promises.append(Promise(respondent.id, now, at))

    outcome = played(months, folder, CALM, people(months, "28"), promise)

    assert outcome.breaches == []
    first = min(call["created_at"] for call in runs[0].world.journal())
    assert timedelta(0) <= datetime.fromisoformat(first) - (START + timedelta(hours=2)) < timedelta(minutes=1)


def test_an_interview_that_was_put_off_goes_on_where_it_stopped(months: Ground, folder: Path) -> None:
    runs: list[Month] = []
    who = [incident for incident, number in months.incidents.items() if number.endswith("145")]
    outcome = played(months, folder, replace(CALM, script="long"), who, runs.append)

    assert outcome.breaches == []
    first, second = ([press["item"] for press in call["presses"] if press["item"] in RATED] for call in runs[0].world.journal())
    assert (first[0], second[0], second[-1]) == ("speed", "attitude", "appearance")


def test_whoever_missed_us_and_calls_back_is_interviewed_on_their_own_call(months: Ground, folder: Path) -> None:
    runs: list[Month] = []
    outcome = played(months, folder, replace(CALM, script="long"), people(months, "99"), runs.append)
    with runs[0].world.quiet() as session:
        respondent = session.scalars(select(Respondent)).one()

    assert outcome.breaches == []
    assert [call["direction"] for call in runs[0].world.journal()] == ["outbound-api", "inbound"]
    assert (respondent.disposition, respondent.tries) == ("complete", 1)


def test_a_house_that_forgets_a_letter_is_found(months: Ground, folder: Path) -> None:
    def forgetful(run: Month) -> None:
        run.desk.refused = dict.fromkeys(months.incidents.values(), START - timedelta(days=1))

    breaches = played(months, folder, CALM, people(months, "28"), forgetful).breaches

    assert any("refused all calls at" in breach for breach in breaches)
    assert any("refused by letter and are not on the list" in breach for breach in breaches)


def test_the_stored_turns_of_a_calm_campaign_are_one_for_each_step(months: Ground, folder: Path) -> None:
    run = Month(months, folder, replace(CALM, terms={"lines": 4, "calls_per_second": 1.0}, groups=[people(months, "00", "28"), []]))
    with patched_jobs(run.world.exchange_clock.now, lambda: run.world.hub):
        run.play()
    with run.world.quiet() as session:
        steps = {attempt.id: attempt.step for attempt in session.scalars(select(CallAttempt))}
        turns = [turn.attempt_id for turn in session.scalars(select(Turn))]

    assert {attempt: turns.count(attempt) for attempt in steps} == steps
