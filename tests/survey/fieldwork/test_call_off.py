"""A pause calls off what the carrier has queued and lets what rings or talks finish (RS14)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ivr.carrier.base import CarrierError
from survey import fieldwork
from survey.store.models import Campaign
from tests.survey.fieldwork.conftest import Ground
from worker import jobs, runtime


@dataclass
class QueueingCarrier:
    """A carrier that only hears which calls are to be let be; it may be deaf."""

    called_off: list[tuple[str, bool]] = field(default_factory=list)
    is_deaf: bool = False

    def hang_up(self, sid: str, *, ringing_only: bool = False) -> None:
        if self.is_deaf:
            raise CarrierError("not reachable")
        self.called_off.append((sid, ringing_only))


@pytest.fixture
def carrier(ground: Ground, tmp_path: Path) -> Iterator[QueueingCarrier]:
    line: Any = QueueingCarrier()
    before = runtime._Holder.runtime
    runtime.install(runtime.Runtime(ground.work, ground.office, ground.clock, line, tmp_path, "http://127.0.0.1:1"))
    yield line
    runtime._Holder.runtime = before


def sweep(ground: Ground) -> list[int]:
    """One sweep, and the calling off that it asks for; the attempts concerned."""
    ground.queue.asked.clear()
    jobs.sweep(runtime.current())
    wanted = [row_id for job, row_id, _ in ground.queue.asked if job == "call_off"]
    for row_id in wanted:
        jobs.call_off(row_id)
    return wanted


def steer(ground: Ground, move: str) -> None:
    with ground.work() as work:
        getattr(fieldwork, move)(work.session, ground.office, work.session.get_one(Campaign, 1), "张三", ground.now)


def placed(ground: Ground, people: int) -> list[int]:
    ground.launch(people, lines=people, calls_per_second=people)
    claimed = ground.claim()
    for attempt_id in claimed:
        ground.place_call(attempt_id)
    return claimed


@pytest.mark.parametrize("move", ["pause", "stop"])
def test_what_does_not_ring_yet_is_called_off_once_and_the_rest_may_finish(ground: Ground, carrier: QueueingCarrier, move: str) -> None:
    queued, dialled, ringing, talking = placed(ground, 4)
    for attempt_id, word in ((dialled, "initiated"), (ringing, "ringing"), (talking, "in_progress")):
        ground.status(ground.attempt(attempt_id).token, word)
    assert sweep(ground) == [], "while the campaign runs nothing is called off"

    steer(ground, move)

    assert sweep(ground) == [queued, dialled]
    assert carrier.called_off == [(ground.attempt(each).carrier_sid, True) for each in (queued, dialled)]
    assert sweep(ground) == []


def test_a_carrier_that_does_not_hear_is_asked_again(ground: Ground, carrier: QueueingCarrier) -> None:
    (queued,) = placed(ground, 1)
    steer(ground, "pause")
    carrier.is_deaf = True
    assert sweep(ground) == [queued]
    carrier.is_deaf = False

    assert sweep(ground) == [queued]
    assert len(carrier.called_off) == 1


def test_a_campaign_that_was_resumed_in_between_keeps_its_calls(ground: Ground, carrier: QueueingCarrier) -> None:
    (queued,) = placed(ground, 1)
    steer(ground, "pause")
    steer(ground, "resume")
    jobs.call_off(queued)

    assert carrier.called_off == []


def test_a_call_that_was_called_off_is_no_try_against_the_person(ground: Ground, carrier: QueueingCarrier) -> None:
    (queued,) = placed(ground, 1)
    steer(ground, "pause")
    sweep(ground)
    token = ground.attempt(queued).token
    ground.status(token, "canceled")
    assert ground.settle(token) is False, "the report that it rang may still be under way"
    ground.clock.advance(seconds=31)
    ground.settle(token)

    respondent = ground.respondent_of(queued)
    assert (respondent.state, respondent.tries, respondent.disposition) == ("waiting", 0, "not_attempted")
    assert ground.attempt(queued).disposition is None
    steer(ground, "resume")
    ground.clock.advance(seconds=2)
    assert len(ground.claim()) == 1


def test_a_call_that_rang_counts_although_we_heard_of_it_after_it_was_called_off(ground: Ground, carrier: QueueingCarrier) -> None:
    (attempt_id,) = placed(ground, 1)
    token = ground.attempt(attempt_id).token
    ground.status(token, "canceled")
    ground.settle(token)
    ground.status(token, "ringing")
    ground.clock.advance(seconds=31)
    ground.settle(token)

    respondent = ground.respondent_of(attempt_id)
    assert (respondent.tries, respondent.disposition) == (1, "no_answer")


def test_a_call_that_rang_before_it_was_called_off_counts(ground: Ground, carrier: QueueingCarrier) -> None:
    (attempt_id,) = placed(ground, 1)
    token = ground.attempt(attempt_id).token
    ground.status(token, "ringing")
    ground.status(token, "canceled")
    ground.settle(token)

    respondent = ground.respondent_of(attempt_id)
    assert (respondent.tries, respondent.disposition) == (1, "no_answer")


def test_a_stopped_campaign_closes_whom_it_called_off(ground: Ground, carrier: QueueingCarrier) -> None:
    (queued,) = placed(ground, 1)
    steer(ground, "stop")
    sweep(ground)
    token = ground.attempt(queued).token
    ground.status(token, "canceled")
    assert ground.settle(token) is False, "the report that it rang may still be under way"
    ground.clock.advance(seconds=31)
    ground.settle(token)

    respondent = ground.respondent_of(queued)
    assert (respondent.state, respondent.close_reason) == ("closed", "campaign_stopped")


def test_who_has_refused_meanwhile_is_called_off_even_while_it_rings(ground: Ground, carrier: QueueingCarrier) -> None:
    first, second = placed(ground, 2)
    ground.status(ground.attempt(first).token, "ringing")
    ground.status(ground.attempt(second).token, "ringing")
    with ground.work() as work:
        fieldwork.opt_out(work.session, ground.office, ground.attempt(first).phone_key, "called us and pressed 0", ground.now)

    assert sweep(ground) == [first]
    assert carrier.called_off == [(ground.attempt(first).carrier_sid, True)]
    ground.status(ground.attempt(first).token, "canceled")
    ground.clock.advance(seconds=31)
    assert ground.settle(ground.attempt(first).token)
    assert ground.respondent_of(first).close_reason == "opted_out"
    assert sweep(ground) == []
