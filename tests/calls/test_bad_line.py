"""A thousand calls over a line that duplicates, reorders and delays web-hooks: no answer lost, doubled or wrong."""

import pytest

from config import witness
from tests.calls.stage import Shown, show

PEOPLE = 420  # about a thousand calls, retries included
FAULTS = (
    "turn.duplicate=0.1", "turn.reorder=0.1", "turn.delay=0.05", "turn.drop=0.02",
    "status.duplicate=0.2", "status.reorder=0.2", "status.delay=0.2",
    "recording.duplicate=0.2", "recording.reorder=0.2", "machine.duplicate=0.2", "machine.reorder=0.2",
    "create.callback_first=0.1", "create.too_many=0.02", "create.error_before=0.01", "create.error_after=0.01",
)  # fmt: skip


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    faults = [word for fault in FAULTS for word in ("--fault", fault)]
    return show(tmp_path_factory.mktemp("bad-line"), "--calls", str(PEOPLE), "--seed", "11", *faults)


@pytest.mark.slow
def test_every_answer_is_what_was_pressed(shown: Shown) -> None:
    stored = [witness.StoredAnswer(row["carrier_sid"], row["item"], row["raw"]) for row in shown.export("answers")]
    calls = shown.journal()

    verdict = witness.compare(calls, stored)

    assert shown.status == 0, shown.text + shown.errors
    assert (verdict.different, verdict.lost, verdict.invented, verdict.rung_twice) == ([], [], [], [])
    assert len(calls) >= 950
    assert verdict.equal > 800


@pytest.mark.slow
def test_nobody_is_lost_and_no_call_is_unaccounted_for(shown: Shown) -> None:
    states = dict(shown.rows("SELECT state, count(*) FROM respondents GROUP BY state"))
    bound = shown.rows("SELECT carrier_sid FROM call_attempts WHERE carrier_sid NOT NULL")

    assert sum(states.values()) == PEOPLE
    assert states.keys() <= {"closed", "needs_review"}
    assert {sid for (sid,) in bound} == {call["sid"] for call in shown.journal()}
