"""Who looks at what, over a real embedded server and without one (O33)."""

from pathlib import Path

from redis import Redis

from config import valkey
from tests import embedded
from worker.company import PREFIX, STAY_SECONDS, RedisCompany


def hurried(data: Path) -> Redis:
    return valkey.client("", data, hurried=True)


def test_who_looks_at_the_same_thing_is_known_for_some_seconds_at_a_time(tmp_path: Path) -> None:
    with embedded.running(tmp_path):
        company, elsewhere = RedisCompany(hurried(tmp_path)), RedisCompany(hurried(tmp_path))
        assert company.note("order:7", 1) is True
        assert elsewhere.note("order:7", 2) is True
        assert company.note("order:7", 1) is False, "they were there already"
        assert company.of("order:7") == elsewhere.of("order:7") == {1, 2}
        assert company.of("order:71") == frozenset()
        assert 0 < valkey.client("", tmp_path).ttl(f"{PREFIX}order:7:1") <= STAY_SECONDS

        elsewhere.leave("order:7", 2)
        assert company.of("order:7") == {1}
        valkey.client("", tmp_path).delete(f"{PREFIX}order:7:1")  # as it does by itself when nothing is heard of somebody
        assert company.of("order:7") == frozenset()


def test_without_a_server_nobody_is_seen_and_nothing_fails(tmp_path: Path) -> None:
    company = RedisCompany(hurried(tmp_path))

    assert company.note("order:7", 1) is False
    assert company.of("order:7") == frozenset()
    company.leave("order:7", 1)
