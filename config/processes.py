"""The processes of the house as the supervisor's children, and what each of them does: `python -m config.processes <name>`."""

import sys
from collections.abc import Callable
from functools import partial

from config import ports, valkey
from config.cli import open_house
from config.settings import ROOT, Settings
from config.supervisor import Child
from worker.queues import QUEUES


def children(settings: Settings) -> list[Child]:
    """Everything that `serve` runs, in the order of starting; `settings` must name free ports.

    embedded Valkey (where no Redis is configured) → migrate → voice door → console → workers, one queue each → clock process.
    """
    return [*store(settings), *doors(settings), *workers(settings), sweeper(settings)]


def store(settings: Settings) -> list[Child]:
    """The embedded Valkey, if it is wanted, and the migration of the database."""
    found = []
    if not settings.redis_url:
        ready = partial(valkey.answers, valkey.client("", settings.data))
        found.append(Child("valkey", valkey.command(settings.data), ready=ready, last=True))
    return [*found, _child(settings, "migrate", once=True)]


def doors(settings: Settings) -> list[Child]:
    """The two web servers."""
    return [
        _child(settings, "voice", address=(settings.voice_host, settings.voice_port)),
        _child(settings, "console", address=(settings.console_host, settings.console_port)),
    ]


def workers(settings: Settings) -> list[Child]:
    """One process for each queue, and as many for dialling as the settings say."""
    counts = {queue: settings.workers if queue == "dial" else 1 for queue in dict.fromkeys(QUEUES.values())}
    return [
        _child(settings, f"{queue}-{number}" if count > 1 else queue, argument=f"worker:{queue}")
        for queue, count in counts.items()
        for number in range(1, count + 1)
    ]


def sweeper(settings: Settings) -> Child:
    """The clock process."""
    return _child(settings, "clock")


def _child(settings: Settings, name: str, *, argument: str = "", address: tuple[str, int] | None = None, once: bool = False) -> Child:
    return Child(
        name, python("config.processes", argument or name), {**settings.as_environment(), "PYTHONPATH": str(ROOT)},
        ready=partial(ports.answers, *address) if address else None, unhurried=address is not None, once=once,
    )  # fmt: skip


def python(module: str, *arguments: str) -> list[str]:
    """A command line that runs a module of this program with this Python."""
    return [sys.executable, "-P", "-m", module, *arguments]


def main(name: str) -> None:
    """Be the process `name`: migrate, voice, console, worker:<queue>, clock. Raises KeyError for another name."""
    kind, _, queue = name.partition(":")
    parts: dict[str, Callable[[], None]] = {
        "migrate": _migrate, "voice": _voice, "console": _console, "worker": partial(_work, queue), "clock": _sweep,
    }  # fmt: skip
    parts[kind]()


def _migrate() -> None:
    from survey.store.migrations import migrate

    migrate(open_house().engine)


def _voice() -> None:
    from config.doors import Door, serve

    given = open_house().settings
    serve(Door("config.voice_wsgi:app", given.voice_host, given.voice_port, given.voice_threads))


def _console() -> None:
    from config.doors import Door, serve

    given = open_house().settings
    serve(Door("config.console_wsgi:app", given.console_host, given.console_port, given.console_threads))


def _work(queue: str) -> None:
    from worker import jobs, runtime
    from worker.worker import open_worker

    house = open_house()
    runtime.install(house.runtime())
    connection = valkey.client(house.settings.redis_url, house.settings.data, blocking=True)
    worker = open_worker(queue, connection, forked=lambda: house.engine.dispose(close=False))
    assert jobs  # imported before the first fork, so that a child need not
    worker.work(logging_level="WARNING")


def _sweep() -> None:
    from config.sweep import Sweeper

    Sweeper(open_house()).run()


if __name__ == "__main__":
    main(sys.argv[1])
