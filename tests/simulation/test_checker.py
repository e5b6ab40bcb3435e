"""Each rule of the checker against a history that breaks it, and against one that just keeps it: a judge must be able to condemn."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from survey.contact_rules import Rules
from tests.simulation import checker
from tests.simulation.checker import History, Person, Terms, violations

MORNING = datetime(2026, 3, 10, 2, tzinfo=UTC)  # a Tuesday, 10:00 in Shanghai
ANNA, BERT = Person("+8610000000001"), Person("+8610000000002")
CARL = Person("+8610000000004", refused=MORNING)  # by letter
Rule = Callable[[History], Iterator[str]]


def call(sid: str, minutes: float, *, to: str = ANNA.number, lasts: float = 60, status: str = "no-answer", **more: Any) -> dict[str, Any]:
    """A call that was asked for so many minutes after ten o'clock and took so many seconds."""
    created = MORNING + timedelta(minutes=minutes)
    times = {"created_at": created.isoformat(), "ended_at": (created + timedelta(seconds=lasts)).isoformat()}
    return {"sid": sid, "to": to, "status": status, "presses": [], **times, **more}


def press(minutes: float, keys: str, item: str = "speed", intent: str = "answer", *, acknowledged: bool = True) -> dict[str, Any]:
    at = (MORNING + timedelta(minutes=minutes)).isoformat()
    return {"at": at, "keys": keys, "item": item, "intent": intent, "acknowledged": acknowledged}


def visit(sid: str, minutes: float, *, by: str = ANNA.number, **more: Any) -> dict[str, Any]:
    """A call to us that an interview came of."""
    return call(sid, minutes, to=OURS, direction="inbound", caller_id=by, **{"case": ANNA.number, "presses": [press(minutes, "1")], **more})


