"""Every word that the code stores has a word to show, in both languages (the catalog's test demands the English)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ivr.console
from ivr.console import words
from survey.casework.reminding import KINDS
from survey.casework.tickets import STEPS as TICKET_STEPS
from survey.desk.takeovers import WISHES
from survey.fieldwork import campaigns
from survey.fieldwork.reviews import VERDICTS
from survey.order_moves import MOVES
from survey.store.models import CallAttempt, Recording, Respondent

ROOT = Path(ivr.console.__file__).parents[2]
PACKAGES = ("survey", "config", "ivr", "worker")
RECORDERS = {"record": ("office", 3), "append": ("audit", 4)}
"""Who writes into the audit trail, and which of its arguments is the action: office.record and audit.append."""
PASSES_ON = {"survey/fieldwork/office.py"}
"""Hands its caller's action on."""


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    yield path.relative_to(ROOT).as_posix(), node


def _action(call: ast.Call) -> ast.expr | None:
    """The expression of the recorded action, or None where the call records nothing."""
    owner, position = RECORDERS.get(call.func.attr, ("", 0))
    name = getattr(call.func.value, "attr", getattr(call.func.value, "id", ""))
    if not owner or name != owner:
        return None
    named = next((keyword.value for keyword in call.keywords if keyword.arg == "action"), None)
    return named or call.args[position]


def _names(action: ast.expr) -> list[str]:
    """The actions that an expression can mean: a text, one of two, or `campaign.` with each move."""
    if isinstance(action, ast.Constant):
        return [action.value]
    if isinstance(action, ast.IfExp):
        return _names(action.body) + _names(action.orelse)
    if isinstance(action, ast.JoinedStr) and ast.unparse(action) == "f'campaign.{move}'":
        return [f"campaign.{move}" for move in campaigns.MOVES]
    if isinstance(action, ast.JoinedStr) and ast.unparse(action) == "f'review.{verdict}'":
        return [f"review.{verdict}" for verdict in VERDICTS]
    if isinstance(action, ast.JoinedStr) and ast.unparse(action) == "f'order.{change.action}'":
        return [f"order.{move}" for move in (*MOVES, "issue")]
    if isinstance(action, ast.JoinedStr) and ast.unparse(action) == "f'takeover.{what}'":
        return [f"takeover.{wish}" for wish in WISHES]
    if isinstance(action, ast.JoinedStr) and ast.unparse(action) == "f'ticket.{what}'":
        return [f"ticket.{what}" for what in TICKET_STEPS]
    if isinstance(action, ast.JoinedStr) and ast.unparse(action) == "f'notice.{reminder.kind}'":
        return [f"notice.{kind}" for kind in KINDS]
    raise AssertionError(f"cannot tell which action is recorded: {ast.unparse(action)}")


def _recorded() -> set[str]:
    actions = [action for path, call in _calls() if path not in PASSES_ON and (action := _action(call))]
    return {name for action in actions for name in _names(action)}


def test_every_recorded_action_has_a_word():
    recorded = _recorded()

    assert {"login", "draw.made", "answer", "campaign.pause", "contact.dial", "case.escalate", "sheet.download", "user.add"} <= recorded
    assert recorded - set(words.ACTIONS) == set()


def test_an_action_that_we_do_not_know_is_shown_as_it_is():
    assert words.say(words.ACTIONS, "moon.landing") == "moon.landing"


REASONS = ["finished", "declined", "max_attempts", "out_of_time", "opted_out", "handed_over", "campaign_stopped", "quarantine", "no_number",
           "reviewed", "refused_number", "excluded", "order_went_on"]  # fmt: skip
SHOWN = [
    ("finished", "已有最终结果", "Final outcome reached"),
    ("max_attempts", "已达拨打次数上限", "Maximum number of calls reached"),
    ("handed_over", "已转人工处理", "Handed over to a person"),
]


def test_every_reason_to_close_has_a_word():
    assert set(words.CLOSE_REASONS) == set(REASONS)


@pytest.mark.parametrize(("reason", "chinese", "english"), SHOWN)
def test_the_call_page_says_why_nobody_calls_any_more(log_in, open_page, month, sessions, reason, chinese, english):
    with sessions.begin() as session:
        session.query(Respondent).filter_by(public_id=month.dissatisfied).update({"close_reason": reason})

    assert f"结束原因：{chinese}" in open_page(log_in("operator"), f"/calls/{month.dissatisfied}").text
    assert f"Closed because: {english}" in open_page(log_in("operator", "en"), f"/calls/{month.dissatisfied}").text


@pytest.mark.parametrize(("state", "word"), [("announced", "待取回"), ("kept", "已保存"), ("needs_review", "待人工核查")])
def test_the_state_of_a_recording_is_said_in_words(log_in, open_page, month, sessions, state, word):
    with sessions.begin() as session:
        session.query(Recording).update({"state": state})

    assert word in open_page(log_in("operator"), f"/calls/{month.dissatisfied}").text


def test_a_problem_of_our_own_is_said_in_words_and_the_carriers_code_as_it_is(log_in, open_page, month, sessions):
    for error, shown in (("refused_number", "号码不允许拨打"), ("21211", "21211")):
        with sessions.begin() as session:
            session.query(CallAttempt).update({"error": error})
        cells = [one.text for one in open_page(log_in("operator"), f"/calls/{month.dissatisfied}").all("td")]
        assert shown in cells
