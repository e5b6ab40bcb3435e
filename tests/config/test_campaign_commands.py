"""Steering a campaign from the shell: pace, limits, holds, reviews; each leaves its reason and its name."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from config.cli import main
from config.settings import Settings
from config.wiring import House
from survey import fieldwork
from survey.fieldwork.holds import open_hold, scope_of
from survey.holds import HoldReason
from survey.store.models import AuditEntry, Campaign, Hold, Respondent
from tests.conftest import RING, StandingClock
from tests.survey.fieldwork.conftest import CALLER_ID, Ground


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    given = {
        "HUIFANG_DATA": str(tmp_path / "data"), "HUIFANG_PII_KEYS": RING, "HUIFANG_DATABASE_URL": database_url,
        "HUIFANG_CONCURRENT_CALLS": "8", "HUIFANG_CALLS_PER_SECOND": "2", "HUIFANG_CALLER_ID": CALLER_ID,
    }  # fmt: skip
    house = House(Settings.from_env(given, None), own_clock=StandingClock())
    yield house
    house.engine.dispose()


@pytest.fixture
def campaign_id(house: House) -> int:
    return Ground(house.engine, house.office, StandingClock()).launch(3)


def run(house: House, *words: str) -> Result:
    return CliRunner().invoke(main, ["campaign", *words], obj=house)


def last_deed(house: House) -> tuple[str, str, dict[str, object]]:
    with house.sessions() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.n.desc())).first()
        assert entry is not None
        return entry.actor, entry.action, json.loads(entry.details)


def test_lines_and_rate_are_changed_with_a_reason_and_a_name(house: House, campaign_id: int) -> None:
    result = run(house, "pace", str(campaign_id), "--lines", "2", "--rate", "0.5", "--reason", "线路检修")

    assert result.exit_code == 0, result.output
    with house.sessions() as session:
        found = session.get_one(Campaign, campaign_id)
        assert (found.lines, found.calls_per_second) == (2, 0.5)
    actor, action, details = last_deed(house)
    assert actor.startswith("cli")
    assert (action, details) == ("campaign.pace", {"lines": 2, "calls_per_second": 0.5, "reason": "线路检修"})


@pytest.mark.parametrize("words", [("--lines", "9"), ("--rate", "2.5"), ("--lines", "0"), ("--rate", "0.01")])
def test_the_pace_stays_within_what_the_account_allows(house: House, campaign_id: int, words: tuple[str, str]) -> None:
    result = run(house, "pace", str(campaign_id), *words, "--reason", "快一点")

    assert result.exit_code != 0
    assert "Traceback" not in result.output


def test_limits_are_set_and_taken_away(house: House, campaign_id: int) -> None:
    words = ("--hourly", "50", "--daily", "none", "--spend", "12.5", "--price", "0.2", "--reason", "预算")
    result = run(house, "limits", str(campaign_id), *words)

    assert result.exit_code == 0, result.output
    with house.sessions() as session:
        found = session.get_one(Campaign, campaign_id)
        assert (found.hourly_calls, found.daily_calls, found.spend_limit, found.minute_price) == (50, None, 12.5, 0.2)
    assert last_deed(house)[1] == "campaign.limits"


@pytest.mark.parametrize("words", [("--hourly", "0"), ("--hourly", "many"), ("--spend", "-1"), ("--hourly", "5", "--reason", " ")])
def test_a_limit_that_makes_no_sense_is_refused(house: House, campaign_id: int, words: tuple[str, ...]) -> None:
    result = run(house, "limits", str(campaign_id), "--reason", "x", *words)

    assert result.exit_code != 0
    assert "Traceback" not in result.output


def test_a_hold_is_shown_and_lifted_with_a_reason(house: House, campaign_id: int) -> None:
    with house.unit_of_work() as work:
        scope = scope_of(work.session.get_one(Campaign, campaign_id))
        open_hold(work.session, scope, HoldReason.ABANDONED, house.clock.now(), detail="3/20")

    shown = run(house, "holds").output
    assert "无声呼叫超过 3%" in shown
    assert "3/20" in shown
    assert run(house, "lift", shown.split("\t")[0], "--reason", "语音门已修复").exit_code == 0
    assert run(house, "holds").output == ""
    with house.sessions() as session:
        hold = session.scalars(select(Hold)).one()
    assert hold.lifted_by == last_deed(house)[0]
    assert run(house, "lift", str(hold.id), "--reason", "again").exit_code != 0


def test_who_waits_for_a_person_is_shown_with_both_calls_and_decided_on(house: House, campaign_id: int) -> None:
    ground = Ground(house.engine, house.office, StandingClock())
    attempt_id = ground.claim()[0]
    assert ground.prepare(attempt_id) is not None
    seen = [fieldwork.SeenCall(sid, CALLER_ID, "in_progress", ground.now, None) for sid in ("CAone", "CAtwo")]
    with house.unit_of_work() as work:
        fieldwork.reconcile(work, house.office, attempt_id, seen, ground.now)

    shown = run(house, "review", str(campaign_id)).output
    assert "CAone CAtwo" in shown
    respondent = shown.split("\t")[0]
    assert run(house, "review", str(campaign_id), "--respondent", respondent, "--verdict", "close").exit_code != 0, "no reason"
    done = run(house, "review", str(campaign_id), "--respondent", respondent, "--verdict", "close", "--reason", "已核实接通")
    assert (done.exit_code, done.output) == (0, "")
    with house.sessions() as session:
        found = session.get_one(Respondent, int(respondent))
        assert (found.state, found.close_reason, found.review_reason) == ("closed", "reviewed", "")
    assert last_deed(house)[1:] == ("review.close", {"waited_for": "several_calls", "reason": "已核实接通"})