OURS = "+861000000000"
INTERVIEW = [press(1, "1", item) for item in checker.RATED]
IN_TWO_CALLS = [call("CA1", 0, presses=INTERVIEW[:3]), call("CA2", 1, presses=INTERVIEW[3:])]
PUT_OFF = press(1, "9", "", "later")
WENT_BACK = [press(9, "7", "", "back"), press(9, "2")]
DAY = 24 * 60
PAUSED = {"one": [(MORNING, MORNING + timedelta(minutes=60))], "two": [(MORNING, None)]}
BAD: list[tuple[Rule, list[dict[str, Any]], Terms]] = [
    (checker.rung_while_ringing, [call("CA1", 0, lasts=120), call("CA2", 1)], Terms()),
    (checker.rung_while_ringing, [call("CA1", 0, ended_at=None), call("CA2", DAY)], Terms()),
    (checker.rung_while_ringing, [call("CA1", 0, lasts=36000), call("CA2", 200, lasts=1), call("CA3", 400)], Terms()),
    (checker.called_strangers, [call("CA1", 0, to="+8610000000003")], Terms()),
    (checker.outside_windows, [call("CA1", -61)], Terms()),
    (checker.outside_windows, [call("CA1", 121)], Terms()),
    (checker.outside_windows, [call("CA1", 119.9)], Terms(ring_seconds=30)),
    (checker.outside_windows, [call("CA1", 0, initiated_at=(MORNING + timedelta(hours=2.5)).isoformat())], Terms()),
    (checker.outside_windows, [call("CA1", 0)], Terms(kind_of_day=lambda day: "public_holiday")),
    (checker.too_soon_again, [call("CA1", 0), call("CA2", 60)], Terms()),
    (checker.too_soon_again, [call("CA1", 0, status="busy"), call("CA2", 19)], Terms()),
    (checker.too_soon_again, [call("CA1", 0, status="canceled", ringing_at=MORNING.isoformat()), call("CA2", 10)], Terms()),
    (checker.too_soon_again, [call(f"CA{n}", 20 * n, status="busy") for n in range(4)], Terms()),
    (checker.too_often, [call(f"CA{n}", DAY * n) for n in range(6)], Terms()),
    (checker.too_often, [call("CA1", 0), call("CA2", 7 * DAY + 10)], Terms()),
    (checker.too_often, [call("CA1", 0, presses=[PUT_OFF]), call("CA2", 7 * DAY), call("CA3", 8 * DAY)], Terms()),
    (checker.too_often, [call("CA1", 0, presses=[PUT_OFF]), call("CA2", 15 * DAY)], Terms()),
    (checker.after_refusal, [call("CA1", 0, presses=[press(1, "0", intent="never")]), call("CA2", DAY)], Terms()),
    (checker.after_the_interview, [call("CA1", 0, presses=INTERVIEW), call("CA2", DAY)], Terms()),
    (checker.after_the_interview, [call("CA1", 0, presses=[press(1, "8", intent="human")]), call("CA2", DAY)], Terms()),
    (checker.in_quarantine, [call("CA1", 0, campaign="one"), call("CA2", 89 * DAY, campaign="two")], Terms()),
    (checker.in_quarantine, [visit("CA1", 0, presses=INTERVIEW, campaign="one"), call("CA2", 89 * DAY, campaign="two")], Terms()),
    (checker.too_near_on_one_number, [call("CA1", 0, case="a"), call("CA2", 25, case="b")], Terms(number_gap_minutes=30)),
    (checker.more_than_the_lines, [call("CA1", 0), call("CA2", 0.5, to=BERT.number)], Terms(lines=1)),
    (checker.faster_than_the_pace, [call(f"CA{n}", n / 60) for n in range(4)], Terms(calls_per_second=0.1)),
    (checker.over_the_caps, [call("CA1", 0), call("CA2", 59)], Terms(hourly_calls=1)),
    (checker.over_the_caps, [call("CA1", 0), call("CA2", DAY - 10)], Terms(daily_calls=1)),
    (checker.after_refusal, [visit("CA1", 0, case="", presses=[press(1, "0", intent="never")]), call("CA2", DAY)], Terms()),
    (checker.after_refusal, [call("CA2", 5, to=CARL.number)], Terms()),
    (
        checker.after_the_interview,
        [call("CA1", 0, presses=INTERVIEW[:3]), call("CA2", 1, presses=INTERVIEW[3:]), call("CA3", DAY)],
        Terms(),
    ),
    (checker.after_the_interview, [visit("CA1", 0, presses=INTERVIEW), call("CA2", DAY)], Terms()),
    (checker.asked_again, [call("CA1", 0, presses=INTERVIEW[:3]), call("CA2", 9, presses=[press(9, "2")])], Terms()),
    (checker.asked_again, [visit("CA1", 0), call("CA2", 9, presses=[press(9, "2"), press(10, "7", intent="back")])], Terms()),
    (checker.while_they_call_us, [visit("CA1", 0, lasts=300, presses=[press(0.5, "1")]), call("CA2", 1)], Terms()),
    (checker.soon_after_they_called_us, [visit("CA1", 0, lasts=60), call("CA2", 170)], Terms()),
    (checker.while_paused, [call("CA1", 30, campaign="one")], Terms()),
    (checker.while_paused, [call("CA1", 9 * DAY, campaign="two")], Terms()),
]
GOOD: list[tuple[Rule, list[dict[str, Any]], Terms]] = [
    (checker.rung_while_ringing, [call("CA1", 0), call("CA2", 1)], Terms()),
    (checker.rung_while_ringing, [call("CA1", 0), call("CA2", 0.5, to=BERT.number)], Terms()),
    (checker.called_strangers, [call("CA1", 0)], Terms()),
    (checker.outside_windows, [call("CA1", -60), call("CA2", 119)], Terms()),
    (checker.too_soon_again, [call("CA1", 0), call("CA2", 180)], Terms()),
    (checker.too_soon_again, [call("CA1", 0, status="busy"), call("CA2", 20, status="busy"), call("CA3", 40)], Terms()),
    (checker.too_soon_again, [call("CA1", 0, status="canceled"), call("CA2", 10)], Terms()),
    (checker.too_often, [call(f"CA{n}", DAY * n) for n in range(5)], Terms()),
    (checker.too_often, [call("CA1", 0, presses=[PUT_OFF]), call("CA2", 8 * DAY)], Terms()),
    (checker.too_often, [call("CA1", 0), visit("CA2", 6 * DAY, presses=[PUT_OFF]), call("CA3", 8 * DAY)], Terms()),
    (checker.after_refusal, [call("CA1", 0), call("CA2", DAY, presses=[press(DAY, "0", intent="never")])], Terms()),
    (checker.after_refusal, [call("CA1", 0, presses=[press(1, "0", intent="never", acknowledged=False)]), call("CA2", DAY)], Terms()),
    (checker.after_the_interview, [call("CA1", 0, presses=INTERVIEW[:4]), call("CA2", DAY)], Terms()),
    (checker.in_quarantine, [call("CA1", 0, campaign="one"), call("CA2", 90 * DAY, campaign="two")], Terms()),
    (checker.in_quarantine, [visit("CA1", 0, campaign="one"), call("CA2", 89 * DAY, campaign="two")], Terms()),
    (checker.in_quarantine, [call("CA1", 0, campaign="one"), visit("CA2", DAY, campaign="two")], Terms()),
    (checker.too_near_on_one_number, [call("CA1", 0, case="a"), call("CA2", 31, case="b")], Terms(number_gap_minutes=30)),
    (checker.more_than_the_lines, [call("CA1", 0), call("CA2", 0.5, to=BERT.number)], Terms(lines=2)),
    (checker.faster_than_the_pace, [call(f"CA{n}", n / 6) for n in range(9)], Terms(calls_per_second=0.1)),
    (checker.over_the_caps, [call("CA1", 0), call("CA2", 61)], Terms(hourly_calls=1)),
    (checker.over_the_caps, [call("CA1", 0), call("CA2", DAY + 1)], Terms(daily_calls=1)),
    (checker.after_refusal, [call("CA1", 0.5, to=CARL.number)], Terms()),
    (checker.after_the_interview, [call("CA1", 0, presses=INTERVIEW[:2]), visit("CA2", 1, presses=INTERVIEW[2:])], Terms()),
    (checker.asked_again, IN_TWO_CALLS, Terms()),
    (
        checker.asked_again,
        [call("CA1", 0, presses=INTERVIEW[:1]), call("CA2", 9, presses=[press(9, "7", "", "back"), press(9, "2")])],
        Terms(),
    ),
    (checker.asked_again, [call("CA1", 0, presses=[press(0, "1", acknowledged=False)]), call("CA2", 9, presses=INTERVIEW)], Terms()),
    (checker.while_they_call_us, [visit("CA1", 0, case="", lasts=300), call("CA2", 1)], Terms()),
    (checker.while_they_call_us, [visit("CA1", 0, lasts=60), call("CA2", 2)], Terms()),
    (checker.soon_after_they_called_us, [visit("CA1", 0, lasts=60), call("CA2", 181)], Terms()),
    (checker.soon_after_they_called_us, [visit("CA1", 0, case=""), call("CA2", 2)], Terms()),
    (checker.while_paused, [call("CA1", 0.5, campaign="one"), call("CA2", 60, campaign="one")], Terms()),
]


