"""The stored cases of the shipped scripts, and the notation they are written in.

After a deliberate change: `./huifang script rehearse config/scripts/<script> --update tests/rehearsals`, then read the diff.
"""

from pathlib import Path

import pytest
from hypothesis import given

from survey import rehearsal
from survey.actions import Action
from survey.errors import BadInput
from survey.events import Answered, Event, Heard, HungUp, NoInput
from tests.survey.scripts import EVENTS, SHIPPED, shipped

CASES = sorted((Path(__file__).resolve().parents[1] / "rehearsals").glob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_a_stored_case_still_plays_as_it_did(path: Path) -> None:
    case = rehearsal.read_case(path)
    turns = rehearsal.play(shipped(case.script_file), case.events, case.answers, operator_free=case.operator_free)

    assert tuple(tuple(map(rehearsal.write_action, turn.actions)) for turn in turns) == case.actions
    assert rehearsal.disposition(turns) == case.disposition
    assert turns[-1].state.ended


def test_the_cases_cover_every_verdict_that_a_call_can_end_with() -> None:
    verdicts = {rehearsal.read_case(path).disposition for path in CASES}

    assert verdicts == {
        "complete", "partial", "refusal_before", "refusal", "break_off", "not_available", "circumstances", "machine", "not_confirmed",
        "fax", "wrong_person", "technical",
    }  # fmt: skip


def test_the_cases_cover_every_kind_of_action() -> None:
    cases = [rehearsal.read_case(path) for path in CASES]
    played = [rehearsal.play(shipped(case.script_file), case.events, operator_free=case.operator_free) for case in cases]
    kinds = {type(action) for turns in played for turn in turns for action in turn.actions}

    assert kinds == set(Action.__args__)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_case_is_read_back_as_it_was_written(name: str, tmp_path: Path) -> None:
    turns = rehearsal.play(shipped(name), [Answered(), NoInput(), Heard("yes", 0.9), HungUp(), HungUp()])
    path = tmp_path / "case.yaml"
    path.write_text(rehearsal.write_case(name, 'says "yes": # 1', turns), "utf-8")
    case = rehearsal.read_case(path)

    assert case == rehearsal.Case(
        name, 'says "yes": # 1', (Answered(), NoInput(), Heard("yes", 0.9), HungUp()),
        tuple(tuple(map(rehearsal.write_action, turn.actions)) for turn in turns), "break_off",
    )  # fmt: skip


@given(EVENTS)
def test_an_event_written_as_a_line_means_the_same_to_the_flow(event: Event) -> None:
    written = rehearsal.write_event(event)

    assert rehearsal.write_event(rehearsal.read_event(written)) == written


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(BadInput, match="sneeze"):
        rehearsal.read_event("sneeze")


def test_a_call_that_goes_on_has_no_disposition_yet() -> None:
    assert rehearsal.disposition([rehearsal.begin(shipped())]) == ""
