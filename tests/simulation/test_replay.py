"""Every conversation of whole months is played again (reliability §2.7): on its own script it is the same call to the end."""

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from config.cli import main
from config.settings import Settings
from config.wiring import House
from survey import flow, script_yaml
from survey.errors import NotFound
from survey.events import Answered, Digits, HungUp, LineFailed, MachineAnswered, Recorded
from survey.fieldwork.replays import stored_calls
from survey.replay import StoredCall, StoredTurn, beginning, contradiction, parting, replay, story, ways_under
from survey.script import CALLBACK_QUESTION, Script
from survey.store.models import Campaign
from tests.simulation.ground import SCRIPTS, Ground
from tests.simulation.hub import Fates
from tests.simulation.month import Month, Setting
from tests.simulation.test_controls import CALM, people
from tests.simulation.world import patched_jobs

TEXTS = {number: path.read_text("utf-8") for number, path in enumerate(SCRIPTS.values(), start=1)}
PINNED = {number: script_yaml.parse(text) for number, text in TEXTS.items()}
LONG, SHORT = PINNED.values()
KINDS = ("00", "09", "14", "17", "25", "28", "30", "31", "33", "36", "39", "43", "44", "45", "48", "53", "57", "61", "66")
BROKEN = replace(CALM, fates=Fates(failure=0.2), rules=replace(CALM.rules, max_attempts=4))

Calls = list[tuple[Script, StoredCall]]


def stored(ground: Ground, folder: Path, setting: Setting) -> Calls:
    """The conversations of a month, each with the script that its campaign pinned."""
    logging.disable()
    run = Month(ground, folder, setting)
    with patched_jobs(run.world.exchange_clock.now, lambda: run.world.hub):
        run.play()
    with run.world.quiet() as session:
        scripts = {campaign.id: PINNED[campaign.script_version_id] for campaign in session.query(Campaign)}
        return [(script, call) for campaign_id, script in scripts.items() for call in stored_calls(session, campaign_id)]


@pytest.fixture(scope="module")
def calls(months: Ground, tmp_path_factory: pytest.TempPathFactory) -> Calls:
    """What people of every kind said in a calm month with the shipped script, and in one in which many transactions fail."""
    folder, terms = tmp_path_factory.mktemp("replays"), {"lines": 4, "calls_per_second": 1.0}
    calm = replace(CALM, script="long", terms=terms, groups=[people(months, *KINDS), []])
    broken = replace(BROKEN, terms=terms, groups=[people(months, "00", "03", "14", "17", "20", "28", "33", "36"), []])
    return [call for setting in (calm, broken) for call in stored(months, folder, setting)]


def test_every_call_is_the_same_again_on_the_script_that_it_pinned(calls: Calls) -> None:
    faults = [(call, at) for script, call in calls if (at := contradiction(call, replay(script, call))) is not None]

    assert faults == []
    happened = Counter(type(turn.event) for _, call in calls for turn in story(call))
    assert len(calls) > 25
    assert all(happened[kind] for kind in (Answered, Recorded, MachineAnswered, HungUp))
    assert any(turn.node == CALLBACK_QUESTION for _, call in calls for turn in call.turns)


EARLIER = {"speed": "dissatisfied", "attitude": "satisfied"}


@pytest.mark.parametrize("broken", [True, False])
@pytest.mark.parametrize("began", [{}, {"answers": EARLIER}, {"may_postpone": False}, {"answers": EARLIER, "postponing": True}])
def test_what_a_call_began_with_is_read_off_where_it_stood_at_last(began: dict[str, Any], broken: bool) -> None:
    for keys in ("", "1", "74", "7741", "9", "17127", "12341", "99", "0"):
        state, turns = flow.start(LONG, **began), []
        for event in (Answered(), *map(Digits, keys)):
            state, _ = flow.step(LONG, state, event)
            turns.append(StoredTurn(event, state.node))
        if not state.ended:
            state, _ = flow.step(LONG, state, LineFailed() if broken else HungUp())
        call = StoredCall(tuple(turns), flow.State.from_json(state.to_json()), broken=broken)

        assert beginning(LONG, call) == flow.start(LONG, **began)
        assert contradiction(call, replay(LONG, call)) is None


def test_other_words_and_waiting_times_change_no_call(calls: Calls) -> None:
    text = TEXTS[1].replace("处警", "出警").replace("silence_seconds: 5", "silence_seconds: 6")
    assert text != TEXTS[1]

    partings = [parting(replay(script, call), replay(script_yaml.parse(text), call)) for script, call in calls if script is LONG]

    assert set(partings) == {None}


def test_a_choice_that_means_something_else_parts_exactly_the_calls_in_which_it_was_chosen(calls: Calls) -> None:
    text = TEXTS[1].replace('{key: "2", code: satisfied, say: 满意, score: 75', '{key: "2", code: satisfied, say: 满意, score: 70')
    assert text != TEXTS[1]
    changed = script_yaml.parse(text)

    for script, call in calls:
        if script is LONG:
            course = replay(script, call)
            chosen = [number for number, passed in enumerate(course) if any(getattr(each, "score", None) == 75 for each in passed.actions)]
            assert parting(course, replay(changed, call)) == (chosen[0] if chosen else None)


def test_an_administrator_learns_how_many_calls_would_go_another_way_and_where(months: Ground, tmp_path: Path) -> None:
    terms = {"lines": 4, "calls_per_second": 1.0}
    known = stored(months, tmp_path, replace(CALM, terms=terms, groups=[people(months, "00", "03", "28"), []]))
    file = tmp_path / "changed.yaml"
    file.write_text(TEXTS[2].replace("score: 100", "score: 90"), "utf-8")
    house = House(Settings.from_env({"HUIFANG_DATA": str(tmp_path), "HUIFANG_DATABASE_URL": months.url}, None))
    told = [CliRunner().invoke(main, ["script", "replay", str(path), "--campaign", "1"], obj=house) for path in (SCRIPTS["short"], file)]
    unknown = CliRunner().invoke(main, ["script", "replay", str(file), "--campaign", "99"], obj=house)
    house.engine.dispose()

    assert unknown.exit_code != 0
    assert isinstance(unknown.exception, NotFound) or "there is no campaign 99" in unknown.output
    assert [result.exit_code for result in told] == [0, 0]
    assert told[0].output == f"走向相同 / the same way: {len(known)}\n走向不同 / another way: 0\n"
    ways = ways_under((call for _, call in known), SHORT, script_yaml.parse(file.read_text("utf-8")))
    assert ways.parted["speed"] > 0 == ways.unlike
    assert f"走向不同 / another way: {sum(ways.parted.values())}\n" in told[1].output
    assert f"  speed: {ways.parted['speed']}\n" in told[1].output


def test_a_call_that_was_tampered_with_is_not_the_same(calls: Calls) -> None:
    long = [call for script, call in calls if script is LONG and len(call.turns) > 6]
    for call in long:
        answers = {**call.final.answers, "speed": "another"}
        assert contradiction(replace(call, final=replace(call.final, answers=answers)), replay(LONG, call)) == len(story(call))
        turns = (*call.turns[:3], replace(call.turns[3], node="elsewhere"), *call.turns[4:])
        assert contradiction(replace(call, turns=turns), replay(LONG, call)) == 3
    assert long
