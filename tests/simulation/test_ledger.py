"""Each rule that holds tables against the carrier's record, with a pair of them that it must condemn and a pair that it must not."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ivr.voice.wording import EXCUSE
from tests.simulation import ledger
from tests.simulation.ledger import Attempt, Books, Case, Matter, Promise, disagreements

NUMBER = "+8610000000001"
DONE = Case(1, NUMBER, 1, "closed", "complete")
MADE = Attempt(1, 1, "CA1", "completed", True)
Rule = Callable[[Matter], Iterator[str]]


def call(sid: str = "CA1", *presses: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"sid": sid, "to": NUMBER, "created_at": "2026-03-10T02:00:00+00:00", "presses": list(presses), "recordings": [], **more}


def press(keys: str, item: str = "speed", at: int = 1, **more: Any) -> dict[str, Any]:
    return {"at": f"2026-03-10T02:{at:02}:00+00:00", "keys": keys, "item": item, "intent": "answer", **more}


VISIT = call("CA9", press("0", "", intent="never"), direction="inbound", caller_id=NUMBER, to="+8610000000000")
LATER_VISIT = dict(VISIT, presses=[], created_at="2026-03-10T03:00:00+00:00")
UNSURE = press("4", acknowledged=False, at=2)
OTHERWISE = {"url": "/voice/attempts/A/steps/3", "first": "<Say>Outcome</Say>", "again": "<Say>Equipment</Say>"}
GOOD = Books((DONE,), (MADE,), expected=1)
SAID = replace(GOOD, answers={(1, "speed"): "1"})
MADE_AT, DUE_AT = datetime(2026, 3, 10, 2, 5, tzinfo=UTC), datetime(2026, 3, 10, 4, tzinfo=UTC)
PROMISED = replace(GOOD, promises=(Promise(1, MADE_AT, DUE_AT),))
REMADE = replace(
    PROMISED, attempts=(MADE, replace(MADE, id=2, sid="CA2")), promises=(Promise(1, MADE_AT, MADE_AT), *PROMISED.promises)
)  # fmt: skip
DECLINED = replace(PROMISED, cases=(replace(DONE, reason="declined", disposition="break_off"),))
TURNED_DOWN = Attempt(2, 1, None, "rejected", True)
GIVEN_UP = replace(GOOD, cases=(replace(DONE, reason="max_attempts"),), most_tries=2)
BAD: list[tuple[Rule, list[dict[str, Any]], Books]] = [
    (ledger.calls_are_attempts, [call(), call("CA2")], GOOD),
    (ledger.calls_are_attempts, [call()], replace(GOOD, attempts=(MADE, replace(MADE, id=2)))),
    (ledger.calls_are_attempts, [], GOOD),
    (ledger.everybody_ends, [call()], replace(GOOD, cases=(replace(DONE, state="calling"),))),
    (ledger.everybody_ends, [call()], replace(GOOD, attempts=(replace(MADE, status="ringing"),))),
    (ledger.everybody_ends, [call()], replace(GOOD, attempts=(replace(MADE, settled=False),))),
    (ledger.the_sum_is_the_sample, [call()], replace(GOOD, expected=2)),
    (ledger.the_sum_is_the_sample, [call()], replace(GOOD, cases=(replace(DONE, disposition="gone"),))),
    (ledger.answers_are_presses, [call("CA1", press("1"))], GOOD),
    (ledger.answers_are_presses, [call("CA1", press("2"))], SAID),
    (ledger.answers_are_presses, [call("CA1", press("1"), press("2", at=2))], SAID),
    (ledger.answers_are_presses, [call()], SAID),
    (ledger.answers_are_presses, [call("CA1", press("2"), UNSURE)], SAID),
    (ledger.the_dissatisfied_are_escalated, [call("CA1", press("5"))], GOOD),
    (ledger.the_dissatisfied_are_escalated, [call("CA1", press("1"))], replace(GOOD, escalations={1: ("dissatisfied",)})),
    (ledger.the_dissatisfied_are_escalated, [call("CA1", press("8", intent="human"))], GOOD),
    (ledger.refusals_are_kept, [call("CA1", press("0", intent="never"))], GOOD),
    (ledger.recordings_are_fetched, [call(recordings=[{"sid": "RE1", "deleted": False}])], replace(GOOD, recordings={"RE1": "announced"})),
    (ledger.recordings_are_fetched, [call(recordings=[{"sid": "RE1", "deleted": False}])], replace(GOOD, recordings={"RE1": "kept"})),
    (ledger.the_trail_is_whole, [call()], replace(GOOD, flaws=("entry 3 was altered",))),
    (ledger.no_document_was_wrong, [call(problems=["12100 Document parse failure"])], GOOD),
    (ledger.no_document_was_wrong, [call(repeats_differing=[OTHERWISE])], GOOD),
    (ledger.refusals_are_kept, [call(), VISIT], GOOD),
    (ledger.refusals_are_kept, [call()], replace(GOOD, told=frozenset({NUMBER}))),
    (ledger.promises_are_kept, [call()], PROMISED),
    (ledger.promises_are_kept, [call(), call("CA2", created_at="2026-03-10T03:00:00+00:00")], REMADE),
    (ledger.promises_are_kept, [call()], DECLINED),
    (
        ledger.promises_are_kept,
        [call(), dict(VISIT, presses=[])],
        replace(DECLINED, attempts=(MADE, replace(MADE, id=2, sid="CA9", incoming=True))),
    ),
    (ledger.whoever_cannot_be_called_is_asked_for_once, [], replace(GOOD, attempts=(TURNED_DOWN, replace(TURNED_DOWN, id=3)))),
    (ledger.nobody_is_given_up_early, [call()], replace(GIVEN_UP, attempts=(MADE, replace(MADE, id=2, incoming=True)))),
    (ledger.nobody_is_given_up_early, [call()], replace(GIVEN_UP, attempts=(MADE, replace(MADE, id=2, counted=False)))),
]
FINE: list[tuple[list[dict[str, Any]], Books]] = [
    ([call("CA1", press("1"))], SAID),
    ([call("CA1", press("2"), press("1", at=2))], SAID),
    ([call("CA1", press("1"), UNSURE)], SAID),
    ([call("CA1", press("1"), UNSURE)], replace(SAID, answers={(1, "speed"): "4"}, escalations={1: ("dissatisfied",)})),
    ([call("CA1", press("5"))], replace(SAID, answers={(1, "speed"): "5"}, escalations={1: ("dissatisfied",)})),
    ([call("CA1", press("0", intent="never"))], replace(GOOD, refusals=frozenset({NUMBER}))),
    ([call(recordings=[{"sid": "RE1", "deleted": True}])], replace(GOOD, recordings={"RE1": "kept"})),
    ([call(problems=["11200 HTTP 503"])], GOOD),
    ([call(), VISIT], replace(GOOD, refusals=frozenset({NUMBER}))),
    ([call(), dict(VISIT, presses=[], repeats_differing=[OTHERWISE])], GOOD),
    ([call(repeats_differing=[dict(OTHERWISE, again=EXCUSE["en"])])], GOOD),
    ([call(created_at="2026-03-10T04:00:05+00:00")], PROMISED),
    ([call()], replace(PROMISED, cases=(replace(DONE, reason="opted_out"),))),
    ([call()], replace(PROMISED, attempts=(MADE, TURNED_DOWN))),
    ([call(), LATER_VISIT], replace(DECLINED, attempts=(MADE, replace(MADE, id=2, sid="CA9", incoming=True)))),
    ([call()], replace(GOOD, attempts=(MADE, TURNED_DOWN, replace(TURNED_DOWN, id=3, counted=False)))),
    ([call(), call("CA2", created_at="2026-03-10T04:00:00+00:00")], REMADE),
    ([call()], replace(GIVEN_UP, attempts=(MADE, TURNED_DOWN))),
]


@pytest.mark.parametrize(("rule", "journal", "books"), BAD, ids=lambda value: getattr(value, "__name__", ""))
def test_the_rule_finds_the_contradiction(rule: Rule, journal: list[dict[str, Any]], books: Books) -> None:
    assert list(rule(Matter(books, tuple(journal), frozenset())))


@pytest.mark.parametrize(("journal", "books"), FINE)
def test_honest_books_agree_with_the_record(journal: list[dict[str, Any]], books: Books) -> None:
    assert disagreements(journal, books) == []


def test_every_rule_is_applied_and_has_books_that_it_condemns() -> None:
    assert {rule for rule, _, _ in BAD} == set(ledger.RULES)


def test_a_call_that_the_carrier_doubled_by_itself_needs_no_attempt() -> None:
    assert disagreements([call(), call("CA2")], GOOD, frozenset({"CA2"})) == []
