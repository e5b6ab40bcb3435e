"""The hub of the live sockets: seats, what they are told, and when they are lost."""

import re
import time
from pathlib import Path

import pytest

from config import valkey
from ivr.console import live
from ivr.console.hub import GOING_AWAY, LISTEN_SECONDS, TRY_LATER, Hub
from tests import embedded
from tests.ivr.console.one_process import InlineAnnouncer
from worker.announcing import LOST_SECONDS, RedisAnnouncer, RedisFeed

PATIENCE_SECONDS = 20.0


def eventually(condition) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def test_pages_lose_their_seats_with_the_server_and_get_new_ones_with_another(tmp_path: Path) -> None:
    hub = Hub(RedisFeed(valkey.client("", tmp_path)), 2)
    with embedded.running(tmp_path):
        assert hub.is_hearing()
        seat = hub.join({"order:7": "order:abc"})
        RedisAnnouncer(valkey.client("", tmp_path, hurried=True)).announce({"order:7"})
        assert seat.wait(PATIENCE_SECONDS) == {"order:abc": 1}
    eventually(lambda: seat.ends_with == TRY_LATER)
    assert hub.join({"desk": "desk"}) is None

    with embedded.running(tmp_path):
        eventually(lambda: hub.join({"desk": "desk"}))
    hub.close()


def test_a_failure_that_nobody_foresaw_is_logged_and_the_hub_listens_on(caplog, monkeypatch) -> None:
    monkeypatch.setattr("ivr.console.hub.RETRY_SECONDS", 0.01)
    announcer = InlineAnnouncer()
    hub = Hub(announcer, 2)
    assert hub.is_hearing()
    seat = hub.join({"desk": "desk"})
    with monkeypatch.context() as spoilt:
        spoilt.setattr(announcer, "next", lambda _seconds: {}["nothing"])
        eventually(lambda: seat.ends_with == TRY_LATER)
    eventually(lambda: hub.join({"desk": "desk"}))

    assert "live.failed" in {getattr(record, "action", "") for record in caplog.records}
    hub.close()


def test_a_slow_page_finds_one_notice_for_each_topic_however_much_has_happened() -> None:
    announcer = InlineAnnouncer()
    hub = Hub(announcer, 3)
    assert hub.is_hearing()
    slow, quick = hub.join({"desk": "desk", "order:7": "order:abc"}), hub.join({"desk": "desk"})
    for _ in range(1000):
        announcer.announce({"desk"})
    announcer.announce({"order"})
    eventually(lambda: hub._version == 1001)

    assert slow.wait(0) == {"desk": 1000, "order:abc": 1001}
    assert quick.wait(0) == {"desk": 1000}
    assert slow.wait(0) == {}
    hub.close()


def test_no_more_pages_find_a_seat_than_there_are_and_none_once_the_server_stops() -> None:
    hub = Hub(InlineAnnouncer(), 2)
    assert hub.is_hearing()
    first, second = hub.join({"desk": "desk"}), hub.join({"desk": "desk"})
    assert hub.join({"desk": "desk"}) is None
    hub.leave(second)
    assert hub.join({"desk": "desk"}) is not None

    hub.close()
    assert first.ends_with == GOING_AWAY
    assert hub.join({"desk": "desk"}) is None
    assert not hub.is_hearing()


def test_the_log_in_behind_a_socket_is_looked_at_within_five_seconds():
    """RS53."""
    assert live.CHECK_SECONDS + live.LOOK_SECONDS <= 5


@pytest.mark.parametrize("half_open", ["between page and console", "between console and redis"])
def test_a_line_that_fell_silent_is_said_within_five_seconds(half_open):
    """O5; the page's own times stand in its script, in milliseconds."""
    script = (Path(live.__file__).parent / "static" / "live.js").read_text("utf-8")
    silent, told, look = (
        int(re.search(rf"var {name} = (\d+);", script)[1]) / 1000 for name in ("SILENT_AFTER", "TOLD_AFTER", "LOOK_EVERY")
    )
    assert silent >= 2 * live.BEAT_SECONDS
    if half_open == "between page and console":
        assert max(silent, told) + look < 5
    else:
        assert LOST_SECONDS + LISTEN_SECONDS + told + look < 5
