"""The life of an order: every rule of it, and that no sequence of steps leads past them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from survey import orders
from survey.errors import BadInput, NotAllowed
from survey.order_clock import Terms, after_office_time, days_left, due, eve, extended, has_passed, is_office_open, last_day, week_of
from survey.order_moves import MOVES, OPEN, OUTCOMES, PARTIES, RUNNING, STATES, Actor, Change, Standing, actions
from survey.order_replies import Reply, checked, verifies_fault
from survey.working_days import CalendarMissing, calendar
from tests.survey.test_working_days import WORKED_FIGURE_11

TERMS = Terms()
NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)  # a Tuesday, 10:00 in Shanghai
UNIT, HEAD, STRANGER = Actor("zhou", "unit", 7), Actor("sun", "unit", 7, is_head=True), Actor("wang", "unit", 8)
CENTRE, LEADER, INSPECTOR = Actor("li", "centre"), Actor("wu", "commander"), Actor("he", "inspection")
VISITED = Reply("substantiated", "officer", measure="批评教育", visited_on=date(2026, 3, 10), people="钱所长")


def fresh(route: str = "centre", consent: str = "yes") -> Standing:
    return orders.issue(route, 7, consent, TERMS, 5, orders.SYSTEM, NOW).after


def answered(standing: Standing | None = None, at: datetime = NOW) -> Standing:
    standing = standing or fresh()
    if standing.state == "issued":
        standing = orders.sign(standing, UNIT, at).after
    return orders.answer(orders.take_in_hand(standing, UNIT, at).after, UNIT, at, VISITED, TERMS)[0].after


def recalled(standing: Standing, result: str, at: datetime = NOW) -> Standing:
    return orders.note_recall(orders.begin_recall(standing, orders.SYSTEM, at).after, orders.SYSTEM, at, result, TERMS).after


@pytest.mark.parametrize(("issued", "days", "last"), WORKED_FIGURE_11)
def test_the_deadline_is_that_of_the_worked_figure(issued: str, days: int, last: str) -> None:
    at = datetime.fromisoformat(f"{issued}T15:00+08:00")
    order = orders.issue("centre", 7, "yes", Terms(days=days), days, orders.SYSTEM, at).after

    assert last_day(TERMS, order.due_at) == date.fromisoformat(last)
    assert TERMS.local(order.due_at).time().isoformat() == "00:00:00", "24:00 is the first moment of the next day"


def test_a_year_without_a_calendar_is_refused() -> None:
    with pytest.raises(CalendarMissing, match="2027"):
        orders.issue("centre", 7, "yes", TERMS, 5, orders.SYSTEM, datetime(2026, 12, 29, 2, tzinfo=UTC))


def test_a_satisfied_person_closes_the_order() -> None:
    closed = recalled(answered(), "satisfied")

    assert (closed.state, closed.outcome, closed.closed_at) == ("closed", "satisfied", NOW)


@pytest.mark.parametrize(("result", "outcome"), [("unreachable", "unverified"), ("declined", "no_recall_wanted")])
def test_whom_nobody_could_ask_again_never_counts_as_satisfied(result: str, outcome: str) -> None:
    assert recalled(answered(), result).outcome == outcome


def test_still_dissatisfied_is_returned_twice_and_then_supervised() -> None:
    seen, standing, at = [], answered(), NOW
    for _ in range(4):
        at += timedelta(days=1)
        standing = recalled(standing, "dissatisfied", at)
        seen.append((standing.state, standing.returns, standing.answered_at))
        standing = answered(standing, at)

    assert seen == [("returned", 1, None), ("returned", 2, None), ("supervised", 2, None), ("supervised", 2, None)]
    with pytest.raises(NotAllowed, match="2 times"):
        orders.return_(standing, CENTRE, at, "不充分", TERMS)
    assert orders.close(standing, CENTRE, at, "explained", "已当面解释").after.outcome == "explained"


def test_the_clock_stops_with_the_answer_and_starts_anew_with_the_return() -> None:
    standing = answered()
    later = NOW + timedelta(days=30)
    assert not orders.is_overdue(standing, later)

    back = orders.return_(standing, CENTRE, later, "未说明原因", TERMS).after

    assert back.due_at == due(TERMS, later, 5)
    assert not orders.is_overdue(back, back.due_at - timedelta(seconds=1))
    assert orders.is_overdue(back, back.due_at)


def test_a_return_never_shortens_a_deadline_that_was_given() -> None:
    long = orders.decide_extension(
        orders.ask_extension(fresh(), HEAD, NOW, 5, "需外地核实", TERMS).after, CENTRE, NOW, is_granted=True, days=5, asked_by="sun",
        reason="同意", terms=TERMS,
    ).after  # fmt: skip

    assert last_day(TERMS, long.due_at) == date(2026, 3, 24)
    assert orders.return_(answered(long), CENTRE, NOW, "不充分", TERMS).after.due_at == long.due_at


def ask(standing: Standing, actor: Actor = HEAD, at: datetime = NOW, days: int = 3, reason: str = "需外地核实") -> Change:
    return orders.ask_extension(standing, actor, at, days, reason, TERMS)


def test_an_extension_is_asked_for_once_by_the_head_before_the_deadline_with_a_reason() -> None:
    standing = fresh()

    with pytest.raises(NotAllowed, match="head of the unit"):
        ask(standing, UNIT)
    with pytest.raises(NotAllowed, match="deadline is over"):
        ask(standing, at=standing.due_at)
    with pytest.raises(BadInput, match="1 to 5 working days"):
        ask(standing, days=6)
    with pytest.raises(BadInput, match="reason is needed"):
        ask(standing, reason=" ")
    with pytest.raises(NotAllowed, match="extended once"):
        ask(ask(standing).after)


def test_an_extension_is_decided_by_the_centre_and_counted_from_the_deadline() -> None:
    asked = ask(fresh()).after
    decide: dict[str, Any] = {"days": 3, "asked_by": "sun", "reason": "同意", "terms": TERMS}

    with pytest.raises(NotAllowed, match="role or unit"):
        orders.decide_extension(asked, HEAD, NOW, is_granted=True, **decide)
    granted = orders.decide_extension(asked, CENTRE, NOW, is_granted=True, **decide).after
    refused = orders.decide_extension(asked, CENTRE, NOW, is_granted=False, **decide).after

    assert last_day(TERMS, granted.due_at) == date(2026, 3, 20)
    assert (granted.extension, refused.extension, refused.due_at) == ("granted", "refused", asked.due_at)
    with pytest.raises(NotAllowed, match="no extension waits"):
        orders.decide_extension(granted, CENTRE, NOW, is_granted=True, **decide)


def test_an_appeal_is_decided_outside_the_unit() -> None:
    appealed = orders.appeal(fresh(), UNIT, NOW, "not_own").after

    with pytest.raises(NotAllowed, match="outside the unit"):
        orders.decide_appeal(appealed, Actor("wu", "centre", 7), NOW, is_upheld=True, about_all=True, asked_by="zhou", reason="核实无误")
    upheld = orders.decide_appeal(appealed, CENTRE, NOW, is_upheld=True, about_all=True, asked_by="zhou", reason="确非本单位").after
    rejected = orders.decide_appeal(appealed, CENTRE, NOW, is_upheld=False, about_all=True, asked_by="zhou", reason="录音为证").after

    assert (upheld.state, upheld.outcome) == ("closed", "appeal_upheld")
    assert (rejected.state, rejected.appeal, rejected.due_at) == ("issued", "rejected", appealed.due_at)
    with pytest.raises(NotAllowed, match="appealed against once"):
        orders.appeal(rejected, UNIT, NOW, "untrue")


def test_an_order_goes_on_where_the_appeal_was_about_some_of_its_items_only() -> None:
    appealed = orders.appeal(fresh(), UNIT, NOW, "untrue").after
    upheld = orders.decide_appeal(appealed, CENTRE, NOW, is_upheld=True, about_all=False, asked_by="zhou", reason="核实无误").after

    assert upheld == replace(appealed, appeal="upheld")


@pytest.mark.parametrize(
    ("ground", "appealed", "is_all"),
    [("untrue", ("speed",), False), ("untrue", ("attitude", "speed"), True), ("not_own", ("speed",), True), ("untrue", (), False)],
)
def test_an_appeal_leaves_nothing_where_the_unit_is_another_or_every_item_is_untrue(
    ground: str, appealed: tuple[str, ...], is_all: bool
) -> None:
    assert orders.is_about_all(ground, appealed, ("speed", "attitude")) is is_all


def test_an_appeal_upheld_after_the_end_leaves_the_outcome() -> None:
    standing = recalled(answered(orders.appeal(fresh(), UNIT, NOW, "untrue").after), "satisfied")
    upheld = orders.decide_appeal(standing, CENTRE, NOW, is_upheld=True, about_all=True, asked_by="zhou", reason="核实").after

    assert (upheld.outcome, upheld.appeal) == ("satisfied", "upheld")


def test_another_unit_gets_an_order_as_if_it_were_new_and_keeps_what_was_decided_on_the_appeal() -> None:
    standing = replace(answered(), returns=2, supervised=True, extension="granted", appeal="upheld")
    change = orders.reassign(standing, CENTRE, NOW, 9, "在其辖区", TERMS)

    assert change.reason == "在其辖区"
    assert change.after == replace(
        standing, unit_id=9, state="issued", answered_at=None, returns=0, supervised=False, extension="", due_at=change.after.due_at
    )
    assert change.after.due_at >= standing.due_at


def test_an_order_is_not_given_to_the_unit_that_has_it_nor_while_its_appeal_waits_nor_by_a_unit() -> None:
    with pytest.raises(BadInput, match="choose another one"):
        orders.reassign(fresh(), CENTRE, NOW, fresh().unit_id or 0, "换人", TERMS)
    with pytest.raises(NotAllowed, match="appeal first"):
        orders.reassign(replace(fresh(), appeal="asked"), CENTRE, NOW, 9, "换人", TERMS)
    with pytest.raises(NotAllowed, match="role or unit"):
        orders.reassign(fresh(), UNIT, NOW, 9, "换人", TERMS)


def test_only_a_call_makes_an_order_satisfied() -> None:
    for outcome in ("satisfied", "appeal_upheld", "anything"):
        with pytest.raises(BadInput, match="by hand"):
            orders.close(answered(), CENTRE, NOW, outcome, "理由充分")
    with pytest.raises(NotAllowed, match="only an order that was supervised"):
        orders.close(answered(), CENTRE, NOW, "explained", "理由充分")


def test_a_commander_reads_orders_and_moves_none() -> None:
    for standing in (fresh(), answered(), replace(answered(), state="supervised", supervised=True), replace(fresh(), appeal="asked")):
        assert actions(standing, LEADER) == ()


def test_supervision_comes_after_the_deadline_or_the_last_return() -> None:
    standing = fresh()
    with pytest.raises(NotAllowed, match="neither overdue"):
        orders.supervise(standing, CENTRE, NOW, "拖延", TERMS)

    assert orders.supervise(standing, CENTRE, standing.due_at, "逾期未回复", TERMS).after.supervised


@pytest.mark.parametrize("action", [name for name, move in MOVES.items() if move.party == "handler"])
def test_what_the_unit_does_no_other_unit_may(action: str) -> None:
    standing = fresh()

    assert action not in actions(standing, STRANGER)
    assert set(actions(standing, STRANGER)) == set()


def test_an_order_to_inspection_is_closed_to_the_unit_and_to_the_centre() -> None:
    standing = fresh("inspection")

    assert [actions(standing, actor) for actor in (UNIT, HEAD, CENTRE, LEADER)] == [(), (), (), ()]
    assert "sign" in actions(standing, INSPECTOR)
    with pytest.raises(NotAllowed, match="no appeal against"):
        orders.appeal(standing, INSPECTOR, NOW, "untrue")


def test_every_refusal_is_said_in_both_languages() -> None:
    with pytest.raises(NotAllowed, match=r"^交办单已交办，不能回复 / the order is issued: to answer is not possible$"):
        orders.answer(fresh(), UNIT, NOW, VISITED, TERMS)


def accept(reply: Reply, consent: str = "yes") -> Reply:
    return checked(reply, consent, date(2026, 3, 9), date(2026, 3, 12))


@pytest.mark.parametrize(
    ("reply", "consent", "field"),
    [
        (Reply("maybe", "officer"), "yes", "finding"),
        (Reply("partly", "weather"), "yes", "cause"),
        (Reply("partly", "officer", measure="x", people="钱"), "yes", "visited_on"),
        (Reply("partly", "officer", measure="x", people="钱", visited_on=date(2026, 3, 13)), "yes", "visited_on"),
        (Reply("partly", "officer", measure="x", people="钱", visited_on=date(2026, 3, 8)), "yes", "visited_on"),
        (Reply("partly", "officer", measure="x", visited_on=date(2026, 3, 10)), "yes", "people"),
        (Reply("partly", "officer", visited_on=date(2026, 3, 10), people="钱", explanation="y"), "yes", "measure"),
        (Reply("partly", "objective", visited_on=date(2026, 3, 10), people="钱", measure="y"), "yes", "explanation"),
        (Reply("partly", "other_unit", visited_on=date(2026, 3, 10), people=" ", explanation="y"), "yes", "people"),
        (Reply("partly", "officer", measure="x"), "no", "improvement"),
        (Reply("partly", "officer", measure="x", improvement="y", people="钱"), "no", "people"),
        (Reply("partly", "officer", measure="x", improvement="y", visited_on=date(2026, 3, 10)), "unasked", "visited_on"),
        (Reply("partly", "officer", measure="x" * 2001, improvement="y"), "no", "measure"),
    ],
)
def test_a_reply_that_lacks_something_is_refused_and_the_field_named(reply: Reply, consent: str, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        accept(reply, consent)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("reply", "consent", "fields"),
    [
        (Reply("", ""), "yes", ["finding", "cause", "visited_on", "people", "measure"]),
        (Reply("", "officer"), "no", ["finding", "improvement", "measure"]),
        (Reply("partly", "objective", visited_on=date(2026, 3, 13)), "yes", ["visited_on", "people", "explanation"]),
        (Reply("partly", "", explanation="y" * 2001, improvement="z"), "no", ["cause", "explanation"]),
    ],
)
def test_everything_that_a_reply_lacks_is_told_at_once(reply: Reply, consent: str, fields: list[str]) -> None:
    with pytest.raises(BadInput) as refused:
        accept(reply, consent)

    assert [refused.value.field, *(one.field for one in refused.value.more)] == fields


def test_a_whole_reply_is_accepted_with_a_visit_or_with_the_improvement() -> None:
    assert accept(VISITED) == VISITED
    assert accept(Reply("unsubstantiated", "objective", explanation=" 警力不足 ", improvement="增派"), "no").explanation == "警力不足"


def test_a_fault_is_verified_by_a_reply_that_finds_it() -> None:
    assert verifies_fault("partly", "officer")
    assert not verifies_fault("unsubstantiated", "officer")
    assert not verifies_fault("substantiated", "objective")


@pytest.mark.parametrize(
    ("now", "left"),
    [("2026-03-16T10:00", 1), ("2026-03-17T23:59", 0), ("2026-03-18T00:00", -1), ("2026-03-20T09:00", -3), ("2026-03-22T09:00", -3)],
)
def test_days_are_counted_in_working_days(now: str, left: int) -> None:
    assert days_left(TERMS, fresh().due_at, datetime.fromisoformat(f"{now}+08:00")) == left


def test_make_up_saturdays_count_and_moved_days_off_do_not() -> None:
    issued = datetime.fromisoformat("2026-02-12T10:00+08:00")

    assert last_day(TERMS, due(TERMS, issued, 5)) == date(2026, 2, 26)
    assert days_left(TERMS, due(TERMS, issued, 5), issued) == 5
    assert eve(TERMS, due(TERMS, issued, 3)) == date(2026, 2, 14), "a Saturday that is worked"


MOMENTS = st.integers(-80 * 24 * 60, 260 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes))


@given(MOMENTS, st.integers(0, 8), st.integers(-2 * 24 * 60, 20 * 24 * 60))
def test_what_was_due_has_passed_from_that_very_moment_on(at: datetime, days: int, minutes: int) -> None:
    end, now = due(TERMS, at, days), at + timedelta(minutes=minutes)

    assert has_passed(TERMS, at, days, now) is (end <= now)
    assert [has_passed(TERMS, at, days, moment) for moment in (end - timedelta(microseconds=1), end)] == [False, True]


def test_what_is_due_in_a_year_without_a_calendar_has_not_passed() -> None:
    assert not has_passed(TERMS, datetime(2026, 12, 30, 2, tzinfo=UTC), 2, datetime(2026, 12, 31, 8, tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-03-10T08:29", False), ("2026-03-10T08:30", True), ("2026-03-10T17:59", True), ("2026-03-10T18:00", False),
        ("2026-03-14T10:00", False), ("2026-02-14T10:00", True), ("2026-02-17T10:00", False),
    ],
)  # fmt: skip
def test_offices_are_open_on_working_days_from_half_past_eight_to_six(now: str, is_open: bool) -> None:
    assert is_office_open(TERMS, datetime.fromisoformat(f"{now}+08:00")) is is_open


@pytest.mark.parametrize(
    ("ended", "by"),
    [
        ("2026-03-10T10:00", "2026-03-10T11:00"), ("2026-03-10T17:30", "2026-03-11T09:00"), ("2026-03-10T19:50", "2026-03-11T09:30"),
        ("2026-03-13T17:00", "2026-03-13T18:00"), ("2026-03-14T15:00", "2026-03-16T09:30"), ("2026-03-10T07:00", "2026-03-10T09:30"),
    ],
)  # fmt: skip
def test_a_working_hour_runs_only_while_offices_are_open(ended: str, by: str) -> None:
    assert after_office_time(TERMS, datetime.fromisoformat(f"{ended}+08:00")) == datetime.fromisoformat(f"{by}+08:00")


def test_the_week_begins_on_the_set_day() -> None:
    assert week_of(Terms(weekday=4), NOW) == date(2026, 3, 6)
    assert week_of(Terms(weekday=1), NOW) == date(2026, 3, 10)


@pytest.mark.parametrize("bad", [{"days": 0}, {"extension_days": 61}, {"returns": -1}, {"weekday": 7}, {"opening": Terms().closing}])
def test_terms_out_of_bounds_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Terms(**bad)


def test_every_move_names_states_and_parties_that_exist() -> None:
    assert {state for move in MOVES.values() for state in move.starts} <= set(STATES)
    assert {move.party for move in MOVES.values()} <= set(PARTIES)
    assert {"closed", "void"} == set(STATES) - set(OPEN)


EVERYBODY = (UNIT, HEAD, STRANGER, CENTRE, LEADER, INSPECTOR, orders.SYSTEM, Actor("op", "operator"), Actor("au", "auditor"))
REPLIES = (VISITED, Reply("partly", "objective", explanation="警力不足", improvement="增派"), Reply("partly", "officer"))
STEPS = {
    "sign": lambda s, a, t, n: orders.sign(s, a, t),
    "take_in_hand": lambda s, a, t, n: orders.take_in_hand(s, a, t),
    "answer": lambda s, a, t, n: orders.answer(s, a, t, REPLIES[n % 3], TERMS)[0],
    "ask_extension": lambda s, a, t, n: orders.ask_extension(s, a, t, n, "需外地核实", TERMS),
    "decide_extension": lambda s, a, t, n: orders.decide_extension(
        s, a, t, is_granted=n % 2 == 0, days=3, asked_by="sun", reason="研究决定", terms=TERMS
    ),
    "appeal": lambda s, a, t, n: orders.appeal(s, a, t, ("untrue", "not_own")[n % 2]),
    "decide_appeal": lambda s, a, t, n: orders.decide_appeal(s, a, t, is_upheld=n < 3, about_all=n < 2, asked_by="zhou", reason="研究决定"),
    "reassign": lambda s, a, t, n: orders.reassign(s, a, t, 7 + n % 2, "非本单位管辖", TERMS),
    "return": lambda s, a, t, n: orders.return_(s, a, t, "不充分", TERMS),
    "supervise": lambda s, a, t, n: orders.supervise(s, a, t, "拖延", TERMS),
    "begin_recall": lambda s, a, t, n: orders.begin_recall(s, a, t),
    "note_recall": lambda s, a, t, n: orders.note_recall(s, a, t, orders.RECALLED[n % 4], TERMS),
    "close": lambda s, a, t, n: orders.close(s, a, t, tuple(OUTCOMES)[n % 5], "研究决定"),
    "void": lambda s, a, t, n: orders.void(s, a, t, "误发"),
    "reroute": lambda s, a, t, n: orders.reroute(s, t, TERMS, 1),
    "retime": lambda s, a, t, n: orders.retime(s, t, min(s.due_at + timedelta(days=n), datetime(2026, 11, 20, tzinfo=UTC)), "调休变更"),
    "attach": lambda s, a, t, n: orders.attach(s, a, t, "application/pdf"),
}


def test_the_machine_below_takes_every_step_there_is() -> None:
    assert set(STEPS) == set(MOVES)


class Life(RuleBasedStateMachine):
    """Anybody tries anything at any time; whatever is let through obeys the rules."""

    def __init__(self) -> None:
        super().__init__()
        self.at, self.standing = NOW, fresh()
        self.trail: list[Change] = []
        self.lapsed = 0

    @rule(step=st.sampled_from(sorted(STEPS)), actor=st.sampled_from(EVERYBODY), number=st.integers(0, 6), hours=st.integers(0, 60))
    def try_step(self, step: str, actor: Actor, number: int, hours: int) -> None:
        self._take(step, actor, number, hours)

    @rule(actor=st.sampled_from(EVERYBODY), pick=st.integers(0, 50), number=st.integers(0, 6), hours=st.integers(0, 30))
    def try_what_is_offered(self, actor: Actor, pick: int, number: int, hours: int) -> None:
        offered = actions(self.standing, actor)
        if offered:
            self._take(offered[pick % len(offered)], actor, number, hours)

    def _take(self, step: str, actor: Actor, number: int, hours: int) -> None:
        self.at = min(self.at + timedelta(hours=hours), datetime(2026, 11, 1, tzinfo=UTC))
        before = self.standing
        try:
            change = STEPS[step](before, actor, self.at, number)
        except (NotAllowed, BadInput) as refused:
            zh, _, en = str(refused).partition(" / ") if " / " in str(refused) else str(refused).partition("/ ")
            assert any("\u4e00" <= c <= "\u9fff" for c in zh)
            assert en
            return
        self._judge(step, actor, before, change)
        self.lapsed += change.after.extension == "lapsed" != before.extension
        self.standing = change.after
        self.trail.append(change)

    def _judge(self, step: str, actor: Actor, before: Standing, change: Change) -> None:
        after = change.after
        assert before.state in MOVES[step].starts
        assert step in ("reroute", "retime") or step in actions(before, actor), "nothing is let through that is not offered"
        assert before.state not in ("void",)
        assert after.due_at >= before.due_at or step == "reroute", "no deadline that was given is shortened"
        assert after.returns <= TERMS.returns
        assert bool(change.reason) == MOVES[step].needs_reason
        if before.state == "closed":
            assert step == "decide_appeal"
            assert after.outcome == before.outcome
        if after.outcome == "satisfied" and before.outcome != "satisfied":
            assert (step, change.details) == ("note_recall", {"result": "satisfied"})
        if before.route == "inspection":
            assert change.actor.role in ("inspection", "system")

    @invariant()
    def clock_rules(self) -> None:
        standing = self.standing
        assert (standing.answered_at is None) or standing.state not in RUNNING, "the clock runs or stands by the state"
        assert standing.state not in ("answered", "recalling") or standing.answered_at is not None
        assert (standing.closed_at is not None) == (standing.state in ("closed", "void"))
        assert bool(standing.outcome) == (standing.state == "closed")
        assert standing.extension != "asked" or standing.state in RUNNING, "nobody could decide on it any more"
        assert standing.appeal != "asked" or standing.state != "void", "nor on an appeal against what was issued by mistake"

    @invariant()
    def one_of_each(self) -> None:
        steps = [change.action for change in self.trail]
        assert steps.count("ask_extension") <= 1 + steps.count("reassign") + steps.count("reroute") + self.lapsed
        assert steps.count("appeal") <= 1
        assert self.standing.replies == steps.count("answer")


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)


def test_an_extension_never_reaches_beyond_the_setting() -> None:
    deadline = fresh().due_at

    assert last_day(TERMS, extended(TERMS, deadline, 5)) == date(2026, 3, 24)
    assert calendar("cn") == TERMS.calendar
