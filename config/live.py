"""The console's live part, put together: announcements over Redis, a hub for the sockets of this process, and who looks at what."""

from config import valkey
from config.wiring import House
from ivr.console.hub import Hub
from ivr.console.services import Live
from worker.announcing import RedisFeed
from worker.company import RedisCompany

SPARE_THREADS = 16
"""Threads of the console that no socket may take, beside one for each page that a socket belongs to."""


def live(house: House) -> Live | None:
    """How the pages of this house's console learn what has changed; None where the house tells nobody."""
    announcer, given = house.announcer, house.settings
    if announcer is None:
        return None
    feed = RedisFeed(valkey.client(given.redis_url, given.data))
    company = RedisCompany(valkey.client(given.redis_url, given.data, hurried=True))
    return Live(announcer, Hub(feed, given.console_tabs), company)


def threads(console_threads: int, tabs: int) -> int:
    """How many threads the console's server has: each socket holds one, and the pages behind them need as many again."""
    return max(console_threads, 2 * tabs + SPARE_THREADS)
