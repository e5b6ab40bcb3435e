"""Announcements over a real embedded server, and without one."""

import time
from pathlib import Path

import pytest

from config import valkey
from tests import embedded
from worker.announcing import CHANNEL, RedisAnnouncer, RedisFeed

PATIENCE_SECONDS = 20.0


def hurried(data: Path):
    return valkey.client("", data, hurried=True)


@pytest.fixture
def data(tmp_path: Path):
    with embedded.running(tmp_path):
        yield tmp_path


def heard(feed: RedisFeed) -> set[str]:
    """The next announcement."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        found = feed.next(0.1)
        if found:
            return set(found)
    raise AssertionError("nothing was heard")


def test_what_one_process_announces_every_feed_hears(data: Path) -> None:
    feeds = [RedisFeed(valkey.client("", data)) for _ in range(2)]
    assert [feed.next(PATIENCE_SECONDS) for feed in feeds] == [(), ()], "listening from here on"
    RedisAnnouncer(hurried(data)).announce({"desk", "call:7"})

    assert [heard(feed) for feed in feeds] == [{"desk", "call:7"}] * 2
    for feed in feeds:
        feed.close()


@pytest.mark.parametrize("strange", ['{"desk": 1}', '"desk"', "[1]", "desk", "null"])
def test_what_is_no_list_of_topics_is_not_heard_as_one(data: Path, strange: str) -> None:
    feed = RedisFeed(valkey.client("", data))
    assert feed.next(PATIENCE_SECONDS) == ()
    hurried(data).publish(CHANNEL, strange)

    assert feed.next(PATIENCE_SECONDS) is None
    feed.close()


def test_a_quiet_server_is_asked_whether_it_is_there_and_a_feed_goes_on_for_as_long_as_it_is(data: Path, monkeypatch) -> None:
    monkeypatch.setattr("worker.announcing.QUIET_SECONDS", 0.05)
    feed = RedisFeed(valkey.client("", data))

    assert [feed.next(0.1) for _ in range(6)] == [()] * 6
    feed.close()


def test_without_a_server_announcing_is_quick_and_never_fails(tmp_path: Path, caplog) -> None:
    announcer = RedisAnnouncer(hurried(tmp_path))
    for _ in range(50):
        announcer.announce({"desk"})

    lost = [record for record in caplog.records if getattr(record, "action", "") == "announcement.lost"]
    assert len(lost) < 50, "it is left alone for a while"
    assert lost


def test_a_feed_without_a_server_says_so_and_hears_again_when_there_is_one(tmp_path: Path) -> None:
    feed = RedisFeed(valkey.client("", tmp_path))
    assert feed.next(0.1) is None
    with embedded.running(tmp_path):
        assert feed.next(PATIENCE_SECONDS) == ()
    assert feed.next(0.1) is None
    feed.close()
