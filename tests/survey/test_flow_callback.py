"""The course of an operator's call: greeted, talking, over; whatever comes, it ends at once and asks nothing of a script."""

from hypothesis import given
from hypothesis import strategies as st

from survey import flow_callback
from survey.actions import Escalate, Hangup, Join, Say
from survey.events import Answered, HungUp, NoInput, OperatorReady, TransferEnded
from survey.flow_state import State
from tests.survey.scripts import SHIPPED, shipped

SCRIPT = shipped(SHIPPED[0])
ANSWERS = {"right_person": "yes", "speed": "satisfied"}
EVENTS = st.sampled_from(
    [Answered(), NoInput(), OperatorReady(), HungUp(), TransferEnded("ended"), TransferEnded("lost"), TransferEnded("failed")]
)


def begun() -> State:
    return flow_callback.start(SCRIPT, ANSWERS, "human_requested")


def test_who_picks_up_is_greeted_and_brought_to_the_operator() -> None:
    state, actions = flow_callback.step(SCRIPT, begun(), OperatorReady())

    assert actions == (Say(flow_callback.GREETING), Join())
    assert (state.ended, state.confirmed) == (False, True)
    over, last = flow_callback.step(SCRIPT, state, TransferEnded("ended", {"attitude": "neutral"}))
    assert last == (Say(flow_callback.FAREWELL), Hangup())
    assert over.answers == {**ANSWERS, "attitude": "neutral"}


def test_what_was_said_against_the_police_in_an_operator_s_call_gives_the_case_its_reasons() -> None:
    state, _ = flow_callback.step(SCRIPT, begun(), OperatorReady())
    _, actions = flow_callback.step(SCRIPT, state, TransferEnded("ended", {"attitude": "dissatisfied", "discipline": "yes"}))

    assert actions[:2] == (Escalate("dissatisfied"), Escalate("abuse_alleged"))


def test_without_the_operator_the_person_hears_an_excuse() -> None:
    state, actions = flow_callback.step(SCRIPT, begun(), TransferEnded("failed"))

    assert (state.ended, actions) == (True, (Say(flow_callback.SORRY), Hangup()))


@given(st.lists(EVENTS, min_size=3, max_size=8))
def test_every_walk_is_over_after_two_events_and_survives_the_database(events: list[object]) -> None:
    state = begun()
    for event in events:
        state, actions = flow_callback.step(SCRIPT, State.from_json(state.to_json()), event)  # type: ignore[arg-type]
        assert actions
        assert isinstance(actions[-1], Join | Hangup)
    assert state.ended