def read(journal: list[dict[str, Any]], terms: Terms) -> History:
    cases = {each["sid"]: each["case"] for each in journal if "case" in each}
    campaigns = {each["sid"]: each["campaign"] for each in journal if "campaign" in each}
    return checker.history(journal, [ANNA, BERT, CARL], terms, second_legs=frozenset(), case_of=cases, campaign_of=campaigns, pauses=PAUSED)


@pytest.mark.parametrize(("rule", "journal", "terms"), BAD, ids=lambda value: getattr(value, "__name__", ""))
def test_the_rule_finds_the_breach_and_names_the_call(rule: Rule, journal: list[dict[str, Any]], terms: Terms) -> None:
    found = list(rule(read(journal, terms)))

    assert found
    assert found[-1].startswith(f"{journal[-1]['sid']}: ")


@pytest.mark.parametrize(("rule", "journal", "terms"), GOOD, ids=lambda value: getattr(value, "__name__", ""))
def test_the_rule_passes_a_history_that_just_keeps_it(rule: Rule, journal: list[dict[str, Any]], terms: Terms) -> None:
    assert list(rule(read(journal, terms))) == []


def test_every_rule_has_a_history_that_it_catches_and_one_that_it_passes() -> None:
    assert {rule for rule, _, _ in BAD} == {rule for rule, _, _ in GOOD} == set(checker.RULES)


def test_all_rules_are_applied() -> None:
    journal = [call("CA1", -61), call("CA2", -60.5)]

    assert len(violations(journal, [ANNA], Terms(lines=1))) == 5  # twice at once, both outside, spacing, lines


def test_a_promised_time_may_come_before_the_spacing_is_over() -> None:
    promised = Person(ANNA.number, promised=(MORNING + timedelta(minutes=60),))

    assert violations([call("CA1", -1), call("CA2", 62)], [promised], Terms()) == []
    assert violations([visit("CA1", 59, case=ANNA.number), call("CA2", 241)], [promised], Terms(spacing_minutes=360)) == []
    assert violations([call("CA1", -1), call("CA2", 62), call("CA3", 100)], [promised], Terms()) != [], "one call keeps a promise"


def test_incoming_calls_legs_and_calls_that_the_carrier_doubled_are_passed_over() -> None:
    more = [call("CA2", 1, direction="inbound"), call("CA3", 1, parent_sid="CA1"), call("CA4", 1)]

    assert violations([call("CA1", 0, lasts=300), *more], [ANNA], Terms(), second_legs=frozenset({"CA4"})) == []


def test_the_terms_are_taken_from_the_rules_of_a_campaign_as_they_are_stored() -> None:
    terms = checker.terms_of(Rules(spacing_minutes=240, weekend=()).to_json(), lines=3)

    assert (terms.lines, terms.spacing_minutes, terms.max_attempts) == (3, 240, 5)
    assert terms.windows == {"working_day": [["09:00", "12:00"], ["14:00", "20:00"]], "weekend": [], "public_holiday": []}
    assert violations([call("CA1", 240), call("CA2", 475)], [ANNA], terms) != []
    assert violations([call("CA1", 240), call("CA2", 481)], [ANNA], terms) == []
