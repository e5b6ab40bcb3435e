"""Callees who speak: real sound over a real socket, really recognised, and every answer that was taken is what was said."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from config import witness
from config.witness import StoredAnswer
from survey.script import RATED_ITEMS
from survey.store.models import Answer, CallAttempt, Hearing
from tests.calls.small_house import SmallHouse, opened
from tests.conftest import ON_SQLITE_ALONE
from tests.survey.fieldwork.conftest import Ground, ground

__all__ = ["ground"]
Told = Callable[[str, object], None]
PEOPLE = 8
pytestmark = ON_SQLITE_ALONE


def stored(house: SmallHouse) -> list[StoredAnswer]:
    rows = select(CallAttempt.carrier_sid, Answer.item, Answer.raw, Answer.mode, Answer.code)
    with house.ground.sessions() as session:
        found = session.execute(rows.join(Answer, Answer.attempt_id == CallAttempt.id))
        return [StoredAnswer(sid or "", item, raw, mode, code) for sid, item, raw, mode, code in found]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_spoken_rating_that_was_taken_is_what_the_callee_said(
    ground: Ground, tmp_path: Path, language: str, record_property: Told
) -> None:
    ground.office = replace(ground.office, languages=frozenset({"zh", "en"}))
    campaign_id = ground.launch(PEOPLE, language=language)
    with opened(ground, tmp_path, speakers=1.0, patience_seconds=5) as house:
        house.run(campaign_id)
        journal, answers = house.exchange.journal(), stored(house)

    verdict = witness.compare(journal, answers)
    with ground.sessions() as session:
        outcomes = Counter(session.scalars(select(Hearing.outcome)))
    by_voice = sum(answer.mode == "speech" and answer.item in RATED_ITEMS for answer in answers)
    record_property("told", f"by voice in {language}: {verdict.spoken} ratings as said, 0 misheard; heard {dict(outcomes)}")
    assert verdict.misheard == []
    assert verdict.is_clean
    assert [problem for call in journal for problem in call["problems"]] == []
    assert verdict.spoken == by_voice >= PEOPLE // 2
    assert outcomes["accepted"] + outcomes["doubted"] > PEOPLE


def test_when_those_who_hear_are_killed_the_calls_go_on_by_keys(ground: Ground, tmp_path: Path) -> None:
    ground.office = replace(ground.office, languages=frozenset({"zh"}))
    campaign_id = ground.launch(4)
    with opened(ground, tmp_path, speakers=1.0, patience_seconds=5) as house:
        for _ in range(3):
            house.round()
            for pid in house.hearers():
                os.kill(pid, signal.SIGKILL)
            house.pass_time()
        house.run(campaign_id)
        journal, answers = house.exchange.journal(), stored(house)

    verdict = witness.compare(journal, answers)
    assert verdict.is_clean
    assert sum(call["status"] == "completed" for call in journal) >= 1
    assert Counter(answer.mode for answer in answers)["keys"] > 0
