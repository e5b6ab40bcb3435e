"""The processes of the house as the supervisor's children, and what each of them does: `python -m config.processes <name>`."""

import os
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from config import metrics, valkey
from config.child import LISTENS, TELLS, Child
from config.cli import SETTLED, open_house
from config.settings import ROOT, Settings
from config.wiring import JOB_SECONDS, House
from worker.queues import QUEUES

PARTS = ("migrate", "voice", "media", "console", "workers", "clock", *dict.fromkeys(QUEUES.values()))
"""What `serve --only` can be asked for: everything, or some of it; a queue's name means its workers alone."""


def children(settings: Settings, only: Collection[str] = (), sockets: Mapping[str, int] | None = None) -> list[Child]:
    """Everything that `serve` runs, in the order of starting, or only some parts of it; `settings` must name free ports.

    embedded Valkey (where no Redis is configured) → migrate → voice door → media server (where people are listened to) → console →
    workers, one queue each → clock process.
    `sockets` are the descriptors of the doors' listening sockets, by name; a door that has none opens its own.
    """
    found = [*store(settings), *doors(settings, sockets or {}, "media" in only), *workers(settings), sweeper(settings)]
    return [child for child in found if not only or _part(child) & {*only, "valkey"}]


def _part(child: Child) -> set[str]:
    queue = child.name.partition("-")[0]
    return {queue, "workers"} if queue in QUEUES.values() else {child.name}


def store(settings: Settings) -> list[Child]:
    """The embedded Valkey, if it is wanted, and the migration of the database."""
    found = []
    if not settings.redis_url:
        ready = partial(valkey.answers, valkey.client("", settings.data))
        found.append(Child("valkey", valkey.command(settings.data), ready=ready, last=True))
    return [*found, _child(settings, "migrate", once=True)]


def doors(settings: Settings, sockets: Mapping[str, int] | None = None, is_listening: bool = False) -> list[Child]:
    """The two web servers, and the media server of the voice door where people are listened to, or where it is asked for."""
    names = ("voice", *(["media"] if is_listening or House(settings).media_url else []), "console")
    return [_child(settings, name, tells=True, unhurried=True, listens=(sockets or {}).get(name)) for name in names]


def workers(settings: Settings) -> list[Child]:
    """One process for each queue, and as many for dialling as the settings say."""
    counts = {queue: settings.workers if queue == "dial" else 1 for queue in dict.fromkeys(QUEUES.values())}
    return [
        _child(settings, f"{queue}-{number}" if count > 1 else queue, argument=f"worker:{queue}", eager=queue == "dial")
        for queue, count in counts.items()
        for number in range(1, count + 1)
    ]


def sweeper(settings: Settings) -> Child:
    """The clock process."""
    return _child(settings, "clock", eager=True)


def _child(settings: Settings, name: str, *, argument: str = "", **manners: Any) -> Child:
    environment = {**settings.as_environment(), "PYTHONPATH": str(ROOT), SETTLED: "yes"}
    return Child(name, python("config.processes", argument or name), environment, **manners)


def python(module: str, *arguments: str) -> list[str]:
    """A command line that runs a module of this program with this Python."""
    return [sys.executable, "-P", "-m", module, *arguments]


def main(name: str) -> None:
    """Be the process `name`: migrate, voice, media, console, worker:<queue>, clock. Raises KeyError for another name."""
    kind, _, queue = name.partition(":")
    parts: dict[str, Callable[[], None]] = {
        "migrate": _migrate, "voice": _voice, "media": _media, "console": _console, "worker": partial(_work, queue), "clock": _sweep,
    }  # fmt: skip
    parts[kind]()


def _migrate() -> None:
    from survey.store.database import reading
    from survey.store.migrations import current, migrate

    engine = open_house().engine
    if current(reading(engine)) is None:  # that a new house gets its tables is no news
        migrate(engine)
    else:
        migrate(engine, tell=partial(print, flush=True))


def _voice() -> None:
    given = open_house().settings
    _serve("config.voice_wsgi:app", given.voice_host, given.voice_port, given.voice_threads)


def _media() -> None:
    from config.media import run

    run(open_house(), *_descriptors())


def _console() -> None:
    from config.live import threads

    given = open_house().settings
    _serve("config.console_wsgi:app", given.console_host, given.console_port, threads(given.console_threads, given.console_tabs))


def _serve(application: str, host: str, port: int, threads: int) -> None:
    from config.doors import Door, serve

    serve(Door(application, host, port, threads, *_descriptors()))


def _descriptors() -> tuple[int | None, int | None]:
    """The descriptor of the socket that listens already, and of the one on which to tell that the process is at work."""
    listens, tells = (int(os.environ[name]) if name in os.environ else None for name in (LISTENS, TELLS))
    return listens, tells


def _work(queue: str) -> None:
    from sqlalchemy.orm import configure_mappers

    from worker import jobs, runtime
    from worker.worker import open_worker

    house = replace(open_house(), statement_seconds=JOB_SECONDS)
    metrics.begin(queue, house.data)
    runtime.install(house.runtime())
    connection = valkey.client(house.settings.redis_url, house.settings.data, blocking=True)
    worker = open_worker(queue, connection, house.data, forked=lambda: house.engine.dispose(close=False))
    assert jobs  # imported before the first fork, so that a child need not
    configure_mappers()  # for the same reason: half of what a child that fetches a recording had to do
    worker.work(logging_level="WARNING")


def _sweep() -> None:
    from config.sweep import Sweeper

    house = replace(open_house(), statement_seconds=JOB_SECONDS)
    metrics.begin("clock", house.data)
    Sweeper(house).run()


if __name__ == "__main__":
    main(sys.argv[1])
