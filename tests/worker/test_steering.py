"""Hold and mute come to be as the operator wants them, and the operator is let go, whatever happens on the way (O18)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ivr.carrier.base import Accepted, CallRequest, CarrierError, Placement, Rejected, Unknown
from survey import desk
from survey.events import HungUp
from survey.store.models import Takeover, User
from tests.survey.desk.conftest import Desk, bench, ground
from tests.survey.desk.test_callbacks import begun
from worker import runtime
from worker.ringing import let_go, ring_desk, steer_room
from worker.runtime import Runtime

__all__ = ["bench", "ground"]

ACCEPTED = Accepted("CAoperator")


@dataclass
class RoomCarrier:
    """A carrier with one room: `meanwhile` happens during its requests, and the first `failures` of them fail, done or not."""

    held: bool = False
    muted: bool = False
    failures: int = 0
    does_it_though: bool = False
    meanwhile: list[Any] = field(default_factory=list)
    put_down: list[str] = field(default_factory=list)
    placement: Placement = ACCEPTED

    def place_call(self, request: CallRequest) -> Placement:
        """Ring the operator's telephone."""
        self._answer()
        return self.placement

    def hold(self, room: str, call_sid: str, on: bool, url: str) -> None:
        """Hold the person."""
        self.held = self._done(self.held, on)
        self._answer()

    def hang_up(self, sid: str, *, ringing_only: bool = False) -> None:
        """Put the operator's telephone down."""
        self._answer()
        self.put_down.append(sid)

    def mute(self, room: str, call_sid: str, on: bool) -> None:
        """Mute the operator."""
        self.muted = self._done(self.muted, on)
        self._answer()

    def _done(self, before: bool, wanted: bool) -> bool:
        return wanted if not self.failures or self.does_it_though else before

    def _answer(self) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if self.failures:
            self.failures -= 1
            raise CarrierError("HTTP 503")


@pytest.fixture
def carrier(bench: Desk, tmp_path: Path) -> Iterator[RoomCarrier]:
    before, line = runtime._Holder.runtime, RoomCarrier()
    runtime.install(Runtime(bench.ground.work, bench.ground.office, bench.ground.clock, line, tmp_path, "http://127.0.0.1:1"))  # type: ignore[arg-type]
    yield line
    runtime._Holder.runtime = before


def deed(bench: Desk, user: User, name: str, on: bool) -> None:
    """The operator presses hold or mute; its job is not run."""
    wanted = bench.takeover().public_id
    with bench.ground.work() as work:
        getattr(desk.takeovers, name)(work, bench.ground.office, wanted, work.session.get_one(User, user.id), bench.ground.now, on=on)


def is_steered(bench: Desk) -> bool:
    """Whether the page may say that it is so."""
    return desk.ringing.is_steered(bench.takeover())


def woken(bench: Desk, job: str = "steer_room") -> bool:
    """Whether the sweep asks for the job."""
    bench.ground.queue.asked.clear()
    bench.tend()
    return (job, bench.takeover().id, 0) in bench.ground.queue.asked


def test_a_mute_that_is_taken_back_while_its_job_runs_is_taken_back_at_the_carrier(bench: Desk, carrier: RoomCarrier) -> None:
    wang = bench.operator("wang")
    bench.talk(wang)
    deed(bench, wang, "mute", True)
    carrier.meanwhile = [lambda: None, lambda: deed(bench, wang, "mute", False)]  # the second job is refused: the first still runs

    steer_room(bench.takeover().id)

    assert not carrier.muted
    assert is_steered(bench)
    assert not woken(bench)


@pytest.mark.parametrize("name", ["hold", "mute"])
def test_a_carrier_that_answers_503_once_is_asked_again_by_the_sweep(bench: Desk, carrier: RoomCarrier, name: str) -> None:
    wang = bench.operator("wang")
    bench.talk(wang)
    deed(bench, wang, name, True)
    carrier.failures = 1

    steer_room(bench.takeover().id)
    assert not is_steered(bench)
    assert woken(bench)
    steer_room(bench.takeover().id)

    assert (carrier.held, carrier.muted) == (name == "hold", name == "mute")
    assert is_steered(bench)
    assert not woken(bench)


