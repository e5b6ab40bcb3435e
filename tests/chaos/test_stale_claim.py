"""RS12: a worker that slept between its claim and the request does not dial when it wakes."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from config.conductor import RemoteExchange
from tests.chaos.campaign import START
from tests.chaos.house import Premises, kept, settings_for
from tests.conftest import StandingClock
from tests.survey.fieldwork.conftest import Ground
from worker.jobs import CLAIM_AGE_SECONDS


def test_a_worker_stopped_between_claim_and_request_does_not_dial(tmp_path: Path) -> None:
    with kept(settings_for(tmp_path, workers="1"), 1, START) as premises:
        _signal(premises, "clock", signal.SIGSTOP)  # nobody else claims or wakes
        ground = Ground(premises.house.engine, premises.house.office, StandingClock(START))
        ground.launch(1)
        (attempt_id,) = ground.claim()
        lock = sqlite3.connect(tmp_path / "huifang.sqlite", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        premises.house.queue.enqueue("dial", attempt_id)
        _until(lambda: not premises.house.redis.llen("rq:queue:dial"))
        time.sleep(0.5)  # the worker has read its clock and waits for the lock before its claim can be committed
        _signal(premises, "worker:dial", signal.SIGSTOP)
        lock.execute("ROLLBACK")
        lock.close()
        time.sleep(CLAIM_AGE_SECONDS + 1)
        _signal(premises, "worker:dial", signal.SIGCONT)

        _until(lambda: "stale claim" in premises.log())

        assert RemoteExchange(premises.settings.twilio_api_url).journal() == []
        _signal(premises, "clock", signal.SIGCONT)


def _signal(premises: Premises, name: str, sign: signal.Signals) -> None:
    for process in premises.named(name):
        os.kill(process.pid, sign)


def _until(holds: Callable[[], bool], seconds: float = 20.0) -> None:

    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