def test_a_wish_whose_job_was_lost_is_found_in_the_rows(bench: Desk, carrier: RoomCarrier) -> None:
    wang = bench.operator("wang")
    bench.talk(wang)
    deed(bench, wang, "hold", True)

    assert woken(bench)


def test_what_the_carrier_did_without_an_answer_is_undone_when_the_wish_is_taken_back(bench: Desk, carrier: RoomCarrier) -> None:
    wang = bench.operator("wang")
    bench.talk(wang)
    deed(bench, wang, "hold", True)
    carrier.failures, carrier.does_it_though = 1, True
    steer_room(bench.takeover().id)
    deed(bench, wang, "hold", False)

    assert woken(bench)
    steer_room(bench.takeover().id)

    assert not carrier.held
    assert is_steered(bench)


def test_an_operator_who_could_not_be_let_go_is_let_go_by_the_sweep(bench: Desk, carrier: RoomCarrier) -> None:
    bench.again(bench.talk(bench.operator("wang")))
    carrier.failures = 1
    let_go(bench.takeover().id)
    assert carrier.put_down == []

    bench.ground.clock.advance(seconds=3)
    assert woken(bench, "let_go")
    let_go(bench.takeover().id)

    assert carrier.put_down == ["CAoperator"]
    assert not woken(bench, "let_go")


def rings(bench: Desk) -> int:
    """A call that an operator has claimed, whose telephone is not rung yet; the takeover."""
    wang = bench.operator("wang")
    bench.call()
    bench.claim(wang)
    return bench.takeover().id


def leave(bench: Desk) -> None:
    """The person hangs up, and the job that is asked for then has run already."""
    with bench.ground.sessions() as session:
        token = session.get_one(Takeover, bench.takeover().id).attempt.token
    bench.again(token, HungUp())
    let_go(bench.takeover().id)
    bench.ground.queue.asked.clear()


def test_a_telephone_that_is_being_rung_when_the_person_hangs_up_is_put_down_as_soon_as_its_call_is_known(
    bench: Desk, carrier: RoomCarrier
) -> None:
    number = rings(bench)
    carrier.meanwhile = [lambda: leave(bench)]
    ring_desk(number)
    assert ("let_go", number, 0) in bench.ground.queue.asked

    let_go(number)
    assert carrier.put_down == ["CAoperator"]
    bench.ground.clock.advance(seconds=3)
    assert not woken(bench, "let_go")


def test_a_telephone_of_which_only_the_web_hook_tells_is_put_down_too(bench: Desk, carrier: RoomCarrier) -> None:
    number = rings(bench)
    carrier.meanwhile, carrier.placement = [lambda: leave(bench)], Unknown("ReadTimeout")
    ring_desk(number)
    token = bench.takeover().ring_token or ""
    with bench.ground.work() as work:
        desk.ringing.note_rung(work, token, "CAafterall")

    let_go(number)
    assert carrier.put_down == ["CAafterall"]


@pytest.mark.parametrize("placement", [Rejected("bad_number", "21211", "no"), Unknown("ReadTimeout"), None])
def test_a_ring_that_never_came_to_be_is_waited_for_no_longer_than_it_could_last(
    bench: Desk, carrier: RoomCarrier, placement: Placement | None
) -> None:
    number = rings(bench)
    if placement is None:  # the worker dies
        with bench.ground.work() as work:
            desk.ringing.prepare_ring(work, bench.ground.office, number, bench.ground.now)
        leave(bench)
    else:
        carrier.meanwhile, carrier.placement = [lambda: leave(bench)], placement
        ring_desk(number)
    bench.ground.clock.advance(seconds=3)
    assert woken(bench, "let_go") == (not isinstance(placement, Rejected))

    bench.ground.clock.advance(seconds=77)
    let_go(number)
    assert not woken(bench, "let_go")
    assert carrier.put_down == []


def test_a_call_back_whose_ring_was_refused_leaves_nothing_to_put_down(bench: Desk, carrier: RoomCarrier) -> None:
    begun(bench)
    carrier.placement = Rejected("bad_number", "21211", "no")
    ring_desk(bench.takeover().id)

    assert bench.takeover().state == "done"
    bench.ground.clock.advance(seconds=3)
    assert not woken(bench, "let_go")
